use crate::address::is_loopback;
use crate::issuer::{aliases_problem, issuer_problem, placeholder_problem};
use crate::{Name, NarrowingMethod, ProviderId, Scopes, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// An authorization server and our client registration at it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// The project it belongs to.
    pub project: Name,
    /// Unique within the project.
    pub name: Name,
    /// What people call it.
    pub display_name: String,
    /// How tokens are got.
    pub grant_type: GrantType,
    /// The issuer identifier, compared with `iss` in answers (RFC 9207 §2.4); see [`crate::issuer_matches`].
    pub issuer: Option<String>,
    /// What else `iss` may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_aliases: Vec<String>,
    /// Where the browser is sent (RFC 6749 §3.1). Needed for [`GrantType::AuthorizationCode`].
    pub authorization_endpoint: Option<Url>,
    /// Where codes and refresh tokens are exchanged (RFC 6749 §3.2).
    pub token_endpoint: Option<Url>,
    /// Where refresh tokens go when that is not the token endpoint.
    pub refresh_endpoint: Option<Url>,
    /// RFC 7009.
    pub revocation_endpoint: Option<Url>,
    /// OpenID Connect Core §5.3: tells whose account a connection is.
    pub userinfo_endpoint: Option<Url>,
    /// Our name at the provider.
    pub client_id: String,
    /// Our secret at the provider; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// How the two are sent.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// Asked for when a flow names no scopes of its own.
    pub default_scopes: Scopes,
    /// Between scopes in a request; mostly one space.
    pub scope_separator: String,
    /// PKCE with S256 (RFC 7636).
    pub use_pkce: bool,
    /// Sent along with the authorization request.
    pub authorize_params: BTreeMap<String, String>,
    /// Which redirect a flow uses when nobody says otherwise.
    pub redirect: RedirectPreference,
    /// Whether the server promises `iss` in its answers; then one without it is refused (RFC 9207 §2.4).
    pub authorization_response_iss_parameter_supported: bool,
    /// What becomes of a refresh token that was used.
    pub rotation: Rotation,
    /// How tokens are narrowed.
    #[serde(default)]
    pub narrowing: NarrowingMethod,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How tokens are got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1, with PKCE.
    #[default]
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
}

/// How the client proves who it is at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// HTTP Basic with form-encoded parts (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// Both in the body.
    #[default]
    ClientSecretPost,
    /// Only the client id: a public client.
    None,
}

/// How the browser's answer comes back to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectPreference {
    /// `http://127.0.0.1:{port}/cb/{provider}` (RFC 8252 §7.3).
    #[default]
    Loopback,
    /// `io.github.tokenry:/cb/{provider}` (RFC 8252 §7.1).
    DeepLink,
    /// The person pastes the address the browser ended at.
    Paste,
}

/// What a provider does with a refresh token once it was used: decides what a lost answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Rotation {
    /// It stays good; sending it again is harmless.
    None,
    /// It is replaced, and the old one works for this long after.
    Grace {
        /// In seconds.
        seconds: u32,
    },
    /// It is replaced, and sending the old one again ends the grant.
    Strict,
    /// Nobody knows; treated as strict.
    #[default]
    Unknown,
}

/// A partial update. A field that is `None` keeps what it was; `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
#[expect(
    missing_docs,
    reason = "each field is the field of Provider with the same name"
)]
pub struct ProviderChange {
    pub name: Option<Name>,
    pub display_name: Option<String>,
    pub grant_type: Option<GrantType>,
    pub issuer: Option<Option<String>>,
    pub issuer_aliases: Option<Vec<String>>,
    pub authorization_endpoint: Option<Option<Url>>,
    pub token_endpoint: Option<Option<Url>>,
    pub refresh_endpoint: Option<Option<Url>>,
    pub revocation_endpoint: Option<Option<Url>>,
    pub userinfo_endpoint: Option<Option<Url>>,
    pub client_id: Option<String>,
    pub client_secret: Option<Option<Secret>>,
    pub token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    pub default_scopes: Option<Scopes>,
    pub scope_separator: Option<String>,
    pub use_pkce: Option<bool>,
    pub authorize_params: Option<BTreeMap<String, String>>,
    pub redirect: Option<RedirectPreference>,
    pub authorization_response_iss_parameter_supported: Option<bool>,
    pub rotation: Option<Rotation>,
    pub narrowing: Option<NarrowingMethod>,
}

/// `POST /v1/oauth-providers/exchange` is the reference's own path, so no provider can be found by this name there.
const NAME_OF_A_PATH: &str = "exchange";

impl Provider {
    /// Takes the fields that `change` gives.
    pub fn apply(&mut self, change: ProviderChange, now: Timestamp) {
        macro_rules! take {
            ($($field:ident),*) => { $(if let Some(value) = change.$field { self.$field = value; })* };
        }
        take!(
            name,
            display_name,
            grant_type,
            issuer,
            issuer_aliases,
            authorization_endpoint,
            token_endpoint,
            refresh_endpoint,
            revocation_endpoint,
            userinfo_endpoint,
            client_id,
            client_secret,
            token_endpoint_auth_method,
            default_scopes,
            scope_separator,
            use_pkce,
            authorize_params,
            redirect,
            authorization_response_iss_parameter_supported,
            rotation,
            narrowing
        );
        self.updated_at = now;
    }

