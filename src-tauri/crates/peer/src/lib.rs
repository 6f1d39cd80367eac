//! The process at the other end of a local connection, as the operating system describes it.
//!
//! What must never be true of this crate: that a process of another user counts as one of ours; that a process which
//! ended or became another program counts as unchanged. A program's path is a label and not a proof.
#![deny(missing_docs)]

mod client;
mod lineage;
mod script;
mod tcp;

pub use client::{arguments, client_of};
pub use lineage::{Process, lineage};
pub use script::{Script, script};
pub use tcp::{is_ours, listener_at, of_tcp};

use std::fs;
use std::io::Read;
use tokenry_core::{Helper, Peer, clean};

/// More than `stat` has, and as much of a program's arguments as is looked at.
const MAX_PROC_BYTES: usize = 4096;

/// A process as it is now; only its user is certain where the system does not say more.
pub fn of_process(uid: u32, pid: u32) -> Peer {
    let stat = Stat::of(pid);
    Peer {
        uid,
        pid,
        started: stat.as_ref().map_or(0, |stat| stat.started),
        program: program(pid),
        session: stat.map(|stat| stat.session).filter(|session| *session != 0),
        helper: None,
        remote: None,
    }
}

/// A process that has ended: what it asked for is not handed out.
pub fn ended(uid: u32, pid: u32) -> Peer {
    Peer {
        uid,
        pid,
        started: 0,
        program: None,
        session: None,
        helper: None,
        remote: None,
    }
}

/// A process that the server knows nothing of. It is never one of another user: servers refuse those where they
/// can tell.
pub fn unknown() -> Peer {
    ended(u32::MAX, 0)
}

/// Whether it is still the same process that runs the same program: not gone, its number not given to another, and
/// not turned into another program (`execve`).
pub fn is_unchanged(peer: &Peer) -> bool {
    if peer.started == 0 {
        // Where the system names no process, there is nothing to compare. On Linux a named process without a start
        // time had ended before it was looked at; a child of it may still hold the connection.
        return peer.pid == 0 || cfg!(not(target_os = "linux"));
    }
    let now = of_process(peer.uid, peer.pid);
    // One that stands for another host is called after that.
    let is_program = peer.remote.is_some() || now.program == peer.program;
    now.started == peer.started && is_program && helper_is_unchanged(peer)
}

/// Whether the process still runs, whichever program by now.
pub fn is_running(peer: &Peer) -> bool {
    Stat::of(peer.pid).is_some_and(|now| now.started == peer.started)
}

/// A program that has another one connect for it is there only as long as that one.
fn helper_is_unchanged(peer: &Peer) -> bool {
    let same = |helper: &Helper| Stat::of(helper.pid).is_some_and(|now| now.started == helper.started);
    peer.helper.as_ref().is_none_or(same)
}

/// What a question says about who asks, beyond the process itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The program that started it.
    pub parent: Option<String>,
    /// What it was started with, cleaned and cut: a script's name, for example.
    pub arguments: Option<String>,
    /// The terminal it runs in.
    pub terminal: Option<String>,
}

/// Looked at only for a prompt.
pub fn surroundings(peer: &Peer) -> Surroundings {
    let Some(stat) = Stat::of(peer.pid) else {
        return Surroundings::default();
    };
    Surroundings {
        parent: program(stat.parent),
        arguments: command_line(peer.pid),
        terminal: terminal(stat.terminal),
    }
}

/// When a session began, in clock ticks since boot: its number may be used again. 0 when its leader has gone, whose
/// number is then kept for as long as the session lasts.
pub fn session_started(session: u32) -> u64 {
    Stat::of(session).map_or(0, |leader| leader.started)
}

/// The first 4,096 bytes of a file of a process, read in one go: `fs::read` takes nine system calls for what one gives, and
/// this is done at every hand-out.
fn proc_file(pid: u32, name: &str) -> Option<Vec<u8>> {
    let mut bytes = [0; MAX_PROC_BYTES];
    let mut file = fs::File::open(format!("/proc/{pid}/{name}")).ok()?;
    let length = file.read(&mut bytes).ok()?;
    Some(bytes[..length].to_vec())
}

fn program(pid: u32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(clean(&path.to_string_lossy()))
}

fn command_line(pid: u32) -> Option<String> {
    let words: Vec<_> = arguments(pid)
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| clean(&words.join(" ")))
}

