//! A keyring, a passphrase or both are lost, and the user goes on: by the command line alone and in the window alone
//! (SECURITY.md, "Keys").
//!
//! The engine has to be built with the feature `fault-injection`.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{self, PASSPHRASE, add, stop};
use tokenry_e2e::crash::KILLED;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::{Finished, Running, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::recovery::new_code;
use tokenry_e2e::terminal::Terminal;

const VAULT_LOCKED: i32 = 20;
const SECOND: &str = "second passphrase";

fn github() -> Value {
    json!({
        "name": "github",
        "client_id": "abc",
        "authorization_endpoint": "https://example.com/authorize",
        "token_endpoint": "https://example.com/token",
    })
}

/// An engine that opens its vault by itself where it can, as the desktop's does.
fn serve(profile: &Profile) -> Running {
    profile.serve_with(&["--approve", "all"], "")
}

/// Runs `tokenry` with these secrets on the file descriptors 3 and 4.
fn with_secrets(profile: &Profile, arguments: &str, secrets: [&str; 2]) -> Finished {
    for (name, secret) in ["3", "4"].iter().zip(secrets) {
        std::fs::write(profile.scratch().join(name), secret).unwrap();
    }
    let tokenry = profile.command("tokenry", &[]);
    let script = format!("exec \"$0\" {arguments} 3<3 4<4");
    let mut shell = std::process::Command::new("/bin/sh");
    shell
        .env_clear()
        .envs(profile.env())
        .current_dir(profile.scratch())
        .args(["-c", &script])
        .arg(tokenry.get_program());
    Running::start(shell).wait()
}

fn change_passphrase(profile: &Profile, from: &str, to: &str) -> Finished {
    let arguments = "vault slots set passphrase --passphrase-fd 3 --new-passphrase-fd 4";
    with_secrets(profile, arguments, [from, to])
}

fn unlock(profile: &Profile, passphrase: &str) -> Finished {
    profile.tokenry_with(&["unlock", "--passphrase-fd", "0"], &format!("{passphrase}\n"))
}

fn slots(profile: &Profile) -> Value {
    accounts::engine(profile)["vault"]["slots"].clone()
}

#[track_caller]
fn is_whole(profile: &Profile) {
    let listed = profile.tokenry(&["provider", "list", "--json"]).success().json();
    assert_eq!(listed[0]["name"], "github");
}

#[test]
fn a_lost_keyring_item_costs_nothing_where_there_is_a_recovery_code() {
    let session = DesktopSession::with_keyring();
    let profile = Profile::in_session(&session);
    let engine = profile.serve();
    add(&profile, &github()).success();
    let code = profile.tokenry(&["recovery", "new", "--yes"]).success().stdout;
    assert_eq!(slots(&profile), json!(["keyring", "recovery_code"]));
    stop(engine);

    let item = ["service", "io.github.tokenry"];
    session
        .run("secret-tool", &[&["clear"][..], &item].concat(), "")
        .success();
    let engine = serve(&profile);
    let shut = profile.tokenry(&["provider", "list"]);
    assert_eq!(shut.code, VAULT_LOCKED);
    assert!(shut.stderr.contains("tokenry unlock --recovery"), "{shut:?}");

    let mistyped = code.replacen(&code[..1], if code.starts_with('0') { "1" } else { "0" }, 1);
    let wrong = profile.tokenry_with(&["unlock", "--recovery"], &mistyped);
    assert!(wrong.stderr.contains("group 1"), "{wrong:?}");
    assert!(!wrong.stderr.contains(&mistyped[..5]), "{wrong:?}");
    let typed = code.to_lowercase().replace('-', " ");
    let unlocked = profile.tokenry_with(&["unlock", "--recovery"], &typed).success();
    assert!(
        unlocked.stderr.contains("tokenry vault slots set"),
        "{unlocked:?}"
    );
    is_whole(&profile);
    profile
        .tokenry_with(&["vault", "slots", "set", "keyring", "--recovery"], &code)
        .success();
    stop(engine);
    let engine = serve(&profile);
    is_whole(&profile);
    stop(engine);
}

#[test]
fn at_a_terminal_a_code_counts_once_two_groups_of_it_were_typed() {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &github()).success();
    let tokenry = |arguments: &[&str]| Terminal::start(&profile.command("tokenry", arguments));

    let mut given_up = tokenry(&["recovery", "new"]);
    given_up.shows("Current passphrase: ");
    given_up.types(&format!("{PASSPHRASE}\n"));
    given_up.shows(" from what you wrote down: ");
    given_up.interrupts();
    let (code, shown) = given_up.ends();
    assert_ne!(code, 0, "{shown}");
    assert_eq!(slots(&profile), json!(["passphrase"]), "it was not confirmed");

    let mut new = tokenry(&["recovery", "new"]);
    new.shows("Current passphrase: ");
    new.types(&format!("{PASSPHRASE}\n"));
    let shown = new.shows(" from what you wrote down: ");
    let is_code = |line: &&str| line.len() == 41 && line.matches('-').count() == 6;
    let code = shown.lines().map(str::trim).find(is_code).unwrap().to_owned();
    let groups: Vec<_> = code.split('-').collect();
    new.types("00000\n");
    let shown = wait_for("the same group again", || {
        Some(new.screen()).filter(|shown| shown.matches("Type group").count() == 2)
    });
    assert!(shown.contains("That is not the group"), "{shown}");
    let asked = |shown: &str| -> usize {
        let (_, number) = shown.rsplit_once("Type group ").unwrap();
        number[..1].parse().unwrap()
    };
    new.types(&format!("{}\n", groups[asked(&shown) - 1].to_lowercase()));
    let shown = wait_for("the second group", || {
        Some(new.screen()).filter(|shown| shown.matches("Type group").count() == 3)
    });
    new.types(&format!("{}\n", groups[asked(&shown) - 1]));
    let (ended, shown) = new.ends();
    assert_eq!(ended, 0, "{shown}");
    assert_eq!(slots(&profile), json!(["passphrase", "recovery_code"]));

    profile.tokenry(&["lock"]).success();
    let mut unlock = tokenry(&["unlock", "--recovery"]);
    unlock.shows("Recovery code: ");
    unlock.types(&format!("{code}\n"));
    let (ended, shown) = unlock.ends();
    assert_eq!(ended, 0, "{shown}");
    assert!(!shown.contains(groups[0]), "what is typed is not shown: {shown}");
    stop(engine);
}

