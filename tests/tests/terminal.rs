//! The command line at a terminal: without an engine, a display, a session's folder or a keyring that answers, each
//! command ends, or says what it waits for and what to do.
#![allow(clippy::unwrap_used)]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use tokenry_e2e::accounts::{
    self, Background, PASSPHRASE, add, connect_at_testkit, connecting, stop, testkit_provider,
};
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::wait_for;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::terminal::Terminal;
use tokenry_testkit::{Behaviour, Server};

const CONSENT_DENIED: i32 = 13;
const INTERRUPTED: i32 = 130;

fn tokenry(profile: &Profile, arguments: &[&str]) -> Terminal {
    Terminal::start(&profile.command("tokenry", arguments))
}

fn github() -> Value {
    json!({
        "name": "github",
        "client_id": "abc",
        "authorization_endpoint": "https://example.com/authorize",
        "token_endpoint": "https://example.com/token",
    })
}

/// What stands after `words` in what a terminal showed.
fn after<'a>(screen: &'a str, words: &str) -> &'a str {
    let rest = screen.split_once(words).unwrap().1;
    rest.split_whitespace().next().unwrap().trim_end_matches('.')
}

#[test]
fn the_first_run_on_a_server_is_one_command() {
    let profile = Profile::headless();
    let (code, shown) = tokenry(&profile, &["list"]).ends();
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("Run `tokenry unlock` in a terminal"), "{shown}");
    assert!(!shown.contains("--vault"), "{shown}");

    let mut unlock = tokenry(&profile, &["unlock"]);
    let shown = unlock.shows("New passphrase: ");
    let engine = Background::of(&profile);
    assert!(shown.contains("The approval code is "), "{shown}");
    assert!(shown.contains("No OS keyring is available"), "{shown}");
    unlock.types(&format!("{PASSPHRASE}\n"));
    unlock.shows("Repeat passphrase: ");
    unlock.types(&format!("{PASSPHRASE}\n"));
    let (code, shown) = unlock.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("The vault is unlocked.\n")
            && shown.contains("`tokenry recovery new`")
            && !shown.contains(PASSPHRASE),
        "{shown}"
    );
    assert_eq!(
        accounts::engine(&profile)["vault"]["slots"],
        json!(["passphrase"])
    );
    engine.stop();

    // From the second time on the passphrase is asked for once.
    let (code, shown) = tokenry(&profile, &["list"]).ends();
    assert_eq!(code, 3, "{shown}");
    assert!(
        shown.contains("`tokenry unlock` asks for the passphrase"),
        "{shown}"
    );
    let mut unlock = tokenry(&profile, &["unlock"]);
    unlock.shows("Passphrase: ");
    let _engine = Background::of(&profile);
    unlock.types(&format!("{PASSPHRASE}\n"));
    let (code, shown) = unlock.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("New passphrase"), "{shown}");
}

#[test]
fn an_engine_that_a_command_starts_at_a_terminal_leaves_no_command_hanging() {
    for approve in ["all", "never", "ask"] {
        let session = DesktopSession::with_keyring();
        let mut profile = Profile::in_session(&session);
        profile.set("TOKENRY_APPROVE", approve);
        let (code, shown) = tokenry(&profile, &["unlock"]).ends();
        let engine = Background::of(&profile);
        assert_eq!(code, 0, "{shown}");
        assert_eq!(
            shown.contains("The approval code is "),
            approve == "ask",
            "{shown}"
        );
        engine.stop();
        let (code, shown) = tokenry(&profile, &["list"]).ends();
        let _engine = Background::of(&profile);
        assert_eq!(code, 0, "{shown}");
    }
}

/// Nothing in the catalog is secret: a first look at it comes before the decision how the vault is protected.
#[test]
fn the_catalog_is_searched_before_there_is_a_vault() {
    let profile = Profile::headless();
    let (code, shown) = tokenry(&profile, &["catalog", "search", "gmail"]).ends();
    let _engine = Background::of(&profile);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Gmail"), "{shown}");
}

#[test]
fn a_typo_starts_no_engine_and_ends_at_once() {
    let profile = Profile::headless();
    let (code, shown) = tokenry(&profile, &["unlokc"]).ends();
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("'unlock'"), "{shown}");
    assert!(!profile.home().exists());
}

