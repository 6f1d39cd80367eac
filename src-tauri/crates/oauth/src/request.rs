//! Builds the requests to the token endpoint: first as RFC 6749 has them, then as the provider wants them.

use crate::paths::Paths;
use crate::response::Response;
use crate::{Failure, Http, client_assertion, send};
use base64::{Engine, engine::general_purpose::STANDARD};
use oauth2::basic::BasicClient;
use oauth2::http::HeaderMap;
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use oauth2::http::{Method, Request};
use oauth2::{AuthType, ClientId, ClientSecret, ErrorResponse, HttpRequest, HttpResponse, RequestTokenError};
use std::collections::BTreeMap;
use std::fmt;
use tokenry_core::{
    BodyFormat, CaptureError, Narrowing, Provider, Secret, TokenEndpointAuthMethod, placeholders,
};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

/// A request that is ready to be sent, and what is needed to read its answer.
pub(crate) struct Outgoing {
    pub(crate) request: HttpRequest,
    /// The secrets in it: a server may repeat them in what it says.
    pub(crate) secrets: Vec<Zeroizing<String>>,
    /// Where the members of the answer are.
    pub(crate) paths: Paths,
}

impl From<HttpRequest> for Outgoing {
    fn from(request: HttpRequest) -> Self {
        Self {
            secrets: secrets_of(&request),
            request,
            paths: Paths::new(),
        }
    }
}

impl Outgoing {
    /// Notes another secret that is in it.
    pub(crate) fn also_secret(&mut self, secret: &Secret) {
        let secret = Zeroizing::new(secret.expose().to_owned());
        self.secrets.extend(Some(secret).filter(is_findable));
    }
}

/// The shortest secret that is looked for in what a server says; a shorter one would be found by chance.
const MIN_SECRET_CHARS: usize = 6;

/// The secrets in a request whose parameters have their standard names.
fn secrets_of(request: &HttpRequest) -> Vec<Zeroizing<String>> {
    let is_secret = |key: &str| {
        matches!(
            key,
            "access_token"
                | "refresh_token"
                | "token"
                | "subject_token"
                | "code"
                | "device_code"
                | "code_verifier"
                | "client_secret"
                | "client_assertion"
                | "assertion"
        )
    };
    let body = form_urlencoded::parse(request.body())
        .filter(|(key, _)| is_secret(key))
        .map(|(_, value)| Zeroizing::new(value.into_owned()));
    let header = request.headers().get(AUTHORIZATION);
    let header = header
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .map(|(_, value)| Zeroizing::new(value.to_owned()));
    body.chain(header).filter(is_findable).collect()
}

fn is_findable(secret: &Zeroizing<String>) -> bool {
    secret.chars().count() >= MIN_SECRET_CHARS
}

/// Sends a request of RFC 6749 once, as the provider wants it: with these extra parameters, the provider's own names of
/// ours, its headers and its form of the body. The answer is read where the provider puts it.
pub(crate) async fn send(
    http: &Http,
    provider: &Provider,
    endpoint: &Url,
    request: HttpRequest,
    extra: &BTreeMap<String, String>,
) -> Result<Response, Failure> {
    let made = || authenticated(http, provider, endpoint, request.clone(), extra);
    send::proven(http, provider, endpoint, None, made).await
}

/// The request as the provider wants it, with a new assertion where the client authenticates by one.
pub(crate) fn authenticated(
    http: &Http,
    provider: &Provider,
    endpoint: &Url,
    mut request: HttpRequest,
    extra: &BTreeMap<String, String>,
) -> Result<Outgoing, Failure> {
    let assertion = client_assertion::parameters(http, provider, endpoint)?;
    add_parameters(&mut request, &assertion);
    dressed(provider, request, extra)
}

/// Adds parameters to a form.
fn add_parameters(request: &mut HttpRequest, parameters: &[(&str, String)]) {
    if parameters.is_empty() {
        return;
    }
    let mut more = form_urlencoded::Serializer::new(String::new());
    more.extend_pairs(parameters);
    let body = request.body_mut();
    if !body.is_empty() {
        body.push(b'&');
    }
    body.extend_from_slice(more.finish().as_bytes());
}

