//! Links with our scheme through the real `xdg-open` and the handler that the app itself registered, and who is the
//! engine when several programs of ours are started.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::connecting;
use tokenry_e2e::browser::Browser;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::sandbox::{PUBLIC, Sandbox};
use tokenry_e2e::socket::ask;

const SCHEME: &str = "x-scheme-handler/io.github.tokenry";

/// Waits until the system says that our links are the app's.
fn wait_for_the_handler(desktop: &Desktop) {
    wait_for("the registration of our links", || {
        let handler = desktop.session.run("xdg-mime", &["query", "default", SCHEME], "");
        handler.stdout.contains("tokenry-desktop").then_some(())
    });
}

fn add_sandbox(desktop: &Desktop, sandbox: &Sandbox) {
    let provider = json!({
        "name": "sandbox",
        "client_id": PUBLIC,
        "authorization_endpoint": sandbox.endpoint("authorization_endpoint"),
        "token_endpoint": sandbox.endpoint("token_endpoint"),
        "userinfo_endpoint": sandbox.endpoint("userinfo_endpoint"),
        "issuer": sandbox.issuer(),
        "authorization_response_iss_parameter_supported": true,
        "default_scopes": ["openid", "profile", "email", "offline_access"],
        "authorize_params": {"prompt": "consent"},
        "redirect": "deep_link",
    });
    let (status, answer) = ask(&desktop.profile, "POST", "/v1/oauth-providers", &provider);
    assert_eq!(status, 201, "{answer}");
}

/// Starts a sign-in by deep link, and goes through it in the browser up to the link. Gives the flow's id, the link and
/// the state.
fn sign_in(desktop: &Desktop, sandbox: &Sandbox, name: &str) -> (String, String, String) {
    let (status, started) = ask(
        &desktop.profile,
        "POST",
        "/v1/oauth-providers/sandbox/authorize",
        &json!({"label": "main"}),
    );
    assert!(status < 300, "{started}");
    let open = format!("/v1/flows/{}/open", started["flow_id"].as_str().unwrap());
    let (status, answer) = ask(&desktop.profile, "POST", &open, &Value::Null);
    assert!(status < 300, "{answer}");
    assert_eq!(started["redirect"], "deep_link");
    let opened = desktop.opened_address();
    assert!(
        opened.starts_with("http://127.0.0.1:"),
        "other users see the opener's arguments: {opened}"
    );
    let address = started["authorization_url"].as_str().unwrap();
    assert!(address.contains("code_challenge_method=S256"), "PKCE (RFC 7636)");
    let landing = sandbox.agree(&mut Browser::new(), &opened, name);
    let link = landing.handed_over().to_owned();
    let text = |name: &str| started[name].as_str().unwrap().to_owned();
    (text("flow_id"), link, text("state"))
}

fn flow_status(desktop: &Desktop, id: &str) -> Value {
    let path = format!("/v1/flows/{id}");
    ask(&desktop.profile, "GET", &path, &Value::Null).1["status"].clone()
}

/// Waits until the connection is there and a token of it is good at the Sandbox.
fn wait_for_the_connection(desktop: &Desktop, sandbox: &Sandbox, name: &str) {
    let connection = wait_for("the connection", || {
        let status = desktop.profile.tokenry(&["--json", "status", "sandbox/main"]);
        let connection = (status.code == 0).then(|| status.json())?;
        (connection["status"] == "active").then_some(connection)
    });
    assert_eq!(connection["account"]["name"], name);
    let token = desktop
        .profile
        .tokenry(&["token", "sandbox/main"])
        .success()
        .stdout;
    assert!(sandbox.is_active(token.trim_end()));
}

fn engine(desktop: &Desktop) -> Value {
    ask(&desktop.profile, "GET", "/v1/status", &Value::Null).1
}

/// The windows named Tokenry that can be seen.
fn visible_windows(desktop: &Desktop) -> usize {
    let search = ["search", "--onlyvisible", "--name", "^Tokenry$"];
    let found = desktop.session.run("xdotool", &search, "");
    found.stdout.lines().count()
}

/// How many answers the activity log says were refused.
fn refusals(desktop: &Desktop) -> usize {
    let (_, page) = ask(&desktop.profile, "GET", "/v1/events?limit=500", &Value::Null);
    let events = page["events"].as_array().unwrap();
    // Repeats are one line with a count.
    let refused = events.iter().filter(|event| event["kind"] == "redirect_refused");
    let times: u64 = refused.map(|event| event["count"].as_u64().unwrap()).sum();
    usize::try_from(times).unwrap()
}

/// oauth-checklist: a native app's redirect by private-use scheme (RFC 8252 §7.1), with PKCE.
#[test]
fn a_link_completes_the_sign_in_while_the_app_runs() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let _app = desktop.start_app(&[]);
    wait_for_the_handler(&desktop);
    add_sandbox(&desktop, &sandbox);
    let before = engine(&desktop)["pid"].clone();
    let (flow, link, _) = sign_in(&desktop, &sandbox, "Ada Lovelace");
    assert_eq!(flow_status(&desktop, &flow), "waiting");
    let _opener = desktop.open_link(&link);
    wait_for_the_connection(&desktop, &sandbox, "Ada Lovelace");
    assert_eq!(flow_status(&desktop, &flow), "connected");
    assert_eq!(
        engine(&desktop)["pid"],
        before,
        "the app that ran is the app that did it"
    );
}

