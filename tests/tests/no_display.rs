//! The desktop app where there is no display for it.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::socket::ask;

/// One line that says what is missing and what to do, and the exit code of a failure.
#[track_caller]
fn says_so(profile: &Profile, why: &str) {
    let ended = Running::start(profile.command("tokenry-desktop", &[])).wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    let error = ended
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap_or_default();
    assert!(error.contains("no display found"), "{ended:?}");
    assert!(
        error.contains(why) && error.contains("`tokenry serve`"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn without_a_display_the_app_says_so_in_one_sentence() {
    let session = DesktopSession::with_keyring();
    says_so(
        &Profile::in_session(&session),
        "neither WAYLAND_DISPLAY nor DISPLAY is set",
    );
    let variables = [
        ("DISPLAY", ":4999"),
        ("DISPLAY", "nonsense"),
        ("WAYLAND_DISPLAY", "wayland-4999"),
    ];
    for (name, value) in variables {
        let mut profile = Profile::in_session(&session);
        profile.set(name, value);
        says_so(&profile, &format!("{name}={value} cannot be used"));
    }
    let mut profile = Profile::in_session(&session);
    profile.set("DISPLAY", "");
    says_so(&profile, "neither WAYLAND_DISPLAY nor DISPLAY is set");
}

#[test]
fn an_engine_without_a_window_is_not_ended_for_one_that_has_no_display() {
    let session = DesktopSession::with_keyring();
    let profile = Profile::in_session(&session);
    let mut engine = profile.serve();
    let pid = |profile: &Profile| ask(profile, "GET", "/v1/status", &Value::Null).1["pid"].clone();
    let before = pid(&profile);
    says_so(&profile, "neither");
    assert!(engine.try_wait().is_none());
    assert_eq!(pid(&profile), before);
}
