//! The real window in use: a sign-in that is to be renewed, very many connections, large text.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::screen::Screen;
use tokenry_e2e::socket::ask;
use tokenry_testkit::{Behaviour, Fault, Server};

const ASKS: &str = "Permission request - Tokenry";

/// Adds a provider whose connections need no user, sorted before all others, with this many of them.
fn fill(desktop: &Desktop, server: &Server, count: usize) {
    let labels: Vec<_> = (0..count).map(|n| format!("n{n}")).collect();
    desktop.connect_machine(server, "a-machine", &labels);
}

async fn focused(screen: &Screen) -> Value {
    screen
        .script("return document.activeElement.dataset.testid ?? null")
        .await
}

/// Scrolls to the end of the list, which grows while its rows are measured.
async fn scroll_to_the_end(screen: &Screen, last: &str) {
    let end = format!(
        "const look = () => {{
             const main = document.querySelector('main');
             main.scrollTo(0, main.scrollHeight);
             const row = document.querySelector('[data-testid=\"{last}\"]');
             if (row && row.getBoundingClientRect().bottom <= innerHeight) done(true); else setTimeout(look, 50);
         }}; look();"
    );
    screen.script_later(&end).await;
}

/// Which of these are not wholly in the window.
async fn out_of_sight(screen: &Screen, ids: &[&str]) -> Value {
    screen
        .script(&format!(
            "return {ids:?}.filter((id) => {{
                 const part = document.querySelector(`[data-testid=\"${{id}}\"]`);
                 if (!part) return true;
                 const {{ top, left, bottom, right }} = part.getBoundingClientRect();
                 return top < 0 || left < 0 || bottom > innerHeight + 1 || right > innerWidth + 1;
             }})"
        ))
        .await
}

#[tokio::test]
async fn connect_again_shows_one_panel_in_sight_with_the_focus_however_long_the_list() {
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    fill(&desktop, &server, 30);
    server.queue(Fault::OauthError {
        status: 400,
        error: "invalid_grant".to_owned(),
    });
    let path = "/v1/connections/planted/refresh";
    ask(&desktop.profile, "POST", path, &json!({}));
    scroll_to_the_end(&screen, "connection-planted").await;
    screen.click("connect-again").await;
    screen.see("waiting").await;
    assert_eq!(focused(&screen).await, "waiting");
    let panel = ["waiting", "cancel-flow", "copy-link", "paste-toggle"];
    assert_eq!(out_of_sight(&screen, &panel).await, json!([]));

    // From the row, no further sign-in starts: the panel gets the focus again.
    let flow = || ask(&desktop.profile, "GET", "/v1/connections/planted", &Value::Null).1["flow_id"].clone();
    let first = flow();
    scroll_to_the_end(&screen, "connection-planted").await;
    screen.click("show-sign-in").await;
    assert_eq!(focused(&screen).await, "waiting");
    assert_eq!(out_of_sight(&screen, &panel).await, json!([]));
    assert_eq!(flow(), first);

    screen.click("cancel-flow").await;
    screen.gone("waiting").await;
    assert_eq!(focused(&screen).await, "connection-planted");
    assert_eq!(out_of_sight(&screen, &["connection-planted"]).await, json!([]));
    assert_eq!(flow(), Value::Null);
    screen.close().await;
}

#[tokio::test]
async fn of_many_connections_only_those_in_sight_are_in_the_page_and_all_are_counted() {
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    fill(&desktop, &server, 200);
    screen.reads("provider-a-machine", "200 connections").await;
    let rows = "return document.querySelectorAll('article').length";
    for last in ["connection-a-machine/n0", "connection-a-machine/n199"] {
        if last.ends_with("n199") {
            scroll_to_the_end(&screen, last).await;
        }
        let row = screen.see(last).await;
        assert!(screen.script(rows).await.as_u64().unwrap() < 40, "{last}");
        let item = "return arguments[0].closest('[role=listitem]').getAttribute('aria-setsize')";
        let arguments = vec![serde_json::to_value(&row).unwrap()];
        let of = screen.client().execute(item, arguments).await.unwrap();
        assert_eq!(of, "200");
    }
    screen.close().await;
}

/// WCAG 1.4.4: at 200 % nothing is cut off or out of reach.
#[tokio::test]
async fn at_200_percent_every_control_of_both_windows_can_be_reached() {
    let (mut desktop, server) = (Desktop::start(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    screen.close().await;

    desktop.set("GDK_DPI_SCALE", "2");
    let screen = desktop.open_window(&[]).await;
    screen.see("connection-planted").await;
    let controls = ["nav-providers", "nav-activity", "nav-settings", "help", "lock"];
    assert_eq!(out_of_sight(&screen, &controls).await, json!([]));
    let program = desktop.profile.tokenry_running(&["token", "planted"]);
    screen.go_to(ASKS).await;
    screen.see("consent").await;
    let width = screen.script("return innerWidth").await;
    assert_eq!(
        width, 240,
        "the window of 480 pixels shows everything twice as large"
    );
    let answers = ["deny", "allow-once", "allow-session"];
    assert_eq!(out_of_sight(&screen, &answers).await, json!([]));
    // Later, since the answer closes the window that the driver's script runs in.
    let deny = "setTimeout(() => document.querySelector('[data-testid=deny]').click(), 200); return null";
    screen.script(deny).await;
    assert_eq!(program.wait().code, 13);
    screen.left(ASKS, "Tokenry").await;
    screen.close().await;
}
