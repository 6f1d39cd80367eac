use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One account at one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connection {
    pub id: Uuid,
    /// What `tokenry` takes for it: the provider's name, or `provider/label`.
    pub name: String,
    pub provider_id: Uuid,
    pub provider_name: String,
    pub label: Option<String>,
    pub account: Option<Account>,
    pub status: ConnectionStatus,
    /// Why, when the status is `needs_reauth`.
    pub reason: Option<ReauthReason>,
    /// What is going wrong at the moment; never changes the status by itself.
    pub trouble: Option<Trouble>,
    pub scopes: Vec<String>,
    /// Asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// What the user should know about it, and what to do: scopes that were lost, for example.
    pub notice: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// When Tokenry will refresh it by itself.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub refresh_at: Option<Timestamp>,
    pub refreshable: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_refreshed_at: Option<Timestamp>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    /// The open flow, while the status is `pending`.
    pub flow_id: Option<Uuid>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
}

/// Whose account it is, as the provider says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    Pending,
    Active,
    Refreshing,
    NeedsReauth,
    Paused,
    Disconnecting,
}

/// Why a person has to connect again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReauthReason {
    /// The provider answered `invalid_grant`.
    Revoked,
    /// The access token ended and there is no refresh token.
    Expired,
    /// The answer to a refresh was lost, and the provider does not accept a used refresh token again.
    LostResponse,
    /// The grant has fewer scopes than needed.
    ScopeMissing,
    /// The provider does not accept the client any more.
    ClientRejected,
    /// The provider refused to refresh twice with the same words; it is tried again every hour.
    Refused,
    /// The provider answered a refresh with the tokens of another account.
    OtherAccount,
}

/// A failure that may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trouble {
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    pub message: String,
    /// How many times in a row.
    pub attempts: u32,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub next_try_at: Option<Timestamp>,
}

/// What of a connection a person may change. Only the fields given change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchConnection {
    /// An empty string clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Paused: no refresh and no hand-out until it is false again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// What a connection by client credentials may be given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectRequest {
    /// The label of the new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What a caller wants of a token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The token must live at least this long, in seconds; else it is refreshed first. A provider that grants
    /// less than that gives what it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_valid_seconds: Option<u32>,
    /// Fewer scopes than the connection has, with a space between. Where its provider can narrow a token without harm
    /// to the grant (see `narrowing` of the provider), the token can do no more than this; where it cannot, `scope` of
    /// the answer says what it can do, or it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Who the token is for, as the provider calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where the token will be used: an absolute URI without a fragment (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Send an `audience` or a `resource` that neither the provider's settings nor an earlier sign-in had, although a
    /// refusal may cost the sign-in at this provider. Ignored for an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_unknown_target: Option<bool>,
}

/// An access token. The only answer that holds one.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    pub access_token: String,
    pub token_type: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    pub scope: Option<String>,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What became of a disconnect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisconnectAnswer {
    /// The tokens are gone from this machine.
    pub success: bool,
    pub revoked: Revoked,
    /// Why the provider did not revoke them, or not yet, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whether the provider revoked the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// It did.
    Yes,
    /// It refused.
    No,
    /// It could not be reached, or not do it now; Tokenry goes on trying.
    Pending,
    /// It has no way to.
    Unsupported,
}
