//! A desktop session of a test's own really is one: keyring states, display, and nothing left behind.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use tokenry_e2e::desktop_session::{DesktopSession, KEYRING_PASSWORD};
use tokenry_e2e::process::{Running, wait_for};

fn store(session: &DesktopSession, value: &str) -> i32 {
    session
        .run(
            "secret-tool",
            &["store", "--label=test", "service", "tokenry-test"],
            value,
        )
        .code
}

fn lookup(session: &DesktopSession) -> String {
    session
        .run("secret-tool", &["lookup", "service", "tokenry-test"], "")
        .stdout
}

#[test]
fn a_keyring_keeps_its_items_over_a_restart_and_is_locked_when_told() {
    let mut session = DesktopSession::with_keyring();
    assert_eq!(store(&session, "kept value"), 0);
    assert_eq!(lookup(&session), "kept value");
    session.stop_keyring();
    assert_eq!(lookup(&session), "");
    session.start_keyring(KEYRING_PASSWORD);
    assert_eq!(lookup(&session), "kept value");
    session.lock_keyring();
    assert_eq!(lookup(&session), "");
    session.stop_keyring();
    session.start_locked_keyring();
    assert_eq!(lookup(&session), "");
    assert!(session.keyring_folder().join("login.keyring").exists());
}

#[test]
fn a_bare_session_has_a_bus_and_no_keyring() {
    let session = DesktopSession::bare();
    assert!(!session.has_name("org.freedesktop.secrets"));
    assert_ne!(store(&session, "nowhere to go"), 0);
}

#[test]
fn programs_see_the_session_and_nothing_of_the_tests_own_environment() {
    let session = DesktopSession::bare();
    let env = session.run("env", &[], "").success().stdout;
    for name in [
        "HOME",
        "XDG_RUNTIME_DIR",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "TMPDIR",
    ] {
        let line = env
            .lines()
            .find(|line| line.starts_with(&format!("{name}=")))
            .unwrap();
        assert!(line.contains(session.root().to_str().unwrap()), "{line}");
    }
    assert!(!env.contains("CARGO_"), "{env}");
}

#[test]
fn a_display_is_there_and_everything_ends_with_the_session() {
    let session = DesktopSession::with_display();
    let info = session.run("xdpyinfo", &[], "").success().stdout;
    assert!(info.contains("1280x800"));
    let mut sleeper = session.command("sh");
    sleeper.args(["-c", "sleep 1000 & echo $!; wait"]);
    let mut sleeper = Running::start(sleeper);
    let grandchild = PathBuf::from(format!("/proc/{}", sleeper.line()));
    let root = session.root().to_owned();
    assert!(grandchild.exists());
    drop(sleeper);
    drop(session);
    assert!(!root.exists());
    // Gone, or a zombie whose parent is the machine's own init.
    wait_for("the grandchild's end", || {
        let status = std::fs::read_to_string(grandchild.join("status")).unwrap_or_default();
        (status.is_empty() || status.contains("State:\tZ")).then_some(())
    });
}