#[test]
fn ctrl_c_at_a_hidden_prompt_gives_the_terminal_its_echo_back() {
    let profile = Profile::headless();
    let mut unlock = tokenry(&profile, &["unlock"]);
    unlock.shows("New passphrase: ");
    let _engine = Background::of(&profile);
    assert!(!unlock.echoes());
    unlock.interrupts();
    wait_for("the echo", || unlock.echoes().then_some(()));
    assert_eq!(unlock.ends().0, INTERRUPTED);
    assert_eq!(accounts::engine(&profile)["vault"]["state"], "absent");
}

#[test]
fn ctrl_c_ends_an_engine_in_the_foreground_and_a_command_that_waits() {
    let profile = Profile::headless();
    let mut serve = tokenry(&profile, &["serve"]);
    serve.shows("ready ");
    let shown = serve.shows("there is no vault yet");
    assert!(shown.contains("`tokenry unlock`"), "{shown}");
    let mut approve = tokenry(&profile, &["approve", "--wait"]);
    approve.shows("Waiting for permission requests");
    approve.interrupts();
    assert_eq!(approve.ends().0, INTERRUPTED);
    serve.interrupts();
    let (code, shown) = serve.ends();
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn an_engine_that_is_stopped_is_named_with_what_ends_it() {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    engine.signal(Signal::STOP);
    let status = profile.tokenry(&["status"]);
    engine.signal(Signal::CONT);
    assert_eq!(status.code, 22, "{status:?}");
    for part in [
        format!("process {}", engine.id()),
        format!("kill -9 {}", engine.id()),
    ] {
        assert!(status.stderr.contains(&part), "{status:?}");
    }
    assert_eq!(stop(engine).code, 0);
}

/// A keyring that was stopped, as a hung one is; it goes on when this is dropped.
struct Stopped(Vec<Pid>);

impl Stopped {
    fn keyring(session: &DesktopSession) -> Self {
        let bus = session.env()["DBUS_SESSION_BUS_ADDRESS"].clone();
        let of_session = |pid: &i32| {
            let env = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            comm.starts_with("gnome-keyring")
                && env
                    .split(|byte| *byte == 0)
                    .any(|line| line.ends_with(bus.as_encoded_bytes()))
        };
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let pids: Vec<_> = pids.filter(of_session).filter_map(Pid::from_raw).collect();
        assert!(!pids.is_empty(), "the session has no keyring");
        pids.iter()
            .for_each(|pid| kill_process(*pid, Signal::STOP).unwrap());
        Self(pids)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill_process(*pid, Signal::CONT);
        }
    }
}

#[test]
fn a_keyring_that_does_not_answer_is_named_within_two_seconds_everywhere() {
    const SAID: &str = "aiting for the OS keyring";
    // The engine says it after a second; the rest is for a machine under load.
    const SOON: Duration = Duration::from_secs(10);
    let session = DesktopSession::with_keyring();
    let profile = Profile::in_session(&session);
    stop(profile.serve());

    let stopped = Stopped::keyring(&session);
    let list = tokenry(&profile, &["list"]);
    let shown = list.shows_within(SAID, SOON);
    assert!(shown.contains("password window"), "{shown}");
    let engine = Background::of(&profile);
    let status = accounts::engine(&profile);
    assert_eq!(status["vault"]["waiting_for_keyring"], true);
    let shown = tokenry(&profile, &["status"]).ends().1;
    assert!(shown.contains(SAID), "{shown}");
    let (code, shown) = tokenry(&profile, &["token", "x"]).ends();
    assert!(code == 20 && shown.contains(SAID), "{code} {shown}");
    let unlock = tokenry(&profile, &["unlock"]);
    unlock.shows_within(SAID, SOON);
    drop(stopped);
    // Once it answers, all of them go on.
    for terminal in [list, unlock] {
        let (code, shown) = terminal.ends();
        assert_eq!(code, 0, "{shown}");
    }
    assert_eq!(
        accounts::engine(&profile)["vault"].get("waiting_for_keyring"),
        None
    );
    engine.stop();

    let stopped = Stopped::keyring(&session);
    let mut serve = tokenry(&profile, &["serve"]);
    let shown = serve.shows_within(SAID, SOON);
    assert!(!shown.contains("ready "), "{shown}");
    // The engine ends without waiting for the keyring.
    serve.interrupts();
    assert_eq!(serve.ends().0, 0);
    drop(stopped);
}