    /// What is wrong with it, field by field; empty when it can be kept.
    ///
    /// Endpoints are https, or http on a loopback host when every endpoint of the provider is on one (a server
    /// somebody runs on this machine), without user information and without a fragment (RFC 6749 §3.1).
    pub fn problems(&self) -> BTreeMap<&'static str, String> {
        let mut problems = BTreeMap::new();
        if self.name.as_str() == NAME_OF_A_PATH {
            let wrong = format!(
                "cannot be {NAME_OF_A_PATH}, which is a word of this API's own paths; choose another"
            );
            problems.insert("name", wrong);
        }
        let endpoints = [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("refresh_endpoint", &self.refresh_endpoint),
            ("revocation_endpoint", &self.revocation_endpoint),
            ("userinfo_endpoint", &self.userinfo_endpoint),
        ];
        let all_loopback = endpoints
            .iter()
            .filter_map(|(_, url)| url.as_ref())
            .all(is_loopback);
        for (field, url) in endpoints {
            if let Some(wrong) = url.as_ref().and_then(|url| endpoint_problem(url, all_loopback)) {
                problems.insert(field, wrong);
            }
        }
        if self.token_endpoint.is_none() {
            problems.insert(
                "token_endpoint",
                "is needed: the https address where tokens are fetched".to_owned(),
            );
        }
        if self.grant_type == GrantType::AuthorizationCode {
            match &self.authorization_endpoint {
                None => {
                    problems.insert(
                        "authorization_endpoint",
                        "is needed for authorization_code: the https address the browser is sent to"
                            .to_owned(),
                    );
                }
                Some(url) => {
                    if let Some((key, _)) = url.query_pairs().find(|(key, _)| OURS.contains(&key.as_ref())) {
                        problems.insert(
                            "authorization_endpoint",
                            format!("must not carry {key}, which Tokenry sets itself"),
                        );
                    }
                }
            }
        }
        if self.client_id.trim().is_empty()
            || self.client_id.len() > 2048
            || self.client_id.chars().any(char::is_control)
        {
            problems.insert(
                "client_id",
                "must be the id the provider gave you: 1 to 2048 characters".to_owned(),
            );
        }
        if self
            .client_secret
            .as_ref()
            .is_some_and(|s| s.expose().is_empty() || s.expose().len() > 16_384)
        {
            problems.insert("client_secret", "must be at most 16384 bytes".to_owned());
        }
        if self
            .client_secret
            .as_ref()
            .is_some_and(|s| crate::is_miscopied(s.expose()))
        {
            let wrong = "must not hold a byte order mark, a line end or another control character (RFC 6749, A.2): \
                         check how it was copied";
            problems.insert("client_secret", wrong.to_owned());
        }
        if self.grant_type == GrantType::ClientCredentials && self.client_secret.is_none() {
            problems.insert("client_secret", "is needed for client_credentials".to_owned());
        }
        if self.display_name.trim().is_empty() || self.display_name.chars().count() > 100 {
            problems.insert("display_name", "must be 1 to 100 characters".to_owned());
        }
        if self.scope_separator.is_empty() || self.scope_separator.len() > 4 {
            problems.insert(
                "scope_separator",
                "must be 1 to 4 characters, mostly one space or a comma".to_owned(),
            );
        }
        if let Some(bad) = self.default_scopes.iter().find(|scope| !Scopes::is_token(scope)) {
            problems.insert(
                "default_scopes",
                format!("{:?} cannot be a scope (RFC 6749, 3.3)", crate::clean(bad)),
            );
        }
        if let Some(key) = self
            .authorize_params
            .keys()
            .find(|key| OURS.contains(&key.as_str()))
        {
            problems.insert(
                "authorize_params",
                format!("must not set {key}, which Tokenry sets itself"),
            );
        }
        let is_safe = |url: &Url| endpoint_problem(url, is_loopback(url)).is_none();
        if let Some(wrong) = self
            .issuer
            .as_ref()
            .and_then(|issuer| issuer_problem(issuer, is_safe))
        {
            problems.insert("issuer", wrong);
        }
        if let Some(wrong) = aliases_problem(self.issuer.as_deref(), &self.issuer_aliases) {
            problems.insert("issuer_aliases", wrong);
        }
        problems
    }

    /// Where a refresh token is sent.
    pub fn refresh_target(&self) -> Option<&Url> {
        self.refresh_endpoint.as_ref().or(self.token_endpoint.as_ref())
    }
}

/// The parameters of an authorization request that nobody but Tokenry sets.
const OURS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
];

fn endpoint_problem(url: &Url, loopback_allowed: bool) -> Option<String> {
    let wrong = match url.scheme() {
        "https" => None,
        "http" if is_loopback(url) && loopback_allowed => None,
        "http" if is_loopback(url) => {
            Some("http is for a server on this machine: then every endpoint must be on it, else use https")
        }
        "http" => Some("must be https: http would send secrets in the clear"),
        _ => Some("must be an https address"),
    };
    let wrong = wrong
        .or((url.fragment().is_some()).then_some("must not have a fragment (#…)"))
        .or((!url.username().is_empty() || url.password().is_some())
            .then_some("must not hold a user name or password"));
    wrong
        .map(str::to_owned)
        .or_else(|| placeholder_problem(url.path()))
}
#[cfg(test)]
mod tests;
