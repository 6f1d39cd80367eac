//! The real window: what a person can do in it, and what the page in it can not.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::net::TcpListener;
use tokenry_e2e::browser::Browser;
use tokenry_e2e::canary::Canary;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::display::{Eye, ask_to_close};
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};
use tokenry_e2e::screen::Screen;
use tokenry_testkit::{Behaviour, Client, ClientAuth, Kind, Server};

const EMAIL: &str = "grace.hopper@example.com";
/// Long enough to be found again.
const CLIENT_SECRET: &str = "canary/client+secret~7f31c9";

fn fields(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    pairs
        .iter()
        .map(|(name, text)| (*name, (*text).to_owned()))
        .collect()
}

async fn connect_sandbox(screen: &Screen, desktop: &Desktop, sandbox: &Sandbox) {
    screen.click("connect-sandbox").await;
    screen.see("waiting").await;
    sandbox.agree(&mut Browser::new(), &desktop.opened_address(), "Grace Hopper");
    screen
        .reads("connected-as", &format!("Connected as {EMAIL}"))
        .await;
}

#[tokio::test]
async fn the_form_says_at_each_field_what_is_wrong_with_it() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.click("add-provider").await;
    screen.by_hand().await;
    screen.see("provider-form").await;
    screen.click("save-provider").await;
    for field in ["name", "client_id", "authorization_endpoint", "token_endpoint"] {
        screen.see(&format!("error-{field}")).await;
    }
    let valid = fields(&[
        ("name", "fine"),
        ("client_id", "a-client"),
        ("authorization_endpoint", "https://provider.example/authorize"),
        ("token_endpoint", "https://provider.example/token"),
    ]);
    let wrong = fields(&[
        ("name", "Not A Name"),
        ("authorization_endpoint", "http://provider.example/authorize"),
    ]);
    screen.fill_form(&valid).await;
    screen.fill_form(&wrong).await;
    // The engine judges the values, all of them at once.
    screen.click("save-provider").await;
    screen.reads("error-authorization_endpoint", "https").await;
    screen.see("error-name").await;
    screen.fill_form(&valid).await;
    for (name, _) in &wrong {
        screen.gone(&format!("error-{name}")).await;
    }
    screen.click("save-provider").await;
    screen.see("provider-fine").await;
    // What only the engine knows is said at its field, too, and what was typed stays.
    screen.click("add-provider").await;
    screen.by_hand().await;
    screen.fill_form(&valid).await;
    screen.click("save-provider").await;
    screen.reads("error-name", "called fine").await;
    let typed = screen.see("field-client_id").await.prop("value").await.unwrap();
    assert_eq!(typed.as_deref(), Some("a-client"));
    screen.close().await;
}

#[tokio::test]
async fn where_no_browser_can_be_opened_the_window_says_so_and_the_sign_in_waits() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let screen = desktop.open_window(&[]).await;
    screen.add_provider(&sandbox.form(CONFIDENTIAL)).await;
    desktop.break_the_browser();
    screen.click("connect-sandbox").await;
    screen.hears("no browser could be opened").await;
    screen.see("waiting").await;
    desktop.mend_the_browser();
    screen.click("open-again").await;
    sandbox.agree(&mut Browser::new(), &desktop.opened_address(), "Grace Hopper");
    screen
        .reads("connected-as", &format!("Connected as {EMAIL}"))
        .await;
    screen.close().await;
}

#[tokio::test]
async fn an_account_is_connected_refreshed_locked_away_and_disconnected() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let screen = desktop.open_window(&[]).await;
    screen.add_provider(&sandbox.form(CONFIDENTIAL)).await;
    screen.click("check-sandbox").await;
    screen.reads("checked-client_authentication", "OK").await;
    screen.reads("check-summary", "No problems found").await;
    screen.click("close-check").await;
    connect_sandbox(&screen, &desktop, &sandbox).await;
    let token = || desktop.profile.tokenry(&["token", "sandbox"]);
    let first = token().success().stdout;
    assert!(sandbox.is_active(first.trim_end()));

    screen.click("refresh").await;
    screen.hears(&format!("Refreshed {EMAIL}")).await;
    let second = token().success().stdout;
    assert_ne!(first, second, "a refresh brings a new access token");

    screen.click("lock").await;
    screen.see("lock-screen").await;
    assert!(
        !screen.has("connected-as").await,
        "nothing of the vault is on the lock screen"
    );
    let mut waits = desktop.profile.tokenry_running(&["token", "sandbox"]);
    screen.see("unlock-request").await;
    assert!(waits.try_wait().is_none(), "it waits for the unlock");
    screen.click("unlock-keyring").await;
    screen.reads("connected-as", EMAIL).await;
    assert_eq!(waits.wait().success().stdout, second);

    screen.click("disconnect").await;
    screen.click("confirm-disconnect").await;
    screen.hears("The provider revoked the tokens").await;
    screen.gone("connected-as").await;
    assert!(!sandbox.is_active(second.trim_end()), "the Sandbox was told");
    screen.close().await;
}

