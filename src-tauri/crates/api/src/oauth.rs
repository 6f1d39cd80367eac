//! Our own authorization server, for apps of this machine (RFC 6749, 7009, 7636, 7662, 8414, 9207). Its answers are
//! the RFCs' own, and not the one envelope.

mod answer;
mod authorize;
mod consent;
mod form;
mod metadata;
mod tokens;

use crate::{
    error::Refused,
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

/// What this authorization server is called at the door that a request came to, like `http://127.0.0.1:4180`: its
/// `issuer`, and what its endpoints begin with. Only a door that a browser can reach puts it on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(pub String);

/// The issuer of a request, at a door that has one.
struct At(String);

impl<S: Sync> FromRequestParts<S> for At {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let issuer = parts.extensions.get::<Issuer>();
        issuer.map(|issuer| Self(issuer.0.clone())).ok_or_else(|| {
            Refused::Engine(Error::Unavailable(
                "no browser can come to this door; turn the loopback door on, in the window under Settings or with `tokenry serve --loopback`, and call there"
                    .to_owned(),
            ))
        })
    }
}

/// Whether a path is an operation that takes no bearer token: who may use it is proved in other ways, or everybody
/// may. A door lets a request to it through without one.
pub fn is_public(path: &str) -> bool {
    takes_a_form(path)
        || matches!(
            path,
            "/oauth/scopes" | "/oauth/authorize" | "/.well-known/oauth-authorization-server"
        )
}

/// Whether the body of this path is a form and not JSON. Its `Authorization` header is the client's own.
pub fn takes_a_form(path: &str) -> bool {
    matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/introspect")
}

/// Whether the operation looks at its body itself: a form; or the window's decision, which is refused to everybody
/// else whatever they send.
pub(crate) fn judges_the_body(path: &str) -> bool {
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
