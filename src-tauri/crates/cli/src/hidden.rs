//! Whether other programs of the same user may look into the memory of this one (ptrace, `/proc/PID/mem`).
//!
//! From the first secret that it reads, it hides its memory. The engine cannot identify a hidden process, so this one
//! shows itself during a request: the secret is wiped as soon as it is sent. A command without secrets does not hide.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether a secret has been read.
static HAS_SECRETS: AtomicBool = AtomicBool::new(false);
/// The number of requests in progress: while one waits, another asks for the reason.
static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// Call before a secret is read.
pub(crate) fn from_now_on() {
    HAS_SECRETS.store(true, Ordering::Relaxed);
    hide(true);
}

/// Call before a request: the engine has to identify this process until the result is dropped.
pub(crate) fn not_for_a_request() -> Shown {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    if HAS_SECRETS.load(Ordering::Relaxed) {
        hide(false);
    }
    Shown
}

/// While this exists, the engine can identify this process.
pub(crate) struct Shown;

impl Drop for Shown {
    fn drop(&mut self) {
        let is_last = REQUESTS.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last && HAS_SECRETS.load(Ordering::Relaxed) {
            hide(true);
        }
    }
}

/// A refusal by the system is ignored.
#[cfg(target_os = "linux")]
fn hide(hidden: bool) {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    let _ = set_dumpable_behavior(match hidden {
        true => DumpableBehavior::NotDumpable,
        false => DumpableBehavior::Dumpable,
    });
}

#[cfg(not(target_os = "linux"))]
fn hide(_: bool) {}
