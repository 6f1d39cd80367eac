//! A program that meets a locked vault: the real window comes up, and the program goes on once it is unlocked.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use tokenry_e2e::accounts::token;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::wait_for;
use tokenry_e2e::screen::Screen;
use tokenry_testkit::{Behaviour, Server};

/// The exit codes of `vault_locked` and `unauthorized`.
const VAULT_LOCKED: i32 = 20;
const UNAUTHORIZED: i32 = 11;

/// Keeps a picture of the window, for a look at it.
async fn picture(screen: &Screen, name: &str) {
    if let Some(folder) = std::env::var_os("TOKENRY_PICTURES") {
        screen.picture(&Path::new(&folder).join(name)).await;
    }
}

#[tokio::test]
async fn a_program_waits_for_the_unlock_in_the_window_or_is_dismissed_there() {
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    let secret = token(&desktop.profile, "planted");
    screen.click("nav-settings").await;
    screen.click("field-tokens_while_locked").await;
    screen.see("tokens-warning").await;
    picture(&screen, "auto-lock.png").await;

    desktop.profile.tokenry(&["lock"]).success();
    let waits = desktop.profile.tokenry_running(&["token", "planted"]);
    screen
        .reads("unlock-request", "waits until you unlock the vault")
        .await;
    picture(&screen, "unlock-request.png").await;
    wait_for("the program says what it waits for", || {
        waits
            .stderr()
            .contains("unlock the vault in the Tokenry window")
            .then_some(())
    });
    // A list and the status wait for nothing.
    assert_eq!(desktop.profile.tokenry(&["list"]).code, VAULT_LOCKED);
    assert_eq!(
        desktop.profile.tokenry(&["--json", "status"]).json()["vault"]["unlock_requests"],
        1
    );
    screen.click("unlock-keyring").await;
    assert_eq!(waits.wait().success().stdout.trim_end(), secret);

    desktop.profile.tokenry(&["lock"]).success();
    let waits = desktop.profile.tokenry_running(&["token", "planted"]);
    screen.click("dismiss-unlock").await;
    let refused = waits.wait();
    assert_eq!(refused.code, VAULT_LOCKED);
    assert!(refused.stderr.contains("`tokenry unlock`"), "{refused:?}");
    // The user has just said no: the next one does not wait.
    assert_eq!(desktop.profile.tokenry(&["token", "planted"]).code, VAULT_LOCKED);
    assert!(!screen.has("unlock-request").await);
}

#[tokio::test]
async fn an_app_gets_its_token_while_the_vault_is_locked_and_other_programs_wait() {
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    let secret = token(&desktop.profile, "planted");
    let profile = &desktop.profile;
    let file = profile.scratch().join("backup.token");
    std::fs::write(&file, profile.tokenry(&["app", "add", "backup"]).success().stdout).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, own).unwrap();
    let grant = [
        "app",
        "grant",
        "backup",
        "--scope",
        "tokens:read",
        "--connection",
        "planted",
    ];
    profile
        .tokenry(&[&grant[..], &["--while-locked"]].concat())
        .success();
    profile
        .tokenry(&["settings", "set", "--tokens-while-locked", "on"])
        .success();
    profile.tokenry(&["lock"]).success();
    let as_app = ["--app-token-file", file.to_str().unwrap(), "token", "planted"];
    assert_eq!(profile.tokenry(&as_app).success().stdout.trim_end(), secret);
    screen.see("lock-screen").await;
    assert!(!screen.has("unlock-request").await, "it needed no unlock");

    // An app whose token cannot be checked now waits, too.
    std::fs::write(&file, "tokenry_app_unknown").unwrap();
    let waits = profile.tokenry_running(&as_app);
    screen.see("unlock-request").await;
    screen.click("unlock-keyring").await;
    assert_eq!(
        waits.wait().code,
        UNAUTHORIZED,
        "once it can be checked, it is unknown"
    );
}
