//! What a backup holds. The next version reads what this one writes, so a member never changes its meaning.

use serde::{Deserialize, Serialize};
use tokenry_core::{
    Account, ConnectionId, Credential, CredentialId, KnownTargets, Provider, ProviderId, ReauthReason,
    RefreshTokenLife, Scopes, Secret, Settings, Timestamp,
};

/// The word that a backup is known by.
pub const FORMAT: &str = "tokenry-backup";

/// The version of the format that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The id of the vault that it was made from.
    pub vault: String,
    /// When.
    pub made_at: Timestamp,
    /// Whether it holds refresh tokens.
    pub with_refresh_tokens: bool,
    /// How many entries of each kind follow.
    pub counts: Counts,
}

/// How many entries of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Providers.
    pub providers: u64,
    /// Connections.
    pub connections: u64,
    /// Credentials that were entered by hand.
    pub credentials: u64,
    /// Settings: one record or none.
    pub settings: u64,
}

impl Counts {
    /// All of them.
    pub fn sum(&self) -> u64 {
        [self.providers, self.connections, self.credentials, self.settings]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Counts one more.
    pub fn add(&mut self, entry: &Entry) {
        let count = match entry {
            Entry::Provider(_) => &mut self.providers,
            Entry::Connection(_) => &mut self.connections,
            Entry::Credential(_) => &mut self.credentials,
            Entry::Settings(_) => &mut self.settings,
        };
        *count = count.saturating_add(1);
    }
}

/// One line.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A provider, with its client secret.
    Provider(Box<Provider>),
    /// A connection. Never its access token.
    Connection(Box<SavedConnection>),
    /// A credential, with its values.
    Credential(Box<Credential>),
    /// The user's settings.
    Settings(Box<Settings>),
}

/// A connection in a backup: what a sign-in or a restore cannot know again, and no access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Its provider.
    pub provider: ProviderId,
    /// The user's word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Its status when the backup was made.
    pub status: SavedStatus,
    /// Why it needed a new sign-in, while its status is that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReauthReason>,
    /// The scopes that were requested.
    #[serde(default)]
    pub requested_scopes: Scopes,
    /// The scopes that were granted.
    #[serde(default)]
    pub granted_scopes: Scopes,
    /// The credential that holds the client secret it is refreshed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_from: Option<CredentialId>,
    /// Whether its provider narrows tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrows: Option<bool>,
    /// Whether its provider rotates refresh tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotates: Option<bool>,
    /// Whether a narrowed token has cost scopes of the grant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loses_scopes: bool,
    /// Known audiences and resources.
    #[serde(default, skip_serializing_if = "KnownTargets::is_empty")]
    pub targets: KnownTargets,
    /// The resource that its sign-in named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// How long its refresh token lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_life: Option<RefreshTokenLife>,
    /// Its refresh token, where the user asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// The key that it is bound to (RFC 9449), which comes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_key: Option<Secret>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The status of a connection in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedStatus {
    /// It had tokens.
    Active,
    /// It was paused.
    Paused,
    /// It needed a new sign-in.
    NeedsReauth,
}
