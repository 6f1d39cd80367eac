//! Tokenry's own authorization server, for apps on this machine (RFC 6749, 7009, 7636, 7662, 8414, 9207). Its errors have the
//! format of the RFCs, not the envelope of the other operations.

mod authorize;
mod consent;
mod form;
mod metadata;
mod response;
mod tokens;

use crate::{
    error::ApiError,
    operations::{Operations, routes},
};
use authorize::{__path_oauth_authorize, oauth_authorize};
use axum::{extract::FromRequestParts, http::request::Parts};
use consent::{__path_oauth_consent, oauth_consent};
use metadata::{__path_oauth_metadata, __path_oauth_scopes, oauth_metadata, oauth_scopes};
use tokenry_engine::Error;
use tokens::{
    __path_oauth_introspect, __path_oauth_revoke, __path_oauth_token, oauth_introspect, oauth_revoke,
    oauth_token,
};

/// The issuer identifier of the authorization server, like `http://127.0.0.1:4180`, which its endpoints begin with. Only the
/// loopback server, which a browser can reach, sets it in the extensions of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(pub String);

/// The issuer of a request; an error at a server that has none.
struct RequestIssuer(String);

impl<S: Sync> FromRequestParts<S> for RequestIssuer {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let issuer = parts.extensions.get::<Issuer>();
        issuer.map(|issuer| Self(issuer.0.clone())).ok_or_else(|| {
            ApiError::Engine(Error::Unavailable(
                "a browser cannot reach this server; enable the local HTTP API, in the window under Settings or with `tokenry serve --loopback`, and send the request there"
                    .to_owned(),
            ))
        })
    }
}

/// Whether a path is an operation without a bearer token: it authenticates its callers in another way, or everybody may call
/// it. A server passes a request to it on without a token.
pub fn is_public(path: &str) -> bool {
    takes_a_form(path)
        || matches!(
            path,
            "/oauth/scopes" | "/oauth/authorize" | "/.well-known/oauth-authorization-server"
        )
}

/// Whether the body at this path is a form and not JSON. Its `Authorization` header belongs to the OAuth client.
pub fn takes_a_form(path: &str) -> bool {
    matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/introspect")
}

/// Whether the operation checks its body itself: a form, or the decision of the consent window, which is refused for every other
/// caller whatever the body is.
pub(crate) fn checks_its_body(path: &str) -> bool {
    takes_a_form(path) || path == "/oauth/consent"
}

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(oauth_scopes))
        .routes(routes!(oauth_metadata))
        .routes(routes!(oauth_authorize))
        .routes(routes!(oauth_consent))
        .routes(routes!(oauth_token))
        .routes(routes!(oauth_revoke))
        .routes(routes!(oauth_introspect))
}
