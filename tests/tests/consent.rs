//! The consent window in the real app: a program requests, and only the user can answer.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::display::{Eye, ask_to_close};
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::screen::Screen;
use tokenry_testkit::{Behaviour, Server};

const MAIN: &str = "Tokenry";
const ASKS: &str = "Permission request - Tokenry";

/// Exit codes of `tokenry` (README, "Exit codes").
const CONSENT_DENIED: i32 = 13;
const CONFLICT: i32 = 16;
const VAULT_LOCKED: i32 = 20;

/// A server that signs everybody in at once.
fn server() -> Server {
    Server::start(Behaviour::default())
}

/// The main window, with one connection called `planted`.
async fn connected(desktop: &Desktop, server: &Server) -> Screen {
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, server, "planted").await;
    screen
}

/// A program that asks for a token, and waits.
fn program(desktop: &Desktop) -> Running {
    Running::start(desktop.profile.command("tokenry", &["token", "planted"]))
}

/// A program that asks, and its question on the screen.
async fn asked(desktop: &Desktop, screen: &Screen) -> Running {
    let program = program(desktop);
    screen.go_to(ASKS).await;
    screen.see("consent").await;
    program
}

async fn focused(screen: &Screen) -> Value {
    screen
        .script("return document.activeElement.dataset.testid ?? null")
        .await
}

/// Issue 3: Deny, and the program is told at once; nothing pops up again for a while.
#[tokio::test]
async fn a_program_that_is_denied_hears_it_at_once_and_is_not_asked_about_again() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;
    let program = asked(&desktop, &screen).await;
    let question = screen.text("consent").await;
    for part in [
        "tokenry",
        "token planted",
        "planted",
        "ada@example.com",
        "a different program could show this path",
    ] {
        assert!(question.contains(part), "{part} in {question}");
    }
    assert_eq!(focused(&screen).await, "deny", "an accidental Enter denies");
    screen.click("deny").await;
    let refused = program.wait();
    assert_eq!((refused.code, refused.stdout.as_str()), (CONSENT_DENIED, ""));
    screen.left(ASKS, MAIN).await;

    let again = desktop.profile.tokenry(&["token", "planted"]);
    assert_eq!((again.code, again.stdout.as_str()), (CONSENT_DENIED, ""));
    assert!(!Eye::open(&desktop.session).sees(ASKS));
    screen.click("nav-activity").await;
    screen
        .reads("event", "Denied a moment ago, not asked again")
        .await;
    screen.close().await;
}

#[tokio::test]
async fn once_is_for_one_request_and_the_session_is_for_the_same_again() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;
    let first = asked(&desktop, &screen).await;
    screen.click("allow-once").await;
    let first = first.wait().success().stdout;
    assert!(!first.trim().is_empty());
    screen.left(ASKS, MAIN).await;

    let second = asked(&desktop, &screen).await;
    screen.click("allow-session").await;
    assert_eq!(second.wait().success().stdout, first);
    screen.left(ASKS, MAIN).await;
    assert_eq!(
        desktop.profile.tokenry(&["token", "planted"]).success().stdout,
        first
    );
    assert!(!Eye::open(&desktop.session).sees(ASKS));
    screen.close().await;
}

/// Allows the first question, and the next one as soon as it is on the screen. Gives how the second try ended, and
/// how many milliseconds the question had been there at most.
const IN_A_HURRY: &str = "(async () => {
    const call = (method, path, body = null) =>
        window.__TAURI_INTERNALS__.invoke('consent_request', { method, path, body });
    const first = async () => (await call('GET', '/v1/prompts')).body[0];
    const allow = ({ id, number }) => call('POST', `/v1/prompts/${id}/answer`, { decision: 'once', number });
    await allow(await first());
    const start = performance.now();
    const next = await first();
    const ended = await allow(next).then(() => 'allowed', ({ error }) => error.code);
    return [ended, performance.now() - start];
})().then(done, (e) => done(['failed', JSON.stringify(e)]))";

/// security.md, "Consent": Allow arms after 700 ms in focus; whatever the page does, the shell counts.
#[tokio::test]
async fn a_request_shown_too_briefly_to_read_is_not_allowed_even_by_the_page_itself() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;
    let first = asked(&desktop, &screen).await;
    let second = another_program(&desktop);
    screen.reads("waiting", "1 more waiting").await;
    armed(&screen).await;
    let ended = screen.script_later(IN_A_HURRY).await;
    assert_eq!(ended[0], "permission_denied", "after {} ms", ended[1]);
    first.wait().success();
    // The same answer is good once the question was there long enough.
    screen.click("allow-once").await;
    second.wait().success();
    screen.left(ASKS, MAIN).await;
    screen.close().await;
}

/// The same from another path, which is another program to the engine.
fn another_program(desktop: &Desktop) -> Running {
    let path = desktop.profile.scratch().join("another");
    std::fs::copy(tokenry_e2e::process::program("tokenry"), &path).unwrap();
    let mut command = desktop.session.command(path);
    command.envs(desktop.profile.env()).args(["token", "planted"]);
    Running::start(command)
}

