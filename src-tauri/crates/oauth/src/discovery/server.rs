//! The metadata of an authorization server (RFC 8414, OpenID Connect Discovery), and what Tokenry makes of it.

use super::fetch::Fetch;
use super::{Found, Problem, address, name, unusable};
use crate::json::{Object, Value};
use crate::response::Response;
use tokenry_core::{
    DiscoveredKind, GrantType, Offered, ProviderSettings, RegistrationMethod, Scopes,
    TokenEndpointAuthMethod as Method, clean, is_template_of,
};
use url::Url;

/// The most values that are taken from a list.
const MAX_VALUES: usize = 256;

/// The algorithms of id tokens that Tokenry takes by default, and those that it takes where a server has no other.
const DEFAULT_ALGORITHMS: [&str; 4] = ["RS256", "ES256", "PS256", "EdDSA"];
const OTHER_ALGORITHMS: [&str; 6] = ["RS384", "RS512", "ES384", "ES512", "PS384", "PS512"];

/// The issuer that a document has to name.
#[derive(Debug, Clone)]
pub(super) struct Expected(Vec<String>);

impl Expected {
    /// What a person typed: an identifier may end in a slash that people leave out.
    pub(super) fn typed(url: &Url) -> Self {
        let mut url = url.clone();
        url.set_query(None);
        let text = url.as_str().trim_end_matches('/').to_owned();
        Self(vec![format!("{text}/"), text])
    }

    /// What a program wrote. A slash alone is no path (RFC 3986 §6.2.3): some libraries cannot write an address without.
    pub(super) fn exactly(issuer: &str) -> Self {
        let mut all = vec![issuer.to_owned()];
        let is_root = issuer
            .parse::<Url>()
            .is_ok_and(|url| url.path() == "/" && url.query().is_none());
        if is_root {
            all.push(match issuer.strip_suffix('/') {
                Some(without) => without.to_owned(),
                None => format!("{issuer}/"),
            });
        }
        Self(all)
    }

    fn is(&self, found: &str) -> bool {
        self.0
            .iter()
            .any(|issuer| issuer == found || is_template_of(found, issuer))
    }
}

/// The issuer that a response names, if it is the metadata of a server.
pub(super) fn issuer_of(response: &Response) -> Option<String> {
    let object = (response.status == 200 && response.cut.is_none())
        .then(|| crate::json::object(&response.body).ok())??;
    object.text("token_endpoint")?;
    Some(object.text("issuer")?.expose().to_owned())
}

/// Looks an issuer up at its well-known addresses. `None` where none has metadata.
///
/// # Errors
/// When the server cannot be asked, or its metadata cannot be used.
pub(super) async fn well_known(
    fetch: &Fetch<'_>,
    issuer: &Url,
    expected: &Expected,
) -> Result<Option<Found>, Problem> {
    let mut other = None;
    for url in address::of_issuer(issuer) {
        let Some(object) = fetch.object(&url).await? else {
            continue;
        };
        match text(&object, "issuer") {
            Some(found) if expected.is(&found) => return describe(fetch, &object, &found, issuer).map(Some),
            Some(found) => other = other.or(Some((url, found))),
            None => {}
        }
    }
    // Checklist A6.1: the document of another issuer is not used.
    match other {
        Some((url, found)) => unusable(format!(
            "The metadata at {} is that of another issuer, {}, so it is not used. If that is the provider you mean, add \
             {} instead.",
            clean(url.as_str()),
            clean(&found),
            clean(&found)
        )),
        None => Ok(None),
    }
}

/// Looks up a document whose address was typed.
pub(super) async fn of_document(fetch: &Fetch<'_>, url: &Url, issuer: &Url) -> Result<Found, Problem> {
    let Some(object) = fetch.object(url).await? else {
        return unusable(format!(
            "There is no metadata at {}. Check the address.",
            clean(url.as_str())
        ));
    };
    let found = text(&object, "issuer").unwrap_or_default();
    if !Expected::typed(issuer).is(&found) {
        return unusable(format!(
            "The metadata at {} names the issuer {}, whose metadata is somewhere else (RFC 8414, 3.3), so it is not \
             used. Add that issuer instead, if it is the one you mean.",
            clean(url.as_str()),
            if found.is_empty() {
                "“”".to_owned()
            } else {
                clean(&found)
            }
        ));
    }
    describe(fetch, &object, &found, issuer)
}

/// What a document tells.
fn describe(fetch: &Fetch<'_>, object: &Object, issuer: &str, asked: &Url) -> Result<Found, Problem> {
    let mut reader = Reader {
        fetch,
        object,
        warnings: Vec::new(),
    };
    let settings = reader.settings(issuer)?;
    let offered = offered(object, &settings);
    reader.judge(&settings, &offered, asked);
    Ok(Found {
        kind: DiscoveredKind::Issuer,
        address: asked.to_string(),
        name: name::suggestion(asked),
        settings,
        authorization_servers: Vec::new(),
        registration: offered.registration.then_some(RegistrationMethod::Dynamic),
        registers_apps: object.get("registration_endpoint").is_none() && offered.registration,
        offered,
        auth_methods: auth_methods(object),
        grant_types: strings(object, "grant_types_supported"),
        typed: asked.clone(),
        warnings: reader.warnings,
    })
}

