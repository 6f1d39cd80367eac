//! A profile that was put back from an older copy, and one that lost its database, as the command line tells it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_testkit};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// security.md, "At rest": a vault that was rolled back opens read-only and refreshes nothing; and the user is told how
/// to go on.
#[test]
fn status_tells_of_an_older_copy_and_accept_older_goes_on_with_it() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let (home, old) = (profile.home().to_owned(), profile.scratch().join("old"));
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let provider = accounts::testkit_provider(&server, "kit", &serde_json::json!({"kind": "none"}));
    add(&profile, &provider).success();
    connect_at_testkit(&profile, &["kit"]).success();
    accounts::stop(engine);
    copy(&home, &old);
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    profile.tokenry(&["refresh", "kit"]).success();
    accounts::stop(engine);
    copy(&old, &home);

    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let status = profile.tokenry(&["status"]).success();
    assert!(
        status.stdout.contains("older copy") && status.stdout.contains("`tokenry vault accept-older`"),
        "{status:?}"
    );
    let refused = profile.tokenry(&["refresh", "kit"]);
    assert_eq!(refused.code, 16, "{refused:?}");
    assert!(
        refused.stderr.contains("tokenry vault accept-older"),
        "{refused:?}"
    );
    profile.tokenry(&["vault", "accept-older"]).success();
    assert_eq!(accounts::engine(&profile)["vault"]["read_only"], false);
    let events = profile.tokenry(&["events"]).success();
    assert!(events.stdout.contains("older accepted"), "{events:?}");
    let again = profile.tokenry(&["vault", "accept-older"]);
    assert_eq!(again.code, 16, "{again:?}");
    accounts::stop(engine);
}

/// security.md, "At rest": `tokenry status` says what is wrong with a damaged profile, and `tokenry unlock` looks again.
#[test]
fn status_tells_of_a_lost_database_and_a_backup_opens_again() {
    let profile = Profile::headless();
    let (home, backup) = (profile.home().to_owned(), profile.scratch().join("backup"));
    accounts::stop(profile.serve_with_passphrase(PASSPHRASE));
    copy(&home, &backup);
    fs::remove_file(home.join("tokenry.db")).unwrap();
    let engine = profile.serve_with(&["--vault", "passphrase", "--approve", "all"], "");
    let status = profile.tokenry(&["status"]).success();
    assert!(
        status.stdout.contains("damaged") && status.stdout.contains("backup"),
        "{status:?}"
    );
    let refused = profile.tokenry_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE);
    assert!(
        refused.code != 0 && refused.stderr.contains("backup"),
        "{refused:?}"
    );
    assert!(!home.join("tokenry.db").exists(), "nothing was made in its place");
    fs::copy(backup.join("tokenry.db"), home.join("tokenry.db")).unwrap();
    profile
        .tokenry_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE)
        .success();
    accounts::stop(engine);
}
