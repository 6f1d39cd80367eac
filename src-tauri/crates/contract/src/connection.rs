//! Connections and access tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One account at one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connection {
    pub id: Uuid,
    /// Its name for `tokenry`: the provider's name, or `provider/label`.
    pub name: String,
    pub provider_id: Uuid,
    pub provider_name: String,
    pub label: Option<String>,
    pub account: Option<Account>,
    pub status: ConnectionStatus,
    /// Why, when the status is `needs_reauth`.
    pub reason: Option<ReauthReason>,
    /// The last failure that may pass; it never changes the status by itself.
    pub trouble: Option<LastFailure>,
    /// What the provider granted.
    pub scopes: Vec<String>,
    /// What the last sign-in asked for.
    #[serde(default)]
    pub requested_scopes: Vec<String>,
    /// Requested and not granted.
    pub missing_scopes: Vec<String>,
    /// The names of the values that its sign-in brought (`captures` of the provider).
    #[serde(default)]
    pub captured: Vec<String>,
    /// The addresses that the user bound to it: its tokens may go there, before those of any other connection.
    #[serde(default)]
    pub bindings: Vec<String>,
    /// What the user should know about it and do: about lost scopes, for example.
    pub notice: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// When Tokenry will refresh it automatically.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub refresh_at: Option<Timestamp>,
    pub refreshable: bool,
    /// When the sign-in ends that only the user can renew, as far as it is known.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub sign_in_again_before: Option<Timestamp>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_refreshed_at: Option<Timestamp>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    /// The open sign-in, while the status is `pending`.
    pub flow_id: Option<Uuid>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
}

/// The account, as the provider reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// What to call it: its address, else its name, else its subject.
    pub display_name: String,
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The address of a picture. Tokenry does not fetch it.
    #[serde(default)]
    pub picture: Option<String>,
}

/// The status of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    Pending,
    Active,
    Refreshing,
    /// Tokens are there, and the user has to sign in again soon: before `sign_in_again_before`.
    Expiring,
    NeedsReauth,
    Paused,
    Disconnecting,
}

/// Why the user has to sign in again.
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
    /// The provider refused to refresh twice with the same message. Tokenry tries again every hour.
    Refused,
    /// The provider answered a refresh with the tokens of another account.
    OtherAccount,
    /// It was restored from a backup without its refresh token.
    Restored,
    /// The user cut the connection off: its tokens were removed here.
    CutOff,
}

/// A failure that may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastFailure {
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    pub message: String,
    /// How many times in a row.
    pub attempts: u32,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub next_try_at: Option<Timestamp>,
}

/// What a user can change of a connection. Only the given fields change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchConnection {
    /// An empty string removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// While paused it is not refreshed, and no program gets a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// All addresses that are bound to it, such as `https://github.com/acme`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Vec<String>>,
}

/// Options of a connection by client credentials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectRequest {
    /// The label of the new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The token that a caller requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The token must be valid for at least this many seconds; else it is refreshed first. A provider may grant a
    /// shorter time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_valid_seconds: Option<u32>,
    /// Fewer scopes than the connection has, separated by spaces. Where the provider can narrow a token without harm
    /// to the grant (see `narrowing` of the provider), the token is limited to them. Where it cannot, the request is
    /// refused, or `scope` of the response says what the token can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Who the token is for, by the provider's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where the token will be used: an absolute URI without a fragment (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Send an `audience` or a `resource` that neither the provider's settings nor an earlier sign-in had, although a
    /// refusal may end the sign-in at this provider. Ignored for an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_unknown_target: Option<bool>,
    /// Give the id token of the connection, too. One that has ended is renewed first, where the provider gives a new one
    /// with a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<bool>,
}

/// An access token. No other response holds one.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    pub access_token: String,
    /// `Bearer`, or `DPoP` for a token that is bound to a key: each request with it needs a proof (RFC 9449).
    pub token_type: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    pub scope: Option<String>,
    /// The id token, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// A request that is sent with a bound token (RFC 9449).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DpopRequest {
    /// Its HTTP method.
    pub method: String,
    /// Its address. The query and the fragment are not part of the proof.
    pub url: String,
    /// The nonce that the server gave in `DPoP-Nonce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The hash of the access token that it carries: SHA-256 in base64url. By default that of the connection's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
}

/// A proof for one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DpopProof {
    /// The value of the header `DPoP`. Servers take it once, and only for a short while.
    pub proof: String,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// An access token that a resource rejected, although it should be valid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RejectedToken {
    /// The SHA-256 of the access token, as 64 hexadecimal digits. The token itself is never sent.
    pub fingerprint: String,
    /// What the resource wants instead, from its `WWW-Authenticate`. Then nothing is refreshed: the user is asked to
    /// sign in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
}

/// What a resource wants of a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    pub error: ChallengeError,
    /// The scopes that it wants, separated by spaces; for `insufficient_scope`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The authentication contexts that it accepts; for `insufficient_user_authentication` (RFC 9470).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
    /// How many seconds ago the user may have signed in; for `insufficient_user_authentication`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// The resource: an absolute URI without a fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// Why a resource refuses a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChallengeError {
    /// The token needs more scopes (RFC 6750, 3.1).
    InsufficientScope,
    /// The user has to sign in in another way, or more recently (RFC 9470, 3).
    InsufficientUserAuthentication,
}

/// What became of a rejected token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedAnswer {
    pub outcome: RejectedOutcome,
    /// The sign-in that waits for the user, with the outcome `sign_in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<Uuid>,
    /// Whether Tokenry opened the browser for it. If not, `POST /v1/flows/{id}/open` does, or the user in the window.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub browser_opened: bool,
}

/// What to do after a token was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RejectedOutcome {
    /// It was refreshed. Get the new token.
    Refreshed,
    /// It is not the current token. Get that one; nothing was sent to the provider.
    Newer,
    /// The user agreed to sign in again. Wait for that, then get the new token.
    SignIn,
}

/// The result of a disconnect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisconnectAnswer {
    /// The tokens were deleted on this machine.
    pub success: bool,
    pub revoked: Revoked,
    /// Why the provider did not revoke them, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whether the provider revoked the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// Yes.
    Yes,
    /// It refused.
    No,
    /// It could not be reached, or could not do it now. Tokenry keeps trying.
    Pending,
    /// It does not support revocation.
    Unsupported,
}
