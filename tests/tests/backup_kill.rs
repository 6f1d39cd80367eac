//! `kill -9` at every step of a backup and of a restore: a file of the backup's name is whole or is not there, and a restore
//! is done or has changed nothing (SECURITY.md, "Backups").
//!
//! The engine has to be built with the feature `fault-injection`.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_testkit, stop, testkit_provider, token};
use tokenry_e2e::crash::KILLED;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Rotation, Server};

const BACKUP_STEPS: [&str; 7] = [
    "BackupBegun",
    "BackupHalfWritten",
    "BackupWritten",
    "BackupSynced",
    "BackupCompared",
    "BackupRenamed",
    "BackupDone",
];

const RESTORE_STEPS: [&str; 4] = [
    "RestoreRead",
    "RestoreHalfWritten",
    "RestoreCommitting",
    "RestoreCommitted",
];

const SECRET_KEY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn connected() -> (Server, Profile, Running) {
    let server = Server::start(Behaviour::rotating(Rotation::None));
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &testkit_provider(&server, "kit", &json!({"kind": "none"})),
    )
    .success();
    connect_at_testkit(&profile, &["kit"]).success();
    (server, profile, engine)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn restarted(profile: &mut Profile, fault: &str) -> Running {
    profile.set("TOKENRY_FAULT", fault);
    profile.serve_with_passphrase(PASSPHRASE)
}

fn list(profile: &Profile, arguments: &[&str]) -> Vec<Value> {
    let all = profile
        .tokenry(&[arguments, &["--json"]].concat())
        .success()
        .json();
    all.as_array().unwrap().clone()
}

#[test]
fn a_killed_backup_leaves_a_whole_file_or_none_and_the_next_one_cleans_up() {
    let (_server, mut profile, engine) = connected();
    assert_eq!(stop(engine).code, 0);
    let folder = profile.scratch().join("backups");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("backup.age");
    let backup = [
        "backup",
        text(&file),
        "--recipient",
        RECIPIENT,
        "--with-refresh-tokens",
    ];
    for step in BACKUP_STEPS {
        let engine = restarted(&mut profile, step);
        assert_ne!(profile.tokenry(&backup).code, 0, "{step}: it was called done");
        assert_eq!(
            engine.wait().code,
            KILLED,
            "{step}: is the engine built with fault-injection?"
        );
        let is_named = matches!(step, "BackupRenamed" | "BackupDone");
        assert_eq!(file.exists(), is_named, "{step}");
        let engine = restarted(&mut profile, "");
        if is_named {
            let look = [
                "restore",
                text(&file),
                "--identity-fd",
                "0",
                "--dry-run",
                "--json",
            ];
            let preview = profile.tokenry_with(&look, SECRET_KEY).success().json();
            assert_eq!(preview["items"].as_array().unwrap().len(), 2, "{step}");
            fs::remove_file(&file).unwrap();
        }
        profile.tokenry(&backup).success();
        let left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["backup.age"], "{step}");
        fs::remove_file(&file).unwrap();
        assert_eq!(stop(engine).code, 0);
    }
}

#[test]
fn a_killed_restore_is_done_or_has_changed_nothing() {
    let (server, profile, engine) = connected();
    let file = profile.scratch().join("backup.age");
    let backup = [
        "backup",
        text(&file),
        "--recipient",
        RECIPIENT,
        "--with-refresh-tokens",
    ];
    profile.tokenry(&backup).success();
    assert_eq!(stop(engine).code, 0);
    let restore = ["restore", text(&file), "--identity-fd", "0", "--yes"];
    for step in RESTORE_STEPS {
        let mut fresh = Profile::headless();
        let engine = restarted(&mut fresh, step);
        assert_ne!(
            fresh.tokenry_with(&restore, SECRET_KEY).code,
            0,
            "{step}: it was called done"
        );
        assert_eq!(
            engine.wait().code,
            KILLED,
            "{step}: is the engine built with fault-injection?"
        );
        let _engine = restarted(&mut fresh, "");
        let is_done = step == "RestoreCommitted";
        assert_eq!(
            list(&fresh, &["provider", "list"]).len(),
            usize::from(is_done),
            "{step}"
        );
        assert_eq!(list(&fresh, &["list"]).len(), usize::from(is_done), "{step}");
        fresh.tokenry_with(&restore, SECRET_KEY).success();
        assert_eq!(list(&fresh, &["list"]).len(), 1, "{step}");
        assert!(server.accepts(&token(&fresh, "kit")), "{step}");
    }
}
