//! Third-party OAuth clients at our authorization server: each discovers it by its metadata, sends the user there, who
//! answers in the real window, and calls the API with its token. Nothing in these libraries is specific to Tokenry.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::process::Command;
use tokenry_e2e::browser::{Browser, Landing};
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::Running;
use tokenry_e2e::python;
use tokenry_e2e::sandbox::support;
use tokenry_e2e::screen::Screen;
use tokenry_testkit::{Behaviour, Server};

const MAIN: &str = "Tokenry";
const ASKS: &str = "Permission request - Tokenry";

/// The app, and the connection that the user grants to it.
const APP: &str = "planner";
const GRANTED: &str = "calendar";
/// A connection that they do not give to it.
const WITHHELD: &str = "diary";

/// A program that is written with `openid-client`, from npm.
fn with_openid_client(desktop: &Desktop) -> Command {
    assert!(
        support().join("node_modules/openid-client").exists(),
        "openid-client is not there: run `cargo xtask setup`"
    );
    let mut command = desktop.session.command("node");
    command.arg(support().join("clients/with-openid-client.mjs"));
    command
}

/// A program that is written with `authlib`, from PyPI.
fn with_authlib(desktop: &Desktop) -> Command {
    let mut command = python::command("python", desktop.session.env());
    command.arg(support().join("clients/with_authlib.py"));
    command
}

#[tokio::test]
async fn openid_client_goes_the_whole_way_without_special_code() {
    whole_way(with_openid_client).await;
}

#[tokio::test]
async fn authlib_goes_the_whole_way_without_special_code() {
    whole_way(with_authlib).await;
}

/// Checklist A13: discovery, code with PKCE and `iss`, consent, calls within the grant and outside of it, rotation,
/// revocation.
async fn whole_way(client: fn(&Desktop) -> Command) {
    let (desktop, server) = (Desktop::start(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, GRANTED).await;
    desktop.connect(&screen, &server, WITHHELD).await;
    let issuer = format!("http://127.0.0.1:{}", desktop.open_loopback(&screen).await);
    let redirect_uri = "http://127.0.0.1/callback";
    let client_id = desktop.register_public_app(&screen, APP, redirect_uri).await;

    let mut command = client(&desktop);
    command
        .args(["--issuer", &issuer, "--client-id", &client_id])
        .args(["--granted", GRANTED, "--withheld", WITHHELD])
        .args(["--userinfo", server.userinfo_endpoint().as_str()]);
    let mut client = Running::start(command);
    assert_eq!(said(&mut client), json!({"step": "discovered", "issuer": issuer}));
    let asks = said(&mut client);
    let address = asks["address"].as_str().unwrap().to_owned();
    assert!(
        address.starts_with(&format!("{issuer}/oauth/authorize?")),
        "{asks}"
    );
    // The browser waits for the person.
    let browser = std::thread::spawn(move || Browser::new().open(&address));
    allow(&screen).await;
    let landing = browser.join().unwrap();
    assert!(
        matches!(&landing, Landing::Page { status: 200, body, .. } if body == "Signed in."),
        "{landing:?}"
    );

    let scope = "connections:read tokens:read";
    let (granted, withheld) = (token_of(GRANTED), token_of(WITHHELD));
    let refused = |path: &str, status: u16, code: &str| json!({"step": "called", "path": path, "status": status, "code": code});
    let done = |path: &str| json!({"step": "called", "path": path, "status": 200});
    for fact in [
        json!({"step": "mixed-up", "refused": true}),
        json!({"step": "authorized", "scope": scope, "expires_in": 3600}),
        done("/v1/connections"),
        json!({"step": "sees", "connections": [GRANTED]}),
        done(&granted),
        json!({"step": "acts", "as": "ada@example.com"}),
        refused(&withheld, 404, "not_found"),
        refused("/v1/events", 403, "permission_denied"),
        json!({"step": "refreshed", "rotated": true, "scope": scope}),
        done(&granted),
        json!({"step": "revoked"}),
        refused(&granted, 401, "unauthorized"),
        json!({"step": "not-refreshed", "error": "invalid_grant"}),
    ] {
        assert_eq!(said(&mut client), fact);
    }
    client.wait().success();
    screen.close().await;
}

/// The next line of the client.
#[track_caller]
fn said(client: &mut Running) -> Value {
    serde_json::from_str(&client.line()).unwrap()
}

fn token_of(connection: &str) -> String {
    format!("/v1/connections/{connection}/token")
}

/// The person reads the question, chooses one connection, and allows it.
async fn allow(screen: &Screen) {
    screen.go_to(ASKS).await;
    let question = screen.text("consent").await;
    for part in [
        APP,
        "any program can use this name",
        "http://127.0.0.1:",
        "/callback",
        "Get access tokens of the connections you choose",
        "See the connections you choose",
        GRANTED,
        WITHHELD,
    ] {
        assert!(question.contains(part), "{part} in {question}");
    }
    screen.see("choose-first").await;
    screen.tick("choice", GRANTED).await;
    screen.click("allow-app").await;
    screen.left(ASKS, MAIN).await;
}
