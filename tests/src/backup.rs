//! A profile with something to back up.

use crate::accounts::{PASSPHRASE, add, connect_at_testkit, testkit_provider};
use crate::process::Running;
use crate::profile::Profile;
use serde_json::json;
use std::path::{Path, PathBuf};
use tokenry_testkit::{Behaviour, Rotation, Server};

/// What backups are encrypted with in tests.
pub const OF_BACKUP: &str = "a passphrase of the backup";

/// A profile with an engine, a provider, a connection and a credential.
pub struct Stage {
    /// The profile.
    pub profile: Profile,
    /// The provider.
    pub server: Server,
    /// Its engine.
    pub engine: Running,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// Starts all of it.
    pub fn new() -> Self {
        let server = Server::start(Behaviour::rotating(Rotation::None));
        let profile = Profile::headless();
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        add(
            &profile,
            &testkit_provider(&server, "kit", &json!({"kind": "none"})),
        )
        .success();
        connect_at_testkit(&profile, &["kit", "--label", "work"]).success();
        let value = ["credential", "add", "api-key", "--type", "raw"];
        profile.tokenry_with(&value, "the value of the api key").success();
        Self {
            profile,
            server,
            engine,
        }
    }

    /// A file of this name beside the profile.
    pub fn file(&self, name: &str) -> PathBuf {
        self.profile.scratch().join(name)
    }
}

/// A path as an argument.
///
/// # Panics
/// When it is not UTF-8.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
