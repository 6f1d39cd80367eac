//! `tokenry vault check` and `tokenry vault salvage` on a profile whose database was damaged.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_testkit, token};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::python;
use tokenry_testkit::{Behaviour, Server};

const CONFLICT: i32 = 16;

/// Changes the database with another program's SQLite.
fn damage(profile: &Profile, sql: &str) {
    let script = "import sqlite3, sys\nbase = sqlite3.connect(sys.argv[1])\nbase.executescript(sys.argv[2])\nbase.close()";
    let mut command = python::command("python3", profile.env());
    command.args(["-c", script]);
    command.arg(profile.home().join("tokenry.db")).arg(sql);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Every file with something in it, byte for byte, without SQLite's shared memory and without the lock file.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let plain = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let named = plain.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let kept = |name: &str| !name.ends_with("-shm") && name != "tokenry.lock";
    named
        .filter(|(name, _)| kept(name))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect()
}

/// A profile with two connections, of which the record of one is damaged, and its engine.
fn damaged(profile: &Profile, server: &Server) {
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    for name in ["kit", "second"] {
        let provider = accounts::testkit_provider(server, name, &json!({"kind": "none"}));
        add(profile, &provider).success();
        connect_at_testkit(profile, &[name]).success();
    }
    let check = ["vault", "check"];
    let whole = profile.tokenry(&check).success();
    assert!(!whole.stdout.contains("WRONG"), "{whole:?}");
    accounts::stop(engine);
    damage(
        profile,
        "UPDATE connections SET sealed = zeroblob(length(sealed)) WHERE id = (SELECT min(id) FROM connections)",
    );
}

#[test]
fn a_vault_that_stays_shut_is_checked_and_salvaged_and_left_as_it_is() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    damaged(&profile, &server);
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let status = accounts::engine(&profile);
    assert_eq!(status["vault"]["state"], "damaged", "{status}");
    let before = files(profile.home());

    let check = ["vault", "check", "--passphrase-fd", "0"];
    let found = profile.tokenry_with(&check, PASSPHRASE);
    assert_eq!(found.code, CONFLICT, "{found:?}");
    let wrong: Vec<_> = found
        .stdout
        .lines()
        .filter(|line| line.contains("WRONG"))
        .collect();
    assert!(
        wrong.len() >= 2 && wrong[0].starts_with("connections"),
        "{found:?}"
    );
    assert!(found.stdout.contains("it does not open"), "{found:?}");
    assert!(found.stderr.contains("tokenry vault salvage"), "{found:?}");
    let without = profile.tokenry(&["vault", "check", "--json"]);
    assert!(
        without.code != 0 && without.stderr.contains("--passphrase-fd"),
        "{without:?}"
    );
    let mistyped = profile.tokenry_with(&check, "not the passphrase");
    assert_eq!(mistyped.code, 20, "{mistyped:?}");

    let new = profile.scratch().join("salvaged");
    let salvage = ["vault", "salvage", new.to_str().unwrap(), "--passphrase-fd", "0"];
    let copied = profile.tokenry_with(&salvage, PASSPHRASE).success();
    assert!(copied.stdout.contains("Not copied:"), "{copied:?}");
    assert!(
        copied.stderr.contains("TOKENRY_HOME=") && copied.stderr.contains("only one"),
        "{copied:?}"
    );
    let again = profile.tokenry_with(&salvage, PASSPHRASE);
    assert!(again.code != 0 && again.stderr.contains("empty"), "{again:?}");
    assert!(files(profile.home()) == before, "the damaged profile was changed");
    accounts::stop(engine);
    assert!(
        files(profile.home()) == before,
        "the damaged profile was changed at the end"
    );

    // The new profile is used where the old one was, as the command says.
    fs::rename(profile.home(), profile.scratch().join("p.damaged")).unwrap();
    fs::rename(&new, profile.home()).unwrap();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let listed = profile.tokenry(&["list", "--json"]).success().json();
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 1, "{listed}");
    assert!(server.accepts(&token(&profile, names[0])));
    profile.tokenry(&["refresh", names[0]]).success();
    profile.tokenry(&["vault", "check"]).success();
    profile.tokenry(&["events", "--verify"]).success();
    accounts::stop(engine);
}

/// A copy of all secrets: without the user's consent a program gets none, and no folder appears.
#[test]
fn a_program_gets_no_copy_of_the_vault_without_consent() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    damaged(&profile, &server);
    let arguments = [
        "--vault",
        "passphrase",
        "--passphrase-fd",
        "0",
        "--approve",
        "never",
    ];
    let engine = profile.serve_with(&arguments, &format!("{PASSPHRASE}\n"));
    let new = profile.scratch().join("salvaged");
    let salvage = ["vault", "salvage", new.to_str().unwrap(), "--passphrase-fd", "0"];
    let refused = profile.tokenry_with(&salvage, PASSPHRASE);
    assert!(
        refused.code != 0 && refused.stderr.contains("consent"),
        "{refused:?}"
    );
    assert!(!new.exists());
    accounts::stop(engine);
}
