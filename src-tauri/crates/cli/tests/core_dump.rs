//! The memory of the command line stays out of core files.

#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod support;

use serde_json::json;
use std::io::Write;
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
    let mut command = support::command(&support::tokenry(), fake.home.path(), &arguments);
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
