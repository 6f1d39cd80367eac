//! A locked keyring that can ask: its password window, on a virtual display, answered by xdotool.

use crate::session::{Session, outcome, wait};
use std::time::Duration;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("an_answered_question_opens_the_vault", answered),
    ("a_dismissed_question_says_dismissed", dismissed),
    (
        "an_unanswered_question_times_out_and_a_later_answer_opens_the_vault",
        unanswered,
    ),
    ("a_first_run_that_timed_out_leaves_no_key_behind", late_first_run),
];

/// A vault, and a keyring that was locked since.
fn locked() -> (Session, String) {
    let mut session = Session::with_display();
    session.start_keyring(Some("test password"));
    let vault = session.path("vault");
    assert_eq!(session.step(&format!("create {vault}")), "done");
    session.stop_last();
    session.start_keyring(None);
    (session, vault)
}

fn window(session: &Session) -> Option<String> {
    let mut search = session.command("xdotool");
    let found = search
        .args(["search", "--onlyvisible", "--class", "gcr-prompter"])
        .output();
    let found = found.expect("the package xdotool is needed");
    String::from_utf8_lossy(&found.stdout)
        .lines()
        .next()
        .map(str::to_owned)
}

/// Types into the password window once it is there, until it is gone.
fn answer(session: &Session, keys: &[&[&str]]) {
    wait("the password window appears", || window(session).is_some());
    // As a user would: no user reads and answers it within a third of a second.
    std::thread::sleep(Duration::from_millis(500));
    wait("the password window is answered", || {
        let Some(window) = window(session) else {
            return true;
        };
        // The window may go at any moment; then these fail, and the next round sees it.
        for words in [&["windowfocus", &window][..]].iter().chain(keys) {
            session
                .command("xdotool")
                .args(*words)
                .output()
                .expect("the package xdotool is needed");
        }
        std::thread::sleep(Duration::from_millis(300));
        false
    });
}

const PASSWORD: &[&[&str]] = &[
    &["key", "ctrl+a"],
    &["type", "--delay", "20", "test password"],
    &["key", "Return"],
];
const ESCAPE: &[&[&str]] = &[&["key", "Escape"]];

fn answered() {
    let (session, vault) = locked();
    let step = session.spawn(&format!("unlock {vault}"), None);
    answer(&session, PASSWORD);
    assert_eq!(outcome(step), "open, floor 0");
}

fn dismissed() {
    let (session, vault) = locked();
    let step = session.spawn(&format!("unlock {vault}"), None);
    answer(&session, ESCAPE);
    assert_eq!(outcome(step), "Keyring(Dismissed)");
}

fn unanswered() {
    let (session, vault) = locked();
    let timeout = Duration::from_millis(2500);
    let step = session.spawn(&format!("unlock-twice {vault}"), Some(timeout));
    wait("the password window appears", || window(&session).is_some());
    std::thread::sleep(timeout);
    answer(&session, PASSWORD);
    assert_eq!(outcome(step), "Keyring(TimedOut), then open, floor 0");
}

/// Else every impatient first run would leave a key in the keyring that opens nothing.
fn late_first_run() {
    let (session, vault) = locked();
    let timeout = Duration::from_millis(2500);
    let new = session.path("new");
    let step = session.spawn(&format!("create-and-stay {new}"), Some(timeout));
    wait("the password window appears", || window(&session).is_some());
    std::thread::sleep(timeout);
    answer(&session, PASSWORD);
    assert_eq!(outcome(step), "Keyring(TimedOut)");
    assert!(!std::path::Path::new(&new).exists());
    assert_eq!(session.items(), 1, "the first vault's and no other");
    assert_eq!(session.step(&format!("unlock {vault}")), "open, floor 0");
}
