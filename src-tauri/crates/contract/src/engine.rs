use crate::{ConnectionStatus, ErrorCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the engine is. No names, no secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineStatus {
    pub version: String,
    /// The process that is the engine.
    pub pid: u32,
    /// Whether it has a window.
    pub window: bool,
    pub vault: Vault,
    pub providers: u64,
    /// How many connections there are of each status.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, u64>))]
    pub connections: BTreeMap<ConnectionStatus, u64>,
}

/// How the vault is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vault {
    pub state: VaultState,
    /// What can open it.
    pub slots: Vec<SlotKind>,
    /// Whether it is open for reading only, because it was rolled back.
    pub read_only: bool,
    /// Whether it is older than what was known of it, so that nothing is refreshed until that is accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older: bool,
    /// Why it is not open, when there is a reason beyond having been locked.
    pub code: Option<ErrorCode>,
    /// The same in words, with what to do next.
    pub message: Option<String>,
    /// Whether the OS keyring was asked to open it and has not answered yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting_for_keyring: bool,
}

/// Whether the vault is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VaultState {
    /// There is none yet.
    Absent,
    Locked,
    Unlocked,
    /// A part of it is gone or was changed; it is left as it is. The message says how to restore it.
    Damaged,
}

/// What can open a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    Keyring,
    KeyringAndPassphrase,
    Passphrase,
    RecoveryCode,
}

/// How to open the vault. Without a passphrase the OS keyring is asked.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UnlockRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// Make a vault when there is none. Never replaces one.
    #[serde(default)]
    pub create: bool,
}
