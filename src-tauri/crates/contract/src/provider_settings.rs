//! The settings of a provider. Each setting is defined, documented and given its default here, and nowhere else.

mod words;

pub use words::*;

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
    /// Where the browser is sent (RFC 6749, 3.1). Required for `authorization_code`, unless there is a device
    /// authorization endpoint.
    pub authorization_endpoint: Option<String>,
    /// Where codes and refresh tokens are exchanged (RFC 6749, 3.2). Required.
    pub token_endpoint: Option<String>,
    /// Where refresh tokens are sent, when that is not the token endpoint.
    pub refresh_endpoint: Option<String>,
    /// Where tokens are revoked on disconnect (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Where Tokenry asks which account a connection belongs to (OpenID Connect Core, 5.3).
    pub userinfo_endpoint: Option<String>,
    /// Where a sign-in with a code on another device starts (RFC 8628, 3.1).
    pub device_authorization_endpoint: Option<String>,
    /// Where the parameters of a sign-in are sent before the browser opens (RFC 9126).
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Whether the provider takes no sign-in without that (RFC 9126, 5).
    pub require_pushed_authorization_requests: bool,
    /// Where a token is described (RFC 7662). Tokenry only asks which account it belongs to.
    pub introspection_endpoint: Option<String>,
    /// Where clients register themselves (RFC 7591).
    pub registration_endpoint: Option<String>,
    /// Where the keys are that sign id tokens (RFC 8414, 2).
    pub jwks_uri: Option<String>,
    /// The client id that the provider gave you. Required.
    pub client_id: String,
    /// How the client authenticates at the token endpoint (RFC 7591, 2). By default Tokenry finds it.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// The scopes of a sign-in that names none.
    pub default_scopes: Vec<String>,
    /// The text between two scopes in a request. By default one space.
    pub scope_separator: String,
    /// Whether the scopes are sent as they are, without percent-encoding of `:`, `/`, `,` and `+`.
    pub raw_scope: bool,
    /// The scope that asks for a refresh token. A sign-in adds it.
    pub offline_scope: Option<String>,
    /// Whether a sign-in that asks for `offline_access` sends `prompt=consent` (OpenID Connect Core, 11). By default
    /// true.
    pub prompt_consent_for_offline_access: bool,
    /// Whether a sign-in uses PKCE with S256 (RFC 7636). By default true.
    pub use_pkce: bool,
    /// Whether every sign-in sends a `nonce`, also without the scope `openid`.
    pub always_send_nonce: bool,
    /// Extra parameters of the authorization request.
    pub authorize_params: BTreeMap<String, String>,
    /// The fragment of the address that the browser is sent to, for sign-in pages that read one: the parameters follow
    /// in it.
    pub authorize_fragment: Option<String>,
    /// Extra parameters of the code exchange and of client credentials.
    pub token_params: BTreeMap<String, String>,
    /// How a refresh token is sent. A GET has no client authentication: a secret does not belong into an address.
    pub refresh_method: HttpMethod,
    /// Extra parameters of a refresh. `grant_type` can be another one here.
    pub refresh_params: BTreeMap<String, String>,
    /// Extra headers of requests to the token, refresh, revocation, introspection and userinfo endpoints. They hold no
    /// secret.
    pub token_headers: BTreeMap<String, String>,
    /// The form of the body of requests to the token, refresh and revocation endpoints.
    pub token_body_format: BodyFormat,
    /// The provider's own names of parameters in requests, by their standard name, such as `client_id` to `client_key`.
    pub param_names: BTreeMap<String, String>,
    /// The name of the parameter that brings the code back. By default `code`.
    pub code_param: Option<String>,
    /// Where the members of a token response are, by their standard name: names joined by dots, such as
    /// `authed_user.access_token`, in which a number is the place in a list. `expires_at` (seconds or milliseconds since
    /// 1970, or RFC 3339) and `error` can be named, too. An empty path says that the provider means something else by the
    /// standard name. A refresh may be answered with the standard names all the same.
    pub token_response_paths: BTreeMap<String, String>,
    /// How many seconds an access token lives whose response does not tell.
    pub default_expires_in: Option<u32>,
    /// Whether the end of an access token is read from its `exp`, where it is a JWT.
    pub expiry_from_jwt: bool,
    /// Values that are kept from a sign-in, by the name that `{name}` in an endpoint or in an extra parameter stands
    /// for: `callback.realmId` or `token_response.instance_url`. They can be in the token, refresh, revocation, userinfo
    /// and introspection endpoints and in `exchange_step`, as a whole origin, a part of the host or one segment; and so can
    /// `{client_id}`.
    pub captures: BTreeMap<String, String>,
    /// The hosts that a captured value may name: exact ones, or `*.example.com`. One that names another ends the sign-in.
    pub captured_hosts: Vec<String>,
    /// A second exchange after the code, for providers that give long-lived tokens for short-lived ones. Where it fails,
    /// the short-lived token is kept.
    pub exchange_step: Option<ExchangeStep>,
    /// How tokens are revoked.
    pub revocation_method: RevocationMethod,
    /// Extra parameters of a revocation. With the method `parameters`, `{token}` in them stands for any token,
    /// `{access_token}` and `{refresh_token}` for one of that kind, and `{client_id}` and `{client_secret}` for the client.
    pub revocation_params: BTreeMap<String, String>,
    /// What tells which account a connection belongs to.
    pub account_source: AccountSource,
    /// Where `id`, `name`, `email` and `picture` of the account are in that: paths as in `token_response_paths`. The id
    /// tells two accounts apart.
    pub account_paths: BTreeMap<String, String>,
    /// How the userinfo endpoint is asked.
    pub userinfo_method: HttpMethod,
    /// How the provider's response comes back, unless a sign-in says otherwise.
    pub redirect: Redirect,
    /// The host of a loopback redirect.
    pub loopback_host: LoopbackHost,
    /// The ports of a loopback redirect: the first that is free is used. Tokenry chooses three when none is given and the
    /// provider compares ports.
    pub loopback_ports: Vec<u16>,
    /// Whether the provider takes any port in a loopback redirect (RFC 8252, 7.3).
    pub loopback_any_port: bool,
    /// The path of a loopback redirect or a deep link. By default `/cb/` and the provider's name. Two providers at
    /// different servers cannot have the same redirect URI.
    pub redirect_path: Option<String>,
    /// The form of a deep link.
    pub deep_link_form: DeepLinkForm,
    /// A redirect URI of your own, for sign-ins whose address you paste.
    pub redirect_uri: Option<String>,
    /// Whether the provider promises `iss` in its responses; then a response without it is rejected (RFC 9207, 2.4).
    pub authorization_response_iss_parameter_supported: bool,
    /// The algorithms that may sign an id token. By default RS256, ES256, PS256 and EdDSA.
    pub id_token_signing_algs: Vec<String>,
    /// The resource that tokens are for (RFC 8707): sent with the sign-in and the code exchange.
    pub resource: Option<String>,
    /// Whether a refresh sends it, too. By default true.
    pub resource_on_refresh: bool,
    /// Whether tokens are bound to a key of the connection (RFC 9449). A token that is not bound is then refused.
    pub dpop: bool,
    /// What happens to a refresh token that was used. It decides what a lost response means.
    pub rotation: Rotation,
    /// How many seconds a refresh token lives.
    pub refresh_token_expires_in: Option<u32>,
    /// Whether each use starts that time again.
    pub refresh_token_renews: bool,
    /// How many seconds before its end an access token is refreshed. By default Tokenry chooses.
    pub refresh_leeway: Option<u32>,
    /// How the provider gives a token that can do less than its connection.
    pub narrowing: NarrowingMethod,
    /// Whether endpoints may be http on a private address or a `.local` or `.home.arpa` name. Secrets and tokens are then
    /// not encrypted: everybody in that network can read them.
    pub allow_private_http: bool,
    /// The path of a file of certificates in PEM form that are trusted at this provider, besides the system's.
    pub ca_file: Option<String>,
    /// Where the provider's documentation is.
    pub docs_url: Option<String>,
    /// Where a client is registered by hand.
    pub register_url: Option<String>,
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
            device_authorization_endpoint: None,
            pushed_authorization_request_endpoint: None,
            require_pushed_authorization_requests: false,
            introspection_endpoint: None,
            registration_endpoint: None,
            jwks_uri: None,
            client_id: String::new(),
            token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
            default_scopes: Vec::new(),
            scope_separator: " ".to_owned(),
            raw_scope: false,
            offline_scope: None,
            prompt_consent_for_offline_access: true,
            use_pkce: true,
            always_send_nonce: false,
            authorize_params: BTreeMap::new(),
            authorize_fragment: None,
            token_params: BTreeMap::new(),
            refresh_method: HttpMethod::Post,
            refresh_params: BTreeMap::new(),
            token_headers: BTreeMap::new(),
            token_body_format: BodyFormat::default(),
            param_names: BTreeMap::new(),
            code_param: None,
            token_response_paths: BTreeMap::new(),
            default_expires_in: None,
            expiry_from_jwt: false,
            captures: BTreeMap::new(),
            captured_hosts: Vec::new(),
            exchange_step: None,
            revocation_method: RevocationMethod::default(),
            revocation_params: BTreeMap::new(),
            account_source: AccountSource::default(),
            account_paths: BTreeMap::new(),
            userinfo_method: HttpMethod::default(),
            redirect: Redirect::default(),
            loopback_host: LoopbackHost::default(),
            loopback_ports: Vec::new(),
            loopback_any_port: false,
            redirect_path: None,
            deep_link_form: DeepLinkForm::default(),
            redirect_uri: None,
            authorization_response_iss_parameter_supported: false,
            id_token_signing_algs: Vec::new(),
            resource: None,
            resource_on_refresh: true,
            dpop: false,
            rotation: Rotation::default(),
            refresh_token_expires_in: None,
            refresh_token_renews: false,
            refresh_leeway: None,
            narrowing: NarrowingMethod::default(),
            allow_private_http: false,
            ca_file: None,
            docs_url: None,
            register_url: None,
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
}
