//! The settings of a provider. Each setting is defined, documented and given its default here, and nowhere else.

use crate::Members;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How Tokenry works with a provider. Addresses are texts here; `tokenry_core` checks and normalises them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// The name that people see. By default the provider's name.
    pub display_name: String,
    /// How the provider gives tokens.
    pub grant_type: GrantType,
    /// The issuer identifier, compared with `iss` in the provider's responses (RFC 9207, 2.4).
    pub issuer: Option<String>,
    /// Other values that the provider may send as `iss`.
    pub issuer_aliases: Vec<String>,
    /// Where the browser is sent (RFC 6749, 3.1). Required for `authorization_code`.
    pub authorization_endpoint: Option<String>,
    /// Where codes and refresh tokens are exchanged (RFC 6749, 3.2). Required.
    pub token_endpoint: Option<String>,
    /// Where refresh tokens are sent, when that is not the token endpoint.
    pub refresh_endpoint: Option<String>,
    /// Where tokens are revoked on disconnect (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Where Tokenry asks which account a connection belongs to (OpenID Connect Core, 5.3).
    pub userinfo_endpoint: Option<String>,
    /// The client id that the provider gave you. Required.
    pub client_id: String,
    /// How the client authenticates at the token endpoint (RFC 7591, 2). By default `client_secret_post` with a client
    /// secret, and `none` without one.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// The scopes of a sign-in that names none.
    pub default_scopes: Vec<String>,
    /// The text between two scopes in a request. By default one space.
    pub scope_separator: String,
    /// Whether a sign-in uses PKCE with S256 (RFC 7636). By default true.
    pub use_pkce: bool,
    /// Extra parameters of the authorization request.
    pub authorize_params: BTreeMap<String, String>,
    /// How the provider's response comes back, unless a sign-in says otherwise.
    pub redirect: Redirect,
    /// Whether the provider promises `iss` in its responses; then a response without it is rejected (RFC 9207, 2.4).
    pub authorization_response_iss_parameter_supported: bool,
    /// What happens to a refresh token that was used. It decides what a lost response means.
    pub rotation: Rotation,
    /// How the provider gives a token that can do less than its connection.
    pub narrowing: NarrowingMethod,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            display_name: String::new(),
            grant_type: GrantType::default(),
            issuer: None,
            issuer_aliases: Vec::new(),
            authorization_endpoint: None,
            token_endpoint: None,
            refresh_endpoint: None,
            revocation_endpoint: None,
            userinfo_endpoint: None,
            client_id: String::new(),
            token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
            default_scopes: Vec::new(),
            scope_separator: " ".to_owned(),
            use_pkce: true,
            authorize_params: BTreeMap::new(),
            redirect: Redirect::default(),
            authorization_response_iss_parameter_supported: false,
            rotation: Rotation::default(),
            narrowing: NarrowingMethod::default(),
        }
    }
}

impl ProviderSettings {
    /// The settings by name, as JSON.
    pub fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            // A struct of texts, lists and maps of texts is always an object.
            _ => Map::new(),
        }
    }

    /// The settings by name, as JSON and in the order of the struct.
    pub fn members(&self) -> Vec<(String, Value)> {
        let text = serde_json::to_string(self).unwrap_or_default();
        serde_json::from_str::<Members>(&text).unwrap_or_default().0
    }
}

/// The value of a setting as one line of text; `None` where it is empty.
pub fn setting_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => texts(list.iter()).join(" "),
        Value::Object(map) => match map.get("kind") {
            Some(kind) => {
                let rest = map.iter().filter(|(name, _)| *name != "kind");
                let rest: Vec<_> = rest.map(|(name, value)| format!("{name} {value}")).collect();
                let kind = setting_text(kind).unwrap_or_default();
                match rest.as_slice() {
                    [] => kind,
                    rest => format!("{kind} ({})", rest.join(", ")),
                }
            }
            None => {
                let pairs = map.iter().map(|(name, value)| {
                    let value = setting_text(value).unwrap_or_default();
                    format!("{name}={value}")
                });
                pairs.collect::<Vec<_>>().join("&")
            }
        },
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

fn texts<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    values
        .map(|value| setting_text(value).unwrap_or_default())
        .collect()
}

