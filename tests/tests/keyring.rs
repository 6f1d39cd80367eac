//! The engine on a real OS keyring, in every state a keyring can be in: each has words of its own, and a vault that
//! exists never gets a second key (SECURITY.md, "Keys").
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::PathBuf;
use tokenry_e2e::accounts::{self, add, stop};
use tokenry_e2e::desktop_session::{DesktopSession, KEYRING_PASSWORD};
use tokenry_e2e::profile::Profile;

const SERVICE: [&str; 2] = ["service", "io.github.tokenry"];

/// A session whose keyring holds the key of a profile that has one provider.
struct Stage {
    session: DesktopSession,
    profile: Profile,
}

impl Stage {
    fn new() -> Self {
        let session = DesktopSession::with_keyring();
        let profile = Profile::in_session(&session);
        let stage = Self { session, profile };
        let engine = stage.profile.serve();
        add(&stage.profile, &provider()).success();
        stop(engine);
        stage
    }

    /// The engine starts and reports this; its vault stays locked, no program gets anything, and no key is created.
    #[track_caller]
    fn stays_shut(&self, code: &str, exit: i32, says: &[&str]) {
        let engine = self.profile.serve();
        let vault = accounts::engine(&self.profile)["vault"].clone();
        assert_eq!(
            (&vault["state"], &vault["code"]),
            (&json!("locked"), &json!(code))
        );
        assert_eq!(
            vault["slots"],
            json!(["keyring"]),
            "no second key beside the old one"
        );
        let told = vault["message"].as_str().unwrap();
        let asked = self.profile.tokenry(&["provider", "list"]);
        let unlocked = self.profile.tokenry(&["unlock"]);
        assert_eq!(
            (asked.code, asked.stdout.as_str(), unlocked.code),
            (20, "", exit),
            "{unlocked:?}"
        );
        for part in says {
            for words in [told, &asked.stderr, &unlocked.stderr] {
                assert!(words.contains(part), "{part:?} is not in {words:?}");
            }
        }
        assert_eq!(stop(engine).code, 0);
    }

    /// The engine starts, and everything is there.
    #[track_caller]
    fn opens(&self) {
        let engine = self.profile.serve();
        let listed = self
            .profile
            .tokenry(&["provider", "list", "--json"])
            .success()
            .json();
        assert_eq!(listed[0]["name"], "github");
        assert_eq!(stop(engine).code, 0);
    }

    fn secret_tool(&self, arguments: &[&str]) -> tokenry_e2e::process::Finished {
        self.session
            .run("secret-tool", &[arguments, &SERVICE].concat(), "")
    }

    /// How many items of ours there are, and the vault that the first one is of.
    fn items(&self) -> (usize, String) {
        let found = self.secret_tool(&["search", "--all"]).stderr;
        let vaults: Vec<&str> = found
            .lines()
            .filter_map(|line| line.strip_prefix("attribute.username = "))
            .collect();
        (
            vaults.len(),
            vaults.first().copied().unwrap_or_default().to_owned(),
        )
    }

    /// Puts what this command prints into the item of this vault.
    fn replace_item(&self, vault: &str, command: &str) {
        let store = format!(
            "{command} | secret-tool store --label='Tokenry vault key' {} {} username {vault}",
            SERVICE[0], SERVICE[1]
        );
        self.session.run("sh", &["-c", &store], "").success();
        assert_eq!(self.items(), (1, vault.to_owned()));
    }

    /// The only item becomes the one of this vault, its content untouched.
    fn hand_item_over_to(&self, vault: &str) {
        let found = self.secret_tool(&["search"]).stdout;
        let item = found.lines().next().unwrap().trim_matches(['[', ']']);
        let path = format!("/org/freedesktop/secrets/collection/login{item}");
        let attributes = format!("<{{'{}': '{}', 'username': '{vault}'}}>", SERVICE[0], SERVICE[1]);
        let call = [
            "call",
            "--session",
            "--dest",
            "org.freedesktop.secrets",
            "--object-path",
            &path,
        ];
        let set = [
            "--method",
            "org.freedesktop.DBus.Properties.Set",
            "org.freedesktop.Secret.Item",
            "Attributes",
        ];
        self.session
            .run("gdbus", &[&call[..], &set, &[&attributes]].concat(), "")
            .success();
        assert_eq!(self.items(), (1, vault.to_owned()));
    }

    fn keyring_file(&self) -> PathBuf {
        self.session.keyring_folder().join("login.keyring")
    }
}

fn provider() -> Value {
    json!({
        "name": "github",
        "client_id": "abc",
        "authorization_endpoint": "https://example.com/authorize",
        "token_endpoint": "https://example.com/token",
    })
}

