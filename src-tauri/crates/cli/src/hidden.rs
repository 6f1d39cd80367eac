//! Whether other programs of the same user may look into the memory of this one (ptrace, `/proc/PID/mem`).
//!
//! From the moment on at which a secret is read they may not. But of a process that hides itself the engine could not
//! tell which program it is, and so for the time of a request this one shows itself: the secret is wiped as soon as it
//! is sent. A command that reads no secret pays nothing for this.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether a secret was read.
static HAS_SECRETS: AtomicBool = AtomicBool::new(false);
/// How many requests are under way: while one waits, another looks what it waits for.
static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// A secret is about to be read.
pub(crate) fn from_now_on() {
    HAS_SECRETS.store(true, Ordering::Relaxed);
    hide(true);
}

/// The engine is about to be asked something, and has to see who asks. Ends with what is returned.
pub(crate) fn not_for_a_request() -> Shown {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    if HAS_SECRETS.load(Ordering::Relaxed) {
        hide(false);
    }
    Shown
}

/// Until this goes, the engine can tell which program this is.
pub(crate) struct Shown;

impl Drop for Shown {
    fn drop(&mut self) {
        let is_last = REQUESTS.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last && HAS_SECRETS.load(Ordering::Relaxed) {
            hide(true);
        }
    }
}

/// What the system refuses is no reason not to go on.
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
