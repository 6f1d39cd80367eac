//! The options that an engine is started with.

use crate::{ConsentMode, Error, Host};
use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};
use tokenry_core::{Clock, OsRandom, Random, Secret, SystemClock};
use tokenry_oauth::Http;
use tokenry_session::{DesktopSession, SessionMonitor};
use tokenry_vault::{Keyring, OsKeyring};

/// How long a question of the OS keyring may stay unanswered.
const KEYRING_TIMEOUT: Duration = Duration::from_secs(60);

/// The client of all requests, which signs with the engine's own time and randomness.
pub(crate) fn signing(http: Http, clock: &Arc<dyn Clock>, random: &Arc<dyn Random>) -> Http {
    http.signing_with(clock.clone(), random.clone())
}

/// What an engine is made of.
pub struct Options {
    /// The profile folder.
    pub folder: PathBuf,
    /// A folder outside of the profile, where the newest state of each vault is written down; `None` where there is
    /// none, as without a home folder.
    pub state: Option<PathBuf>,
    /// What opens the vault.
    pub vault: VaultChoice,
    /// A passphrase that was given at start.
    pub passphrase: Option<Secret>,
    /// The OS keyring.
    pub keyring: Arc<dyn Keyring>,
    /// The program around the engine.
    pub host: Arc<dyn Host>,
    /// What the desktop session reports.
    pub session: Arc<dyn SessionMonitor>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The way out to providers.
    pub http: Http,
    /// Whether there is a window beside the engine.
    pub window: bool,
    /// How consent is asked for.
    pub asking: ConsentMode,
    /// Without a window: the code that proves that an answer by `tokenry approve` is the user's.
    pub approval_code: Option<Secret>,
}

impl Options {
    /// The real parts of this machine.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn for_this_machine(folder: PathBuf, host: Arc<dyn Host>, window: bool) -> Result<Self, Error> {
        Ok(Self {
            folder,
            state: None,
            vault: VaultChoice::Auto,
            passphrase: None,
            keyring: Arc::new(OsKeyring::new(KEYRING_TIMEOUT)),
            host,
            session: Arc::new(DesktopSession::default()),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            http: Http::new().map_err(|error| Error::Unavailable(error.to_string()))?,
            window,
            asking: ConsentMode::default(),
            approval_code: None,
        })
    }
}

/// What opens the vault, and what a new vault is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VaultChoice {
    /// What the vault has a slot for; a new one is made with the OS keyring.
    #[default]
    Auto,
    /// The OS keyring and nothing else.
    Keyring,
    /// A passphrase, also together with the OS keyring where the vault is set up so, but never the keyring alone:
    /// servers, SSH.
    Passphrase,
}

impl FromStr for VaultChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "keyring" => Ok(Self::Keyring),
            "passphrase" => Ok(Self::Passphrase),
            _ => Err("must be auto, keyring or passphrase".to_owned()),
        }
    }
}
