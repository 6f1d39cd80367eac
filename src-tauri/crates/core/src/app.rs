//! Apps and grants.

use crate::{ApiScope, AppId, ConnectionId, CredentialId, GrantId, Name, Scopes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Another program of this machine that is known by a client id, and perhaps by a token of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct App {
    /// Its id, which is also its `client_id`.
    pub id: AppId,
    /// Its name, unique among the apps.
    pub name: Name,
    /// Where our authorization server may send its codes; compared exactly, but for the port of a loopback address
    /// (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    /// The keyed hash of its own token, which is its client secret too. Without one it is a public client: it can
    /// only ask for consent, every time anew (RFC 8252 §8.6).
    pub token_hash: Option<[u8; 32]>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last made use of a grant, which reading a list is not; written once a minute at most.
    pub last_used_at: Option<Timestamp>,
}

/// What an app may do, until when, and with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Whose it is.
    pub app: AppId,
    /// Which operations.
    pub scopes: BTreeSet<ApiScope>,
    /// With which connections, for the scopes that concern one.
    pub connections: BTreeSet<ConnectionId>,
    /// With which credentials, for `credentials:read` and `credentials:write`.
    pub credentials: BTreeSet<CredentialId>,
    /// The most that a token may do at its provider; `None` is whatever the connection holds.
    pub token_scopes: Option<Scopes>,
    /// Whether it holds while the vault is locked, too, where the settings allow that: for access tokens that still
    /// live.
    #[serde(default)]
    pub while_locked: bool,
    /// When it ends; `None` is when the person takes it away.
    pub expires_at: Option<Timestamp>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it was last made use of, as for the app.
    pub last_used_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it still holds at this moment.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}
