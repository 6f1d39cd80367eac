//! Providers as the API shows, takes and changes them.

use crate::{PresetChoice, ProviderPreset, ProviderSettings};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// An authorization server and our client registration at it. Never holds the client secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthProvider {
    pub id: Uuid,
    /// Kebab-case, unique within the project.
    pub name: String,
    pub project: String,
    #[serde(flatten)]
    pub settings: ProviderSettings,
    pub has_client_secret: bool,
    /// Whether Tokenry registered this client itself (RFC 7591), so that there is nothing to register by hand.
    #[serde(default)]
    pub self_registered: bool,
    /// The redirect URIs to register at the provider, exactly as they are sent: the first is used, and the others when
    /// its port is taken. One without a port is for a provider that takes any port.
    pub redirect_uris: Vec<String>,
    /// The preset that it was made of.
    #[serde(default)]
    pub preset: Option<ProviderPreset>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
}

impl OAuthProvider {
    /// The read-only fields. They are left out when a shown provider is added again.
    pub const READ_ONLY: [&str; 7] = [
        "id",
        "has_client_secret",
        "self_registered",
        "redirect_uris",
        "preset",
        "created_at",
        "updated_at",
    ];
}

/// A new provider. `name`, `client_id` and the endpoints of its grant type are required, as far as no preset gives them; an
/// unknown field is an error.
#[derive(Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateProvider {
    /// Kebab-case, unique within the project.
    pub name: String,
    /// `default` when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Sealed at rest, never returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What gives the settings that are not given here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<PresetChoice>,
    #[serde(flatten)]
    pub settings: ProviderSettings,
}

/// A partial update: a JSON merge patch (RFC 7396). Only the members given change; `null` sets one back to its default,
/// and an empty string clears an optional text.
#[derive(Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateProvider {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Sealed at rest, never returned. `null` or an empty string clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = ProviderSettings))]
    pub settings: ProviderSettingsPatch,
}

/// Any of the settings of a provider; `null` is the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderSettingsPatch(pub Map<String, Value>);

/// How to remove a provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct DeleteProviderQuery {
    /// Disconnect its connections first; without it a provider that has some is a conflict.
    #[serde(default)]
    pub disconnect: bool,
}

/// Whether the caller has valid tokens at a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthProviderAuthStatus {
    pub oauth_provider_id: Uuid,
    pub oauth_provider_name: String,
    pub authenticated: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    pub scope: Option<String>,
}

/// The public keys of a client, for its registration at a provider (RFC 7517, 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 7517, 4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub x: String,
    pub y: String,
    pub kid: String,
    pub alg: String,
    pub r#use: String,
}
