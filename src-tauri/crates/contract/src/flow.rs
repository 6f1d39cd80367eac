use crate::{ErrorCode, Redirect};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How a consent flow is to be started, as a body. All of it is optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizeRequest {
    /// The label of the new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Instead of the provider's default scopes; of an empty list, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Instead of the provider's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Renew this connection (its id or name) instead of making a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Where another account signs in than that of `connection`, make a further connection instead of refusing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_further: bool,
    /// Renew `connection` although the provider does not tell which account signed in: the user says that it is the
    /// same. Ignored from an app.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unknown_account: bool,
}

/// The same in a query string, for the GET form of the reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct AuthorizeQuery {
    /// The label of the new connection.
    #[serde(default)]
    pub label: Option<String>,
    /// Scopes, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// Instead of the provider's own choice.
    #[serde(default)]
    pub redirect: Option<Redirect>,
}

/// Where to send the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorizeAnswer {
    /// The provider's own address, with all parameters.
    pub authorization_url: String,
    /// The address that Tokenry's own clients open. With a loopback redirect it is Tokenry's own, which gives the
    /// browser a cookie and passes on to the provider; once it was visited, the answer has to bring that cookie.
    pub browser_url: String,
    pub state: String,
    pub flow_id: Uuid,
    pub connection_id: Uuid,
    pub redirect: Redirect,
    pub redirect_uri: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// A code that arrived somewhere else, with its state.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExchangeRequest {
    pub code: String,
    pub state: String,
    /// The `iss` of the redirect, when there was one (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// It was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Success {
    pub success: bool,
}

/// The address the browser was redirected to.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallbackRequest {
    /// The whole address, as the browser shows it.
    pub url: String,
}

/// The connection that an answer completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackAnswer {
    pub success: bool,
    pub connection_id: Uuid,
}

/// How long to wait for a flow to end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct FlowQuery {
    /// Answer when the flow has ended, or after this many seconds (at most 60).
    #[serde(default)]
    pub wait_seconds: Option<u32>,
    /// Answer, too, when more answers were refused than this (see `refusals`).
    #[serde(default)]
    pub refusals_seen: Option<u32>,
}

/// One consent flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Flow {
    pub id: Uuid,
    pub connection_id: Uuid,
    pub status: FlowStatus,
    /// How many answers of the browser were refused while it waited.
    #[serde(default)]
    pub refusals: u32,
    /// Why, when it failed; while it waits, why the last answer was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The provider's own address, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// The address that Tokenry's own clients open, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_url: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// Where a flow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FlowStatus {
    /// The browser is away.
    Waiting,
    /// The connection is there.
    Connected,
    /// It ended without one.
    Failed,
    /// The person called it off.
    Cancelled,
    /// Ten minutes went by.
    Expired,
}