/// A request of RFC 6749 as the provider wants it.
pub(crate) fn dressed(
    provider: &Provider,
    request: HttpRequest,
    extra: &BTreeMap<String, String>,
) -> Result<Outgoing, Failure> {
    let settings = &provider.settings;
    let mut secrets = secrets_of(&request);
    let client_secret = provider.client_secret.as_ref();
    secrets.extend(
        client_secret
            .map(|secret| Zeroizing::new(secret.expose().to_owned()))
            .filter(is_findable),
    );
    let (mut head, body) = request.into_parts();
    let mut parameters: Vec<_> = form_urlencoded::parse(&body).into_owned().collect();
    for (name, _) in &mut parameters {
        if let Some(own) = settings.param_names.get(name) {
            name.clone_from(own);
        }
    }
    for (name, value) in extra {
        let missing = placeholders(value)
            .into_iter()
            .find(|name| settings.captures.contains_key(*name));
        if let Some(missing) = missing {
            let message = CaptureError::Missing(missing.to_owned()).to_string();
            return Err(Failure::NotSent { message });
        }
        if name == "grant_type" {
            parameters.retain(|(own, _)| own != name);
        }
        // A limit of this very request comes before what is sent with every one.
        if !parameters.iter().any(|(own, _)| own == name) {
            parameters.push((name.clone(), value.clone()));
        }
    }
    if let (TokenEndpointAuthMethod::SecretAsUserName, Some(secret)) =
        (settings.token_endpoint_auth_method, client_secret)
    {
        // RFC 7617, without the encoding of RFC 6749: a key of the provider's own, and not a client's password.
        let credentials = Zeroizing::new(format!("{}:", secret.expose()));
        let credentials = Zeroizing::new(STANDARD.encode(credentials.as_bytes()));
        let header = HeaderValue::from_str(&format!("Basic {}", credentials.as_str()));
        head.headers.insert(AUTHORIZATION, header.map_err(|_| unbuilt())?);
        secrets.push(credentials);
    }
    add_headers(provider, &mut head.headers)?;
    let body = encoded(&parameters, settings.token_body_format, &mut head.headers)?;
    Ok(Outgoing {
        request: HttpRequest::from_parts(head, body),
        secrets,
        paths: settings.token_response_paths.clone(),
    })
}

/// A form with these parameters, without client authentication.
pub(crate) fn form_request(parameters: &[(&str, &str)]) -> HttpRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    let mut request = Request::new(form.finish().into_bytes());
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    request
}

/// A request that an access token proves, with the provider's headers and these parameters.
pub(crate) fn bearer(
    provider: &Provider,
    request: HttpRequest,
    parameters: &BTreeMap<String, String>,
) -> Result<Outgoing, Failure> {
    // No client takes part in it.
    let mut own = provider.clone();
    own.client_secret = None;
    dressed(&own, request, parameters)
}

/// The header that an access token goes in (RFC 6750 §2.1).
pub(crate) fn bearer_header(token: &Secret) -> Result<HeaderValue, Failure> {
    token_header("Bearer", token)
}

/// The same for a token that may be bound to a key: that is never sent as a bearer (RFC 9449 §7.1).
pub(crate) fn access_token_header(provider: &Provider, token: &Secret) -> Result<HeaderValue, Failure> {
    let is_bound = provider.dpop_key.is_some();
    token_header(if is_bound { "DPoP" } else { "Bearer" }, token)
}

fn token_header(scheme: &str, token: &Secret) -> Result<HeaderValue, Failure> {
    let header = Zeroizing::new(format!("{scheme} {}", token.expose()));
    HeaderValue::from_str(&header).map_err(|_| Failure::Unusable {
        message: "The access token fits in no header.".to_owned(),
    })
}

/// The client's HTTP Basic (RFC 6749 §2.3.1).
pub(crate) fn client_basic(provider: &Provider) -> Result<HeaderValue, Failure> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let secret = provider.client_secret.as_ref().map_or("", Secret::expose);
    let pair = Zeroizing::new(format!(
        "{}:{}",
        encoded(&provider.settings.client_id),
        encoded(secret)
    ));
    let header = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    HeaderValue::from_str(&header).map_err(|_| unbuilt())
}

/// A request with its parameters in the address. Client authentication is left out: a secret of the client does not
/// belong there.
pub(crate) fn as_get(
    provider: &Provider,
    endpoint: &Url,
    request: HttpRequest,
    extra: &BTreeMap<String, String>,
) -> Result<(Url, Outgoing), Failure> {
    let mut own = provider.clone();
    own.client_secret = None;
    own.settings.token_body_format = BodyFormat::Form;
    let is_of_client = |name: &str| matches!(name, "client_id" | "client_secret");
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(form_urlencoded::parse(request.body()).filter(|(name, _)| !is_of_client(name)));
    let (mut head, _) = request.into_parts();
    head.headers.remove(AUTHORIZATION);
    let request = HttpRequest::from_parts(head, form.finish().into_bytes());
    let mut outgoing = dressed(&own, request, extra)?;
    let mut endpoint = endpoint.clone();
    endpoint
        .query_pairs_mut()
        .extend_pairs(form_urlencoded::parse(outgoing.request.body()));
    outgoing.request.body_mut().clear();
    *outgoing.request.method_mut() = Method::GET;
    outgoing.request.headers_mut().remove(CONTENT_TYPE);
    Ok((endpoint, outgoing))
}

