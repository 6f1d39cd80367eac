//! The keys: seals and opens records, makes a vault, and unlocks it with the OS keyring, a passphrase, both, or a
//! recovery code.
//!
//! What must never be true of this crate: that it makes a new key where a vault exists, that it gives back a
//! plaintext of any other place than the one asked for, that it stores or shows a key in the clear, or that it
//! knows where records are kept. It works on bytes; the store is a stranger.
#![deny(missing_docs)]

mod cost;
mod encode;
mod error;
mod id;
mod item;
mod key;
mod keyring;
mod new_slot;
mod pad;
mod record;
mod recovery_code;
mod slot;
mod sum;
mod unlock;
mod vault;

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod slot_tests;
#[cfg(test)]
mod unlock_tests;
#[cfg(test)]
mod vault_tests;

pub use cost::Cost;
pub use error::Error;
pub use id::{Place, VaultId};
pub use item::EpochFloor;
#[cfg(any(test, feature = "memory"))]
pub use keyring::{Fault, MemoryKeyring};
pub use keyring::{Keyring, KeyringError, OsKeyring};
pub use new_slot::NewSlot;
pub use record::MAX_PLAINTEXT;
pub use recovery_code::{RecoveryCode, RecoveryCodeError};
pub use slot::slot_kind;
pub use sum::RunningSum;
pub use tokenry_core::SlotKind;
pub use unlock::{
    Created, check_slots, create_with_keyring, create_with_passphrase, raise_epoch_floor,
    unlock_with_keyring, unlock_with_keyring_and_passphrase, unlock_with_passphrase,
    unlock_with_recovery_code,
};
pub use vault::{TokenHasher, Vault};
