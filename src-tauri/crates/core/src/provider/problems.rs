//! What is wrong with a provider, setting by setting. This is the only validation of providers.

mod captures;
mod requests;

use super::Provider;
use crate::address::{is_loopback, is_private, is_resource};
use crate::issuer::{aliases_problem, issuer_problem, placeholder_problem};
use crate::{Scopes, clean};
use std::collections::BTreeMap;
use std::path::Path;
use tokenry_contract::{GrantType, TokenEndpointAuthMethod};
use url::Url;

/// From each field to what is wrong with it.
pub type Problems = BTreeMap<String, String>;

/// The parameters of an authorization request that only Tokenry sets: those it sends (RFC 6749 §4.1.1, RFC 7636 §4.3),
/// `client_secret` and `code`, which belong into no address of a browser, and `request` and `request_uri`, which could
/// replace all the others (RFC 9101).
const RESERVED_PARAMETERS: [&str; 11] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "request",
    "request_uri",
    "response_type",
    "scope",
    "state",
];

/// Tokenry takes the response of a sign-in in the query only, so no provider is set up for another mode. A caller may
/// send `query`.
const RESPONSE_MODE: &str = "response_mode";

/// The parameter of RFC 8707.
const RESOURCE: &str = "resource";

/// `POST /v1/oauth-providers/exchange` is a path of the API, so that no provider is found under this name.
const NAME_OF_A_PATH: &str = "exchange";

const MAX_CLIENT_ID_BYTES: usize = 2048;
const MAX_CLIENT_SECRET_BYTES: usize = 16_384;
const MAX_DISPLAY_NAME_CHARACTERS: usize = 100;
const MAX_SEPARATOR_BYTES: usize = 4;
const MAX_PATH_BYTES: usize = 4096;

/// Whether only Tokenry sets this parameter of an authorization request.
pub fn is_reserved_parameter(name: &str) -> bool {
    RESERVED_PARAMETERS.contains(&parameter_name(name).as_str())
}

/// The name of a parameter as the most lenient servers read it: some ignore case, some take `a[]` and `a[x]` for `a`,
/// some read dots and spaces as `_`.
pub fn parameter_name(name: &str) -> String {
    let base = name.split('[').next().unwrap_or_default().trim();
    base.to_ascii_lowercase().replace(['.', ' '], "_")
}