/// Mastodon's own name of its registration, which is like RFC 7591 but for the name of the scopes.
const APP_REGISTRATION: &str = "app_registration_endpoint";

struct Reader<'a> {
    fetch: &'a Fetch<'a>,
    object: &'a Object,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn settings(&mut self, issuer: &str) -> Result<ProviderSettings, Problem> {
        let token_endpoint = self.required("token_endpoint")?;
        let authorization_endpoint = self.sign_in_endpoint()?;
        let device_authorization_endpoint = self.endpoint("device_authorization_endpoint");
        let object = self.object;
        let scopes = strings(object, "scopes_supported");
        let has = |scope: &str| scopes.iter().any(|supported| supported == scope);
        let is_openid = has("openid") || object.get("id_token_signing_alg_values_supported").is_some();
        let default_scopes = ["openid", "profile", "email"]
            .into_iter()
            .filter(|scope| has(scope) || (is_openid && *scope == "openid"));
        let grants = strings(object, "grant_types_supported");
        let only_own = authorization_endpoint.is_none()
            && device_authorization_endpoint.is_none()
            && grants.iter().any(|grant| grant == "client_credentials");
        Ok(ProviderSettings {
            grant_type: match only_own {
                true => GrantType::ClientCredentials,
                false => GrantType::AuthorizationCode,
            },
            issuer: Some(issuer.to_owned()),
            authorization_endpoint,
            token_endpoint: Some(token_endpoint),
            revocation_endpoint: self.endpoint("revocation_endpoint"),
            userinfo_endpoint: self.endpoint("userinfo_endpoint"),
            device_authorization_endpoint,
            pushed_authorization_request_endpoint: self.endpoint("pushed_authorization_request_endpoint"),
            require_pushed_authorization_requests: is_true(object, "require_pushed_authorization_requests"),
            introspection_endpoint: self.endpoint("introspection_endpoint"),
            registration_endpoint: self
                .endpoint("registration_endpoint")
                .or_else(|| self.endpoint(APP_REGISTRATION)),
            jwks_uri: self.endpoint("jwks_uri"),
            token_endpoint_auth_method: auth_method(object),
            default_scopes: default_scopes.map(str::to_owned).collect(),
            offline_scope: has("offline_access").then(|| "offline_access".to_owned()),
            authorization_response_iss_parameter_supported: is_true(
                object,
                "authorization_response_iss_parameter_supported",
            ),
            id_token_signing_algs: algorithms(object),
            docs_url: self.page("service_documentation"),
            ..ProviderSettings::default()
        })
    }

    /// An endpoint that is left out, with a warning, when it breaks the rules.
    fn endpoint(&mut self, name: &str) -> Option<String> {
        self.address(name).unwrap_or_else(|wrong| {
            self.warnings
                .push(format!("Its {} is left out: it {wrong}.", words(name)));
            None
        })
    }

    fn required(&mut self, name: &str) -> Result<String, Problem> {
        match self.address(name) {
            Ok(Some(url)) => Ok(url),
            Ok(None) => unusable(format!(
                "Its metadata names no {}, so it cannot give tokens.",
                words(name)
            )),
            Err(wrong) => self.refuse(name, &wrong),
        }
    }

    fn sign_in_endpoint(&mut self) -> Result<Option<String>, Problem> {
        let name = "authorization_endpoint";
        self.address(name).or_else(|wrong| self.refuse(name, &wrong))
    }

    fn refuse<T>(&self, name: &str, wrong: &str) -> Result<T, Problem> {
        unusable(format!(
            "Its metadata is not accepted: its {} {wrong}. Only its operator can correct it.",
            words(name)
        ))
    }

    fn address(&self, name: &str) -> Result<Option<String>, String> {
        match self.object.get(name) {
            None | Some(Value::Other) => Ok(None),
            Some(Value::Text(text)) if text.expose().is_empty() => Ok(None),
            Some(Value::Text(text)) => self
                .fetch
                .outbound
                .read(text.expose())
                .map(|url| Some(url.to_string())),
            Some(_) => Err("is not a text".to_owned()),
        }
    }

    /// A page for people, which is shown only if it is one of the web.
    fn page(&self, name: &str) -> Option<String> {
        let url = tokenry_core::read_address(&text(self.object, name)?).ok()?;
        (url.scheme() == "https").then(|| url.to_string())
    }

    fn judge(&mut self, settings: &ProviderSettings, offered: &Offered, asked: &Url) {
        if !offered.pkce {
            let what = match self.object.get("code_challenge_methods_supported") {
                Some(_) => "It does not support PKCE with S256 (RFC 7636)",
                None => "It does not say that it supports PKCE (RFC 7636)",
            };
            self.warnings
                .push(format!("{what}. Without it a stolen code is worth more."));
        }
        let home = name::owner(asked);
        let mut others: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, endpoint) in endpoints(settings) {
            let Ok(url) = endpoint.parse::<Url>() else {
                continue;
            };
            let owner = name::owner(&url);
            match others.iter_mut().find(|(other, _)| *other == owner) {
                _ if owner == home => {}
                Some((_, names)) => names.push(name),
                None => others.push((owner, vec![name])),
            }
        }
        for (owner, names) in others {
            self.warnings.push(format!(
                "On another domain than {}: {} ({}).",
                clean(&home),
                clean(&owner),
                names.join(", ")
            ));
        }
    }
}

