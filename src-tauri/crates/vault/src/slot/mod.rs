//! A slot: the vault's data key, wrapped for one way of unlocking.

mod format;
mod wrap;

pub(crate) use format::Slot;
pub(crate) use wrap::Opener;

use crate::Error;
use std::fmt;

/// A way of unlocking a vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotKind {
    /// The OS keyring's key.
    Keyring,
    /// The OS keyring's key and a passphrase, both needed.
    KeyringAndPassphrase,
    /// A passphrase alone, where there is no keyring: servers, SSH.
    Passphrase,
    /// A recovery code that was shown once.
    RecoveryCode,
}

impl SlotKind {
    fn number(self) -> u8 {
        match self {
            Self::Keyring => 1,
            Self::KeyringAndPassphrase => 2,
            Self::Passphrase => 3,
            Self::RecoveryCode => 4,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [
            Self::Keyring,
            Self::KeyringAndPassphrase,
            Self::Passphrase,
            Self::RecoveryCode,
        ]
        .into_iter()
        .find(|kind| kind.number() == number)
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyring => "the OS keyring",
            Self::KeyringAndPassphrase => "the OS keyring together with a passphrase",
            Self::Passphrase => "a passphrase",
            Self::RecoveryCode => "a recovery code",
        })
    }
}

/// What a slot is for. Needs no key and proves nothing: a slot is believed when it unlocks.
///
/// # Errors
/// [`Error::SlotDamaged`], or [`Error::SlotFromNewerVersion`] for a kind or a version that we do not know.
pub fn slot_kind(slot: &[u8]) -> Result<SlotKind, Error> {
    Ok(Slot::decode(slot)?.kind)
}
