//! What stays in the memory of the programs once the vault is locked: no secret of any kind, in no form.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tokenry_e2e::accounts::{self, connect_at_testkit, connecting, stop, token};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::canary::Canary;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::memory::{self, Memory, holds_none_within};
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::socket::{ask, ask_as, connect};
use tokenry_testkit::http::{Connection, Request};
use tokenry_testkit::{Behaviour, Client, ClientAuth, Kind, Server};

/// Long and without a pattern, so that a piece of one is known again.
const PASSPHRASE: &str = "vQ8#tL2m-zR5wK9c.hN4xB7j+sD1gF6p~yT3e";
const MISTYPED: &str = "Jb6!nW3q-uX8rZ1v.kC5mG9d+oS2fH7l~aE4y";
const CLIENT_SECRET: &str = "mP4~dV9k.Lq2+Rz7w-Tn5=Xc8j_Hs3&Gb6fY1";
const VALUE: &str = "eA7z-Uo2x.Ki5r+Nf8m~Wl3t_Dq6h!Jp9v#Cg4";
const FORMER_VALUE: &str = "rT6y-Bs1k.Vm4w+Hx9c~Zd2n_Lf5j!Qu8g#Ea3";

/// How long the memory may take to be clean.
const SOON: Duration = Duration::from_secs(20);

const BY_PASSPHRASE: [&str; 7] = [
    "--vault",
    "passphrase",
    "--passphrase-fd",
    "0",
    "--approve",
    "all",
    "--loopback",
];

fn server() -> Server {
    Server::start(Behaviour {
        clients: vec![Client::confidential("canary", CLIENT_SECRET, ClientAuth::Post)],
        ..Behaviour::default()
    })
}

fn provider(server: &Server) -> Value {
    let mut provider = accounts::testkit_provider(server, "kit", &json!({"kind": "strict"}));
    provider["client_id"] = "canary".into();
    provider["client_secret"] = CLIENT_SECRET.into();
    provider["token_endpoint_auth_method"] = "client_secret_post".into();
    provider
}

/// The secrets that are known without a look at what was sent.
fn planted() -> Vec<Canary> {
    vec![
        Canary::new("the passphrase", PASSPHRASE),
        Canary::new("the mistyped passphrase", MISTYPED),
        Canary::new("the client secret", CLIENT_SECRET),
        Canary::new("a credential's value", VALUE),
        Canary::new("a credential's former value", FORMER_VALUE),
    ]
}

/// Those that the server got.
fn sent_to(server: &Server) -> Vec<Canary> {
    let log = server.log();
    let mut found = Vec::new();
    for (kind, parameter) in [
        (Kind::Code, "code"),
        (Kind::Code, "code_verifier"),
        (Kind::Refresh, "refresh_token"),
    ] {
        let sent = log.iter().filter(|request| request.kind == kind);
        let values: BTreeSet<&str> = sent.filter_map(|request| request.parameter(parameter)).collect();
        assert!(!values.is_empty(), "no {parameter} was sent");
        let named = |(at, value): (usize, &str)| Canary::new(&format!("{parameter} {at}"), value);
        found.extend(values.into_iter().enumerate().map(named));
    }
    found
}

/// A connection that stays open. What it has received stays in the engine's buffers for as long.
struct Kept(Connection<UnixStream>);

impl Kept {
    fn open(profile: &Profile) -> Self {
        Self(connect(profile))
    }

    /// The status of the response.
    fn ask(&mut self, method: &str, path: &str, body: &Value) -> u16 {
        self.send(&Request::new(method, path), body)
    }

    fn send(&mut self, request: &Request, body: &Value) -> u16 {
        self.0.ask(&request.clone().json(body)).unwrap().status
    }
}

fn raw(value: &str) -> Value {
    json!({"name": "key", "type": "raw", "data": {"value": STANDARD.encode(value)}})
}

/// Uses every kind of secret at the socket, as programs do; gives those that only their answers tell, and connections
/// that some came by and that are still open.
fn use_every_secret(profile: &Profile, server: &Server) -> (Vec<Canary>, Vec<Kept>) {
    let mut canaries = Vec::new();
    let mut connection = Kept::open(profile);
    let mut redirected = Kept::open(profile);
    connect_at_testkit(profile, &["kit"]).success();
    let first = token(profile, "kit");
    profile.tokenry(&["refresh", "kit"]).success();
    let second = token(profile, "kit");
    profile.tokenry(&["refresh", "kit"]).success();
    assert_ne!(first, second);
    canaries.push(Canary::new("the former access token", &first));
    canaries.push(Canary::new("the access token", &second));

    // A second account by a pasted address, whose code comes in a body.
    let (connect, address) = connecting(profile, &["kit", "--label", "pasted", "--redirect", "paste"]);
    let mut browser = Browser::new();
    browser.open(&address);
    let bar = browser.visited.last().unwrap().to_string();
    assert!(bar.contains("code="), "{bar}");
    assert_eq!(redirected.ask("POST", "/v1/callback", &json!({"url": bar})), 200);
    drop(connect);

    assert_eq!(connection.ask("POST", "/v1/credentials", &raw(FORMER_VALUE)), 201);
    let change = json!({"data": {"value": STANDARD.encode(VALUE)}});
    assert_eq!(connection.ask("PUT", "/v1/credentials/key", &change), 200);
    assert_eq!(connection.ask("GET", "/v1/credentials/key", &json!({})), 200);

    let (status, app) = ask(profile, "POST", "/v1/apps", &json!({"name": "backup"}));
    assert!(status < 300, "{app}");
    let app = app["token"].as_str().unwrap();
    canaries.push(Canary::new("an app's token", app));
    let grant = json!({"app": "backup", "scopes": ["tokens:read", "credentials:read"], "connections": ["kit"],
                       "credentials": ["key"]});
    let (status, answer) = ask(profile, "POST", "/v1/grants", &grant);
    assert!(status < 300, "{answer}");
    assert_eq!(
        ask_as(profile, app, "GET", "/v1/credentials/key", &Value::Null).0,
        200
    );
    let mut of_app = Kept::open(profile);
    let as_app = Request::new("POST", "/v1/connections/kit/token").bearer(app);
    assert_eq!(of_app.send(&as_app, &json!({})), 200);
    server.set(|behaviour| behaviour.token_life = 3600);
    (canaries, vec![connection, redirected, of_app])
}

