//! The memory of a bridge is closed to other programs of its user.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A user who is not root, whatever it is called here. Of root's processes the system does not say whether they hide.
const OTHER_USER: u32 = 65_534;

/// SECURITY.md, "Programs that get tokens".
#[test]
fn a_bridge_that_waits_for_its_client_hides_its_memory_and_writes_no_core_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    // Where another user can start it.
    let program = folder.path().join("tokenry-bridge");
    std::fs::copy(env!("CARGO_BIN_EXE_tokenry-bridge"), &program).unwrap();
    let mut command = Command::new(&program);
    command
        .args(["mcp", "https://mcp.example.com/mcp"])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped());
    let us = rustix::process::geteuid();
    if us.is_root() {
        command.uid(OTHER_USER).gid(OTHER_USER);
    }
    let mut bridge = command.spawn().unwrap();
    let of_process = |name: &str| format!("/proc/{}/{name}", bridge.id());
    let begun = Instant::now();
    // The files of a process that hides belong to root.
    let is_hidden = || std::fs::metadata(of_process("environ")).is_ok_and(|about| about.uid() == 0);
    while !is_hidden() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let hidden = is_hidden();
    let limits = std::fs::read_to_string(of_process("limits")).unwrap();
    drop(bridge.stdin.take());
    assert!(bridge.wait().unwrap().success());
    assert!(hidden);
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    assert_eq!(core.unwrap().split_whitespace().nth(4), Some("0"));
}
