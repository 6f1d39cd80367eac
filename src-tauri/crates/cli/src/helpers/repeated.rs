//! Notices that a process asks again for a token that it has.
//!
//! A client of Kubernetes keeps a token until it ends or until a server answers 401. It says neither, and runs this program
//! again. So a token that is still good and is asked for again, by the same process with the same request, was rejected.
//! A program that runs the plugin twice for another reason causes a refresh that was not needed, but never more than one in
//! ten minutes.

use jiff::Timestamp;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::process::getppid;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The file with the calls, beside the engine's socket.
const FILE: &str = "helper-calls.json";

/// How many calls are kept, of processes that still run.
const MAX_CALLS: usize = 64;

/// The longest file that is read.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// How long a process causes no further report.
const REPORT_WINDOW_SECONDS: i64 = 600;

/// A process that another one with the same number is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    id: i32,
    /// In clock ticks since boot.
    started: u64,
}

impl Process {
    /// The process that started this one.
    fn parent() -> Option<Self> {
        Self::of(getppid()?.as_raw_nonzero().get())
    }

    fn of(id: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let started = started(&stat)?;
        Some(Self { id, started })
    }

    fn runs(self) -> bool {
        Self::of(self.id) == Some(self)
    }
}

/// The time of the start in `/proc/PID/stat` (proc(5)). The program's name, which may hold anything, ends before it.
fn started(stat: &str) -> Option<u64> {
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

/// A process, its request, and the token that it got last. Request and token are fingerprints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Call {
    process: Process,
    request: String,
    token: String,
    /// When a token was reported, in seconds since 1970.
    reported: Option<i64>,
}

/// Whether the process that started this one got this token before for the same request, so that it was rejected. A
/// `true` counts as reported. Where nothing can be noted it is `false`.
pub(super) fn is_rejected(folder: &Path, request: &str, token: &str) -> bool {
    let note = || -> Option<bool> {
        let process = Process::parent()?;
        let mut file = locked(folder)?;
        let mut calls = read(&mut file);
        calls.retain(|call| call.process.runs());
        let now = Timestamp::now().as_second();
        let is_rejected = noted(
            &mut calls,
            process,
            &fingerprint(request),
            &fingerprint(token),
            now,
        );
        write(&mut file, &calls)?;
        Some(is_rejected)
    };
    note().unwrap_or(false)
}

fn fingerprint(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn noted(calls: &mut Vec<Call>, process: Process, request: &str, token: &str, now: i64) -> bool {
    let Some(call) = calls
        .iter_mut()
        .find(|call| call.process == process && call.request == request)
    else {
        calls.push(Call {
            process,
            request: request.to_owned(),
            token: token.to_owned(),
            reported: None,
        });
        let surplus = calls.len().saturating_sub(MAX_CALLS);
        calls.drain(..surplus);
        return false;
    };
    if call.token != token {
        token.clone_into(&mut call.token);
        return false;
    }
    let is_recent = |at: i64| (0..REPORT_WINDOW_SECONDS).contains(&now.saturating_sub(at));
    let is_rejected = !call.reported.is_some_and(is_recent);
    if is_rejected {
        call.reported = Some(now);
    }
    is_rejected
}

/// The file, which only one process at a time has.
fn locked(folder: &Path) -> Option<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(folder.join(FILE), flags, Mode::RUSR | Mode::WUSR).ok()?;
    flock(&file, FlockOperation::LockExclusive).ok()?;
    Some(File::from(file))
}

/// What is noted. A file that was cut off or written by another version is as good as none.
fn read(file: &mut File) -> Vec<Call> {
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE_BYTES).read_to_end(&mut bytes);
    let calls = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
    calls.unwrap_or_default()
}

fn write(file: &mut File, calls: &[Call]) -> Option<()> {
    let bytes = serde_json::to_vec(calls).ok()?;
    file.seek(SeekFrom::Start(0)).ok()?;
    file.set_len(0).ok()?;
    file.write_all(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECTL: Process = Process { id: 7, started: 70 };

    #[test]
    fn the_same_token_for_the_same_process_and_request_was_rejected_once() {
        let mut calls = Vec::new();
        let mut told = |process, request, token, now| noted(&mut calls, process, request, token, now);
        assert!(!told(KUBECTL, "a", "first", 0));
        assert!(!told(KUBECTL, "another cluster", "first", 0));
        let successor = Process {
            started: 71,
            ..KUBECTL
        };
        assert!(
            !told(successor, "a", "first", 0),
            "another process with the same number"
        );
        assert!(told(KUBECTL, "a", "first", 1));
        assert!(!told(KUBECTL, "a", "second", 1), "it is new");
        for now in 2..6 {
            assert!(!told(KUBECTL, "a", "second", now), "one report is enough");
        }
        assert!(told(KUBECTL, "a", "second", 601));
        assert!(told(KUBECTL, "a", "second", 0), "the clock was set back");
    }

    #[test]
    fn the_file_is_bounded_and_forgets_what_ended() {
        let mut calls = Vec::new();
        for request in 0..200 {
            noted(&mut calls, KUBECTL, &request.to_string(), "token", 0);
        }
        assert_eq!(calls.len(), MAX_CALLS);
        let folder = tempfile::tempdir().unwrap();
        let mut file = locked(folder.path()).unwrap();
        write(&mut file, &calls).unwrap();
        drop(file);
        assert!(!is_rejected(folder.path(), "request", "token"));
        assert!(is_rejected(folder.path(), "request", "token"));
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let kept: Vec<Call> = serde_json::from_str(&text).unwrap();
        assert_eq!(kept.len(), 1, "{text}");
        assert!(!text.contains("\"token\":\"token\""), "{text}");
    }

    #[test]
    fn a_file_that_is_damaged_is_begun_anew_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        for damage in [
            "",
            "[",
            "{}",
            "[1]",
            "[{\"process\":7}]",
            "\0",
            &"[".repeat(10_000),
        ] {
            std::fs::write(&file, damage).unwrap();
            assert!(!is_rejected(folder.path(), damage, "token"));
            assert!(is_rejected(folder.path(), damage, "token"), "{damage:?}");
        }
        let other = folder.path().join("other");
        std::fs::write(&other, "kept").unwrap();
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&other, &file).unwrap();
        for _ in 0..2 {
            assert!(!is_rejected(folder.path(), "request", "token"));
        }
        assert_eq!(std::fs::read_to_string(other).unwrap(), "kept");
    }

    #[test]
    fn the_start_of_a_process_is_read_behind_any_name() {
        let rest = (3..=22)
            .map(|field| field.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(started(&format!("7 (a) b) {rest} 23\n")), Some(22));
        for stat in [
            "",
            "7 (a) 3 4",
            "7 (a",
            "7 (a) S x x x x x x x x x x x x x x x x x x x",
        ] {
            assert_eq!(started(stat), None, "{stat}");
        }
    }
}
