//! What an address tells of a provider, before anything is kept.

use crate::ProviderSettingsPatch;
use serde::{Deserialize, Serialize};

/// An address to look up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DiscoverRequest {
    /// An issuer, an MCP server or another protected resource, a host name, or the address of a metadata document.
    pub address: String,
    /// Which of the resource's authorization servers is meant. By default the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
    /// Whether the address may be http on a private address or a `.local` or `.home.arpa` name. What is sent then is not
    /// encrypted.
    #[serde(default)]
    pub allow_private_http: bool,
    /// A file of certificates in PEM form that are trusted at this provider, besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Whether a resource may describe itself by a shorter address on the same host, which covers the given one.
    #[serde(default)]
    pub accept_parent_resource: bool,
}

/// What an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiscoveredKind {
    /// An authorization server (RFC 8414, OpenID Connect Discovery).
    Issuer,
    /// A protected resource, such as an MCP server (RFC 9728).
    ProtectedResource,
}

/// How Tokenry registers itself at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMethod {
    /// The provider makes a client id (RFC 7591).
    Dynamic,
}

/// What a provider's metadata offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offered {
    /// PKCE with S256 (RFC 7636).
    pub pkce: bool,
    /// `iss` in its responses (RFC 9207).
    pub iss_parameter: bool,
    /// Revocation (RFC 7009).
    pub revocation: bool,
    /// Pushed authorization requests (RFC 9126).
    pub pushed_authorization_requests: bool,
    /// Tokens that are bound to a key, with ES256 (RFC 9449).
    pub dpop: bool,
    /// Sign-in with a code on another device (RFC 8628).
    pub device_flow: bool,
    /// Registration of clients (RFC 7591).
    pub registration: bool,
    /// Client ids that are the address of a metadata document.
    pub client_id_metadata_documents: bool,
}

/// Registers Tokenry at a provider that was looked up, and adds it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// What was looked up.
    pub look_up: DiscoverRequest,
    /// Kebab-case, unique within the project.
    pub name: String,
    /// `default` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The settings that were found, with the changes of the user. Where a user and their secrets go has to be as it was
    /// found.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
    pub settings: ProviderSettingsPatch,
    /// For a provider that registers only clients that bring one. Not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_access_token: Option<String>,
}

/// What an address told. Nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Discovered {
    pub kind: DiscoveredKind,
    /// The address that was looked up.
    pub address: String,
    /// A name for the provider, made from its host.
    pub name: String,
    /// Those of `ProviderSettings` that differ from the defaults. `client_id` is not among them.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
    pub settings: ProviderSettingsPatch,
    /// The authorization servers that the resource names.
    pub authorization_servers: Vec<String>,
    pub offered: Offered,
    /// The redirect URIs to register where a client is registered by hand: they end with the name, and stay the same when
    /// the provider is added with the ports of `settings`.
    pub redirect_uris: Vec<String>,
    /// How Tokenry can register itself there. Null: a client has to be registered by hand.
    pub registration: Option<RegistrationMethod>,
    /// What to know before the provider is kept.
    pub warnings: Vec<String>,
}
