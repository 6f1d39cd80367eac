//! Changing how the vault is unlocked.

use serde::{Deserialize, Serialize};

/// A way to unlock the vault that is added, or replaces the one of its kind.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetSlot {
    /// The new passphrase, 8 to 1024 characters, for a kind that takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_passphrase: Option<String>,
    /// The current passphrase. It or the recovery code is needed where the OS keyring does not unlock the vault alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// The recovery code, instead of the current passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
}

/// What proves that a change is the user's, where the OS keyring does not unlock the vault alone: one of these.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotProof {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
}

/// A recovery code: seven groups of five characters. It is shown once, and unlocks the vault on its own.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecoveryCode {
    pub code: String,
}
