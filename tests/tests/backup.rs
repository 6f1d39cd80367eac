//! Backups with the real programs: ours and `age`, at a terminal and without one, on a full disk and in a read-only folder
//! (SECURITY.md, "Backups").
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::{self, PASSPHRASE, add, stop, testkit_provider, token};
use tokenry_e2e::backup::{OF_BACKUP, Stage, text};
use tokenry_e2e::canary::Canary;
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::terminal::Terminal;
use tokenry_testkit::{Behaviour, Rotation, Server};

/// Runs a program of the system.
fn run(command: &str, arguments: &[&str]) -> Finished {
    let mut command = Command::new(command);
    command.args(arguments);
    Running::start(command).wait()
}

/// An identity file, and its recipient.
fn identity(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("identity.txt");
    run("age-keygen", &["-o", text(&file)]).success();
    let recipient = run("age-keygen", &["-y", text(&file)]).success().stdout;
    (file, recipient.trim().to_owned())
}

fn states(preview: &Value) -> Vec<String> {
    let items = preview["items"].as_array().unwrap().iter();
    items
        .map(|item| format!("{} {} {}", item["kind"], item["name"], item["state"]).replace('"', ""))
        .collect()
}

#[test]
fn the_age_program_reads_our_backup_and_we_read_what_it_writes() {
    let stage = Stage::new();
    let (identity, recipient) = identity(stage.profile.scratch());
    let file = stage.file("backup.age");
    let made = stage.profile.tokenry(&[
        "backup",
        text(&file),
        "--recipient",
        &recipient,
        "--with-refresh-tokens",
        "--json",
    ]);
    let made = made.success().json();
    assert_eq!(
        made["counts"],
        json!({"providers": 1, "connections": 1, "credentials": 1, "settings": 0})
    );
    assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());

    let plain = stage.file("plain");
    run(
        "age",
        &["-d", "-i", text(&identity), "-o", text(&plain), text(&file)],
    )
    .success();
    let lines: Vec<Value> = fs::read_to_string(&plain)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["format"], &lines[0]["version"]),
        (&json!("tokenry-backup"), &json!(1))
    );
    assert_eq!(lines.len(), 5);
    assert!(lines[3]["connection"]["refresh_token"].is_string(), "{lines:?}");
    let access = token(&stage.profile, "kit/work");
    assert!(!fs::read_to_string(&plain).unwrap().contains(&access));

    // Written by `age`, with our plaintext: everything in it is here already.
    let again = stage.file("again.age");
    run("age", &["-r", &recipient, "-o", text(&again), text(&plain)]).success();
    let preview = stage.profile.tokenry(&[
        "restore",
        text(&again),
        "--identity",
        text(&identity),
        "--dry-run",
        "--json",
    ]);
    assert_eq!(
        states(&preview.success().json()),
        [
            "provider kit same",
            "credential api-key same",
            "connection kit/work same"
        ]
    );
    let by_fd = fs::read_to_string(&identity).unwrap();
    let restored = stage.profile.tokenry_with(
        &["restore", text(&again), "--identity-fd", "0", "--yes", "--json"],
        &by_fd,
    );
    assert_eq!(restored.success().json()["same"], 3);
}

#[test]
fn a_passphrase_backup_is_read_by_age_and_one_of_age_by_us() {
    let stage = Stage::new();
    let file = stage.file("backup.age");
    let with_fd = ["backup", text(&file), "--passphrase-fd", "0"];
    stage
        .profile
        .tokenry_with(&with_fd, &format!("{OF_BACKUP}\n"))
        .success();
    let plain = stage.file("plain");
    let mut age = Command::new("age");
    age.args(["-d", "-o", text(&plain), text(&file)])
        .envs(std::env::vars_os());
    let mut age = Terminal::start(&age);
    age.shows("passphrase");
    age.types(&format!("{OF_BACKUP}\n"));
    let (code, shown) = age.ends();
    assert_eq!(code, 0, "{shown}");
    let again = stage.file("again.age");
    let mut age = Command::new("age");
    age.args(["-p", "-o", text(&again), text(&plain)])
        .envs(std::env::vars_os());
    let mut age = Terminal::start(&age);
    age.shows("Enter passphrase");
    age.types("another passphrase\n");
    age.shows("Confirm passphrase");
    age.types("another passphrase\n");
    let (code, shown) = age.ends();
    assert_eq!(code, 0, "{shown}");
    let look = [
        "restore",
        text(&again),
        "--passphrase-fd",
        "0",
        "--dry-run",
        "--json",
    ];
    let wrong = stage.profile.tokenry_with(&look, &format!("{OF_BACKUP}\n"));
    assert_eq!(wrong.code, 10, "{wrong:?}");
    assert!(
        wrong.stderr.contains("does not open with this passphrase"),
        "{wrong:?}"
    );
    let preview = stage
        .profile
        .tokenry_with(&look, "another passphrase\n")
        .success()
        .json();
    assert_eq!(preview["items"].as_array().unwrap().len(), 3);
}

