//! Sign-ins.

use crate::{ErrorCode, Redirect};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many seconds a user has for a sign-in in the browser.
pub const FLOW_LIFETIME_SECONDS: u32 = 600;

/// A response usually takes less; after so many seconds a user is told what to check.
pub const USUAL_RESPONSE_SECONDS: u32 = 20;

/// Options of a sign-in. All are optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizeRequest {
    /// The label of the new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Scopes to request instead of the provider's default scopes; an empty list requests none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The redirect method, instead of the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Renew this connection (its id or name) instead of making a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// If another account than that of `connection` signs in, make another connection instead of refusing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_further: bool,
    /// Renew `connection` although the provider does not tell which account signed in: the user confirms that it is
    /// the same. Ignored for an app.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unknown_account: bool,
}

/// Options of a sign-in on another device. All are optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// The label of the new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Scopes to request instead of the provider's default scopes; an empty list requests none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Renew this connection (its id or name) instead of making a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// If another account than that of `connection` signs in, make another connection instead of refusing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_further: bool,
    /// Renew `connection` although the provider does not tell which account signed in: the user confirms that it is
    /// the same. Ignored for an app.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unknown_account: bool,
}

/// What the user does on another device (RFC 8628, 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceCode {
    /// The code that the user types. To show, also beside `verification_uri_complete`: the user compares it.
    pub user_code: String,
    /// The page where they type it.
    pub verification_uri: String,
    /// The same page with the code in its address, for a QR code or a link, if the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<String>,
    /// How many seconds Tokenry waits between two requests to the provider, at first.
    pub interval: u32,
}

/// A sign-in on another device that has started. Tokenry asks the provider by itself; follow the sign-in with
/// `GET /v1/flows/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAnswer {
    #[serde(flatten)]
    pub device: DeviceCode,
    pub flow_id: Uuid,
    pub connection_id: Uuid,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// Options of a sign-in, as a query string.
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
    /// The redirect method, instead of the provider's.
    #[serde(default)]
    pub redirect: Option<Redirect>,
}

/// Where to send the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorizeAnswer {
    /// The provider's own URL, with all parameters.
    pub authorization_url: String,
    /// The URL that Tokenry's own clients open. With a loopback redirect it belongs to Tokenry, sets a cookie and
    /// redirects to the provider. After it was visited, the redirect has to bring that cookie.
    pub browser_url: String,
    pub state: String,
    pub flow_id: Uuid,
    pub connection_id: Uuid,
    pub redirect: Redirect,
    pub redirect_uri: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// An authorization code that was received elsewhere, with its state.
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

/// Done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Success {
    pub success: bool,
}

/// The URL that the browser was redirected to.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallbackRequest {
    /// The whole URL, as the browser shows it.
    pub url: String,
}

/// The connection that a sign-in completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackAnswer {
    pub success: bool,
    pub connection_id: Uuid,
}

/// How long to wait for a sign-in to end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct FlowQuery {
    /// Respond when the sign-in has ended, or after this many seconds (at most 60).
    #[serde(default)]
    pub wait_seconds: Option<u32>,
    /// Respond, too, when more than this many responses were rejected (see `refusals`).
    #[serde(default)]
    pub refusals_seen: Option<u32>,
}

/// One sign-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Flow {
    pub id: Uuid,
    pub connection_id: Uuid,
    pub status: FlowStatus,
    /// How many responses of the browser were rejected while it waited.
    #[serde(default)]
    pub refusals: u32,
    /// Why it failed; while it waits, why the last response was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The provider's own URL, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// The URL that Tokenry's own clients open, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_url: Option<String>,
    /// The redirect URI that was sent, while it waits: the provider has to know exactly this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// The code for another device, while it waits. Such a sign-in has no URLs and no redirect URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceCode>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// The state of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FlowStatus {
    /// It waits for the user.
    Waiting,
    /// The connection was made.
    Connected,
    /// It ended without a connection.
    Failed,
    /// The user cancelled it.
    Cancelled,
    /// It was open for ten minutes, or its device code ended.
    Expired,
}