/// The refresh tokens that the vault held when it was locked: they show themselves when they are used.
#[track_caller]
fn the_living_refresh_tokens_were_not_in(profile: &Profile, server: &Server, memory: &Memory) {
    profile
        .tokenry_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE)
        .success();
    let before = sent_to(server).len();
    for connection in ["kit/pasted", "kit"] {
        let (status, answer) = ask(profile, "POST", &path_of(connection), &json!({}));
        assert!(status < 300, "{connection}: {answer}");
    }
    let all = sent_to(server);
    assert!(all.len() > before, "the living refresh tokens were sent");
    let found = memory.search(&all);
    assert!(found.is_empty(), "after the lock it held {found:#?}");
}

fn path_of(connection: &str) -> String {
    format!("/v1/connections/{}/refresh", connection.replace('/', "%2F"))
}

/// security.md, "Keys": lock, and keys and cached tokens go; "Secrets in memory" are wiped. The connections that they
/// came by are still open on the other side.
#[test]
fn twenty_seconds_after_lock_the_memory_of_the_engine_holds_no_secret() {
    let (mut profile, server) = (Profile::headless(), server());
    if !memory::is_root() {
        profile.set(memory::READABLE, "1");
    }
    let engine = profile.serve_with(&BY_PASSPHRASE, &format!("{PASSPHRASE}\n"));
    accounts::add(&profile, &provider(&server)).success();
    let (mut canaries, mut open) = use_every_secret(&profile, &server);
    canaries.extend(planted());
    profile.tokenry(&["lock"]).success();
    let mut unlocking = Kept::open(&profile);
    let with = |passphrase: &str| json!({"passphrase": passphrase});
    // By a connection that is kept, too, and by the one that then opens the vault.
    assert_ne!(unlocking.ask("POST", "/v1/unlock", &with(MISTYPED)), 200);
    let mut unlocking = Kept::open(&profile);
    assert_eq!(unlocking.ask("POST", "/v1/unlock", &with(PASSPHRASE)), 200);
    open.push(unlocking);
    token(&profile, "kit");
    canaries.extend(sent_to(&server));

    profile.tokenry(&["lock"]).success();
    let mut mistyping = Kept::open(&profile);
    assert_ne!(mistyping.ask("POST", "/v1/unlock", &with(MISTYPED)), 200);
    open.push(mistyping);
    let memory = holds_none_within(engine.id(), &canaries, SOON);
    the_living_refresh_tokens_were_not_in(&profile, &server, &memory);
    drop(open);
    stop(engine);
}

/// Before the lock the search sees what there is to be seen.
#[test]
fn the_search_of_a_process_finds_what_it_holds() {
    let mut child = std::process::Command::new("cat");
    child.env_clear().env("PLANTED", VALUE);
    let child = Running::start(child);
    memory::holds(child.id(), &Canary::new("an environment variable", VALUE));
}

/// The process that the desktop app is.
fn app_of(profile: &Profile) -> u32 {
    u32::try_from(accounts::engine(profile)["pid"].as_u64().unwrap()).unwrap()
}

/// The same of the desktop app. What was typed into its window passed through the web engine too, whose memory is not
/// ours to wipe (SECURITY.md, Known limits); so here nothing is typed there.
#[tokio::test]
async fn twenty_seconds_after_lock_the_memory_of_the_desktop_app_holds_no_secret() {
    let (mut desktop, server) = (Desktop::trusting(), server());
    if !memory::is_root() {
        desktop.set(memory::READABLE, "1");
    }
    let by_passphrase = BY_PASSPHRASE[..6].to_vec();
    stop(
        desktop
            .profile
            .serve_with(&by_passphrase, &format!("{PASSPHRASE}\n")),
    );
    let screen = desktop.open_window(&[]).await;
    screen.see("lock-screen").await;
    let unlock = |passphrase: &str| {
        let arguments = ["unlock", "--passphrase-fd", "0"];
        desktop.profile.tokenry_with(&arguments, passphrase).code
    };
    assert_ne!(unlock(MISTYPED), 0);
    assert_eq!(unlock(PASSPHRASE), 0);
    screen.see("empty").await;
    accounts::add(&desktop.profile, &provider(&server)).success();
    let pid = app_of(&desktop.profile);
    let (mut canaries, open) = use_every_secret(&desktop.profile, &server);
    canaries.extend(planted());
    canaries.extend(sent_to(&server));
    screen.see("connection-kit").await;
    screen.click("copy-token").await;
    screen.hears("clipboard").await;

    screen.click("lock").await;
    screen.see("lock-screen").await;
    assert_ne!(unlock(MISTYPED), 0);
    let memory = holds_none_within(pid, &canaries, SOON);
    the_living_refresh_tokens_were_not_in(&desktop.profile, &server, &memory);
    drop(open);
    screen.close().await;
}