/// A headless engine that asks, with one connection, and its approval code.
fn asking(server: &Server) -> (Profile, Terminal, String) {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &testkit_provider(server, "kit", &json!({"kind": "strict"})),
    )
    .success();
    connect_at_testkit(&profile, &["kit"]).success();
    stop(engine);
    let serve = tokenry(&profile, &["serve"]);
    let shown = serve.shows("ready ");
    let code = after(&shown, "the approval code is ").to_owned();
    let mut unlock = tokenry(&profile, &["unlock"]);
    unlock.shows("Passphrase: ");
    unlock.types(&format!("{PASSPHRASE}\n"));
    assert_eq!(unlock.ends().0, 0);
    (profile, serve, code)
}

#[test]
fn a_command_that_waits_for_consent_says_where_to_answer_and_ctrl_c_withdraws_it() {
    let server = Server::start(Behaviour::default());
    let (profile, serve, code) = asking(&server);
    let token = tokenry(&profile, &["token", "kit"]);
    let shown = token.shows("Waiting for your consent");
    for part in [
        "`tokenry approve --wait`",
        &format!("process {}", serve.id()),
        "denied automatically in ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let mut approve = tokenry(&profile, &["approve", "--wait"]);
    approve.shows("Allow? ");
    approve.types("o\n");
    approve.shows("Approval code: ");
    approve.types(&format!("{code}\n"));
    approve.shows("Allowed once.");
    let (ended, shown) = token.ends();
    assert_eq!(ended, 0, "{shown}");
    assert_eq!(shown.matches("Waiting for").count(), 1, "{shown}");

    let mut token = tokenry(&profile, &["token", "kit"]);
    token.shows("Waiting for your consent");
    token.interrupts();
    assert_eq!(token.ends().0, INTERRUPTED);
    let open = || -> Vec<Value> {
        let shown = profile.tokenry(&["approve", "--json"]).success().json();
        serde_json::from_value(shown).unwrap()
    };
    wait_for("the end of the request", || open().is_empty().then_some(()));
    // After a code was typed Ctrl-C still ends it.
    approve.interrupts();
    assert_eq!(approve.ends().0, INTERRUPTED);

    // At a terminal a command says that it waits, and as JSON it does not. Each is a request of its own.
    let quiet = profile.tokenry_running(&["token", "kit", "--json"]);
    let loud = tokenry(&profile, &["token", "kit"]);
    loud.shows("Waiting for your consent");
    wait_for("both requests", || (open().len() == 2).then_some(()));
    for request in open() {
        let id = request["id"].as_str().unwrap();
        let deny = ["approve", id, "--decision", "deny", "--code-fd", "0"];
        profile.tokenry_with(&deny, &format!("{code}\n")).success();
    }
    let quiet = quiet.wait();
    assert_eq!(quiet.code, CONSENT_DENIED);
    assert_eq!(loud.ends().0, CONSENT_DENIED);
    let error: Value = serde_json::from_str(&quiet.stderr).expect("one error and nothing else");
    assert_eq!(error["error"]["code"], "consent_denied");
}

#[test]
fn over_ssh_connect_proposes_to_paste_and_browser_is_the_terminals_own() {
    let mut profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &github()).success();
    let opened = profile.scratch().join("opened");
    let script = profile.scratch().join("browser");
    fs::write(
        &script,
        format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n", opened.display()),
    )
    .unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    profile.set(
        "BROWSER",
        format!("/nonexistent/browser:{} --new", script.display()),
    );
    let mut connect = tokenry(&profile, &["connect", "github"]);
    let shown = connect.shows("Waiting.");
    let words = wait_for("the browser", || {
        fs::read_to_string(&opened)
            .ok()
            .filter(|text| text.contains("http"))
    });
    let address = words.lines().nth(1).unwrap();
    assert!(
        words.starts_with("--new\n") && shown.contains(address),
        "{words} {shown}"
    );
    assert!(!shown.contains("--redirect paste"), "{shown}");
    connect.interrupts();
    assert_eq!(connect.ends().0, INTERRUPTED);

    profile.set("BROWSER", "");
    for variable in ["SSH_CONNECTION", "SSH_TTY"] {
        let mut far = profile.command("tokenry", &["connect", "github"]);
        far.env(variable, "203.0.113.5 50000 203.0.113.6 22");
        let mut connect = Terminal::start(&far);
        let shown = connect.shows("Open this URL in a browser");
        assert!(
            shown.contains("`tokenry connect github --redirect paste`"),
            "{shown}"
        );
        connect.interrupts();
        assert_eq!(connect.ends().0, INTERRUPTED);
    }
    let (mut pasting, _) = connecting(&profile, &["github", "--redirect", "paste"]);
    assert!(!pasting.stderr().contains("--redirect paste"));
    pasting.kill();
}
