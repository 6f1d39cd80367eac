//! Backups: what is written, what is read, and the work that a caller follows.

use crate::{ErrorBody, PromptChange};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A backup to write.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateBackup {
    /// The file: an absolute path. The engine writes it.
    pub file: String,
    /// The age keys to encrypt it for (`age1…`), instead of a passphrase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// The passphrase to encrypt it with, instead of recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// Include refresh tokens. A rotating refresh token can live in one place only.
    #[serde(default)]
    pub with_refresh_tokens: bool,
    /// Replace a file of this name.
    #[serde(default)]
    pub replace: bool,
}

/// A backup to read. Exactly one of the passphrase, the identity and the identity file opens it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateRestore {
    /// The file: an absolute path. The engine reads it.
    pub file: String,
    /// The passphrase that it is encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// The content of an age identity file (`AGE-SECRET-KEY-1…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The path of an age identity file, which the engine reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_file: Option<String>,
}

/// How to restore a backup that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ApplyRestore {
    /// The ids of the items in conflict that replace what is here. All other conflicts stay as they are.
    #[serde(default)]
    pub replace: Vec<Uuid>,
}

/// Work on a backup, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: Uuid,
    pub kind: JobKind,
    pub state: JobState,
    /// How much of it is done.
    pub done: u64,
    /// Of how much; 0 while that is not known.
    pub total: u64,
    /// What was written, when a `backup` is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupMade>,
    /// What would be restored, when a `read_backup` is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<RestorePreview>,
    /// What was restored, when a `restore` is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Write a backup.
    Backup,
    /// Read a backup, and compare it with what is here.
    ReadBackup,
    /// Restore a backup that was read.
    Restore,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    Done,
    /// With an error. Nothing was left behind or changed.
    Failed,
    /// Nothing was left behind or changed.
    Cancelled,
}

/// How many entries of each kind a backup has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupCounts {
    pub providers: u64,
    pub connections: u64,
    pub credentials: u64,
    /// 1 or 0.
    pub settings: u64,
}

/// A backup that was written, synced, opened again and compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupMade {
    pub file: String,
    /// Its length.
    pub bytes: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub made_at: Timestamp,
    pub counts: BackupCounts,
    pub with_refresh_tokens: bool,
    /// What the user should know about its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// What a backup holds, beside what is here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestorePreview {
    /// To restore it with.
    pub id: Uuid,
    pub file: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub made_at: Timestamp,
    /// Whether it was made from this very vault.
    pub is_of_this_vault: bool,
    pub with_refresh_tokens: bool,
    pub counts: BackupCounts,
    /// Until when it can be restored. A lock ends it, too.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// Providers first, then credentials, connections and the settings.
    pub items: Vec<RestoreItem>,
}

/// One thing of a backup, beside what is here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestoreItem {
    /// Its id in the backup; all zeros for the settings.
    pub id: Uuid,
    pub kind: RestoreKind,
    pub name: String,
    pub state: RestoreState,
    /// What differs: `from` is here, `to` is in the backup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<PromptChange>,
    /// What else the user should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether it can replace what is here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub can_replace: bool,
    /// The id of its provider, if that has to be replaced for it to be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Uuid>,
    /// Whether the connection needs a new sign-in after the restore.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_sign_in: bool,
}

/// What an item of a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RestoreKind {
    Provider,
    Credential,
    Connection,
    Settings,
}

/// How an item of a backup stands beside what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RestoreState {
    /// It is added.
    New,
    /// It is here, and nothing of it differs.
    Same,
    /// It differs from what is here, or its name is taken. It stays as it is unless it is replaced.
    Conflict,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Restored {
    pub added: u64,
    pub replaced: u64,
    /// Were here already.
    pub same: u64,
    /// Stay as they are here, because they were in conflict.
    pub left: u64,
    /// The names of the restored connections that need a new sign-in.
    pub needs_sign_in: Vec<String>,
}

/// The daily backup.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DailyBackup {
    pub enabled: bool,
    /// The folder of the copies. The last seven of this vault are kept.
    pub folder: Option<String>,
    pub recipients: Vec<String>,
    /// Whether it is encrypted with a passphrase, which the vault keeps and no response returns.
    pub has_passphrase: bool,
    pub with_refresh_tokens: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub made_at: Option<Timestamp>,
    /// The last copy.
    pub file: Option<String>,
    /// Why there is no newer one.
    pub failure: Option<String>,
}

/// What to change of the daily backup. Only the given fields change.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateDailyBackup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// An absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Instead of a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<String>>,
    /// Instead of recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_refresh_tokens: Option<bool>,
}