#[test]
fn without_a_terminal_a_code_is_made_only_with_yes() {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let refused = profile.tokenry(&["recovery", "new"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (10, ""), "{refused:?}");
    assert!(refused.stderr.contains("--yes"), "{refused:?}");
    let asked = ["recovery", "new", "--json", "--passphrase-fd", "0"];
    let made = profile.tokenry_with(&asked, PASSPHRASE).success().json();
    assert_eq!(made["code"].as_str().unwrap().len(), 41);
    stop(engine);
}

/// security.md, "Keys": a change is one step. Whenever the engine dies, exactly one of the two passphrases opens the
/// vault.
#[test]
fn kill_9_at_every_step_of_a_changed_passphrase_leaves_one_that_opens() {
    for (step, after) in [
        ("SlotMade", PASSPHRASE),
        ("SlotCommitting", PASSPHRASE),
        ("SlotCommitted", SECOND),
    ] {
        let mut profile = Profile::headless();
        profile.set("TOKENRY_FAULT", step);
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        add(&profile, &github()).success();
        let changed = change_passphrase(&profile, PASSPHRASE, SECOND);
        assert_ne!(changed.code, 0, "{step}: {changed:?}");
        assert_eq!(engine.wait().code, KILLED, "{step}");
        profile.set("TOKENRY_FAULT", "");
        let engine = serve(&profile);
        let other = if after == SECOND { PASSPHRASE } else { SECOND };
        assert_eq!(unlock(&profile, other).code, VAULT_LOCKED, "{step}");
        unlock(&profile, after).success();
        is_whole(&profile);
        change_passphrase(&profile, after, "third passphrase").success();
        profile.tokenry(&["lock"]).success();
        unlock(&profile, "third passphrase").success();
        is_whole(&profile);
        stop(engine);
    }
}

/// The keyring has an item and the vault has no slot for it, or the other way round: the passphrase opens the vault all
/// the same, and the keyring is set once more.
#[test]
fn kill_9_while_the_keyring_is_set_leaves_the_passphrase_that_opens() {
    let session = DesktopSession::with_keyring();
    for step in ["SlotMade", "SlotCommitting", "SlotCommitted"] {
        let mut profile = Profile::in_session(&session);
        profile.set("TOKENRY_FAULT", step);
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        add(&profile, &github()).success();
        let set = ["vault", "slots", "set", "keyring", "--passphrase-fd", "0"];
        let died = profile.tokenry_with(&set, PASSPHRASE);
        assert_ne!(died.code, 0, "{step}: {died:?}");
        assert_eq!(engine.wait().code, KILLED, "{step}");
        profile.set("TOKENRY_FAULT", "");
        let engine = serve(&profile);
        unlock(&profile, PASSPHRASE).success();
        is_whole(&profile);
        profile.tokenry_with(&set, PASSPHRASE).success();
        stop(engine);
        let engine = serve(&profile);
        is_whole(&profile);
        stop(engine);
    }
}

#[test]
fn a_passphrase_beside_the_keyring_opens_the_vault_only_with_it() {
    let session = DesktopSession::with_keyring();
    let profile = Profile::in_session(&session);
    let engine = profile.serve();
    add(&profile, &github()).success();
    let set = [
        "vault",
        "slots",
        "set",
        "keyring-and-passphrase",
        "--new-passphrase-fd",
        "0",
    ];
    let set = profile.tokenry_with(&set, SECOND).success();
    assert!(
        set.stderr.contains("tokenry vault slots remove keyring"),
        "{set:?}"
    );
    profile
        .tokenry(&["vault", "slots", "remove", "keyring"])
        .success();
    let listed = profile.tokenry(&["vault", "slots"]).success();
    assert_eq!(listed.stdout, "the OS keyring together with a passphrase\n");
    let last = [
        "vault",
        "slots",
        "remove",
        "keyring-and-passphrase",
        "--passphrase-fd",
        "0",
    ];
    let last = profile.tokenry_with(&last, SECOND);
    assert!(last.stderr.contains("last way"), "{last:?}");
    stop(engine);
    // No engine runs: the command starts one, which has to use the keyring for this passphrase.
    unlock(&profile, "a wrong passphrase");
    unlock(&profile, SECOND).success();
    is_whole(&profile);
    accounts::Background::of(&profile).stop();
}

#[tokio::test]
async fn in_the_window_alone_a_lost_keyring_item_costs_nothing() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.see("recovery-reminder").await;
    screen.click("recovery-create").await;
    let code = new_code(&screen).await;
    screen.gone("recovery-reminder").await;
    add(&desktop.profile, &github()).success();
    screen.close().await;

    let item = ["service", "io.github.tokenry"];
    desktop
        .session
        .run("secret-tool", &[&["clear"][..], &item].concat(), "")
        .success();
    let screen = desktop.open_window(&[]).await;
    screen.see("lock-screen").await;
    screen.click("use-code").await;
    screen.fill("recovery-code-field", &code[1..]).await;
    screen.click("unlock-code").await;
    screen.reads("error-recovery-code", "34 characters").await;
    screen.fill("recovery-code-field", &code).await;
    screen.click("unlock-code").await;
    screen.see("recovery-used").await;
    screen.click("recovery-settings").await;
    screen.see("slot-passphrase").await;
    screen.click("set-passphrase").await;
    screen.fill("field-new_passphrase", SECOND).await;
    screen.fill("field-again", SECOND).await;
    screen.click("save-slot").await;
    screen.hears("the vault unlocks with it").await;
    screen.click("lock").await;
    screen.fill("passphrase", SECOND).await;
    screen.click("unlock").await;
    screen.see("provider-github").await;
    screen.close().await;
}
