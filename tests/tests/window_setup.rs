//! The view "Use it in…" of the real window: it shows a change of git's configuration, writes it, and takes it back.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::program;

#[tokio::test]
async fn the_window_sets_up_git_after_showing_the_change_and_takes_it_back() {
    let desktop = Desktop::trusting();
    let config = Path::new(&desktop.profile.env()["HOME"]).join(".gitconfig");
    let before = "[user]\n\tname = Ada\n";
    std::fs::write(&config, before).unwrap();
    let read = || std::fs::read_to_string(&config).unwrap();
    let screen = desktop.open_window(&[]).await;
    screen.click("nav-tools").await;
    screen.reads("tool-git", "Not set up").await;
    screen.click("set-up-git").await;
    screen.fill("field-address", "git.example").await;
    screen.click("show-change").await;
    let shown = screen.text("change").await;
    assert!(
        shown.contains(".gitconfig") && shown.contains("+[credential \"https://git.example\"]"),
        "{shown}"
    );
    assert_eq!(read(), before);
    // The file is no longer what was shown.
    let changed = format!("{before}[core]\n\teditor = vi\n");
    std::fs::write(&config, &changed).unwrap();
    screen.click("write-change").await;
    screen.reads("setup-dialog", "was changed meanwhile").await;
    assert_eq!(read(), changed);
    screen.click("show-change").await;
    screen.click("write-change").await;
    screen
        .reads("tool-problem", "No connection serves https://git.example")
        .await;
    let command = program("tokenry").display().to_string();
    assert!(
        read().contains(&command) && read().starts_with(&changed),
        "{}",
        read()
    );

    screen.click("undo-setup").await;
    screen.reads("change", "-[credential").await;
    screen.click("write-change").await;
    screen.reads("tool-git", "Not set up").await;
    assert_eq!(read(), changed);
    screen.close().await;
}
