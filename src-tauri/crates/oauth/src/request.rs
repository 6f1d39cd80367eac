//! Builds the requests to the token endpoint.

use crate::Failure;
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, ClientSecret, ErrorResponse, HttpRequest, HttpResponse, RequestTokenError};
use std::fmt;
use tokenry_core::{Narrowing, Provider, TokenEndpointAuthMethod};

/// The provider's client as `oauth2` knows it, with one way to prove who it is and no second (RFC 6749 §2.3).
pub(crate) fn client(provider: &Provider) -> BasicClient {
    let client = BasicClient::new(ClientId::new(provider.settings.client_id.clone()));
    let secret = |client: BasicClient| match &provider.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => client,
    };
    match provider.settings.token_endpoint_auth_method {
        // A client without a secret has an empty one (RFC 6749 §2.3.1): `id:`.
        TokenEndpointAuthMethod::ClientSecretBasic if provider.client_secret.is_none() => client
            .set_client_secret(ClientSecret::new(String::new()))
            .set_auth_type(AuthType::BasicAuth),
        TokenEndpointAuthMethod::ClientSecretBasic => secret(client).set_auth_type(AuthType::BasicAuth),
        TokenEndpointAuthMethod::ClientSecretPost => secret(client).set_auth_type(AuthType::RequestBody),
        // An assertion is a parameter of its own.
        TokenEndpointAuthMethod::None
        | TokenEndpointAuthMethod::ClientSecretJwt
        | TokenEndpointAuthMethod::PrivateKeyJwt => client.set_auth_type(AuthType::RequestBody),
        TokenEndpointAuthMethod::SecretAsUserName => client,
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
        _ => Err(Failure::NotSent {
            message: "The request could not be built. Check the provider's addresses.".to_owned(),
        }),
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
