//! Hides the memory of this process from other programs of the same user, except during a request to the engine, which
//! has to see which program calls.

use std::sync::Mutex;

/// How many requests to the engine are on their way.
static REQUESTS: Mutex<usize> = Mutex::new(0);

/// Hides it. A refusal by the system is ignored.
pub(crate) fn this_process() {
    #[cfg(target_os = "linux")]
    set(true);
}

/// Shows it until this is dropped.
pub(crate) fn not_for_a_request() -> Shown {
    let mut requests = REQUESTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *requests += 1;
    #[cfg(target_os = "linux")]
    if *requests == 1 {
        set(false);
    }
    Shown
}

/// See [`not_for_a_request`].
pub(crate) struct Shown;

impl Drop for Shown {
    fn drop(&mut self) {
        let mut requests = REQUESTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *requests -= 1;
        #[cfg(target_os = "linux")]
        if *requests == 0 {
            set(true);
        }
    }
}

#[cfg(target_os = "linux")]
fn set(is_hidden: bool) {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    let _ = set_dumpable_behavior(match is_hidden {
        true => DumpableBehavior::NotDumpable,
        false => DumpableBehavior::Dumpable,
    });
}
