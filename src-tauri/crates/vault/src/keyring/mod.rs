//! The OS keyring, and what can be the matter with it.

#[cfg(any(test, feature = "memory"))]
mod memory;
#[cfg_attr(target_os = "linux", path = "os_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "os_elsewhere.rs")]
mod os;

#[cfg(any(test, feature = "memory"))]
pub use memory::{Fault, MemoryKeyring};
pub use os::OsKeyring;

use crate::VaultId;
use tokenry_core::Code;
use zeroize::Zeroizing;

/// Keeps one item per vault, so that several profiles live beside each other.
pub trait Keyring: Send + Sync {
    /// The item of this vault, if there is one. `None` proves nothing: some keyrings say so while they are locked or
    /// when there is no keyring at all.
    ///
    /// # Errors
    /// One for each state the keyring can be in.
    fn read(&self, id: VaultId) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError>;

    /// Writes the item of this vault, over the one that is there.
    ///
    /// # Errors
    /// One for each state the keyring can be in. After [`KeyringError::TimedOut`] it may still be written later.
    fn write(&self, id: VaultId, item: &[u8]) -> Result<(), KeyringError>;
}

/// Why the OS keyring could not be used. Each message says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// No keyring service answers.
    #[error(
        "no OS keyring answers in this session. Start Tokenry inside the desktop session, or install a keyring such as \
         gnome-keyring"
    )]
    Absent,
    /// A keyring service answers, and there is no keyring in it to write to.
    #[error(
        "the OS keyring service has no default keyring. Make one (in GNOME: Passwords and Keys, New, Password Keyring; \
         then Set as default) and try again"
    )]
    NoDefault,
    /// It is locked, and its question could not be shown.
    #[error(
        "the OS keyring is locked, and it could not ask for its password here. Unlock it in the desktop session and \
         try again"
    )]
    Locked,
    /// Its question was closed without an answer.
    #[error("the OS keyring asked for its password and was dismissed. Try again and answer its question")]
    Dismissed,
    /// It did not answer in time, mostly because its question is still open.
    #[error("the OS keyring did not answer in time. Look for its password window, answer it, and try again")]
    TimedOut,
    /// More than one item matches this vault.
    #[error(
        "the OS keyring has several entries \"Tokenry vault key\" for this vault, and only one can be right. Remove \
         the ones you added yourself and try again"
    )]
    Ambiguous,
    /// This build does not know the keyring of this operating system.
    #[error("the keyring of this operating system is not built in yet")]
    NotBuilt,
    /// Something else; the text is cleaned and holds no secret.
    #[error("the OS keyring failed: {0}. Try again; if it stays, restart the keyring service or the session")]
    Failed(String),
}

impl KeyringError {
    /// The contract's code for it.
    pub fn code(&self) -> Code {
        match self {
            Self::Absent | Self::NoDefault | Self::NotBuilt => Code::OauthUnavailable,
            Self::Ambiguous | Self::Failed(_) => Code::OauthUnavailable,
            Self::Locked | Self::Dismissed | Self::TimedOut => Code::VaultLocked,
        }
    }
}
