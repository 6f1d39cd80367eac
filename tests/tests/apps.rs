//! Apps and their grants: access that the user revokes in the real window ends for the app.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::time::Instant;
use tokenry_e2e::browser::Browser;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::Running;
use tokenry_e2e::screen::Screen;
use tokenry_e2e::socket::{ask_as, ask_loopback};
use tokenry_testkit::{Behaviour, Server, http};
use url::Url;

const MAIN: &str = "Tokenry";
const ASKS: &str = "Permission request - Tokenry";
const PATH: &str = "/v1/connections/planted/token";
/// Where an app has its code sent: the browser hands an address of this scheme over to the system.
const REDIRECT: &str = "com.example.weather:/cb";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Registers an app on the command line, with the user's consent, and returns the app's token.
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

/// The response to a token request of an app.
#[derive(Debug, PartialEq)]
enum TokenOutcome {
    Token,
    Refused(u16, Value),
}

fn outcome((status, body): (u16, Value)) -> TokenOutcome {
    match (status, &body["access_token"]) {
        (200, Value::String(_)) => TokenOutcome::Token,
        _ => TokenOutcome::Refused(status, body["error"]["code"].clone()),
    }
}

/// A revoked grant ends with the app's next request, at the socket and at the HTTP API.
/// The app itself is still known, so that it is refused and not asked who it is.
#[tokio::test]
async fn a_grant_that_is_taken_away_in_the_window_ends_with_the_very_next_call() {
    let (desktop, server) = (Desktop::start(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    let port = desktop.open_loopback(&screen).await;
    let app = register(&desktop, &screen, "backup").await;
    let at_the_socket = || outcome(ask_as(&desktop.profile, &app, "POST", PATH, &json!({})));
    let at_the_http_api = || outcome(ask_loopback(port, &app, "POST", PATH, &json!({})));
    let refused = || TokenOutcome::Refused(403, json!("permission_denied"));
    assert_eq!(at_the_socket(), refused(), "an app may do nothing by itself");

    screen.click("nav-apps").await;
    for next_call in [
        &at_the_socket as &dyn Fn() -> TokenOutcome,
        &at_the_http_api as &dyn Fn() -> TokenOutcome,
    ] {
        give(&screen, "planted").await;
        assert_eq!(
            (at_the_socket(), at_the_http_api()),
            (TokenOutcome::Token, TokenOutcome::Token)
        );
        screen.click("take-grant").await;
        let asked = Instant::now();
        screen.click("confirm-take").await;
        screen.gone("grant").await;
        assert_eq!(next_call(), refused());
        println!("from the click to the refusal: {:?}", asked.elapsed());
    }
    screen.click("nav-activity").await;
    screen.reads("event", "Denied: no matching grant").await;
    screen.close().await;
}

/// Sends the browser to our authorization endpoint and exchanges the code that it comes back with for an access token;
/// meanwhile the person answers so.
async fn authorized(port: u16, client_id: &str, answer: impl Future<Output = ()>) -> String {
    let at = |path: &str| Url::parse(&format!("http://127.0.0.1:{port}{path}")).unwrap();
    let mut address = at("/oauth/authorize");
    address.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", REDIRECT),
        ("scope", "credentials:read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let browser = std::thread::spawn(move || Browser::new().open(address.as_str()));
    answer.await;
    let landing = browser.join().unwrap();
    let back = Url::parse(landing.handed_over()).unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("client_id", client_id),
        ("code_verifier", VERIFIER),
    ];
    let tokens = http::post(&at("/oauth/token"), &[], &form).unwrap().json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// Checklist A13.8: the person sees what there is, and the app gets what they ticked.
#[tokio::test]
async fn an_app_reads_the_credential_that_was_ticked_in_the_window_that_asks_and_no_other() {
    let desktop = Desktop::start();
    let screen = desktop.open_window(&[]).await;
    let port = desktop.open_loopback(&screen).await;
    let value = "c3Vubnk=";
    for name in ["bank-key", "weather-key"] {
        let raw = json!({"name": name, "type": "raw", "data": {"value": value}});
        let added = screen.request("POST", "/v1/credentials", &raw).await;
        assert_eq!(added["status"], 201, "{added}");
    }
    let client_id = desktop.register_public_app(&screen, "weather", REDIRECT).await;
    let token = authorized(port, &client_id, async {
        screen.go_to(ASKS).await;
        screen
            .reads("choose-first", "Select at least one credential")
            .await;
        screen.tick("credential-choice", "weather-key").await;
        screen.click("allow-app").await;
        screen.left(ASKS, MAIN).await;
    })
    .await;
    let read = |name: &str| {
        let path = format!("/v1/credentials/{name}");
        ask_loopback(port, &token, "GET", &path, &Value::Null)
    };
    assert_eq!(read("weather-key").1["data"]["value"], value);
    assert_eq!(
        outcome(read("bank-key")),
        TokenOutcome::Refused(404, json!("not_found"))
    );
    screen.reads("grant", "weather-key").await;
    screen.close().await;
}
