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
    Some(tokenry_engine::peer::of_process(found.uid(), pid))
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
}
