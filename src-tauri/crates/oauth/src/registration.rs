//! Dynamic client registration (RFC 7591), and its end (RFC 7592).

use crate::json::{self, Object, Value};
use crate::outbound::{Network, Outbound};
use crate::response::Response;
use crate::{Failure, Http};
use oauth2::HttpRequest;
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::http::{HeaderValue, Method, Request};
use serde_json::json;
use tokenry_core::{
    Provider, Registration, Scopes, Secret, Timestamp, TokenEndpointAuthMethod as AuthMethod, clean,
};
use url::Url;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The redirect URIs.
    pub redirect_uris: Vec<String>,
    /// How the client is to authenticate.
    pub auth_method: AuthMethod,
    /// What it is to be allowed, as grant types.
    pub grant_types: Vec<String>,
    /// The scopes that it will ask for; none where the server decides.
    pub scopes: Scopes,
    /// Whether the server is asked in Mastodon's way.
    pub as_app: bool,
    /// Lets in at servers that register no other client.
    pub initial_access_token: Option<Secret>,
}

/// What was granted.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The registration.
    pub registration: Registration,
    /// The secret of the client, if it has one.
    pub client_secret: Option<Secret>,
    /// How it authenticates.
    pub auth_method: AuthMethod,
    /// The scopes that it may ask for; `None` where the server does not say.
    pub scopes: Option<Scopes>,
}

/// Why there is no registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The server refuses a redirect URI (RFC 7591 §3.2.2): another form may do.
    RedirectUri(Failure),
    /// Anything else.
    Failure(Failure),
}

/// The longest answer values that are kept, in bytes.
const MAX_BYTES: usize = 4096;

/// Registers Tokenry as a native client, once. `typed` is the address that the user typed.
///
/// # Errors
/// See [`Problem`].
pub async fn register(
    http: &Http,
    typed: &Url,
    provider: &Provider,
    wish: &Wish,
) -> Result<Granted, Problem> {
    let endpoint = provider.registration_endpoint();
    let (Some(endpoint), Some(issuer)) = (endpoint, provider.settings.issuer.clone()) else {
        return Err(unusable(
            "It offers no registration. Register a client by hand.".to_owned(),
        ));
    };
    let outbound = Outbound::new(typed, Network::of(provider));
    let request = request(wish)?;
    let response = http.send_outbound(&outbound, &endpoint, request).await;
    let response = response.map_err(Problem::Failure)?;
    if !matches!(response.status, 200 | 201) {
        return Err(refused(&response, wish));
    }
    let object = match json::object(&response.body) {
        Ok(object) if response.cut.is_none() => object,
        Ok(_) => {
            return Err(unusable(format!(
                "{} broke off while it registered Tokenry.",
                response.host
            )));
        }
        Err(wrong) => {
            return Err(unusable(format!(
                "{} answered the registration with something that cannot be used: {wrong}.",
                response.host
            )));
        }
    };
    granted(&object, &outbound, issuer, wish).map_err(|wrong| {
        unusable(format!(
            "{} registered Tokenry in a way that cannot be used: {wrong}. Register a client by hand.",
            response.host
        ))
    })
}

fn request(wish: &Wish) -> Result<HttpRequest, Problem> {
    let mut metadata = json!({
        "client_name": "Tokenry",
        "application_type": "native",
        "redirect_uris": wish.redirect_uris,
        "grant_types": wish.grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": word(wish.auth_method),
        "software_id": "io.github.tokenry",
        "software_version": env!("CARGO_PKG_VERSION"),
    });
    if !wish.scopes.is_empty() {
        let name = if wish.as_app { "scopes" } else { "scope" };
        metadata[name] = wish.scopes.join(" ").into();
    }
    let mut request = Request::new(metadata.to_string().into_bytes());
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(token) = &wish.initial_access_token {
        let credentials = bearer(token).map_err(Problem::Failure)?;
        headers.insert(AUTHORIZATION, credentials);
    }
    Ok(request)
}

fn bearer(token: &Secret) -> Result<HeaderValue, Failure> {
    let header = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    header.map_err(|_| Failure::Unusable {
        message: "The token for the registration fits in no header. Check how it was copied.".to_owned(),
    })
}