/// Records everything that reaches the page from now on. All of it passes `callbacks.get`: answers, refusals and
/// the channel's news.
const RECORD: &str = "
    const { callbacks } = window.__TAURI_INTERNALS__;
    window.crossed = [];
    callbacks.get = (id) => {
        const callback = Map.prototype.get.call(callbacks, id);
        return callback && ((data) => { window.crossed.push(JSON.stringify(data)); callback(data); });
    };";

/// Everything the page could hold: what crossed, the document, and what stands in fields.
const EVERYTHING: &str = "
    const fields = [...document.querySelectorAll('input,textarea,select')].map((field) => field.value);
    const kept = JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state]);
    return [...window.crossed, document.documentElement.outerHTML, kept, ...fields].join('\\n');";

/// security.md: no token, no client secret and no code ever reaches the webview.
#[tokio::test]
async fn nothing_that_reaches_the_page_holds_a_secret() {
    let server = Server::start(Behaviour {
        clients: vec![Client::confidential("planted", CLIENT_SECRET, ClientAuth::Post)],
        ..Behaviour::default()
    });
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    screen.script(RECORD).await;
    screen.add_provider(&planted(&server)).await;
    screen.click("connect-planted").await;
    Browser::new().open(&desktop.opened_address());
    screen.reads("connected-as", "ada@example.com").await;

    let token = || desktop.profile.tokenry(&["token", "planted"]).success().stdout;
    let mut secrets = vec![("client secret", CLIENT_SECRET.to_owned())];
    secrets.push(("first access token", token().trim_end().to_owned()));
    screen.click("copy-token").await;
    screen.hears("clipboard").await;
    screen.click("refresh").await;
    assert!(server.wait_until(tokenry_e2e::process::TIMEOUT, |log| {
        log.iter().any(|request| request.kind == Kind::Refresh)
    }));
    screen.hears("Refreshed ada@example.com").await;
    secrets.push(("second access token", token().trim_end().to_owned()));
    read_everything(&screen).await;
    screen.click("edit-planted").await;
    screen.see("provider-form").await;
    let in_the_form = screen.script(EVERYTHING).await;
    screen.click("cancel-form").await;
    screen.click("disconnect").await;
    screen.click("confirm-disconnect").await;
    screen.gone("connected-as").await;
    screen.click("nav-activity").await;
    screen.see("event").await;

    secrets.extend(sent_to(&server));
    let names: Vec<&str> = secrets.iter().map(|(name, _)| *name).collect();
    for needed in ["code", "code_verifier", "refresh_token", "token"] {
        assert!(names.contains(&needed), "{needed} was sent: {names:?}");
    }
    let all = format!("{in_the_form}\n{}", screen.script(EVERYTHING).await);
    assert!(all.contains("credential.changed"), "news was recorded");
    assert!(all.contains("ada@example.com"), "answers were recorded");
    for (name, secret) in &secrets {
        Canary::new(name, secret).absent_from("what reached the page", all.as_bytes());
    }
    screen.close().await;
}

fn planted(server: &Server) -> Vec<(&'static str, String)> {
    fields(&[
        ("name", "planted"),
        ("client_id", "planted"),
        ("client_secret", CLIENT_SECRET),
        ("authorization_endpoint", server.authorization_endpoint().as_str()),
        ("token_endpoint", server.token_endpoint().as_str()),
        ("userinfo_endpoint", server.userinfo_endpoint().as_str()),
        ("revocation_endpoint", server.revocation_endpoint().as_str()),
        ("default_scopes", "openid profile offline_access"),
    ])
}

