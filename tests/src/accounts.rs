//! Providers and accounts, set up as a person sets them up: by the command line and a browser.

use crate::browser::{Browser, Landing};
use crate::process::{Finished, Running, wait_for};
use crate::profile::Profile;
use crate::sandbox::{CONFIDENTIAL, SERVICE, Sandbox};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokenry_testkit::Server;

/// What opens the vaults of tests that have no keyring.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// The Sandbox as a provider, without the client's secret.
pub fn sandbox_provider(sandbox: &Sandbox, name: &str) -> Value {
    json!({
        "name": name,
        "client_id": CONFIDENTIAL,
        "issuer": sandbox.issuer(),
        "authorization_endpoint": sandbox.endpoint("authorization_endpoint"),
        "token_endpoint": sandbox.endpoint("token_endpoint"),
        "userinfo_endpoint": sandbox.endpoint("userinfo_endpoint"),
        "revocation_endpoint": sandbox.endpoint("revocation_endpoint"),
        "default_scopes": ["openid", "profile", "email", "offline_access"],
        "authorize_params": {"prompt": "consent"},
        "authorization_response_iss_parameter_supported": true,
        "rotation": {"kind": "strict"}, "narrowing": "refresh",
    })
}

/// The Sandbox as a provider of client credentials, secret included.
pub fn sandbox_service(sandbox: &Sandbox, name: &str) -> Value {
    json!({
        "name": name,
        "grant_type": "client_credentials",
        "client_id": SERVICE,
        "client_secret": sandbox.client_secret(SERVICE),
        "token_endpoint_auth_method": "client_secret_basic",
        "token_endpoint": sandbox.endpoint("token_endpoint"),
        "revocation_endpoint": sandbox.endpoint("revocation_endpoint"),
        "default_scopes": ["read"],
    })
}

/// The misbehaving server as a provider, with its public client.
pub fn testkit_provider(server: &Server, name: &str, rotation: &Value) -> Value {
    json!({
        "name": name,
        "client_id": "tokenry",
        "issuer": server.issuer(),
        "authorization_endpoint": server.authorization_endpoint(),
        "token_endpoint": server.token_endpoint(),
        "userinfo_endpoint": server.userinfo_endpoint(),
        "revocation_endpoint": server.revocation_endpoint(),
        "default_scopes": ["read"],
        "rotation": rotation,
    })
}

/// `tokenry provider add` of this description, which goes by standard input: it may hold a secret.
pub fn add(profile: &Profile, provider: &Value) -> Finished {
    profile.tokenry_with(&["provider", "add", "--from", "-"], &provider.to_string())
}

/// Starts `tokenry connect --no-browser` and gives the address to open with it.
pub fn connecting(profile: &Profile, arguments: &[&str]) -> (Running, String) {
    let mut connect = profile.tokenry_running(&[&["connect", "--no-browser"], arguments].concat());
    let address = connect.line();
    (connect, address)
}

/// Connects an account at the Sandbox: a person signs in under this name and agrees.
pub fn connect_at_sandbox(profile: &Profile, sandbox: &Sandbox, arguments: &[&str], who: &str) -> Finished {
    let (connect, address) = connecting(profile, arguments);
    let landing = sandbox.agree(&mut Browser::new(), &address, who);
    assert_eq!(status(&landing), 200, "{landing:?}");
    connect.wait()
}

/// Connects an account at the misbehaving server, which needs no sign-in.
pub fn connect_at_testkit(profile: &Profile, arguments: &[&str]) -> Finished {
    let (connect, address) = connecting(profile, arguments);
    let landing = Browser::new().open(&address);
    assert_eq!(status(&landing), 200, "{landing:?}");
    connect.wait()
}

fn status(landing: &Landing) -> u16 {
    match landing {
        Landing::Page { status, .. } => *status,
        other => panic!("the browser is at no page: {other:?}"),
    }
}

/// An engine that needs no consent, with a connection of this name at an authorization server of its own.
pub fn connected(name: &str) -> (Sandbox, Profile, Running) {
    let (sandbox, profile) = (Sandbox::start(), Profile::headless());
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut provider = sandbox_provider(&sandbox, name);
    provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
    add(&profile, &provider).success();
    connect_at_sandbox(&profile, &sandbox, &[name], "ada").success();
    (sandbox, profile, engine)
}

/// The access token that `tokenry token` prints.
pub fn token(profile: &Profile, name: &str) -> String {
    let token = profile.tokenry(&["token", name]).success().stdout;
    token.trim_end().to_owned()
}

/// A connection as `tokenry status NAME --json` tells it.
pub fn connection(profile: &Profile, name: &str) -> Value {
    profile.tokenry(&["status", name, "--json"]).success().json()
}

/// The engine as `tokenry status --json` tells it.
pub fn engine(profile: &Profile) -> Value {
    profile.tokenry(&["status", "--json"]).success().json()
}

/// Ends an engine as a service manager does, and says how it ended.
pub fn stop(engine: Running) -> Finished {
    engine.signal(Signal::TERM);
    engine.wait()
}

/// The engine that a command started in the background. It ends when this is dropped, whatever became of the test.
pub struct Background(Pid);

impl Background {
    /// The one that answers now.
    pub fn of(profile: &Profile) -> Self {
        let pid = engine(profile)["pid"].as_i64().unwrap();
        Self(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.as_raw_nonzero().get().unsigned_abs()
    }

    /// Tells it to end, and waits until it has.
    pub fn stop(self) {
        self.end(Signal::TERM);
    }

    fn end(&self, signal: Signal) {
        if self.is_running() {
            let _ = rustix::process::kill_process(self.0, signal);
            wait_for("the engine's end", || (!self.is_running()).then_some(()));
        }
    }

    /// Whether it runs. One that ended and whose parent does not care is a zombie for a while.
    fn is_running(&self) -> bool {
        let folder = PathBuf::from(format!("/proc/{}", self.id()));
        let stat = std::fs::read_to_string(folder.join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('Z'));
        stat.contains("(tokenry-serve)") && state == Some(false)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.end(Signal::KILL);
    }
}
