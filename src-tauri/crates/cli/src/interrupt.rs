//! Ctrl-C and the other signals that ask this program to end.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Runs `work`. When a signal asks the program to end meanwhile, it runs `undo` and exits with the code that a shell
/// expects after a signal.
pub(crate) fn or_else<T>(undo: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    // Without a handler a signal ends the program at once.
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

/// Whether a signal has its default effect. After a handler was registered it would otherwise have none.
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
