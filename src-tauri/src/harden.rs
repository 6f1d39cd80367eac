//! What keeps the engine's secrets inside this process, which is also the window's.

use std::time::Duration;
use tokenry_engine::residue;

/// How long a thread for the disk or for key derivation waits for more work. Its stack goes with it.
const THREAD_PATIENCE: Duration = Duration::from_secs(2);

/// A core file of this process would hold tokens. What the system refuses is no reason not to start.
pub(crate) fn no_core_dumps() {
    #[cfg(unix)]
    {
        let none = rustix::process::Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    }
}

/// Keeps the memory of this process from other programs of the same user. Desktop portals do not serve a process that
/// hides itself; ARCHITECTURE.md says why nothing here needs them. What WebKit starts is not hidden: programs that are
/// executed begin anew.
pub(crate) fn no_look_into_memory() {
    #[cfg(target_os = "linux")]
    if !is_left_readable() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// A build for tests can be told to leave its memory open to its own user: a test that is not root searches it.
#[cfg(target_os = "linux")]
fn is_left_readable() -> bool {
    cfg!(feature = "automation") && std::env::var_os("TOKENRY_TEST_READABLE").is_some()
}

/// The threads that the engine and the commands run on.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(residue::wipe_while_shut)
        .on_thread_stop(residue::wipe_while_shut)
        .thread_keep_alive(THREAD_PATIENCE)
        .build()
}