/// `tty_nr` of `/proc/PID/stat`: major and minor number of the device.
fn terminal(number: u64) -> Option<String> {
    let (major, minor) = (
        (number >> 8) & 0xfff,
        (number & 0xff) | ((number >> 12) & 0xfff00),
    );
    match major {
        136..=143 => Some(format!("/dev/pts/{}", (major - 136) * 256 + minor)),
        4 if minor < 64 => Some(format!("/dev/tty{minor}")),
        4 => Some(format!("/dev/ttyS{}", minor - 64)),
        _ => None,
    }
}

/// The numbers of `/proc/PID/stat` that matter here (proc_pid_stat(5)). There are none for a process that has ended and
/// that its parent has not collected yet: its children may still hold what it held.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    session: u32,
    terminal: u64,
    started: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&proc_file(pid, "stat")?))
    }

    /// The second field is the program's own word for itself, in brackets, and may hold brackets and spaces: what
    /// counts comes after the last one.
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        if matches!(fields.first(), Some(&("Z" | "X" | "x"))) {
            return None;
        }
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<i64>().ok());
        Some(Self {
            parent: number(1)?.try_into().ok()?,
            session: number(3)?.try_into().ok()?,
            terminal: number(4)?.cast_unsigned() & 0xffff_ffff,
            started: number(19)?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_cannot_forge_its_start_time_by_its_name() {
        let rest = "S 11 2 777 34819 6 7 8 9 10 11 12 13 14 15 16 17 18 19 4242 21 22";
        for name in ["cat", "a b", ") S 1 2 3 4", "((()"] {
            let stat = Stat::parse(&format!("99 ({name}) {rest}")).unwrap();
            assert_eq!(
                (stat.parent, stat.session, stat.started),
                (11, 777, 4242),
                "{name}"
            );
            assert_eq!(terminal(stat.terminal).as_deref(), Some("/dev/pts/3"));
        }
        for broken in [
            "",
            "1 (x",
            "1 (x) S 1",
            "1 (x) Z 11 2 777 34819 6 7 8 9 10 11 12 13 14 15 16 17 18 19 4242 21 22",
            "1 (x) S 1 2 x 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 1",
        ] {
            assert_eq!(Stat::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_process_that_became_another_program_is_not_the_one_that_asked() {
        let uid = rustix::process::getuid().as_raw();
        let mut child = std::process::Command::new("sh")
            .args(["-c", "read line; exec sleep 60"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let peer = loop {
            let peer = of_process(uid, child.id());
            // Between fork and exec it still is this program.
            if peer.program != of_process(uid, std::process::id()).program {
                break peer;
            }
        };
        assert!(is_unchanged(&peer));
        drop(child.stdin.take());
        let begun = std::time::Instant::now();
        while is_unchanged(&peer) {
            assert!(begun.elapsed().as_secs() < 20, "it is still taken for the same");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_unchanged(&peer));
    }

    /// security.md, "Local interfaces": who is calling is a process with a start time.
    #[test]
    fn a_process_that_ended_before_it_was_looked_at_is_not_taken_for_unchanged() {
        let uid = rustix::process::getuid().as_raw();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let gone = of_process(uid, pid);
        assert_eq!(gone.started, 0);
        assert!(!is_unchanged(&gone));
    }

    /// security.md, "Local interfaces": who is calling is a process with a start time. One that has ended and was not
    /// collected by its parent still has both, and a child of it may hold its connection.
    #[test]
    fn a_process_that_ended_and_was_not_collected_is_not_taken_for_unchanged() {
        let uid = rustix::process::getuid().as_raw();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let stat = format!("/proc/{}/stat", child.id());
        while !fs::read_to_string(&stat).unwrap().contains(") Z ") {
            std::thread::yield_now();
        }
        let gone = of_process(uid, child.id());
        assert!(!is_unchanged(&gone), "{gone:?}");
        child.wait().unwrap();
    }

    #[test]
    fn a_number_that_was_given_to_another_process_is_not_the_one_that_asked() {
        let uid = rustix::process::getuid().as_raw();
        let mut peer = of_process(uid, std::process::id());
        assert!(is_unchanged(&peer));
        peer.started += 1;
        assert!(!is_unchanged(&peer));
    }

    #[test]
    fn what_a_question_says_about_this_very_process_is_true() {
        let peer = of_process(rustix::process::getuid().as_raw(), std::process::id());
        let around = surroundings(&peer);
        assert!(around.parent.is_some() && around.arguments.is_some());
        assert!(peer.session.is_some_and(|session| session_started(session) > 0));
    }
}