impl Provider {
    /// What is wrong with it, field by field; empty when it can be kept.
    ///
    /// Endpoints are https, or http on a loopback host when every endpoint of the provider is on one (a server that
    /// runs on this machine), or http in the user's own network when the settings allow that; without user information
    /// and without a fragment (RFC 6749 §3.1).
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        if self.name.as_str() == NAME_OF_A_PATH {
            problems.add(
                "name",
                format!("cannot be {NAME_OF_A_PATH}, which is a path of the API; choose another"),
            );
        }
        self.check_endpoints(&mut problems);
        self.check_issuer(&mut problems);
        self.check_registration(&mut problems);
        self.check_client(&mut problems);
        self.check_sign_in(&mut problems);
        self.check_requests(&mut problems);
        self.check_responses(&mut problems);
        self.check_ca_file(&mut problems);
        self.check_captures(&mut problems);
        self.check_ends(&mut problems);
        self.check_redirect(&mut problems);
        problems
    }

    fn check_endpoints(&self, problems: &mut Problems) {
        let endpoints = self.endpoints();
        let read: Vec<_> = endpoints
            .iter()
            .map(|(field, text)| (field, self.example_address(field, text)))
            .collect();
        let all_loopback = read
            .iter()
            .filter_map(|(_, url)| url.as_ref().ok())
            .all(is_loopback);
        for (field, url) in &read {
            match url {
                Ok(url) => problems.add_some(field, self.endpoint_problem(url, all_loopback)),
                Err(wrong) => problems.add(field, wrong.clone()),
            }
        }
        if self.settings.token_endpoint.is_none() {
            problems.add(
                "token_endpoint",
                "is required: the https address where tokens are fetched",
            );
        }
        if self.settings.grant_type != GrantType::AuthorizationCode {
            return;
        }
        let settings = &self.settings;
        if settings.require_pushed_authorization_requests
            && settings.pushed_authorization_request_endpoint.is_none()
        {
            problems.add(
                "pushed_authorization_request_endpoint",
                "is required, since require_pushed_authorization_requests is on (RFC 9126, 5)",
            );
        }
        if settings.authorization_endpoint.is_none() && settings.device_authorization_endpoint.is_none() {
            problems.add(
                "authorization_endpoint",
                "is required for authorization_code, unless there is a device_authorization_endpoint: the https address the browser is sent to",
            );
        }
        let carried = self.authorization_endpoint().and_then(|url| {
            let mut keys = url.query_pairs().map(|(key, _)| key.into_owned());
            keys.find(|key| is_refused(key))
        });
        if let Some(key) = carried {
            problems.add(
                "authorization_endpoint",
                format!("must not carry {}, which Tokenry sets itself", clean(&key)),
            );
        }
    }

    fn check_issuer(&self, problems: &mut Problems) {
        let is_safe = |url: &Url| self.endpoint_problem(url, is_loopback(url)).is_none();
        let issuer = self.settings.issuer.as_deref();
        problems.add_some(
            "issuer",
            issuer.and_then(|issuer| issuer_problem(issuer, is_safe)),
        );
        problems.add_some(
            "issuer_aliases",
            aliases_problem(issuer, &self.settings.issuer_aliases),
        );
    }

    fn check_client(&self, problems: &mut Problems) {
        let id = &self.settings.client_id;
        if id.trim().is_empty() || id.len() > MAX_CLIENT_ID_BYTES || id.chars().any(char::is_control) {
            problems.add(
                "client_id",
                "must be the id the provider gave you: 1 to 2048 characters",
            );
        }
        match self.client_secret.as_ref().map(crate::Secret::expose) {
            None if self.settings.grant_type == GrantType::ClientCredentials
                && self.settings.token_endpoint_auth_method != TokenEndpointAuthMethod::PrivateKeyJwt =>
            {
                problems.add("client_secret", "is required for client_credentials");
            }
            Some(secret) if crate::is_miscopied(secret) => problems.add(
                "client_secret",
                "must not hold a byte order mark, a line end or another control character (RFC 6749, A.2): \
                 check how it was copied",
            ),
            Some(secret) if secret.is_empty() || secret.len() > MAX_CLIENT_SECRET_BYTES => {
                problems.add("client_secret", "must be at most 16384 bytes");
            }
            _ => {}
        }
    }

    /// What is in the file is for the engine to check.
    fn check_ca_file(&self, problems: &mut Problems) {
        let Some(path) = &self.settings.ca_file else {
            return;
        };
        let is_plain = path.len() <= MAX_PATH_BYTES && clean(path) == *path;
        if !is_plain || !Path::new(path).is_absolute() {
            problems.add(
                "ca_file",
                "must be the whole path of a file, like /home/me/ca.pem",
            );
        }
    }

    fn check_sign_in(&self, problems: &mut Problems) {
        let settings = &self.settings;
        let name = &settings.display_name;
        if name.trim().is_empty() || name.chars().count() > MAX_DISPLAY_NAME_CHARACTERS {
            problems.add("display_name", "must be 1 to 100 characters");
        } else if clean(name) != *name {
            problems.add("display_name", "must not hold control or direction characters");
        }
        if settings.scope_separator.is_empty() || settings.scope_separator.len() > MAX_SEPARATOR_BYTES {
            problems.add(
                "scope_separator",
                "must be 1 to 4 characters, usually one space or a comma",
            );
        }
        if let Some(bad) = settings
            .default_scopes
            .iter()
            .find(|scope| !Scopes::is_token(scope))
        {
            problems.add(
                "default_scopes",
                format!("{:?} cannot be a scope (RFC 6749, 3.3)", clean(bad)),
            );
        }
        self.check_resource(problems);
        let is_ours = |key: &&String| is_refused(key) || self.is_renamed_to(key);
        if let Some(key) = settings.authorize_params.keys().find(is_ours) {
            problems.add(
                "authorize_params",
                format!("must not set {}, which Tokenry sets itself", clean(key)),
            );
        }
    }
}

impl Provider {
    /// RFC 8707 §2. The authorization request names it once.
    fn check_resource(&self, problems: &mut Problems) {
        let Some(resource) = &self.settings.resource else {
            return;
        };
        if !is_resource(resource) {
            let wrong =
                "must be an absolute URI without a fragment, as in https://api.example.com/ (RFC 8707, 2)";
            problems.add("resource", wrong);
        }
        let is_one = |name: &str| parameter_name(name) == RESOURCE;
        let in_address = |url: Url| url.query_pairs().any(|(name, _)| is_one(&name));
        if self.settings.authorize_params.keys().any(|name| is_one(name)) {
            problems.add("resource", "is in authorize_params, too; set it in one place");
        } else if self.authorization_endpoint().is_some_and(in_address) {
            problems.add(
                "resource",
                "is in the authorization endpoint, too; set it in one place",
            );
        }
    }
}

/// The first problem of a field is the one that is told.
pub(super) trait Add {
    fn add(&mut self, field: &str, wrong: impl Into<String>);
    fn add_some(&mut self, field: &str, wrong: Option<String>);
}

impl Add for Problems {
    fn add(&mut self, field: &str, wrong: impl Into<String>) {
        self.entry(field.to_owned()).or_insert_with(|| wrong.into());
    }

    fn add_some(&mut self, field: &str, wrong: Option<String>) {
        if let Some(wrong) = wrong {
            self.add(field, wrong);
        }
    }
}

fn is_refused(parameter: &str) -> bool {
    is_reserved_parameter(parameter) || parameter_name(parameter) == RESPONSE_MODE
}

impl Provider {
    fn endpoint_problem(&self, url: &Url, loopback_allowed: bool) -> Option<String> {
        let wrong = match url.scheme() {
            "https" => None,
            "http" if is_loopback(url) && loopback_allowed => None,
            "http" if is_private(url) && self.settings.allow_private_http => None,
            "http" if is_loopback(url) => Some(
                "http is for a server on this machine: then every endpoint must be on it, else use https",
            ),
            "http" if is_private(url) => Some(
                "must be https: http sends secrets in the clear. For a server in your own network, \
            switch allow_private_http on",
            ),
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
}
