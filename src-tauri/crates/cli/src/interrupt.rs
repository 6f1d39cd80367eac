//! Ctrl-C, and whatever else politely asks this program to end.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Does `work`. When this program is asked to end meanwhile, `undo` is done first; then it ends as a shell expects it
/// of a program that a signal ended.
pub(crate) fn or_else<T>(undo: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    // Without it a signal ends us at once, as it would have.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return work();
    };
    let handle = signals.handle();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(signal) = signals.forever().next() {
                undo();
                std::process::exit(128 + signal);
            }
        });
        let done = work();
        handle.close();
        done
    })
}
