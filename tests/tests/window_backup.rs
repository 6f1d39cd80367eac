//! Backups in the real window: a lost profile comes back with the window alone, and the dialog of the system gives the path.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::Path;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::wait_for;
use tokenry_e2e::screen::Screen;
use tokenry_e2e::socket::ask;
use tokenry_testkit::{Behaviour, Rotation, Server};

const OF_BACKUP: &str = "a passphrase of the backup";

async fn write_backup(screen: &Screen, file: &Path) {
    screen.click("nav-settings").await;
    screen.fill("field-backup-file", file.to_str().unwrap()).await;
    screen.fill("field-backup-passphrase", OF_BACKUP).await;
    screen.fill("field-backup-repeat", OF_BACKUP).await;
    screen.click("field-backup-tokens").await;
    screen.click("write-backup").await;
    screen.reads("backup-done", "Wrote and checked").await;
}

#[tokio::test]
async fn a_lost_profile_comes_back_from_its_backup_with_the_window_alone() {
    let server = Server::start(Behaviour::rotating(Rotation::None));
    let lost = Desktop::trusting();
    let screen = lost.open_window(&[]).await;
    lost.connect(&screen, &server, "planted").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.age");
    write_backup(&screen, &file).await;
    screen.close().await;
    drop(lost);

    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.click("nav-settings").await;
    screen.fill("field-restore-file", file.to_str().unwrap()).await;
    screen.fill("field-restore-passphrase", "wrong passphrase").await;
    screen.click("read-backup").await;
    screen
        .reads("restore-failure", "does not open with this passphrase")
        .await;
    screen.fill("field-restore-passphrase", OF_BACKUP).await;
    screen.click("read-backup").await;
    screen.reads("preview", "planted").await;
    screen.click("apply-restore").await;
    screen.reads("restore-done", "Restored: 2 added").await;
    screen.click("nav-providers").await;
    screen.reads("connection-planted", "ada@example.com").await;
    let (status, answer) = ask(
        &desktop.profile,
        "POST",
        "/v1/connections/planted/token",
        &json!({}),
    );
    assert_eq!(status, 200, "{answer}");
    assert!(server.accepts(answer["access_token"].as_str().unwrap()));
    screen.close().await;
}

/// The dialog belongs to the app itself, which other programs cannot look into.
#[tokio::test]
async fn the_dialog_of_the_system_gives_the_path_of_a_backup() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.click("nav-settings").await;
    screen.see("choose-backup-file").await;
    let press = "document.querySelector('[data-testid=choose-backup-file]').click(); return null";
    screen.script(press).await;
    let xdotool = |arguments: &[&str]| desktop.session.run("xdotool", arguments, "");
    let dialog = wait_for("the dialog", || {
        let found = xdotool(&["search", "--onlyvisible", "--name", "^Save"]).stdout;
        found.lines().next().map(str::to_owned)
    });
    let file = desktop.profile.scratch().join("chosen.age");
    // Without a window manager nothing gives it the focus, and GTK ignores keys that are sent to a window.
    xdotool(&["windowfocus", &dialog]);
    xdotool(&["key", "ctrl+a"]);
    xdotool(&["type", file.to_str().unwrap()]);
    xdotool(&["key", "Return"]);
    let value = "return document.querySelector('[data-testid=field-backup-file]').value";
    let chosen = file.to_str().unwrap();
    let mut found = Value::Null;
    for _ in 0..500 {
        found = screen.script(value).await;
        if found == chosen {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(found, chosen);
    screen.close().await;
}
