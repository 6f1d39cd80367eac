use std::sync::LazyLock;
use tokenry_core::Peer;
use tokio::net::UnixStream;

/// Never changes while the engine runs.
static OUR_USER: LazyLock<u32> = LazyLock::new(|| rustix::process::geteuid().as_raw());

/// Who is at the other end, if it is a process of our own user; asked once for each connection.
pub(super) fn peer(stream: &UnixStream) -> Option<Peer> {
    let found = stream.peer_cred().ok()?;
    if found.uid() != *OUR_USER {
        return None;
    }
    let pid = found.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let held = Held::at_the_other_end(stream);
    let looked_at = tokenry_peer::of_process(found.uid(), pid);
    // What was read may be about another process with the same number, unless this one is still there after it.
    Some(match held.has_ended() {
        true => tokenry_peer::ended(found.uid(), pid),
        false => looked_at,
    })
}

/// The very process that connected, held on to while it is looked at (`SO_PEERPIDFD`, Linux 6.5). From then on its number
/// and its start time tell it from any other.
enum Held {
    #[cfg(target_os = "linux")]
    Process(std::os::fd::OwnedFd),
    /// It is not there any more.
    #[cfg(target_os = "linux")]
    Ended,
    /// This system has no such thing: the start time is all there is.
    Unknown,
}

impl Held {
    #[cfg(target_os = "linux")]
    fn at_the_other_end(stream: &UnixStream) -> Self {
        use nix::{errno::Errno, sys::socket::getsockopt, sys::socket::sockopt::PeerPidfd};
        match getsockopt(stream, PeerPidfd) {
            Ok(process) => Self::Process(process),
            Err(Errno::ESRCH | Errno::EINVAL | Errno::ENODATA) => Self::Ended,
            Err(_) => Self::Unknown,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn at_the_other_end(_: &UnixStream) -> Self {
        Self::Unknown
    }

    /// A handle of a process can be read from when that has ended, collected by its parent or not.
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

/// The process at the other end.
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

    /// security.md, "Local interfaces": who is calling is a process with a start time. The number of one that has ended
    /// may be another's by the time it is looked at.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_caller_that_has_ended_before_it_is_looked_at_is_nobody() {
        const PATH: &str = "TOKENRY_TEST_CONNECT_AND_GO";
        if let Some(path) = std::env::var_os(PATH) {
            // This is the caller, in a process of its own: it connects, and its end closes nothing that others hold.
            drop(std::os::unix::net::UnixStream::connect(path).unwrap());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let this = "doors::socket::peer::tests::a_caller_that_has_ended_before_it_is_looked_at_is_nobody";
        let caller = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this])
            .env(PATH, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let pid = caller.id();
        let (stream, _) = listener.accept().await.unwrap();
        let there = Held::at_the_other_end(&stream);
        tokio::task::spawn_blocking(move || {
            let mut caller = caller;
            caller.wait()
        })
        .await
        .unwrap()
        .unwrap();
        assert!(there.has_ended(), "the handle tells that it has ended");
        let gone = peer(&stream).unwrap();
        assert_eq!((gone.pid, gone.started, gone.program), (pid, 0, None));
    }
}
