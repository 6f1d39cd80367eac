//! The check of a vault after damage, and the copy of what still opens.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How to open the keys for the check. Not needed while the vault is unlocked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckVaultRequest {
    /// Without it, the OS keyring opens them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// The recovery code, instead of a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
}

impl fmt::Debug for CheckVaultRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckVaultRequest").finish_non_exhaustive()
    }
}

/// What is right with a vault, and what is wrong. Names, but no values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VaultCheck {
    pub whole: bool,
    /// Each part that was checked.
    pub parts: Vec<CheckedPart>,
    /// What is wrong; at most 1,000.
    pub problems: Vec<VaultProblem>,
    /// How many more problems there are.
    pub more_problems: u64,
}

/// A part of the vault, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckedPart {
    /// `files`, `database`, `keys`, `manifest`, `activity log`, `spilled records`, or a table.
    pub part: String,
    pub whole: bool,
    /// How it is, in a few words.
    pub text: String,
}

/// Something that is wrong with a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VaultProblem {
    /// The part, as in [`CheckedPart`].
    pub part: String,
    /// The row of the table, if it is known.
    pub row: Option<i64>,
    /// What the record is about, if it is known: the name of a connection, for example.
    pub name: Option<String>,
    /// What is wrong.
    pub text: String,
}

/// Where to copy what still opens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SalvageRequest {
    /// The folder of the new profile: an absolute path. It must be empty or not exist.
    pub folder: String,
    /// Opens the damaged vault, where the OS keyring does not, and the new one. Without it, the OS keyring opens both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// The recovery code of the damaged vault. Then the passphrase opens only the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
}

impl fmt::Debug for SalvageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SalvageRequest")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// What was copied into the new profile, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SalvageAnswer {
    /// The folder of the new profile, without links in its path.
    pub folder: String,
    /// The folder of the old profile, which is as it was.
    pub old_folder: String,
    pub copied: Vec<CopiedRecords>,
    /// How many of the copied connections have a refresh token. Only one of the two profiles may use it.
    pub refresh_tokens: u64,
    /// What was not copied, and why; at most 1,000.
    pub lost: Vec<VaultProblem>,
    /// How much more was not copied.
    pub more_lost: u64,
}

/// How many records of one kind were copied, and their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CopiedRecords {
    /// The table, or `activity log`.
    pub part: String,
    pub count: u64,
    /// The names, where the records have any; at most 1,000.
    pub names: Vec<String>,
}
