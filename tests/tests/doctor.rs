//! `tokenry doctor`: without an engine, with one, and in a profile that is broken.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use tokenry_e2e::accounts::{self, PASSPHRASE, add};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

/// The exit code of `tokenry doctor --json`, and its items.
fn doctor(profile: &Profile, arguments: &[&str]) -> (i32, Vec<Value>) {
    let finished = profile.tokenry(&[&["--json", "doctor"], arguments].concat());
    let report = finished.json();
    (finished.code, report["checks"].as_array().unwrap().clone())
}

#[track_caller]
fn result<'a>(items: &'a [Value], name: &str) -> &'a str {
    let item = items.iter().find(|item| item["name"] == name);
    item.unwrap_or_else(|| panic!("no {name} in {items:?}"))["result"]
        .as_str()
        .unwrap()
}

#[test]
fn a_fresh_profile_without_an_engine_is_checked_and_stays_absent() {
    let profile = Profile::headless();
    let (code, items) = doctor(&profile, &[]);
    assert_eq!(code, 0, "{items:?}");
    for (name, expected) in [
        ("engine", "not_checked"),
        ("profile", "not_checked"),
        ("programs", "ok"),
        ("disk_space", "ok"),
    ] {
        assert_eq!(result(&items, name), expected, "{name}");
    }
    assert!(!profile.home().exists());
    let shown = profile.tokenry(&["doctor"]);
    assert!(shown.stdout.contains("No engine is running"), "{shown:?}");
}

#[test]
fn with_an_engine_the_vault_and_the_providers_clock_are_checked() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &accounts::testkit_provider(&server, "kit", &Value::Null),
    )
    .success();
    let (code, items) = doctor(&profile, &[]);
    assert_eq!(code, 0, "{items:?}");
    for (name, expected) in [
        ("engine", "ok"),
        ("keyring", "not_checked"),
        ("vault", "ok"),
        ("daily_backup", "ok"),
        ("profile", "ok"),
        ("files", "ok"),
    ] {
        assert_eq!(result(&items, name), expected, "{name}: {items:?}");
    }
    let asked = server.log().len();
    let (_, items) = doctor(&profile, &["--offline"]);
    assert_eq!(result(&items, "clock"), "not_checked");
    assert_eq!(server.log().len(), asked);
    profile.tokenry(&["lock"]).success();
    let (code, items) = doctor(&profile, &["--offline"]);
    assert_eq!((code, result(&items, "vault")), (0, "not_checked"));
}

#[test]
fn what_is_wrong_with_a_profile_is_named_with_a_command_that_mends_it() {
    let mut profile = Profile::headless();
    drop(profile.serve_with_passphrase(PASSPHRASE));
    let reserve = profile.home().join("tokenry.reserve");
    fs::set_permissions(&reserve, Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(profile.home(), Permissions::from_mode(0o755)).unwrap();
    let (code, items) = doctor(&profile, &[]);
    assert_eq!(
        (code, result(&items, "profile"), result(&items, "files")),
        (1, "problem", "problem")
    );
    for item in &items {
        if item["result"] == "problem" {
            let next = item["next"].as_str().unwrap();
            let command = next.trim_start_matches("Run `").trim_end_matches("`.");
            let run = std::process::Command::new("sh")
                .args(["-c", command])
                .status()
                .unwrap();
            assert!(run.success(), "{next}");
        }
    }
    let (code, items) = doctor(&profile, &[]);
    assert_eq!((code, result(&items, "files")), (0, "ok"), "{items:?}");

    profile.set("TOKENRY_HOME", format!("/tmp/{}", "x".repeat(120)));
    let (code, items) = doctor(&profile, &[]);
    assert_eq!((code, result(&items, "engine")), (1, "problem"), "{items:?}");
}