#[test]
fn a_link_starts_the_app_that_was_closed_meanwhile_and_completes_the_sign_in() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let app = desktop.start_app(&[]);
    wait_for_the_handler(&desktop);
    add_sandbox(&desktop, &sandbox);
    let (_, link, _) = sign_in(&desktop, &sandbox, "Grace Hopper");
    drop(app);
    assert_eq!(
        desktop.profile.tokenry(&["status"]).code,
        3,
        "no engine is running"
    );
    let _opener = desktop.open_link(&link);
    wait_for_the_connection(&desktop, &sandbox, "Grace Hopper");
    assert_eq!(engine(&desktop)["window"], true);
    wait_for("the window", || (visible_windows(&desktop) > 0).then_some(()));
}

/// security.md: a foreign link is nobody's answer, and the open flow outlives it.
#[test]
fn hostile_links_end_nothing_and_the_right_one_still_counts() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let mut app = desktop.start_app(&[]);
    wait_for_the_handler(&desktop);
    add_sandbox(&desktop, &sandbox);
    let (flow, link, state) = sign_in(&desktop, &sandbox, "Ada");
    let issuer = sandbox.issuer();
    let hostile = [
        "io.github.tokenry:".to_owned(),
        "io.github.tokenry:/cb/sandbox".to_owned(),
        "io.github.tokenry:/cb/sandbox?code=x&state=guessed".to_owned(),
        format!("io.github.tokenry:/cb/other?code=x&state={state}&iss={issuer}"),
        format!("io.github.tokenry://evil.example/cb/sandbox?code=x&state={state}&iss={issuer}"),
        format!("io.github.tokenry:/cb/../cb/sandbox?code=x&state={state}&iss={issuer}"),
        format!("io.github.tokenry:/cb/sandbox?code=x&code=y&state={state}&iss={issuer}"),
        format!("io.github.tokenry:/cb/sandbox?code=x&state={state}&iss=https://evil.example"),
        format!("io.github.tokenry:/cb/sandbox?code=x&state={state}"),
        format!("io.github.tokenry:/cb/sandbox?error=access_denied&state=guessed&iss={issuer}"),
        format!(
            "io.github.tokenry:/cb/sandbox?code={}&state=guessed",
            "x".repeat(20_000)
        ),
        "io.github.tokenry:--hidden".to_owned(),
    ];
    for (index, link) in hostile.iter().enumerate() {
        let _opener = desktop.open_link(link);
        wait_for(&format!("the refusal of {link:.90}"), || {
            (refusals(&desktop) > index).then_some(())
        });
        assert_eq!(flow_status(&desktop, &flow), "waiting", "after {link:.90}");
    }
    assert!(app.try_wait().is_none(), "the app still runs");
    let _opener = desktop.open_link(&link);
    wait_for_the_connection(&desktop, &sandbox, "Ada");
}

#[test]
fn an_engine_without_a_window_registers_the_command_line_for_links_when_asked() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let serve = ["--vault", "keyring", "--approve", "all", "--deep-links"];
    let _engine = desktop.profile.serve_with(&serve, "");
    let handler = desktop.session.run("xdg-mime", &["query", "default", SCHEME], "");
    assert_eq!(handler.stdout.trim(), "io.github.tokenry.links.desktop");
    add_sandbox(&desktop, &sandbox);
    let (connect, address) = connecting(&desktop.profile, &["sandbox", "--label", "main"]);
    let landing = sandbox.agree(&mut Browser::new(), &address, "Ada Lovelace");
    let _opener = desktop.open_link(landing.handed_over());
    connect.wait().success();
    wait_for_the_connection(&desktop, &sandbox, "Ada Lovelace");
}

#[test]
fn a_second_app_brings_the_first_forward_and_ends() {
    let desktop = Desktop::trusting();
    let mut first = desktop.start_app(&["--hidden"]);
    let before = engine(&desktop);
    assert_eq!(visible_windows(&desktop), 0, "it was started without a window");
    let second = Running::start(desktop.profile.command("tokenry-desktop", &[])).wait();
    assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    wait_for("the first one's window", || {
        (visible_windows(&desktop) == 1).then_some(())
    });
    assert!(first.try_wait().is_none());
    assert_eq!(engine(&desktop)["pid"], before["pid"]);
    Running::start(desktop.profile.command("tokenry-desktop", &[]))
        .wait()
        .success();
    assert_eq!(visible_windows(&desktop), 1, "there is never a second window");
}

#[test]
fn the_app_takes_over_from_an_engine_without_a_window() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let windowless = desktop.profile.serve();
    add_sandbox(&desktop, &sandbox);
    assert_eq!(engine(&desktop)["window"], false);
    let before = engine(&desktop)["pid"].clone();
    let mut app = Running::start(desktop.profile.command("tokenry-desktop", &[]));
    assert_eq!(windowless.wait().code, 0, "it finished and went");
    let now = wait_for("the app's engine", || {
        let status = desktop.profile.tokenry(&["--json", "status"]);
        (status.code == 0).then(|| status.json())
    });
    assert_eq!(
        (&now["window"], now["providers"].as_u64()),
        (&json!(true), Some(1))
    );
    assert_ne!(now["pid"], before);
    assert_eq!(now["vault"]["state"], "unlocked");
    assert!(app.try_wait().is_none());
    let refused = desktop.profile.tokenry(&["serve"]);
    assert_ne!(refused.code, 0, "there is one engine, and it has the window");
}

const STALE: &str = "io.github.tokenry:/cb/sandbox?code=canary-code&state=canary-state";

#[tokio::test]
async fn a_stale_link_is_told_in_the_window_of_the_app_that_runs() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    wait_for_the_handler(&desktop);
    let _opener = desktop.open_link(STALE);
    screen.hears("Redirect rejected").await;
    let page = screen.client().source().await.unwrap();
    assert!(!page.contains("canary"), "nothing of the link is in the page");
    screen.close().await;
}

#[tokio::test]
async fn a_stale_link_that_starts_the_app_is_told_in_its_window() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[STALE]).await;
    screen.hears("Redirect rejected").await;
    screen.close().await;
}
