//! An engine that is killed at a step of a refresh, and what it makes of that afterwards.
//!
//! The engine has to be built with the feature `fault-injection`.

use crate::accounts::{self, PASSPHRASE, add, connect_at_sandbox, connect_at_testkit, stop, token};
use crate::django::{self, Django};
use crate::process::{Finished, Running, wait_for};
use crate::profile::Profile;
use crate::sandbox::{CONFIDENTIAL, Sandbox};
use serde_json::Value;
use tokenry_testkit::Server;

/// The steps of a refresh, in their order.
pub const STEPS: [&str; 5] = [
    "BeforeJournal",
    "Journalled",
    "Answered",
    "Committing",
    "Committed",
];

/// What `kill -9` leaves as an exit code.
pub const KILLED: i32 = 128 + 9;

/// Whether the server has seen the refresh request when the engine dies at this step.
pub fn is_sent(step: &str) -> bool {
    matches!(step, "Answered" | "Committing" | "Committed")
}

/// Whether the crash leaves a request whose answer is not on disk.
pub fn leaves_an_open_end(step: &str) -> bool {
    matches!(step, "Journalled" | "Answered" | "Committing")
}

/// An authorization server that the engine is connected to.
pub trait Party {
    /// Its description for `tokenry provider add`.
    fn provider(&self) -> Value;
    /// Connects an account with these arguments of `tokenry connect`.
    fn connect(&self, profile: &Profile, arguments: &[&str]) -> Finished;
    /// Whether it takes this access token.
    fn accepts(&self, access_token: &str) -> bool;
}

/// The misbehaving server, with what its provider says about rotation.
pub struct Kit {
    /// The server.
    pub server: Server,
    /// The provider's `rotation`.
    pub told: Value,
}

impl Party for Kit {
    fn provider(&self) -> Value {
        accounts::testkit_provider(&self.server, "kit", &self.told)
    }

    fn connect(&self, profile: &Profile, arguments: &[&str]) -> Finished {
        connect_at_testkit(profile, arguments)
    }

    fn accepts(&self, access_token: &str) -> bool {
        self.server.accepts(access_token)
    }
}

impl Party for Sandbox {
    fn provider(&self) -> Value {
        let mut provider = accounts::sandbox_provider(self, "sandbox");
        provider["client_secret"] = self.client_secret(CONFIDENTIAL).into();
        provider
    }

    fn connect(&self, profile: &Profile, arguments: &[&str]) -> Finished {
        connect_at_sandbox(profile, self, arguments, "Ada Lovelace")
    }

    fn accepts(&self, access_token: &str) -> bool {
        self.is_active(access_token)
    }
}

/// django-oauth-toolkit, with a provider that knows how it rotates.
pub struct KnownRotation(pub Django, pub django::Rotation);

impl Party for KnownRotation {
    fn provider(&self) -> Value {
        self.0.provider(&self.1.told())
    }

    fn connect(&self, profile: &Profile, arguments: &[&str]) -> Finished {
        self.0.connect(profile, arguments, "ada")
    }

    fn accepts(&self, access_token: &str) -> bool {
        self.0.accepts(access_token)
    }
}

/// What was acknowledged before the crash.
pub struct Before {
    /// The access token.
    pub token: String,
    refreshed_at: Value,
}

impl Before {
    /// Whether this connection was refreshed since.
    pub fn is_past(&self, connection: &Value) -> bool {
        connection["last_refreshed_at"] != self.refreshed_at
    }
}

/// A profile with an engine that can be killed, and a server that outlives it.
pub struct Crash<P> {
    /// The profile.
    pub profile: Profile,
    /// The server.
    pub party: P,
    /// The engine; `None` after a crash.
    pub engine: Option<Running>,
}

impl<P: Party> Crash<P> {
    /// Starts the engine and adds the server as a provider.
    pub fn new(party: P) -> Self {
        let profile = Profile::headless();
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        add(&profile, &party.provider()).success();
        Self {
            profile,
            party,
            engine: Some(engine),
        }
    }

    /// Connects an account.
    pub fn connect(&self, arguments: &[&str]) {
        self.party.connect(&self.profile, arguments).success();
    }

    /// Starts the engine anew, to be killed at this step; empty for none.
    pub fn restart(&mut self, fault: &str) {
        if let Some(engine) = self.engine.take() {
            assert_eq!(stop(engine).code, 0);
        }
        self.profile.set("TOKENRY_FAULT", fault);
        self.engine = Some(self.profile.serve_with_passphrase(PASSPHRASE));
    }

    /// Has the engine killed at this step of the refresh of a connection, and starts the next one.
    pub fn die_at(&mut self, connection: &str, step: &str) -> Before {
        let before = Before {
            token: token(&self.profile, connection),
            refreshed_at: self.status(connection)["last_refreshed_at"].clone(),
        };
        self.restart(step);
        let asked = self.profile.tokenry(&["refresh", connection]);
        assert_ne!(
            asked.code, 0,
            "acknowledged before it was kept, or an engine without fault-injection: {asked:?}"
        );
        let end = self.engine.take().unwrap().wait();
        assert_eq!(
            end.code, KILLED,
            "is the engine built with fault-injection? {end:?}"
        );
        self.restart("");
        before
    }

    /// The connection as `tokenry status` tells it.
    pub fn status(&self, connection: &str) -> Value {
        accounts::connection(&self.profile, connection)
    }

    /// Waits until the engine has looked at what the crash left.
    pub fn settled(&self, connection: &str, is_settled: impl Fn(&Value) -> bool) -> Value {
        wait_for(connection, || Some(self.status(connection)).filter(&is_settled))
    }

    /// The grant is whole: what is handed out is good, and the next refresh gives something new.
    pub fn is_whole(&self, connection: &str) {
        let now = token(&self.profile, connection);
        assert!(self.party.accepts(&now), "{connection}");
        self.profile.tokenry(&["refresh", connection]).success();
        let next = token(&self.profile, connection);
        assert!(next != now && self.party.accepts(&next), "{connection}");
        assert_eq!(self.status(connection)["status"], "active", "{connection}");
    }
}
