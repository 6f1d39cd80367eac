//! The memory of the command line stays out of core files, and away from other programs.

#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod support;

use serde_json::json;
use std::io::Write;
use std::os::unix::{fs::MetadataExt, process::CommandExt};
use std::time::{Duration, Instant};
use support::objects::status;
use support::{Fake, Run};

/// security.md, "Keys": no core dumps.
#[test]
fn a_program_that_waits_for_a_passphrase_writes_no_core_file() {
    let fake = Fake::new(|what| match what {
        "GET /v1/status" => (200, status("locked", &["passphrase"])),
        _ => (200, json!({"success": true})),
    });
    let arguments = ["unlock", "--passphrase-fd", "0"];
    let mut command = support::command(&support::installed(), fake.home.path(), &arguments);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // It has asked the engine how it is, and now it waits.
    while fake.seen().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"]
    );
    child.stdin.take().unwrap().write_all(b"a passphrase\n").unwrap();
    Run::from(child.wait_with_output().unwrap()).ends(0);
}

/// A user who is not root, whatever it is called here. Of root's processes the system does not say whether they hide.
const OTHER_USER: u32 = 65_534;

/// The user who may read the memory of a process: its own, or root where it hides.
fn open_to(pid: u32) -> u32 {
    std::fs::metadata(format!("/proc/{pid}/environ")).unwrap().uid()
}

/// security.md, "Keys": not dumpable.
#[test]
fn a_program_that_waits_for_the_rest_of_a_secret_is_closed_to_other_programs_of_its_user() {
    let us = rustix::process::geteuid();
    let user = if us.is_root() { OTHER_USER } else { us.as_raw() };
    let folder = tempfile::tempdir().unwrap();
    // Where another user can start it, and has a home.
    let program = folder.path().join("tokenry");
    std::fs::copy(support::tokenry(), &program).unwrap();
    if us.is_root() {
        std::os::unix::fs::chown(folder.path(), Some(user), Some(user)).unwrap();
    }
    for arguments in [
        &["callback"][..],
        &["provider", "edit", "github", "--client-secret-stdin"],
        &["provider", "add", "--from", "-"],
        &["credential", "add", "key", "--type", "raw", "--field", "value=-"],
    ] {
        let mut command = support::command(&program, folder.path(), arguments);
        if us.is_root() {
            command.uid(user).gid(user);
        }
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"the first half")
            .unwrap();
        let begun = Instant::now();
        while open_to(child.id()) == user {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{arguments:?}: it stays open"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(open_to(child.id()), 0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
