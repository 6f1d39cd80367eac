//! The process at the other end of the socket, as the operating system knows it.

use std::sync::LazyLock;
use tokenry_core::Peer;
use tokio::net::UnixStream;

/// Never changes while the engine runs.
static OUR_USER: LazyLock<u32> = LazyLock::new(|| rustix::process::geteuid().as_raw());

/// The process at the other end, if it belongs to our own user. Asked once per connection.
pub(in crate::servers) fn peer(stream: &UnixStream) -> Option<Peer> {
    let found = stream.peer_cred().ok()?;
    if found.uid() != *OUR_USER {
        return None;
    }
    let pid = found.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let handle = ProcessHandle::of_peer(stream);
    let found_now = tokenry_peer::of_process(found.uid(), pid);
    // What was read may be about another process with the same id, unless this one still exists afterwards.
    Some(match handle.has_ended() {
        true => tokenry_peer::ended(found.uid(), pid),
        false => client_of(&found_now).unwrap_or(found_now),
    })
}

/// The program that runs a helper of ours: not the helper, but that program gets the token.
fn client_of(peer: &Peer) -> Option<Peer> {
    // Most callers are no helper, which their arguments show soonest.
    let arguments = tokenry_peer::arguments(peer.pid);
    let helper = tokenry_contract::helper_of(arguments.iter().map(String::as_str))?;
    if !tokenry_engine::is_our_helper(peer.pid) {
        return None;
    }
    // This also makes sure that it is still the same process.
    tokenry_peer::client_of(peer, helper.command)
}

/// A handle of the process that connected (`SO_PEERPIDFD`, Linux 6.5), held while its details are read. After that its id
/// and its start time tell it from any other process.
enum ProcessHandle {
    #[cfg(target_os = "linux")]
    Process(std::os::fd::OwnedFd),
    /// It has ended.
    #[cfg(target_os = "linux")]
    Ended,
    /// This system has no such handle, so only the start time tells processes apart.
    Unknown,
}

impl ProcessHandle {
    #[cfg(target_os = "linux")]
    fn of_peer(stream: &UnixStream) -> Self {
        use nix::{errno::Errno, sys::socket::getsockopt, sys::socket::sockopt::PeerPidfd};
        match getsockopt(stream, PeerPidfd) {
            Ok(process) => Self::Process(process),
            Err(Errno::ESRCH | Errno::EINVAL | Errno::ENODATA) => Self::Ended,
            Err(_) => Self::Unknown,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn of_peer(_: &UnixStream) -> Self {
        Self::Unknown
    }

    /// The handle becomes readable when the process ends, whether its parent has collected it or not.
    #[cfg(target_os = "linux")]
    fn has_ended(&self) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        match self {
            Self::Process(process) => {
                let mut asked = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
                poll(&mut asked, PollTimeout::ZERO) != Ok(0)
            }
            Self::Ended => true,
            Self::Unknown => false,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn has_ended(&self) -> bool {
        false
    }
}

/// The id of the process at the other end.
pub(super) fn pid(stream: &UnixStream) -> Option<u32> {
    stream.peer_cred().ok()?.pid().and_then(|pid| pid.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::clean;

    #[tokio::test]
    async fn the_caller_is_what_the_operating_system_says_it_is() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = peer(&ours).unwrap();
        assert_eq!(peer.pid, std::process::id());
        let exe = std::env::current_exe().unwrap();
        assert_eq!(peer.program, Some(clean(&exe.to_string_lossy())));
        assert!(peer.started > 0);
    }

    /// SECURITY.md, "Local interfaces": the caller is a process with a start time. The id of a process that has ended may
    /// belong to another one by the time its details are read.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_caller_that_ends_before_its_details_are_read_has_none() {
        const PATH: &str = "TOKENRY_TEST_CONNECT_AND_GO";
        if let Some(path) = std::env::var_os(PATH) {
            // This is the caller, in a process of its own: it connects and ends.
            drop(std::os::unix::net::UnixStream::connect(path).unwrap());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let this = "servers::socket::peer::tests::a_caller_that_ends_before_its_details_are_read_has_none";
        let caller = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this])
            .env(PATH, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let pid = caller.id();
        let (stream, _) = listener.accept().await.unwrap();
        let handle = ProcessHandle::of_peer(&stream);
        tokio::task::spawn_blocking(move || {
            let mut caller = caller;
            caller.wait()
        })
        .await
        .unwrap()
        .unwrap();
        assert!(handle.has_ended(), "the handle shows that it has ended");
        let gone = peer(&stream).unwrap();
        assert_eq!((gone.pid, gone.started, gone.program), (pid, 0, None));
    }
}