/// Adds the provider's headers.
pub(crate) fn add_headers(provider: &Provider, headers: &mut HeaderMap) -> Result<(), Failure> {
    for (name, value) in &provider.settings.token_headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unbuilt())?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| unbuilt())?);
    }
    Ok(())
}

fn encoded(
    parameters: &[(String, String)],
    format: BodyFormat,
    headers: &mut HeaderMap,
) -> Result<Vec<u8>, Failure> {
    match format {
        BodyFormat::Form => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(parameters);
            Ok(form.finish().into_bytes())
        }
        BodyFormat::Json => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let members: BTreeMap<_, _> = parameters.iter().map(|(name, value)| (name, value)).collect();
            serde_json::to_vec(&members).map_err(|_| unbuilt())
        }
    }
}

/// Nothing was sent, since there is no address, or a value of the sign-in is missing in it.
pub(crate) fn no_token_endpoint(provider: &Provider) -> Failure {
    let settings = &provider.settings;
    let address = settings
        .refresh_endpoint
        .as_deref()
        .or(settings.token_endpoint.as_deref());
    let missing: Vec<_> = address.map(placeholders).into_iter().flatten().collect();
    let message = match missing.as_slice() {
        [_, ..] => CaptureError::Missing(missing.join("} or {")).to_string(),
        [] => format!("The provider {} has no token endpoint. Add it.", provider.name),
    };
    Failure::NotSent { message }
}

/// Nothing was sent, since the request cannot be built.
pub(crate) fn unbuilt() -> Failure {
    Failure::NotSent {
        message: "The request could not be built. Check the provider's addresses, parameters and headers."
            .to_owned(),
    }
}

/// The provider's client as `oauth2` knows it, with one way to prove who it is and no second (RFC 6749 §2.3).
pub(crate) fn client(provider: &Provider) -> BasicClient {
    let client = BasicClient::new(ClientId::new(provider.settings.client_id.clone()));
    let secret = |client: BasicClient| match &provider.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => client,
    };
    match provider.auth_method() {
        // A client without a secret has an empty one (RFC 6749 §2.3.1): `id:`.
        TokenEndpointAuthMethod::ClientSecretBasic if provider.client_secret.is_none() => client
            .set_client_secret(ClientSecret::new(String::new()))
            .set_auth_type(AuthType::BasicAuth),
        TokenEndpointAuthMethod::ClientSecretBasic => secret(client).set_auth_type(AuthType::BasicAuth),
        TokenEndpointAuthMethod::ClientSecretPost => secret(client).set_auth_type(AuthType::RequestBody),
        // An assertion is added when the request is sent.
        TokenEndpointAuthMethod::Automatic
        | TokenEndpointAuthMethod::None
        | TokenEndpointAuthMethod::ClientSecretJwt
        | TokenEndpointAuthMethod::PrivateKeyJwt => client.set_auth_type(AuthType::RequestBody),
        // Its header is made by `dressed`; the id goes into the body.
        TokenEndpointAuthMethod::SecretAsUserName => client.set_auth_type(AuthType::RequestBody),
    }
}

/// The parameters that limit a token. An empty `scope=` is an error to many servers, so none is sent then.
pub(crate) fn limits(provider: &Provider, to: &Narrowing) -> Vec<(&'static str, String)> {
    let scopes = to.scopes.as_ref().filter(|scopes| !scopes.is_empty());
    let scope = scopes.map(|scopes| ("scope", scopes.join(&provider.settings.scope_separator)));
    let audience = to.audience.clone().map(|audience| ("audience", audience));
    let resource = to.resource.clone().map(|resource| ("resource", resource));
    [scope, audience, resource].into_iter().flatten().collect()
}

/// Stands in for the HTTP client of `oauth2`, which builds the request and never sees the answer: its parser is
/// stricter than servers in the wild, and its parse error contains the body.
pub(crate) fn capture(request: HttpRequest) -> Result<HttpResponse, Captured> {
    Err(Captured(Box::new(request)))
}

/// The request that [`capture`] took.
pub(crate) fn captured<T, E: ErrorResponse>(
    result: Result<T, RequestTokenError<Captured, E>>,
) -> Result<HttpRequest, Failure> {
    match result {
        Err(RequestTokenError::Request(Captured(request))) => Ok(*request),
        _ => Err(unbuilt()),
    }
}

/// A request on its way out of `oauth2`. It holds secrets, so it has nothing to show.
pub(crate) struct Captured(Box<HttpRequest>);

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captured")
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request was captured")
    }
}

impl std::error::Error for Captured {}
