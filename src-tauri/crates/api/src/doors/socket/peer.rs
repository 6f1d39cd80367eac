use std::{fs, io::Read, sync::LazyLock};
use tokenry_core::{Caller, Peer, clean};
use tokio::net::UnixStream;

/// Never changes while the engine runs.
static OUR_USER: LazyLock<u32> = LazyLock::new(|| rustix::process::geteuid().as_raw());

/// Who is at the other end, if it is a process of our own user; asked once for each connection.
pub(super) fn caller(stream: &UnixStream) -> Option<Caller> {
    let found = stream.peer_cred().ok()?;
    if found.uid() != *OUR_USER {
        return None;
    }
    let pid = found.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let (session, started) = stat(pid)
        .and_then(|stat| session_and_start(&stat))
        .unwrap_or((0, 0));
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    Some(Caller::Program(Peer {
        uid: found.uid(),
        pid,
        started,
        program: program.map(|path| clean(&path.to_string_lossy())),
        session: (session != 0).then_some(session),
    }))
}

/// The process at the other end.
pub(super) fn pid(stream: &UnixStream) -> Option<u32> {
    stream.peer_cred().ok()?.pid().and_then(|pid| pid.try_into().ok())
}

/// One read: every caller waits for this, and what is read in pieces takes three times as long. The line has about
/// 350 bytes; what counts in it is in its first half.
fn stat(pid: u32) -> Option<String> {
    let mut line = [0; 1024];
    let length = fs::File::open(format!("/proc/{pid}/stat"))
        .and_then(|mut file| file.read(&mut line))
        .ok()?;
    Some(String::from_utf8_lossy(&line[..length]).into_owned())
}

/// Fields 6 and 22 of `/proc/PID/stat`. The second field is the program's own word for itself, in brackets, and may
/// hold brackets and spaces: what counts comes after the last one.
fn session_and_start(stat: &str) -> Option<(u32, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let session = fields.nth(3)?.parse().ok()?;
    let started = fields.nth(15)?.parse().ok()?;
    Some((session, started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_cannot_forge_its_start_time_by_its_name() {
        let rest = "S 1 2 777 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 4242 21 22";
        for name in ["cat", "a b", ") S 1 2 3 4", "((()"] {
            assert_eq!(
                session_and_start(&format!("99 ({name}) {rest}")),
                Some((777, 4242)),
                "{name}"
            );
        }
        for broken in [
            "",
            "1 (x",
            "1 (x) S 1",
            "1 (x) S 1 2 x 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 1",
        ] {
            assert_eq!(session_and_start(broken), None, "{broken}");
        }
    }

    #[tokio::test]
    async fn the_caller_is_what_the_operating_system_says_it_is() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let Some(Caller::Program(peer)) = caller(&ours) else {
            panic!("not let in")
        };
        assert_eq!(peer.pid, std::process::id());
        let exe = std::env::current_exe().unwrap();
        assert_eq!(peer.program, Some(clean(&exe.to_string_lossy())));
        assert!(peer.started > 0);
    }
}