/// Reads back what was granted (RFC 7591 §3.2.1): a server may change everything that was asked for.
fn granted(object: &Object, outbound: &Outbound, issuer: String, wish: &Wish) -> Result<Granted, String> {
    let short = |name: &str| {
        let text = object.text(name).map(|text| text.expose().to_owned());
        match text {
            Some(text) if text.len() > MAX_BYTES || tokenry_core::is_miscopied(&text) => {
                Err(format!("its {name} cannot be one"))
            }
            text => Ok(text),
        }
    };
    let client_id = short("client_id")?.ok_or("it gave no client_id")?;
    let client_secret = short("client_secret")?.map(Secret::new);
    if let Some(Value::List(_)) = object.get("redirect_uris") {
        let registered = object.list("redirect_uris");
        if !wish
            .redirect_uris
            .iter()
            .any(|own| registered.contains(&own.as_str()))
        {
            return Err("it registered other redirect URIs than the ones of Tokenry".to_owned());
        }
    }
    let auth_method = match (short("token_endpoint_auth_method")?.as_deref(), &client_secret) {
        (None, None) => AuthMethod::None,
        // RFC 7591 §2: the default.
        (None, Some(_)) if wish.auth_method == AuthMethod::None => AuthMethod::ClientSecretBasic,
        (None, Some(_)) => wish.auth_method,
        (Some(named), _) => method(named).ok_or_else(|| {
            format!(
                "it wants the client authentication {}, which Tokenry did not ask for",
                clean(named)
            )
        })?,
    };
    if auth_method != AuthMethod::None && client_secret.is_none() {
        return Err("it wants a client secret and gave none".to_owned());
    }
    let uri = short("registration_client_uri")?.filter(|uri| outbound.read(uri).is_ok());
    let scopes = match object.get("scopes") {
        // Mastodon's answer names them as a list.
        Some(Value::List(_)) if wish.as_app => Some(Scopes::parse(&object.list("scopes").join(" "))),
        _ => short("scope")?.map(|text| Scopes::parse(&text)),
    };
    Ok(Granted {
        registration: Registration {
            issuer,
            client_id,
            client_secret_expires_at: expiry(object),
            uri,
            access_token: short("registration_access_token")?.map(Secret::new),
        },
        // A public client keeps none, also where a server gives one to everybody.
        client_secret: client_secret.filter(|_| auth_method != AuthMethod::None),
        auth_method,
        scopes: scopes.filter(|scopes| !scopes.is_empty()),
    })
}

/// When the secret ends; 0 is never (RFC 7591 §3.2.1).
fn expiry(object: &Object) -> Option<Timestamp> {
    let seconds = object
        .number("client_secret_expires_at")
        .filter(|seconds| *seconds > 0.0)?;
    Timestamp::from_second(seconds as i64).ok()
}

/// What a refusal means, in words (RFC 7591 §3.2.2).
fn refused(response: &Response, wish: &Wish) -> Problem {
    let host = &response.host;
    let object = json::object(&response.body).unwrap_or_default();
    let text = |name: &str| object.text(name).map(|text| clean(text.expose()));
    let (error, description) = (text("error"), text("error_description"));
    let is_about_redirects = match error.as_deref() {
        Some("invalid_redirect_uri") => true,
        Some("invalid_client_metadata" | "invalid_request") => description
            .as_ref()
            .is_some_and(|text| text.to_ascii_lowercase().contains("redirect")),
        _ => false,
    };
    let why = match (error.as_deref(), response.status) {
        _ if is_about_redirects => format!("it refuses the redirect URI {}", wish.redirect_uris.join(" or ")),
        (Some("invalid_client_metadata"), _) => "it does not accept what Tokenry says of itself".to_owned(),
        (Some("invalid_software_statement" | "unapproved_software_statement"), _) => {
            "it registers only programs that it has approved".to_owned()
        }
        (_, 401 | 403) if wish.initial_access_token.is_none() => {
            "it registers only clients that bring an initial access token; its operator gives one".to_owned()
        }
        (_, 401 | 403) => "it does not accept the initial access token".to_owned(),
        (Some(error), _) => format!("it answered {error}"),
        (None, status) => format!("it answered {status}"),
    };
    let said = description.map_or_else(String::new, |text| format!(" (“{text}”)"));
    let failure = Failure::Rejected {
        error: error.unwrap_or_else(|| format!("HTTP {}", response.status)),
        description: Some(format!("{host} did not register Tokenry: {why}{said}")),
        status: response.status,
    };
    match (is_about_redirects, response.status) {
        (true, _) => Problem::RedirectUri(failure),
        (_, 408 | 425 | 429 | 500..) => Problem::Failure(Failure::Interfered {
            status: response.status,
            message: format!(
                "{host} answered {} to the registration. Try again later.",
                response.status
            ),
            retry_after: response.retry_after,
        }),
        _ => Problem::Failure(failure),
    }
}

fn unusable(message: String) -> Problem {
    Problem::Failure(Failure::Unusable { message })
}

/// The methods that a client can be registered with.
fn word(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::ClientSecretBasic => "client_secret_basic",
        AuthMethod::ClientSecretPost => "client_secret_post",
        _ => "none",
    }
}

fn method(word: &str) -> Option<AuthMethod> {
    match word {
        "client_secret_basic" => Some(AuthMethod::ClientSecretBasic),
        "client_secret_post" => Some(AuthMethod::ClientSecretPost),
        "none" => Some(AuthMethod::None),
        _ => None,
    }
}

/// Deletes a registration at the server (RFC 7592 §2.3). `Ok(false)` where the server gave no way to.
///
/// # Errors
/// See [`Failure`]; then the registration is still there.
pub async fn delete(http: &Http, provider: &Provider, registration: &Registration) -> Result<bool, Failure> {
    let uri = registration
        .uri
        .as_deref()
        .and_then(|uri| uri.parse::<Url>().ok());
    let (Some(uri), Some(token)) = (uri, &registration.access_token) else {
        return Ok(false);
    };
    let outbound = Outbound::of(provider, &uri);
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::DELETE;
    request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
    let response = http.send_outbound(&outbound, &uri, request).await?;
    match response.status {
        200..=299 | 401 | 404 | 410 => Ok(true),
        status => Err(Failure::Interfered {
            status,
            message: format!("{} answered {status} to the deletion", response.host),
            retry_after: response.retry_after,
        }),
    }
}