#[test]
fn the_first_run_makes_one_item_and_a_restart_opens_with_it() {
    let stage = Stage::new();
    let (count, vault) = stage.items();
    assert_eq!((count, vault.len()), (1, 32));
    stage.opens();
    assert_eq!(stage.items(), (1, vault));
}

#[test]
fn a_locked_keyring_is_told_as_locked_and_opens_the_vault_once_it_is_unlocked() {
    let mut stage = Stage::new();
    stage.session.lock_keyring();
    stage.stays_shut("vault_locked", 20, &["the OS keyring is locked"]);

    let engine = stage.profile.serve();
    stage.session.stop_keyring();
    stage.session.start_keyring(KEYRING_PASSWORD);
    stage.profile.tokenry(&["unlock"]).success();
    let vault = accounts::engine(&stage.profile)["vault"].clone();
    assert_eq!(
        (&vault["state"], &vault["message"]),
        (&json!("unlocked"), &Value::Null)
    );
    stage.profile.tokenry(&["provider", "show", "github"]).success();
    stop(engine);
}

#[test]
fn a_vault_that_was_locked_opens_again_with_the_keyring_and_without_a_question() {
    let stage = Stage::new();
    let engine = stage.profile.serve();
    stage.profile.tokenry(&["lock"]).success();
    assert_eq!(stage.profile.tokenry(&["list"]).code, 20);
    stage.profile.tokenry(&["unlock"]).success();
    stage.profile.tokenry(&["list"]).success();
    stop(engine);
}

#[test]
fn an_absent_keyring_is_told_as_absent_and_comes_back_as_it_was() {
    let mut stage = Stage::new();
    stage.session.stop_keyring();
    stage.stays_shut(
        "oauth_unavailable",
        25,
        &["no OS keyring answers in this session"],
    );
    stage.session.start_keyring(KEYRING_PASSWORD);
    stage.opens();
}

#[test]
fn a_deleted_item_is_told_as_missing_and_a_backup_of_the_keyring_brings_it_back() {
    let mut stage = Stage::new();
    stage.session.stop_keyring();
    let backup = std::fs::read(stage.keyring_file()).unwrap();
    stage.session.start_keyring(KEYRING_PASSWORD);
    stage.secret_tool(&["clear"]).success();
    let says = [
        "has no key for this vault",
        "Tokenry vault key",
        "No new key is made",
    ];
    stage.stays_shut("oauth_unavailable", 25, &says);
    assert_eq!(stage.items().0, 0, "no new key is made");

    stage.session.stop_keyring();
    std::fs::write(stage.keyring_file(), backup).unwrap();
    stage.session.start_keyring(KEYRING_PASSWORD);
    stage.opens();
}

#[test]
fn an_item_that_was_overwritten_is_reported_as_foreign_and_left_alone() {
    let stage = Stage::new();
    let (_, vault) = stage.items();
    stage.replace_item(&vault, "printf 'a password of another program'");
    let says = [
        "\"Tokenry vault key\"",
        "not one that Tokenry wrote",
        "from a backup of the keyring",
    ];
    stage.stays_shut("oauth_unavailable", 25, &says);
    assert_eq!(
        stage.secret_tool(&["lookup"]).stdout,
        "a password of another program"
    );
}

#[test]
fn the_key_of_another_vault_is_told_as_that() {
    let stage = Stage::new();
    let (_, vault) = stage.items();
    // A second profile in the same session has a key of its own, which takes the place of the first one's.
    stage.secret_tool(&["clear"]).success();
    let second = Profile::in_session(&stage.session);
    stop(second.serve());
    stage.hand_item_over_to(&vault);
    stage.stays_shut(
        "oauth_unavailable",
        25,
        &["the key of another vault", "nothing was changed"],
    );
}

#[test]
fn without_any_keyring_a_first_run_makes_no_vault_and_says_what_there_is_instead() {
    let session = DesktopSession::bare();
    let profile = Profile::in_session(&session);
    let engine = profile.serve();
    let vault = accounts::engine(&profile)["vault"].clone();
    assert_eq!((&vault["state"], &vault["slots"]), (&json!("absent"), &json!([])));
    assert!(
        vault["message"]
            .as_str()
            .unwrap()
            .contains("`tokenry unlock` in a terminal"),
        "{vault}"
    );
    let refused = profile.tokenry(&["unlock"]);
    assert_eq!(refused.code, 25, "{refused:?}");
    assert!(
        refused.stderr.contains("`tokenry unlock --passphrase-fd 0`"),
        "{refused:?}"
    );
    assert_eq!(accounts::engine(&profile)["vault"]["state"], "absent");
    stop(engine);
}
