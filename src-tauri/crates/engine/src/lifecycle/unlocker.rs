//! What a vault is unlocked with.

use crate::Error;
use tokenry_core::Secret;
use tokenry_vault::{Error as VaultError, Keyring, RecoveryCode, SlotKind, Vault, VaultId};

/// What a vault is unlocked with.
pub(crate) enum Unlocker {
    Keyring,
    /// For a slot of its own, or for one that takes the OS keyring and a passphrase together.
    Passphrase(Secret),
    RecoveryCode(RecoveryCode),
}

impl From<Option<Secret>> for Unlocker {
    fn from(passphrase: Option<Secret>) -> Self {
        passphrase.map_or(Self::Keyring, Self::Passphrase)
    }
}

impl Unlocker {
    /// # Errors
    /// By the field `recovery_code`, when the text is no such code.
    pub(crate) fn recovery_code(typed: &Secret) -> Result<Self, Error> {
        let code = RecoveryCode::parse(typed);
        code.map(Self::RecoveryCode)
            .map_err(|error| Error::field("recovery_code", error.to_string()))
    }

    /// The recovery code or the passphrase, else the OS keyring.
    ///
    /// # Errors
    /// As [`Self::recovery_code`].
    pub(crate) fn given(passphrase: Option<Secret>, recovery_code: Option<Secret>) -> Result<Self, Error> {
        match recovery_code {
            Some(code) => Self::recovery_code(&code),
            None => Ok(passphrase.into()),
        }
    }

    /// Whether the user has to know it.
    pub(crate) fn is_known_by_heart(&self) -> bool {
        !matches!(self, Self::Keyring)
    }

    /// For the activity log, where it is worth a word.
    pub(crate) fn detail(&self) -> Option<&'static str> {
        matches!(self, Self::RecoveryCode(_)).then_some("with the recovery code")
    }

    /// The keys, and the lowest epoch that is acceptable with them.
    pub(crate) fn keys(
        &self,
        id: VaultId,
        slots: &[Vec<u8>],
        keyring: &dyn Keyring,
    ) -> Result<(Vault, u64), Error> {
        match self {
            Self::Keyring if !has(slots, SlotKind::Keyring) => Err(Error::Locked),
            Self::Keyring => {
                let (vault, floor) = tokenry_vault::unlock_with_keyring(id, slots, keyring)?;
                Ok((vault, floor.0))
            }
            Self::Passphrase(passphrase) => by_passphrase(id, slots, keyring, passphrase),
            Self::RecoveryCode(code) => Ok((tokenry_vault::unlock_with_recovery_code(id, slots, code)?, 0)),
        }
    }
}

fn by_passphrase(
    id: VaultId,
    slots: &[Vec<u8>],
    keyring: &dyn Keyring,
    passphrase: &Secret,
) -> Result<(Vault, u64), Error> {
    let alone = tokenry_vault::unlock_with_passphrase(id, slots, passphrase);
    match alone {
        Ok(vault) => Ok((vault, 0)),
        Err(error) if !has(slots, SlotKind::KeyringAndPassphrase) => Err(error.into()),
        Err(error) => {
            let both = tokenry_vault::unlock_with_keyring_and_passphrase(id, slots, keyring, passphrase);
            let (vault, floor) = both.map_err(|both| match error {
                // There are two passphrases, and the keyring does not tell which one was meant.
                VaultError::WrongPassphrase => VaultError::WrongPassphrase,
                _ => both,
            })?;
            Ok((vault, floor.0))
        }
    }
}

fn has(slots: &[Vec<u8>], kind: SlotKind) -> bool {
    slots
        .iter()
        .any(|slot| tokenry_vault::slot_kind(slot) == Ok(kind))
}
