//! A whole stage for a measurement: keyring, profile, provider, engine; all gone when it is dropped.

use crate::http::{Kept, request, request_as};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::scope;
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Rotation, Server, http};

/// The provider whose tokens need no person.
pub(crate) const MACHINE: &str = "machine";
/// A file system in memory.
const MEMORY: &str = "/dev/shm";
/// How many connect at the same time while a profile is filled.
const AT_ONCE: usize = 16;
/// The provider whose tokens are got through a browser and refreshed.
pub(crate) const PERSON: &str = "person";

pub(crate) struct Stage {
    // Dropped in this order: the engine before what it stands on.
    engine: Option<Running>,
    pub(crate) profile: Profile,
    pub(crate) provider: Server,
    session: DesktopSession,
}

impl Stage {
    /// An engine with an open vault and both providers, and nothing connected.
    pub(crate) fn build() -> Self {
        Self::build_below(&std::env::temp_dir())
    }

    fn build_below(folder: &Path) -> Self {
        let session = DesktopSession::with_keyring();
        let profile = Profile::in_session_below(&session, folder);
        let provider = Server::start(Behaviour::rotating(Rotation::Strict));
        let engine = profile.serve();
        let stage = Self {
            engine: Some(engine),
            profile,
            provider,
            session,
        };
        stage.add_provider(&stage.provider, MACHINE);
        stage.add_provider(&stage.provider, PERSON);
        stage
    }

    /// With so many connections that filling it on a disk, where each is committed, would take longer than all that
    /// is measured: it is filled in memory, and then moved.
    pub(crate) fn filled(count: usize) -> Self {
        let mut stage = Self::build_below(Path::new(MEMORY));
        stage.fill(count);
        stage.stop();
        let moved = Profile::in_session(&stage.session);
        std::fs::create_dir(moved.home()).unwrap();
        std::fs::set_permissions(moved.home(), Permissions::from_mode(0o700)).unwrap();
        for file in std::fs::read_dir(stage.profile.home()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), moved.home().join(file.file_name())).unwrap();
            }
        }
        stage.profile = moved;
        stage.start();
        stage
    }

    /// Connects the client itself under this many labels, several at the same time.
    pub(crate) fn fill(&self, count: usize) {
        scope(|scope| {
            for first in 1..=AT_ONCE {
                let engine = self.open();
                scope.spawn(move || connect_machines(engine, (first..=count).step_by(AT_ONCE)));
            }
        });
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
        assert!((200..300).contains(&reply.status), "{}", reply.body);
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
        let begun = engine
            .ask(&request("POST", &start, Some(&json!({}))))
            .expect_json();
        let address = text(&begun, "authorization_url").parse().unwrap();
        let reply = http::get(&address, &[]).unwrap();
        let back = reply
            .location()
            .expect("the provider agrees and sends the browser back");
        engine
            .ask(&request("POST", "/v1/callback", Some(&json!({"url": back}))))
            .expect_json();
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
        engine.ask(&request("POST", &path, Some(&body))).expect_json();
    }
}

pub(crate) fn label(number: usize) -> String {
    format!("m{number:05}")
}

/// Asks for the token of this connection.
pub(crate) fn token_request(connection: &str) -> Vec<u8> {
    token_request_of(connection, None)
}

/// The same, of an app that has this token of its own.
pub(crate) fn token_request_of(connection: &str, app: Option<&str>) -> Vec<u8> {
    let path = format!("/v1/connections/{}/token", connection.replace('/', "%2F"));
    match app {
        Some(token) => request_as(token, "POST", &path, None),
        None => request("POST", &path, None),
    }
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}