/// The endpoints that get a code, a token, a secret or the user.
fn endpoints(settings: &ProviderSettings) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("sign-in", &settings.authorization_endpoint),
        ("tokens", &settings.token_endpoint),
        ("revocation", &settings.revocation_endpoint),
        ("user info", &settings.userinfo_endpoint),
        ("device sign-in", &settings.device_authorization_endpoint),
        ("pushed requests", &settings.pushed_authorization_request_endpoint),
        ("introspection", &settings.introspection_endpoint),
        ("registration", &settings.registration_endpoint),
        ("keys", &settings.jwks_uri),
    ]
    .into_iter()
    .filter_map(|(name, url)| Some((name, url.as_deref()?)))
}

fn offered(object: &Object, settings: &ProviderSettings) -> Offered {
    let has = |list: &str, value: &str| strings(object, list).iter().any(|text| text == value);
    Offered {
        pkce: has("code_challenge_methods_supported", "S256"),
        iss_parameter: settings.authorization_response_iss_parameter_supported,
        revocation: settings.revocation_endpoint.is_some(),
        pushed_authorization_requests: settings.pushed_authorization_request_endpoint.is_some(),
        dpop: has("dpop_signing_alg_values_supported", "ES256"),
        device_flow: settings.device_authorization_endpoint.is_some(),
        registration: settings.registration_endpoint.is_some(),
        client_id_metadata_documents: is_true(object, "client_id_metadata_document_supported"),
    }
}

/// How a client with a secret authenticates: `client_secret_post` where the server takes it (checklist A4.3).
fn auth_method(object: &Object) -> Method {
    let supported = auth_methods(object);
    let methods = [
        Method::ClientSecretPost,
        Method::ClientSecretBasic,
        Method::ClientSecretJwt,
        Method::PrivateKeyJwt,
    ];
    let found = methods.into_iter().find(|method| supported.contains(method));
    found.unwrap_or(Method::None)
}

/// What a server takes. One that says nothing takes `client_secret_basic` (RFC 8414 §2).
fn auth_methods(object: &Object) -> Vec<Method> {
    let name = "token_endpoint_auth_methods_supported";
    if object.get(name).is_none() {
        return vec![Method::ClientSecretBasic];
    }
    let known = |text: &String| {
        Some(match text.as_str() {
            "none" => Method::None,
            "client_secret_post" => Method::ClientSecretPost,
            "client_secret_basic" => Method::ClientSecretBasic,
            "client_secret_jwt" => Method::ClientSecretJwt,
            "private_key_jwt" => Method::PrivateKeyJwt,
            _ => return None,
        })
    };
    strings(object, name).iter().filter_map(known).collect()
}

/// The algorithms of id tokens; empty where the default ones will do.
fn algorithms(object: &Object) -> Vec<String> {
    let supported = strings(object, "id_token_signing_alg_values_supported");
    let has_any = |known: &[&str]| supported.iter().any(|name| known.contains(&name.as_str()));
    if has_any(&DEFAULT_ALGORITHMS) || !has_any(&OTHER_ALGORITHMS) {
        return Vec::new();
    }
    supported
        .into_iter()
        .filter(|name| OTHER_ALGORITHMS.contains(&name.as_str()))
        .collect()
}

/// A text that is not empty.
pub(super) fn text(object: &Object, name: &str) -> Option<String> {
    object.text(name).map(|text| text.expose().to_owned())
}

pub(super) fn is_true(object: &Object, name: &str) -> bool {
    matches!(object.get(name), Some(Value::True))
}

/// The texts of a list. A value of another kind is no list, and says nothing.
pub(super) fn strings(object: &Object, name: &str) -> Vec<String> {
    match object.get(name) {
        Some(Value::List(_)) => {
            let texts = object.list(name).into_iter().take(MAX_VALUES);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The scopes of a list that can be scopes.
pub(super) fn scopes(object: &Object, name: &str) -> Vec<String> {
    let mut all = strings(object, name);
    all.retain(|scope| Scopes::is_token(scope));
    all
}

/// The name of an endpoint, in words.
fn words(name: &str) -> String {
    match name {
        "jwks_uri" => "address of its keys".to_owned(),
        name => name.replace('_', " "),
    }
}