/// Waits until Allow can be pressed.
async fn armed(screen: &Screen) {
    let button = screen.see("allow-once").await;
    while !button.is_enabled().await.unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// security.md, "Webview": `main` cannot approve, and each prompt has a one-time number.
#[tokio::test]
async fn the_main_windows_script_can_not_answer() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;
    let program = asked(&desktop, &screen).await;
    let number = number(&screen).await;
    screen.go_to(MAIN).await;

    let listed = screen.request("GET", "/v1/prompts", &Value::Null).await;
    let prompt = &listed["body"][0];
    assert!(prompt["id"].is_string(), "{listed}");
    assert!(!listed.to_string().contains(&number), "the number is not for it");
    let path = format!("/v1/prompts/{}/answer", prompt["id"].as_str().unwrap());
    for given in [number.as_str(), "", "0", "ffffffffffffffffffffffffffffffff"] {
        for decision in ["once", "session", "authorize", "deny"] {
            let body = json!({"decision": decision, "number": given});
            let answer = screen.request("POST", &path, &body).await;
            assert_eq!(answer["status"], 403, "{answer}");
            assert_eq!(answer["body"]["error"]["code"], "permission_denied", "{answer}");
        }
    }
    let body = json!({"decision": "once", "number": number});
    for (command, arguments) in [
        (
            "consent_request",
            json!({"method": "GET", "path": "/v1/prompts", "body": null}),
        ),
        (
            "consent_request",
            json!({"method": "POST", "path": path, "body": body}),
        ),
        ("consent_subscribe", json!({"channel": "__CHANNEL__:1"})),
    ] {
        let answer = screen.invoke(command, &arguments).await;
        let why = answer["refused"].to_string();
        assert!(why.contains("not allowed"), "{command}: {answer}");
    }

    screen.go_to(ASKS).await;
    screen.click("deny").await;
    assert_eq!(program.wait().code, CONSENT_DENIED);
    screen.left(ASKS, MAIN).await;
    screen.close().await;
}

/// The number of the question on the screen.
async fn number(screen: &Screen) -> String {
    let see = json!({"method": "GET", "path": "/v1/prompts", "body": null});
    let seen = screen.invoke("consent_request", &see).await;
    seen["body"][0]["number"].as_str().unwrap().to_owned()
}

/// security.md, "Webview": `consent` cannot do anything else.
#[tokio::test]
async fn the_window_that_asks_can_do_nothing_else() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;
    let program = asked(&desktop, &screen).await;
    for (method, path) in [
        ("GET", "/v1/status"),
        ("GET", "/v1/connections"),
        ("GET", "/v1/events"),
        ("GET", "/v1/prompts?x=1"),
        ("POST", "/v1/connections/planted/token"),
        ("POST", "/v1/lock"),
        ("POST", "/v1/prompts/../connections/planted/token"),
        ("DELETE", "/v1/connections/planted"),
    ] {
        let arguments = json!({"method": method, "path": path, "body": {}});
        let answer = screen.invoke("consent_request", &arguments).await;
        assert_eq!(
            answer["refused"]["error"]["code"], "permission_denied",
            "{path}: {answer}"
        );
    }
    for (command, arguments) in [
        (
            "request",
            json!({"method": "GET", "path": "/v1/status", "body": null}),
        ),
        ("subscribe", json!({"channel": "__CHANNEL__:1"})),
        ("copy_token", json!({"connection": "planted"})),
        ("create_app", json!({"body": {"name": "evil"}})),
        ("plugin:window|close", json!({"label": "main"})),
        (
            "plugin:event|listen",
            json!({"event": "x", "target": {"kind": "Any"}, "handler": 1}),
        ),
    ] {
        let answer = screen.invoke(command, &arguments).await;
        let why = answer["refused"].to_string();
        assert!(why.contains("not allowed"), "{command}: {answer}");
    }
    screen.click("deny").await;
    assert_eq!(program.wait().code, CONSENT_DENIED);
    screen.left(ASKS, MAIN).await;
    screen.close().await;
}

/// security.md, "Consent": a request whose content changes, whose caller is gone or whose vault locks closes its prompt.
#[tokio::test]
async fn a_question_that_is_no_longer_the_same_goes_away_unanswered() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;

    let program = asked(&desktop, &screen).await;
    screen.go_to(MAIN).await;
    let renamed = screen
        .request("PATCH", "/v1/connections/planted", &json!({"label": "work"}))
        .await;
    assert_eq!(renamed["status"], 200, "{renamed}");
    assert_eq!(program.wait().code, CONFLICT);
    screen.left(ASKS, MAIN).await;

    let mut program = asked(&desktop, &screen).await;
    program.kill();
    screen.left(ASKS, MAIN).await;

    let program = asked(&desktop, &screen).await;
    screen.go_to(MAIN).await;
    screen.click("lock").await;
    let locked = program.wait();
    assert_eq!((locked.code, locked.stdout.as_str()), (VAULT_LOCKED, ""));
    screen.left(ASKS, MAIN).await;
    screen.see("lock-screen").await;
    screen.close().await;
}

#[tokio::test]
async fn closing_the_window_denies_and_an_app_without_other_windows_keeps_running() {
    let (desktop, server) = (Desktop::start(), server());
    let screen = connected(&desktop, &server).await;
    screen.close().await;
    wait_for("the app's end", || {
        (desktop.profile.tokenry(&["status"]).code == 3).then_some(())
    });

    let app = desktop.start_app(&["--hidden"]);
    let program = program(&desktop);
    let eye = Eye::open(&desktop.session);
    wait_for("the question", || eye.sees_painted(ASKS).then_some(()));
    ask_to_close(&desktop.session, ASKS);
    let denied = program.wait();
    assert_eq!(denied.code, CONSENT_DENIED);
    assert!(!denied.stderr.contains("in time"), "{denied:?}");
    wait_for("the window's end", || (!eye.sees(ASKS)).then_some(()));
    let status = desktop.profile.tokenry(&["--json", "status"]).success().json();
    assert_eq!(
        status["vault"]["state"], "unlocked",
        "the engine goes on: {status}"
    );
    drop(app);
}
