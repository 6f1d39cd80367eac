//! The shapes of another service's connections interface, so that what was written for it works here. Their names
//! are theirs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Options of a sign-in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InitialiseRequest {
    /// The provider's authorization endpoint; it must be the registered one.
    pub authorize_url: String,
    /// The client ID of the registered provider.
    pub client_id: String,
    pub credential: InitialiseCredential,
    /// Extra parameters of the authorization request, as a URL-encoded query string. A parameter that Tokenry sets is
    /// an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_params: Option<String>,
    /// Leave out the scope `offline_access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_offline_access: Option<bool>,
    /// `none`, `login`, `consent`, `select_account`, or a value of the provider's own; join several by `+`. `login`
    /// when not given, unless `additionalParams` has `approval_prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The provider's default scopes when not given; an empty list requests none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// The credential that holds the client secret: its field `client_secret`, or the value of `raw`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InitialiseCredential {
    /// Its id or name.
    pub id: String,
    /// Its project, which is the provider's, too.
    #[serde(alias = "organisationID")]
    pub organisation_id: String,
}

/// Where to send the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InitialiseAnswer {
    /// The provider's own URL, with all parameters.
    pub url: String,
    /// The URL that Tokenry's own clients open; see `AuthorizeAnswer`.
    pub browser_url: String,
}

/// The query of a redirect from the provider.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct OAuth2CallbackQuery {
    /// The authorization code.
    pub code: Option<String>,
    /// Identifies the sign-in; required.
    pub state: Option<String>,
    /// The provider's error code.
    pub error: Option<String>,
    /// The provider's own description.
    pub error_description: Option<String>,
    /// The issuer (RFC 9207).
    pub iss: Option<String>,
}

/// The connection that a sign-in made, as a credential without its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RedactedCredential {
    pub id: Uuid,
    /// The project.
    #[serde(rename = "organisationID")]
    pub organisation_id: String,
    pub name: String,
    /// Always empty.
    pub data: BTreeMap<String, String>,
    /// Always `OAuth2Refresh`.
    #[serde(rename = "type")]
    pub kind: RedactedType,
    pub redact_fields: Vec<String>,
    /// Always absent: a connection is not deleted automatically.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// The type of a credential that a sign-in made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RedactedType {
    OAuth2Refresh,
}