/// The way back after a lost laptop: a backup, a new profile, and every token flows again.
#[test]
fn a_lost_profile_comes_back_from_its_backup_with_the_command_line_alone() {
    let stage = Stage::new();
    let file = stage.file("backup.age");
    let with = [
        "backup",
        text(&file),
        "--passphrase-fd",
        "0",
        "--with-refresh-tokens",
    ];
    let made = stage
        .profile
        .tokenry_with(&with, &format!("{OF_BACKUP}\n"))
        .success();
    assert!(
        made.stderr.contains("one place only") && made.stderr.contains("Wrote and checked"),
        "{made:?}"
    );
    let Stage {
        profile,
        server,
        engine,
    } = stage;
    assert_eq!(stop(engine).code, 0);
    fs::remove_dir_all(profile.home()).unwrap();

    let fresh = Profile::headless();
    let _engine = fresh.serve_with_passphrase(PASSPHRASE);
    let without_yes = fresh.tokenry(&["restore", text(&file), "--passphrase-fd", "0"]);
    assert_eq!(without_yes.code, 10, "{without_yes:?}");
    assert!(without_yes.stderr.contains("--yes"), "{without_yes:?}");
    let restore = ["restore", text(&file), "--passphrase-fd", "0", "--yes"];
    let restored = fresh.tokenry_with(&restore, &format!("{OF_BACKUP}\n")).success();
    for part in ["KIND", "kit/work", "new", "Restored: 3 added, 0 replaced"] {
        assert!(restored.stderr.contains(part), "{part}: {restored:?}");
    }
    assert!(server.accepts(&token(&fresh, "kit/work")));
    let value = fresh
        .tokenry(&["credential", "show", "api-key", "--field", "value"])
        .success()
        .stdout;
    assert_eq!(value, "the value of the api key\n");
    let events = fresh.tokenry(&["events", "--json"]).success().json();
    assert!(
        events["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["kind"] == "restored"),
        "{events}"
    );
}

/// Neither the passphrase nor an identity nor a record is in the log or in what the programs say.
#[test]
fn no_secret_of_a_backup_is_in_a_log_or_a_message() {
    let server = Server::start(Behaviour::rotating(Rotation::None));
    let mut profile = Profile::headless();
    profile.set("TOKENRY_LOG", "trace");
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &testkit_provider(&server, "kit", &json!({"kind": "none"})),
    )
    .success();
    let value = ["credential", "add", "api-key", "--type", "raw"];
    profile
        .tokenry_with(&value, "the canary value of a credential")
        .success();
    let (identity, recipient) = identity(profile.scratch());
    let secret = fs::read_to_string(&identity).unwrap();
    let secret = secret
        .lines()
        .find(|line| line.starts_with("AGE-SECRET"))
        .unwrap();
    let canaries = [
        Canary::new("passphrase", OF_BACKUP),
        Canary::new("identity", secret),
        Canary::new("credential", "the canary value of a credential"),
    ];
    let [one, other, third] = ["one.age", "other.age", "third.age"].map(|name| profile.scratch().join(name));
    let said = [
        profile
            .tokenry_with(
                &["backup", text(&one), "--passphrase-fd", "0"],
                &format!("{OF_BACKUP}\n"),
            )
            .success(),
        profile
            .tokenry(&["backup", text(&other), "--recipient", &recipient])
            .success(),
        profile.tokenry(&["backup", text(&third), "--recipient", secret]),
        profile
            .tokenry_with(
                &["restore", text(&one), "--passphrase-fd", "0", "--yes"],
                &format!("{OF_BACKUP}\n"),
            )
            .success(),
        profile.tokenry_with(
            &["restore", text(&one), "--passphrase-fd", "0", "--yes"],
            "wrong\n",
        ),
        profile
            .tokenry_with(&["restore", text(&other), "--identity-fd", "0", "--yes"], secret)
            .success(),
        profile.tokenry_with(
            &["restore", text(&other), "--identity-fd", "0", "--yes"],
            "AGE-SECRET-KEY-1WRONG",
        ),
    ];
    assert!(said[2].stderr.contains("is a secret key"), "{:?}", said[2]);
    let log = stop(engine);
    for canary in &canaries {
        for finished in said.iter().chain([&log]) {
            for output in [&finished.stdout, &finished.stderr] {
                canary.absent_from("an output", output.as_bytes());
            }
        }
        for file in [&one, &other] {
            canary.absent_from("a backup", &fs::read(file).unwrap());
        }
    }
}

/// What one version writes, the next reads. Made by version 0.1.0; it is not made anew.
#[test]
fn a_backup_of_version_0_1_0_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let file = fixtures.join("backup-0.1.0.age");
    let restore = ["restore", text(&file), "--passphrase-fd", "0", "--yes", "--json"];
    let restored = profile
        .tokenry_with(&restore, &format!("{OF_BACKUP}\n"))
        .success()
        .json();
    assert_eq!(
        (&restored["added"], &restored["needs_sign_in"]),
        (&json!(3), &json!([]))
    );
    let connection = accounts::connection(&profile, "kit/work");
    assert_eq!(connection["account"]["email"], "ada@example.com");
    let value = profile
        .tokenry(&["credential", "show", "api-key", "--field", "value"])
        .success()
        .stdout;
    assert_eq!(value, "the value of the api key\n");
}
