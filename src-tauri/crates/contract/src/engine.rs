//! The state of the engine and of the vault.

use crate::{ConnectionStatus, ErrorCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of the engine, without names and secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineStatus {
    pub version: String,
    /// The engine's process id.
    pub pid: u32,
    /// Whether it has a window.
    pub window: bool,
    pub vault: Vault,
    pub providers: u64,
    /// The number of connections by status.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, u64>))]
    pub connections: BTreeMap<ConnectionStatus, u64>,
    /// Why no daily backup could be made, for a person; while unlocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_backup_failure: Option<String>,
}

/// The state of the vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vault {
    pub state: VaultState,
    /// The ways to unlock it.
    pub slots: Vec<SlotKind>,
    /// Whether it is read-only, because it was rolled back.
    pub read_only: bool,
    /// Whether it is an older copy, so that no connection is refreshed until the user accepts that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older: bool,
    /// Why it is locked, when there is a reason other than the user.
    pub code: Option<ErrorCode>,
    /// The same for a person, with the next step.
    pub message: Option<String>,
    /// Whether Tokenry waits for the OS keyring to unlock it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting_for_keyring: bool,
    /// How many requests wait until it is unlocked.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unlock_requests: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Whether the vault is unlocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VaultState {
    /// No vault exists yet.
    Absent,
    Locked,
    Unlocked,
    /// A part of it is missing or was changed. Tokenry leaves it as it is; the message says how to restore it.
    Damaged,
}

/// A way to unlock a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    Keyring,
    KeyringAndPassphrase,
    Passphrase,
    RecoveryCode,
}

impl SlotKind {
    /// Whether a passphrase is needed, alone or together with the OS keyring.
    pub fn takes_passphrase(self) -> bool {
        matches!(self, Self::Passphrase | Self::KeyringAndPassphrase)
    }

    /// For messages: what unlocks the vault.
    pub fn description(self) -> &'static str {
        match self {
            Self::Keyring => "the OS keyring",
            Self::KeyringAndPassphrase => "the OS keyring together with a passphrase",
            Self::Passphrase => "a passphrase",
            Self::RecoveryCode => "a recovery code",
        }
    }
}

/// A request that waits until the vault is unlocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnlockRequested {
    /// The path of the program that made the request: a label, not a proof.
    pub program: Option<String>,
    pub pid: Option<u32>,
}

/// How to unlock the vault: with a passphrase, with the recovery code, or without either from the OS keyring.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UnlockRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// In upper or lower case, with or without hyphens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
    /// Create a vault when none exists. A vault is never replaced.
    #[serde(default)]
    pub create: bool,
}
