//! What can go wrong with keys and sealed records.

use crate::{KeyringError, SlotKind};
use tokenry_core::Code;

/// What can go wrong with keys and sealed records. Each message says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The OS keyring could not be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keyring works and has nothing for this vault.
    #[error(
        "the OS keyring is open but has no key for this vault. It may be the keyring of another user or session, or \
         the entry \"Tokenry vault key\" was deleted; put it back from a backup of the keyring, or use the recovery \
         code, in the window or with `tokenry unlock --recovery`. No new key is made, because it could not open what is there"
    )]
    KeyringItemMissing,
    /// The item of this vault was not written by Tokenry.
    #[error(
        "the entry \"Tokenry vault key\" in the OS keyring is not one that Tokenry wrote. Put the original entry back \
         from a backup of the keyring, or use the recovery code, in the window or with `tokenry unlock --recovery`; \
         nothing was changed"
    )]
    KeyringItemNotOurs,
    /// The item is well-formed and its key is not the one this vault was made with.
    #[error(
        "the OS keyring holds the key of another vault. Put the original entry \"Tokenry vault key\" back from a \
         backup of the keyring, use the profile that belongs to this one, or use the recovery code, in the window or \
         with `tokenry unlock --recovery`; nothing was changed"
    )]
    KeyringHoldsAnotherKey,
    /// The keyring said it had stored the item, and gave back something else.
    #[error(
        "the OS keyring did not keep what was written to it. Look whether it is read-only or full and try again"
    )]
    KeyringDidNotKeep,
    /// No slot opens with this passphrase.
    #[error("this passphrase does not open the vault. Try again; nothing was changed")]
    WrongPassphrase,
    /// The recovery code is well-formed and not the one of this vault.
    #[error(
        "this recovery code does not open the vault. It may be of another profile, or a newer code has replaced it; \
         nothing was changed"
    )]
    WrongRecoveryCode,
    /// The vault cannot be unlocked this way.
    #[error("this vault is not set up to be opened with {}. Unlock it the way it was set up", .0.description())]
    NoSuchSlot(SlotKind),
    /// Every slot is gone.
    #[error(
        "the vault's wrapped key is gone: the database holds no way to open the vault any more. Nothing was changed; \
         put the profile folder back from a backup"
    )]
    NoSlots,
    /// The keys open the vault under the id that it had before, and not under the one that it has now.
    #[error(
        "the vault's id in the database was changed: it was {was} and is {is} now, so nothing in it opens. Nothing was \
         written; put the profile folder back from a backup"
    )]
    IdChanged {
        /// The id that the keys belong to.
        was: crate::VaultId,
        /// The id in the database.
        is: crate::VaultId,
    },
    /// A slot was changed or cut.
    #[error(
        "the vault's wrapped key is damaged, so the vault cannot be opened with it. Put the profile folder back from a \
         backup"
    )]
    SlotDamaged,
    /// A slot is of a kind or version that came later.
    #[error("the vault was set up by a newer Tokenry. Install the newest version and try again")]
    SlotFromNewerVersion,
    /// The parameters of the passphrase are outside of what is accepted.
    #[error(
        "the vault asks for {memory_kib} KiB, {passes} passes and {lanes} lanes to check a passphrase, and only 19 MiB \
         to 1 GiB, 2 to 10 passes and 1 to 16 lanes are accepted. Nothing was computed. Put the profile folder back \
         from a backup"
    )]
    CostOutOfBounds {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The machine has not enough memory to check a passphrase.
    #[error(
        "checking the passphrase takes {memory_kib} KiB of memory, which could not be had. Close something and try again"
    )]
    OutOfMemory {
        /// Memory in KiB.
        memory_kib: u32,
    },
    /// A sealed record did not open: changed, moved, put back from an older copy, or of another vault.
    #[error(
        "a record in the table {table} was changed, moved or put back from an older copy, so it is not used. Put the \
         profile folder back from a backup"
    )]
    RecordDamaged {
        /// The table it was read from.
        table: String,
    },
    /// More bytes than one record may hold.
    #[error("a record for the table {table} has {size} bytes; at most 16 MiB fit. Make it smaller")]
    TooLarge {
        /// The table it was meant for.
        table: String,
        /// Its size in bytes.
        size: usize,
    },
}

impl Error {
    /// Whether the files of the vault are at fault, and a backup mends them.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::NoSlots
                | Self::IdChanged { .. }
                | Self::SlotDamaged
                | Self::CostOutOfBounds { .. }
                | Self::RecordDamaged { .. }
        )
    }

    /// The contract's code for it.
    pub fn code(&self) -> Code {
        match self {
            Self::Keyring(error) => error.code(),
            Self::KeyringItemMissing | Self::KeyringDidNotKeep => Code::OauthUnavailable,
            Self::KeyringItemNotOurs | Self::KeyringHoldsAnotherKey => Code::OauthUnavailable,
            Self::WrongPassphrase | Self::WrongRecoveryCode => Code::VaultLocked,
            Self::NoSuchSlot(_) | Self::SlotFromNewerVersion => Code::Conflict,
            Self::NoSlots | Self::IdChanged { .. } => Code::Internal,
            Self::SlotDamaged | Self::CostOutOfBounds { .. } | Self::OutOfMemory { .. } => Code::Internal,
            Self::RecordDamaged { .. } => Code::Internal,
            Self::TooLarge { .. } => Code::PayloadTooLarge,
        }
    }
}