/// Everything that the page may read.
async fn read_everything(screen: &Screen) {
    for path in [
        "/v1/oauth-providers",
        "/v1/oauth-providers/planted",
        "/v1/oauth-providers/planted/status",
        "/v1/connections",
        "/v1/connections/planted",
        "/v1/status",
        "/v1/events?limit=500",
    ] {
        let answer = screen.request("GET", path, &Value::Null).await;
        assert_eq!(answer["status"], 200, "{path}: {answer}");
    }
}

/// Secrets that the app sent to the server.
fn sent_to(server: &Server) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for request in server.log() {
        for name in ["code", "code_verifier", "refresh_token", "token"] {
            found.extend(request.parameter(name).map(|value| (name, value.to_owned())));
        }
    }
    found
}

/// api.md: the token operation is for programs; the window gets 403.
#[tokio::test]
async fn the_page_gets_no_token_and_no_command_but_its_own() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let screen = desktop.open_window(&[]).await;
    screen.add_provider(&sandbox.form(CONFIDENTIAL)).await;
    connect_sandbox(&screen, &desktop, &sandbox).await;
    for path in [
        "/v1/connections/sandbox/token",
        "/v1/oauth-providers/sandbox/token",
    ] {
        let answer = screen.request("POST", path, &json!({})).await;
        assert_eq!(answer["status"], 403, "{answer}");
        assert_eq!(answer["body"]["error"]["code"], "permission_denied");
    }
    for (command, arguments) in [
        (
            "plugin:event|listen",
            json!({"event": "deep-link://new-url", "target": {"kind": "Any"}, "handler": 1}),
        ),
        ("plugin:event|emit", json!({"event": "x", "payload": null})),
        ("plugin:deep-link|get_current", json!({})),
        ("plugin:clipboard-manager|read_text", json!({})),
        (
            "plugin:webview|create_webview_window",
            json!({"options": {"label": "x"}}),
        ),
        ("plugin:window|close", json!({"label": "main"})),
        ("plugin:path|resolve_directory", json!({"directory": 1})),
    ] {
        let script = format!(
            "window.__TAURI_INTERNALS__.invoke('{command}', {arguments})\
             .then((given) => done(['given', given]), (why) => done(['refused', String(why)]))"
        );
        let answer = screen.script_later(&script).await;
        assert_eq!(answer[0], "refused", "{command}: {answer}");
        assert!(
            answer[1].as_str().unwrap().contains("not allowed"),
            "{command}: {answer}"
        );
    }
    screen.close().await;
}

/// security.md: the page goes nowhere, loads nothing, and runs no script that is not part of the app.
#[tokio::test]
async fn the_page_goes_nowhere_and_runs_nothing_foreign() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = format!("http://{}/", elsewhere.local_addr().unwrap());
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    let here = screen.client().current_url().await.unwrap();

    let policy = screen
        .script_later(&format!(
            "document.addEventListener('securitypolicyviolation', (e) => done(e.originalPolicy), {{once: true}});
             const image = new Image(); image.src = '{address}image'; document.body.append(image);"
        ))
        .await;
    let policy = policy.as_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");

    let foreign = screen
        .script_later(&format!(
            "const tried = [];
             const script = document.createElement('script');
             script.textContent = 'window.foreign = true'; document.body.append(script);
             const button = document.createElement('button');
             button.setAttribute('onclick', 'window.foreign = true'); document.body.append(button); button.click();
             try {{ eval('window.foreign = true'); tried.push('eval'); }} catch {{}}
             try {{ new Function('window.foreign = true')(); tried.push('Function'); }} catch {{}}
             if (window.open('{address}opened')) tried.push('open');
             const form = document.createElement('form');
             form.action = '{address}form'; document.body.append(form); form.submit();
             const frame = document.createElement('iframe'); frame.src = '{address}frame'; document.body.append(frame);
             fetch('{address}fetch').then(() => tried.push('fetch'), () => {{}})
                 .finally(() => done([...tried, ...(window.foreign ? ['script'] : [])]));"
        ))
        .await;
    assert_eq!(foreign, json!([]));

    screen.script(&format!("location.href = '{address}away'")).await;
    screen
        .script("location.href = 'data:text/html,<title>away</title>'")
        .await;
    screen.script("location.href = 'file:///etc/hostname'").await;
    screen.see("empty").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(screen.client().current_url().await.unwrap(), here);
    screen.see("empty").await;
    assert!(
        elsewhere.accept().is_err(),
        "the server was not asked for anything"
    );
    screen.close().await;
}

