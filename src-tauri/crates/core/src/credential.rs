//! Credentials that the user entered.

use crate::{AppId, CredentialId, CredentialType, Name, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A sealed secret that was entered by hand. (What a consent flow makes is a [`Connection`](crate::Connection).)
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// The project it belongs to.
    pub project: Name,
    /// Its name, unique within the project.
    pub name: Name,
    /// Which fields it must have. Never `oauth2_refresh`.
    pub kind: CredentialType,
    /// From each field to its value, base64 as it was given.
    pub data: BTreeMap<String, Secret>,
    /// Fields that are never returned again.
    pub redact_fields: BTreeSet<String>,
    /// When it is deleted.
    pub expires_at: Option<Timestamp>,
    /// The app that made it, if an app did.
    pub created_by: Option<AppId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its values were last handed out; written once a minute at most.
    pub last_used_at: Option<Timestamp>,
}
