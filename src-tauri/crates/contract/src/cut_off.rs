//! Cutting off: ending the access of an app, to a connection, or all of it.

use crate::{AuditEntry, Revoked};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What to cut off: exactly one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// This app; its id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// This connection; its id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Every app and every connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// What was ended, and what could not be taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokeAnswer {
    /// How many grants were ended, or lost a connection.
    pub grants: u64,
    /// How many tokens of Tokenry's own authorization server were ended.
    pub app_tokens: u64,
    /// How many permissions for a session were ended.
    pub sessions: u64,
    /// How many open permission requests were closed.
    pub prompts: u64,
    /// How many open sign-ins were cancelled.
    pub sign_ins: u64,
    /// The connections whose tokens were removed here, and what their providers did. They need a new sign-in.
    pub connections: Vec<RevokedConnection>,
    /// What was handed out and may still be valid, because nothing here can take it back.
    pub still_valid: Vec<AuditEntry>,
}

/// A connection that was cut off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedConnection {
    pub id: Uuid,
    pub name: String,
    /// What the provider did with the tokens. Null when the connection had none.
    pub revoked: Option<Revoked>,
    /// Why the provider did not revoke them, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When the last access token ends that was fetched for it, if that is known.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub tokens_expire_at: Option<Timestamp>,
}