#[tokio::test]
async fn without_a_tray_the_closed_window_ends_the_app_and_nothing_is_left_behind() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    let status = desktop.profile.tokenry(&["--json", "status"]).success().json();
    assert_eq!(status["window"], true);
    // The user is told what it means, and can stay.
    ask_to_close(&desktop.session, "Tokenry");
    screen
        .reads(
            "closing-dialog",
            "Programs get no tokens until you start Tokenry again.",
        )
        .await;
    screen.click("closing-stay").await;
    screen.gone("closing-dialog").await;
    assert_eq!(desktop.profile.tokenry(&["status"]).code, 0);
    // A second close ends the app.
    ask_to_close(&desktop.session, "Tokenry");
    screen.see("closing-dialog").await;
    ask_to_close(&desktop.session, "Tokenry");
    wait_for("the app's end", || {
        (desktop.profile.tokenry(&["status"]).code == 3).then_some(())
    });
    let process = format!("/proc/{}/exe", status["pid"]);
    wait_for("the process's end", || std::fs::read_link(&process).err());
    let kept = std::fs::read(desktop.profile.home().join("window.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert!(kept["width"].as_f64().unwrap() >= 480.0, "{kept}");
    screen.close().await;
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    screen.close().await;
}

#[tokio::test]
async fn without_a_tray_the_engine_can_go_on_and_starting_the_app_again_shows_the_window() {
    let desktop = Desktop::trusting();
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    let status = || desktop.profile.tokenry(&["--json", "status"]).success().json();
    let before = status()["pid"].clone();
    ask_to_close(&desktop.session, "Tokenry");
    screen.see("closing-keep").await;
    // The driver's own answer comes before the window goes.
    let press = "setTimeout(() => document.querySelector('[data-testid=closing-keep]').click(), 100)";
    screen.client().execute(press, Vec::new()).await.unwrap();
    let eye = Eye::open(&desktop.session);
    wait_for("the window's end", || (!eye.sees("Tokenry")).then_some(()));
    assert_eq!(status()["pid"], before);
    let second = Running::start(desktop.profile.command("tokenry-desktop", &[])).wait();
    second.success();
    wait_for("the window", || eye.sees_painted("Tokenry").then_some(()));
    assert_eq!(status()["pid"], before);
    screen.close().await;
}

/// The processes below this one that draw windows.
fn web_processes(parent: u32) -> Vec<u32> {
    let children = std::fs::read_dir(format!("/proc/{parent}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children = children.flat_map(|task| {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
        ids.collect::<Vec<u32>>()
    });
    let name = |id: &u32| std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    children
        .filter(|id| name(id).starts_with("WebKitWebProces"))
        .collect()
}

#[test]
fn a_killed_web_process_is_replaced_and_the_window_says_so() {
    let desktop = Desktop::trusting();
    let app = desktop.start_app(&[]);
    let eye = Eye::open(&desktop.session);
    wait_for("the window", || eye.sees_painted("Tokenry").then_some(()));
    let one = |what: &str| wait_for(what, || web_processes(app.id()).first().copied());
    let before = one("the web process");
    // Until nothing moves any more.
    let picture = wait_for("a picture that stays", || {
        let picture = eye.picture("Tokenry");
        std::thread::sleep(std::time::Duration::from_millis(500));
        (eye.picture("Tokenry") == picture).then_some(picture)
    });
    let pid = rustix::process::Pid::from_raw(before.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_for("another web process", || {
        web_processes(app.id()).iter().find(|id| **id != before).copied()
    });
    wait_for("a picture with the notice", || {
        let now = eye.picture("Tokenry")?;
        (now.is_painted() && Some(now) != picture).then_some(())
    });
    assert_eq!(desktop.profile.tokenry(&["status"]).code, 0, "the engine goes on");
}
