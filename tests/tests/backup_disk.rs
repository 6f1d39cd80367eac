//! A backup on a full disk and in a read-only folder: the error names the folder, and nothing is left behind.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_testkit, stop, testkit_provider};
use tokenry_e2e::process::{Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Rotation, Server};

const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// An engine in a mount namespace of its own, in which one folder is a small disk.
fn engine_with_a_small_disk(profile: &Profile, folder: &Path, options: &str) -> Running {
    let script = format!(
        "mount -t tmpfs -o {options} none '{}' && exec '{}' --vault passphrase --passphrase-fd 0 --approve all",
        folder.display(),
        program("tokenry-serve").display()
    );
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .env_clear()
        .envs(profile.env())
        .current_dir(profile.scratch());
    let mut engine = Running::start(command);
    engine.write(&format!("{PASSPHRASE}\n"));
    engine.close_stdin();
    engine.line();
    engine
}

#[test]
fn a_full_disk_and_a_read_only_folder_are_told_and_nothing_is_left_behind() {
    let server = Server::start(Behaviour::rotating(Rotation::None));
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &testkit_provider(&server, "kit", &json!({"kind": "none"})),
    )
    .success();
    connect_at_testkit(&profile, &["kit"]).success();
    // More than the small disk takes.
    let large = "x".repeat(40_000);
    profile
        .tokenry_with(&["credential", "add", "large", "--type", "raw"], &large)
        .success();
    assert_eq!(stop(engine).code, 0);
    let folder = profile.scratch().join("disk");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("backup.age");
    let backup = ["backup", file.to_str().unwrap(), "--recipient", RECIPIENT];
    for (options, what) in [
        ("size=16k,mode=700", "is full"),
        ("ro,mode=700", "cannot be written to"),
    ] {
        let engine = engine_with_a_small_disk(&profile, &folder, options);
        let root = format!("/proc/{}/root{}", engine.id(), folder.display());
        let refused = profile.tokenry(&backup);
        assert_eq!(refused.code, 22, "{refused:?}");
        assert!(
            refused.stderr.contains(what) && refused.stderr.contains("folder"),
            "{refused:?}"
        );
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "{options}");
        assert_eq!(stop(engine).code, 0);
    }
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    profile.tokenry(&backup).success();
}
