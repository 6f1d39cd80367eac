//! The app on Wayland, natively: no X server, and none in between.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::wayland::WaylandSession;

/// The window, when the compositor has one that is its own client's and no X server's.
fn native(session: &WaylandSession, title: &str) -> Option<Value> {
    session
        .window(title)
        .filter(|window| window["shell"] == "xdg_shell" && window["app_id"].is_string())
}

#[test]
fn the_window_and_the_consent_window_run_natively_on_wayland() {
    let session = WaylandSession::start();
    let mut app = Running::start(session.command("tokenry-desktop", &[]));
    wait_for("the main window", || native(&session, "Tokenry"));
    let status = Running::start(session.command("tokenry", &["--json", "status"])).wait();
    assert_eq!(status.success().json()["window"], true);

    let mut unlock = Running::start(session.command("tokenry", &["unlock", "--passphrase-fd", "0"]));
    unlock.write("correct horse battery staple\n");
    unlock.close_stdin();
    unlock.wait().success();
    let register = ["app", "add", "wayland"];
    let mut asking = Running::start(session.command("tokenry", &register));
    wait_for("the consent window", || {
        native(&session, "Permission request - Tokenry")
    });
    assert!(asking.try_wait().is_none(), "it waits for the answer");
    assert!(app.try_wait().is_none());
}
