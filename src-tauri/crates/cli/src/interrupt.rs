//! Ctrl-C, and whatever else politely asks this program to end.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Does `work`. When this program is asked to end meanwhile, `undo` is done first; then it ends as a shell expects it
/// of a program that a signal ended.
pub(crate) fn or_else<T>(undo: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    // Without it a signal ends us at once, as it would have.
    let (Some(by_default), Ok(mut signals)) = (by_default(), Signals::new(SIGNALS)) else {
        return work();
    };
    by_default.store(false, Ordering::SeqCst);
    let handle = signals.handle();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(signal) = signals.forever().next() {
                undo();
                std::process::exit(128 + signal);
            }
        });
        let done = work();
        by_default.store(true, Ordering::SeqCst);
        handle.close();
        done
    })
}

/// Whether a signal does what it does by default. Once a signal was caught, it would otherwise do nothing any more.
fn by_default() -> Option<&'static AtomicBool> {
    static FLAG: OnceLock<Option<Arc<AtomicBool>>> = OnceLock::new();
    let register = || {
        let flag = Arc::new(AtomicBool::new(true));
        for signal in SIGNALS {
            register_conditional_default(signal, flag.clone()).ok()?;
        }
        Some(flag)
    };
    FLAG.get_or_init(register).as_deref()
}
