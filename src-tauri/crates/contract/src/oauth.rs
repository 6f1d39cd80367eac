//! Messages of Tokenry's own authorization server.

use crate::ScopeWords;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// All scopes that an app can request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthScopes {
    pub scopes: Vec<ScopeWords>,
}

/// The authorization request of an app. Unknown parameters are ignored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct OAuthAuthorizeQuery {
    /// The app's id or name.
    pub client_id: String,
    /// A registered redirect URI of the app, exactly; a loopback URI may have any port.
    pub redirect_uri: String,
    /// `code`, also when not given.
    pub response_type: Option<String>,
    /// Scopes of this API, separated by spaces.
    pub scope: String,
    /// Returned unchanged.
    pub state: Option<String>,
    /// PKCE: the SHA-256 of the verifier, in base64url.
    pub code_challenge: String,
    /// `S256`.
    pub code_challenge_method: String,
}

/// The user's decision on an authorization request, which is identified by its parameters.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OAuthConsentRequest {
    /// The app's id or name.
    pub client_id: String,
    pub redirect_uri: String,
    /// Scopes of this API, separated by spaces.
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    pub code_challenge: String,
    /// `S256`.
    pub code_challenge_method: String,
    pub decision: OAuthDecision,
    /// The number of the prompt, which only the consent window knows.
    pub number: String,
    /// The connections that the app may use, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Uuid>,
    /// The same for credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Uuid>,
    /// Until when; without it, until the user revokes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Timestamp>,
}

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OAuthDecision {
    Approve,
    Deny,
}

/// The form of `/oauth/token`. A client with a secret sends it here or by HTTP Basic, not both.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthTokenRequest {
    /// `authorization_code` or `refresh_token`.
    pub grant_type: String,
    pub code: Option<String>,
    /// The redirect URI of the authorization request.
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<String>,
    pub refresh_token: Option<String>,
    /// With a refresh token: fewer scopes than it has.
    pub scope: Option<String>,
    pub client_id: Option<String>,
    /// The app's own token.
    pub client_secret: Option<String>,
}

/// Tokens for this API, not for a provider. The refresh token can be used once.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthTokenAnswer {
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// In seconds.
    pub expires_in: u64,
    pub refresh_token: String,
    /// Separated by spaces.
    pub scope: String,
}

/// The form of `/oauth/revoke` and `/oauth/introspect`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthTokenForm {
    pub token: String,
    /// Optional.
    pub token_type_hint: Option<String>,
    pub client_id: Option<String>,
    /// The app's own token.
    pub client_secret: Option<String>,
}

/// The state of a token. For a token of another client, and for one that has ended, only that it is not active.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthIntrospection {
    pub active: bool,
    /// Separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// `Bearer`, or absent for a refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Seconds since 1970, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Seconds since 1970, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
}

/// An error of `/oauth/token`, `/oauth/revoke` and `/oauth/introspect` (RFC 6749 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthErrorAnswer {
    /// The error code, for programs.
    pub error: String,
    /// What happened, and the next step.
    pub error_description: String,
}

/// The metadata of this authorization server (RFC 8414 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthMetadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub revocation_endpoint: String,
    pub introspection_endpoint: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<String>,
    pub response_modes_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: bool,
}
