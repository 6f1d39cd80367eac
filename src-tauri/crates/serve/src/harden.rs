//! Protects the memory of this process.

/// Hides the memory of this process from other programs of the same user (ptrace, `/proc/PID/mem`), and keeps it out of
/// core dumps. A refusal by the system is ignored.
pub(crate) fn this_process() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        );
    }
    #[cfg(target_os = "linux")]
    if !is_left_readable() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// A build for tests can be told to leave its memory open to its own user: a test that is not root searches it.
#[cfg(target_os = "linux")]
fn is_left_readable() -> bool {
    cfg!(feature = "fault-injection") && std::env::var_os("TOKENRY_TEST_READABLE").is_some()
}
