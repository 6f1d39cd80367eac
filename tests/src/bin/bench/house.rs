//! A whole house for a measurement: keyring, profile, provider, engine; all gone when it is dropped.

use crate::http::{Kept, request};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Rotation, Server, wire};

/// The provider whose tokens need no person.
pub(crate) const MACHINE: &str = "machine";
/// The provider whose tokens are got through a browser and refreshed.
pub(crate) const PERSON: &str = "person";

pub(crate) struct House {
    // Dropped in this order: the engine before what it stands on.
    engine: Option<Running>,
    pub(crate) profile: Profile,
    pub(crate) provider: Server,
    _session: DesktopSession,
}

impl House {
    /// An engine with an open vault and both providers, and nothing connected.
    pub(crate) fn build() -> Self {
        let session = DesktopSession::with_keyring();
        let profile = Profile::in_session(&session);
        let provider = Server::start(Behaviour::rotating(Rotation::Strict));
        let engine = profile.serve();
        let house = Self {
            engine: Some(engine),
            profile,
            provider,
            _session: session,
        };
        house.add_provider(&house.provider, MACHINE);
        house.add_provider(&house.provider, PERSON);
        house
    }

    pub(crate) fn add_provider(&self, server: &Server, name: &str) {
        let mut body = json!({
            "name": name, "token_endpoint": server.token_endpoint(), "issuer": server.issuer(),
            "rotation": {"kind": "strict"},
        });
        let more = if name == MACHINE {
            json!({"grant_type": "client_credentials", "client_id": "tokenry-confidential",
                "client_secret": "testkit-secret", "token_endpoint_auth_method": "client_secret_post"})
        } else {
            json!({"client_id": "tokenry", "authorization_endpoint": server.authorization_endpoint(),
                "redirect": "paste"})
        };
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let reply = self
            .open()
            .ask(&request("POST", "/v1/oauth-providers", Some(&body)));
        let text = String::from_utf8_lossy(&reply.body);
        assert!((200..300).contains(&reply.status), "{text}");
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.profile.home().join("engine.sock")
    }

    /// A connection to the engine.
    pub(crate) fn open(&self) -> Kept<UnixStream> {
        Kept::unix(&self.socket())
    }

    /// Connects an account of a provider that is not [`MACHINE`], as a person would in a browser.
    pub(crate) fn sign_in(&self, provider: &str) {
        let mut engine = self.open();
        let start = format!("/v1/oauth-providers/{provider}/authorize");
        let begun = engine.ask(&request("POST", &start, Some(&json!({})))).json();
        let address = text(&begun, "authorization_url").parse().unwrap();
        let reply = wire::get(&address, &[]).unwrap();
        let back = reply
            .location()
            .expect("the provider agrees and sends the browser back");
        engine
            .ask(&request("POST", "/v1/callback", Some(&json!({"url": back}))))
            .json();
    }

    /// The engine's process id.
    pub(crate) fn engine_id(&self) -> u32 {
        self.engine.as_ref().expect("the engine runs").id()
    }

    /// Ends the engine as a person does, and waits for its end.
    pub(crate) fn stop(&mut self) {
        let engine = self.engine.take().expect("the engine runs");
        engine.signal(Signal::TERM);
        engine.wait();
    }

    /// Starts the engine and waits until it says that it is ready.
    pub(crate) fn start(&mut self) {
        self.engine = Some(self.profile.serve());
    }
}

/// Connects the client itself under the label of each of these numbers.
pub(crate) fn connect_machines(mut engine: Kept<UnixStream>, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        let body = json!({"label": label(number)});
        let path = format!("/v1/oauth-providers/{MACHINE}/connect");
        engine.ask(&request("POST", &path, Some(&body))).json();
    }
}

pub(crate) fn label(number: usize) -> String {
    format!("m{number:05}")
}

/// Asks for the token of this connection.
pub(crate) fn token_request(connection: &str) -> Vec<u8> {
    let path = format!("/v1/connections/{}/token", connection.replace('/', "%2F"));
    request("POST", &path, None)
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}
