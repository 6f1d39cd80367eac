//! `tokenry backup` and `tokenry restore` at a terminal: they ask, show their progress, and end at Ctrl-C.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::fs;
use tokenry_e2e::accounts::{self, Background, PASSPHRASE, connect_at_testkit, token};
use tokenry_e2e::backup::{OF_BACKUP, Stage, text};
use tokenry_e2e::process::wait_for;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::terminal::Terminal;

const INTERRUPTED: i32 = 130;
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

#[test]
fn at_a_terminal_a_backup_asks_twice_and_a_restore_shows_and_asks() {
    let stage = Stage::new();
    let file = stage.file("backup.age");
    let start = |arguments: &[&str]| Terminal::start(&stage.profile.command("tokenry", arguments));
    let mut backup = start(&["backup", text(&file)]);
    backup.shows("New passphrase for this backup: ");
    backup.types(&format!("{OF_BACKUP}\n"));
    backup.shows("Repeat passphrase: ");
    backup.types(&format!("{OF_BACKUP}\n"));
    let (code, shown) = backup.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("Writing the backup") && shown.contains("Wrote and checked"),
        "{shown}"
    );
    assert!(!shown.contains(OF_BACKUP), "{shown}");

    stage.profile.tokenry(&["disconnect", "kit/work"]).success();
    let mut restore = start(&["restore", text(&file)]);
    restore.shows("Passphrase of this backup: ");
    restore.types(&format!("{OF_BACKUP}\n"));
    restore.shows("Restore this backup: add 1, replace 0? [y/N] ");
    restore.types("n\n");
    let (code, shown) = restore.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("Nothing was restored") && shown.contains("needs a new sign-in"),
        "{shown}"
    );
    let mut restore = start(&["restore", text(&file)]);
    restore.shows("Passphrase of this backup: ");
    restore.types(&format!("{OF_BACKUP}\n"));
    restore.shows("[y/N] ");
    restore.types("y\n");
    let (code, shown) = restore.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("need a new sign-in (`tokenry connect NAME`): kit/work"),
        "{shown}"
    );
    let now = accounts::connection(&stage.profile, "kit/work");
    assert_eq!(
        (&now["status"], &now["reason"]),
        (&json!("needs_reauth"), &json!("restored"))
    );
    connect_at_testkit(&stage.profile, &["kit/work"]).success();
    assert!(stage.server.accepts(&token(&stage.profile, "kit/work")));
}

#[test]
fn ctrl_c_cancels_a_backup_and_leaves_nothing_behind() {
    let stage = Stage::new();
    let folder = stage.file("folder");
    fs::create_dir(&folder).unwrap();
    let mut backup = Terminal::start(
        &stage
            .profile
            .command("tokenry", &["backup", text(&folder.join("backup.age"))]),
    );
    backup.shows("New passphrase");
    backup.types(&format!("{OF_BACKUP}\n"));
    backup.shows("Repeat passphrase");
    backup.types(&format!("{OF_BACKUP}\n"));
    backup.shows("Ctrl-C cancels");
    backup.interrupts();
    let (code, shown) = backup.ends();
    assert_eq!(code, INTERRUPTED, "{shown}");
    assert!(shown.contains("Nothing was left behind"), "{shown}");
    // The next one is not held up by it.
    let next = folder.join("again.age");
    let again = ["backup", text(&next), "--recipient", RECIPIENT];
    wait_for("the end of the cancelled one", || {
        (stage.profile.tokenry(&again).code == 0).then_some(())
    });
    let left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["again.age"]);
}

/// An empty profile and no engine: one command makes the vault and restores.
#[test]
fn a_restore_without_a_vault_creates_one_first() {
    let stage = Stage::new();
    let file = stage.file("backup.age");
    let with = ["backup", text(&file), "--passphrase-fd", "0"];
    stage.profile.tokenry_with(&with, OF_BACKUP).success();
    let mut fresh = Profile::headless();
    fresh.set("TOKENRY_APPROVE", "all");
    let arguments = ["restore", text(&file)];
    let mut restore = Terminal::start(&fresh.command("tokenry", &arguments));
    for (prompt, answer) in [
        ("New passphrase: ", PASSPHRASE),
        ("Repeat passphrase: ", PASSPHRASE),
        ("Passphrase of this backup: ", OF_BACKUP),
        ("[y/N] ", "y"),
    ] {
        restore.shows(prompt);
        restore.types(&format!("{answer}\n"));
    }
    let (code, shown) = restore.ends();
    assert_eq!(code, 0, "{shown}");
    let engine = Background::of(&fresh);
    assert!(
        shown.contains("Created a vault") && shown.contains("3 added"),
        "{shown}"
    );
    // A vault that exists and is locked is not opened with the passphrase of the backup.
    fresh.tokenry(&["lock"]).success();
    let locked = [&arguments[..], &["--passphrase-fd", "0", "--yes"]].concat();
    let refused = fresh.tokenry_with(&locked, OF_BACKUP);
    assert_eq!(refused.code, 20, "{refused:?}");
    engine.stop();
}
