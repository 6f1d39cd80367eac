//! The view "Use it in…" of the real window, and the switch for clients of oidc-agent.
#![allow(clippy::unwrap_used)]

use std::os::unix::net::UnixStream;
use std::path::Path;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::{program, wait_for};
use tokenry_testkit::{Behaviour, Server};

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

#[tokio::test]
async fn the_window_binds_the_host_of_a_tool_to_the_connection_that_the_user_chooses() {
    let desktop = Desktop::trusting();
    let server = Server::start(Behaviour::default());
    let screen = desktop.open_window(&[]).await;
    desktop.connect_machine(&server, "forge", &["home", "work"].map(str::to_owned));
    desktop
        .profile
        .tokenry(&["setup", "git", "--host", "git.example", "--yes"])
        .success();
    screen.click("nav-tools").await;
    screen.reads("tool-problem", "No connection serves").await;
    screen.choose("field-connection", "forge/work").await;
    screen.click("use-connection").await;
    screen.reads("tool-git", "Works").await;
    let served = desktop
        .profile
        .tokenry(&["--json", "bind", "https://git.example/x.git"])
        .success()
        .json();
    assert_eq!(served[0]["connection_name"], "forge/work", "{served}");
    screen.close().await;
}

#[tokio::test]
async fn the_switch_for_clients_of_oidc_agent_opens_the_socket_at_each_start_of_the_app() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.click("nav-settings").await;
    let shell = desktop
        .profile
        .tokenry(&["oidc-agent", "--stop", "--shell", "fish"])
        .success();
    assert_eq!(shell.stdout, "set -e OIDC_SOCK;\n");
    screen.click("field-oidc_agent").await;
    let socket = desktop.profile.home().join("oidc-agent.sock");
    let answers = |wanted: bool| {
        let what = format!("the socket, which answers: {wanted}");
        wait_for(&what, || {
            (UnixStream::connect(&socket).is_ok() == wanted).then_some(())
        });
    };
    answers(true);
    screen.close().await;
    answers(false);
    let screen = desktop.open_window(&[]).await;
    answers(true);
    screen.click("nav-settings").await;
    screen.click("field-oidc_agent").await;
    answers(false);
    screen.close().await;
}
