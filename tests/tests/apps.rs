//! Apps and what they may do: what its person takes away in the real window, an app does not have any more.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::time::Instant;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::Running;
use tokenry_e2e::screen::Screen;
use tokenry_e2e::socket::{ask_as, ask_loopback};
use tokenry_testkit::{Behaviour, Server};

const MAIN: &str = "Tokenry";
const ASKS: &str = "Tokenry asks";
const PATH: &str = "/v1/connections/planted/token";

/// Registers an app on the command line, which its person allows, and gives the app's own token.
async fn register(desktop: &Desktop, screen: &Screen, name: &str) -> String {
    let program = Running::start(desktop.profile.command("tokenry", &["app", "add", name]));
    screen.go_to(ASKS).await;
    screen.click("allow-once").await;
    let token = program.wait().success().stdout;
    screen.left(ASKS, MAIN).await;
    token.trim_end().to_owned()
}

/// Gives the app a grant for the tokens of one connection, in the window.
async fn give(screen: &Screen, connection: &str) {
    screen.click("give-grant").await;
    screen.click("scope-tokens:read").await;
    screen.tick("connection-choice", connection).await;
    screen.click("confirm-grant").await;
    screen.reads("grant", connection).await;
}

/// What an app is told that asks for a token of the connection.
#[derive(Debug, PartialEq)]
enum Told {
    Token,
    Refused(u16, Value),
}

fn told((status, body): (u16, Value)) -> Told {
    match (status, &body["access_token"]) {
        (200, Value::String(_)) => Told::Token,
        _ => Told::Refused(status, body["error"]["code"].clone()),
    }
}

/// README, "Who may have a token": a grant that is taken away ends with the app's very next call, at whichever door.
/// The app itself is still known, so that it is refused and not asked who it is.
#[tokio::test]
async fn a_grant_that_is_taken_away_in_the_window_ends_with_the_very_next_call() {
    let (desktop, server) = (Desktop::start(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    let port = desktop.open_loopback(&screen).await;
    let app = register(&desktop, &screen, "backup").await;
    let at_the_socket = || told(ask_as(&desktop.profile, &app, "POST", PATH, &json!({})));
    let at_the_loopback_door = || told(ask_loopback(port, &app, "POST", PATH, &json!({})));
    let refused = || Told::Refused(403, json!("permission_denied"));
    assert_eq!(at_the_socket(), refused(), "an app may do nothing by itself");

    screen.click("nav-apps").await;
    for next_call in [
        &at_the_socket as &dyn Fn() -> Told,
        &at_the_loopback_door as &dyn Fn() -> Told,
    ] {
        give(&screen, "planted").await;
        assert_eq!(
            (at_the_socket(), at_the_loopback_door()),
            (Told::Token, Told::Token)
        );
        screen.click("take-grant").await;
        let asked = Instant::now();
        screen.click("confirm-take").await;
        screen.gone("grant").await;
        assert_eq!(next_call(), refused());
        println!("from the click to the refusal: {:?}", asked.elapsed());
    }
    screen.click("nav-activity").await;
    screen.reads("event", "The app has no grant for it").await;
    screen.close().await;
}
