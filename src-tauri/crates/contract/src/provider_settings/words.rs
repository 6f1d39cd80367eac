//! The words that the settings of a provider are made of.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Found at the first exchange: with a client secret `client_secret_post`, then `client_secret_basic`; without one
    /// `none`. What the provider takes is kept.
    #[default]
    Automatic,
    /// HTTP Basic with form-encoded parts (RFC 6749, 2.3.1).
    ClientSecretBasic,
    /// The client id and the secret in the body.
    ClientSecretPost,
    /// Only the client id: a public client.
    None,
    /// A JWT that the client secret signs (OpenID Connect Core, 9).
    ClientSecretJwt,
    /// A JWT that a key of the vault signs (RFC 7523, 2.2).
    PrivateKeyJwt,
    /// HTTP Basic with the client secret as the user name and an empty password.
    SecretAsUserName,
}

/// How the provider's response to a sign-in comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Redirect {
    /// `http://127.0.0.1:{port}/cb/{provider}`, at one of the provider's ports (RFC 8252, 7.3).
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

/// The form of the body of a request to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded` (RFC 6749, 4.1.3).
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// How an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HttpMethod {
    #[default]
    Get,
    Post,
}

/// The host of a loopback redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LoopbackHost {
    /// The IPv4 address (RFC 8252, 7.3).
    #[default]
    #[serde(rename = "127.0.0.1")]
    Ipv4,
    /// The IPv6 address.
    #[serde(rename = "[::1]")]
    Ipv6,
    /// The name, for providers that take no address.
    #[serde(rename = "localhost")]
    Localhost,
}

impl LoopbackHost {
    /// As it stands in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "127.0.0.1",
            Self::Ipv6 => "[::1]",
            Self::Localhost => "localhost",
        }
    }
}

/// The form of a deep link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeepLinkForm {
    /// `scheme:/path` (RFC 8252, 7.1).
    #[default]
    SingleSlash,
    /// `scheme://host/path`, for providers that take no other.
    DoubleSlash,
}

/// How tokens are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RevocationMethod {
    /// A form with `token` and client authentication (RFC 7009).
    #[default]
    Rfc7009,
    /// A POST with the access token as the bearer. The grant ends with it.
    Bearer,
    /// A DELETE with HTTP Basic and the token in a JSON body. Where `param_names` calls it `access_token`, only access
    /// tokens are sent, and the grant ends with one.
    Delete,
    /// Only the extra parameters of a revocation, in which `{token}` stands for the token, with client authentication
    /// where that is a header.
    Parameters,
}

/// What tells which account a connection belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountSource {
    /// The id token, else the userinfo endpoint where there is one, else the token response.
    #[default]
    Automatic,
    Userinfo,
    TokenResponse,
    Introspection,
}

/// A second exchange after the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExchangeStep {
    /// Where the request goes.
    pub endpoint: String,
    #[serde(default)]
    pub method: HttpMethod,
    /// Its parameters, in which `{access_token}`, `{client_id}` and `{client_secret}` are replaced.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Stored records and other programs depend on these words.
    #[test]
    fn the_words_of_the_settings_are_frozen() {
        let words = json!([
            [GrantType::AuthorizationCode, GrantType::ClientCredentials],
            [
                TokenEndpointAuthMethod::Automatic,
                TokenEndpointAuthMethod::ClientSecretBasic,
                TokenEndpointAuthMethod::ClientSecretPost,
                TokenEndpointAuthMethod::None,
                TokenEndpointAuthMethod::ClientSecretJwt,
                TokenEndpointAuthMethod::PrivateKeyJwt,
                TokenEndpointAuthMethod::SecretAsUserName
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
            [BodyFormat::Form, BodyFormat::Json],
            [HttpMethod::Get, HttpMethod::Post],
            [LoopbackHost::Ipv4, LoopbackHost::Ipv6, LoopbackHost::Localhost],
            [DeepLinkForm::SingleSlash, DeepLinkForm::DoubleSlash],
            [
                RevocationMethod::Rfc7009,
                RevocationMethod::Bearer,
                RevocationMethod::Delete,
                RevocationMethod::Parameters
            ],
            [
                AccountSource::Automatic,
                AccountSource::Userinfo,
                AccountSource::TokenResponse,
                AccountSource::Introspection
            ],
        ]);
        let frozen = json!([
            ["authorization_code", "client_credentials"],
            [
                "automatic",
                "client_secret_basic",
                "client_secret_post",
                "none",
                "client_secret_jwt",
                "private_key_jwt",
                "secret_as_user_name"
            ],
            ["loopback", "deep_link", "paste"],
            [{"kind": "none"}, {"kind": "grace", "seconds": 30}, {"kind": "strict"}, {"kind": "unknown"}],
            ["refresh", "exchange", "none", "unknown"],
            ["form", "json"],
            ["get", "post"],
            ["127.0.0.1", "[::1]", "localhost"],
            ["single_slash", "double_slash"],
            ["rfc7009", "bearer", "delete", "parameters"],
            ["automatic", "userinfo", "token_response", "introspection"],
        ]);
        assert_eq!(words, frozen);
    }
}
