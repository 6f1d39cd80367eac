//! The metadata and the scopes of the authorization server.

use super::RequestIssuer;
use crate::{
    convert,
    openapi::{Always, Browsing},
    operations::{Callers, operation},
};
use axum::Json;
use tokenry_contract::{OAuthMetadata, OAuthScopes};
use tokenry_core::ApiScope;

/// List the scopes that an app can request
///
/// Each with a description. Public.
#[utoipa::path(
    get,
    path = "/oauth/scopes",
    tag = "oauth",
    responses((status = 200, description = "All of them.", body = OAuthScopes), Always)
)]
pub(super) async fn oauth_scopes() -> Json<OAuthScopes> {
    let all = ApiScope::ALL.iter().copied();
    Json(OAuthScopes {
        scopes: all.map(convert::scope_words).collect(),
    })
}

operation!(
    oauth_scopes,
    Callers::Everybody,
    OAuthScopes {
        scopes: [ApiScope::ConnectionsRead, ApiScope::TokensRead]
            .map(convert::scope_words)
            .into(),
    }
);

/// Get the metadata of the authorization server
///
/// RFC 8414. Public, at the loopback server only: a browser reaches no other one.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "oauth",
    responses((status = 200, description = "The metadata.", body = OAuthMetadata), Browsing)
)]
pub(super) async fn oauth_metadata(RequestIssuer(issuer): RequestIssuer) -> Json<OAuthMetadata> {
    Json(metadata(&issuer))
}

operation!(
    oauth_metadata,
    Callers::Everybody,
    metadata("http://127.0.0.1:24180")
);

/// The metadata of the authorization server with this issuer.
fn metadata(issuer: &str) -> OAuthMetadata {
    let at = |path: &str| format!("{issuer}{path}");
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let secret = ["client_secret_basic", "client_secret_post"];
    let any = ["client_secret_basic", "client_secret_post", "none"];
    OAuthMetadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        scopes_supported: ApiScope::ALL
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
        response_types_supported: list(&["code"]),
        response_modes_supported: list(&["query"]),
        grant_types_supported: list(&["authorization_code", "refresh_token"]),
        token_endpoint_auth_methods_supported: list(&any),
        revocation_endpoint_auth_methods_supported: list(&any),
        introspection_endpoint_auth_methods_supported: list(&secret),
        code_challenge_methods_supported: list(&["S256"]),
        authorization_response_iss_parameter_supported: true,
    }
}