/// How a provider gives tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A user signs in (RFC 6749, 4.1).
    #[default]
    AuthorizationCode,
    /// The client signs in by itself (RFC 6749, 4.4).
    ClientCredentials,
}

/// How the client authenticates at the token endpoint (RFC 7591, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// HTTP Basic with form-encoded parts (RFC 6749, 2.3.1).
    ClientSecretBasic,
    /// The client id and the secret in the body.
    #[default]
    ClientSecretPost,
    /// Only the client id: a public client.
    None,
}

/// How the provider's response to a sign-in comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Redirect {
    /// `http://127.0.0.1:{port}/cb/{provider}` (RFC 8252, 7.3).
    #[default]
    Loopback,
    /// `io.github.tokenry:/cb/{provider}` (RFC 8252, 7.1).
    DeepLink,
    /// The user pastes the address at which the browser ended.
    Paste,
}

/// What a provider does with a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Rotation {
    /// It stays valid; to send it again is harmless.
    None,
    /// It is replaced; the old one works for `seconds` more.
    Grace { seconds: u32 },
    /// It is replaced; to send the old one again ends the grant.
    Strict,
    /// Unknown; treated as strict.
    #[default]
    Unknown,
}

/// How a provider gives a token that can do less than the connection, or is for one audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NarrowingMethod {
    /// By a refresh request with `scope`, `resource` or `audience` (RFC 6749, 6). Many servers that replace refresh
    /// tokens keep the narrower scope for good: set this only for a provider that does not.
    Refresh,
    /// By token exchange (RFC 8693); the grant is not touched.
    Exchange,
    /// Not at all.
    None,
    /// Unknown: by a refresh request where refresh tokens are not replaced, else not at all.
    #[default]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_has_a_text() {
        for (value, text) in [
            (json!(null), None),
            (json!(""), None),
            (json!([]), None),
            (json!({}), None),
            (json!(" "), Some(" ")),
            (json!(false), Some("false")),
            (json!(["a", "b"]), Some("a b")),
            (json!({"a": "1", "b": "2"}), Some("a=1&b=2")),
            (json!({"kind": "strict"}), Some("strict")),
            (
                json!({"kind": "grace", "seconds": 30}),
                Some("grace (seconds 30)"),
            ),
        ] {
            assert_eq!(setting_text(&value).as_deref(), text, "{value}");
        }
    }

    #[test]
    fn settings_that_are_left_out_have_their_defaults_and_an_unknown_one_is_an_error() {
        let read = |value| serde_json::from_value::<ProviderSettings>(value);
        assert_eq!(read(json!({})).unwrap(), ProviderSettings::default());
        assert!(read(json!({"colour": "blue"})).is_err());
        let members = ProviderSettings::default().members();
        assert_eq!(members[0].0, "display_name");
        assert_eq!(Map::from_iter(members), ProviderSettings::default().to_map());
    }

    /// Stored records and other programs depend on these words.
    #[test]
    fn the_words_of_the_settings_are_frozen() {
        let words = json!([
            [GrantType::AuthorizationCode, GrantType::ClientCredentials],
            [
                TokenEndpointAuthMethod::ClientSecretBasic,
                TokenEndpointAuthMethod::ClientSecretPost,
                TokenEndpointAuthMethod::None
            ],
            [Redirect::Loopback, Redirect::DeepLink, Redirect::Paste],
            [
                Rotation::None,
                Rotation::Grace { seconds: 30 },
                Rotation::Strict,
                Rotation::Unknown
            ],
            [
                NarrowingMethod::Refresh,
                NarrowingMethod::Exchange,
                NarrowingMethod::None,
                NarrowingMethod::Unknown
            ],
        ]);
        let frozen = json!([
            ["authorization_code", "client_credentials"],
            ["client_secret_basic", "client_secret_post", "none"],
            ["loopback", "deep_link", "paste"],
            [{"kind": "none"}, {"kind": "grace", "seconds": 30}, {"kind": "strict"}, {"kind": "unknown"}],
            ["refresh", "exchange", "none", "unknown"],
        ]);
        assert_eq!(words, frozen);
    }
}
