//! Protects the memory of this process: no core dumps, no access by other programs, wiped stacks.

use std::time::Duration;
use tokenry_engine::residue;

/// How long an idle thread for the disk or for key derivation is kept. Its stack is freed with it.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(2);

/// Disables core dumps, which would hold tokens. If the system refuses, the app starts all the same.
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

/// Makes the memory of this process unreadable for other programs of the same user. Desktop portals do not serve such a
/// process; ARCHITECTURE.md says why the app needs none. The processes of WebKit stay readable, since an executed program
/// starts with the default.
pub(crate) fn deny_memory_access() {
    #[cfg(target_os = "linux")]
    if !is_left_readable() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// A build for tests can leave its memory readable, so that a test without root can search it.
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
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
}
