//! The authorization endpoint.

use super::{RequestIssuer, response};
use crate::{
    error::ApiError,
    operations::{Callers, operation},
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use tokenry_contract::{ErrorEnvelope, OAuthAuthorizeQuery};
use tokenry_core::Caller;
use tokenry_engine::Engine;

/// Authorize an app
///
/// Authorization code with PKCE (S256), for the user's browser at the loopback server. The response comes when the user
/// has decided in the consent window, after three minutes at the latest. An app that authenticated itself and has a
/// grant for the same gets its code at once. Errors go to the app, unless the app or its redirect URI is unknown.
#[utoipa::path(
    get,
    path = "/oauth/authorize",
    tag = "oauth",
    params(OAuthAuthorizeQuery),
    responses(
        (status = 303, description = "To the app, with `code`, or `error` and `error_description`; and `state` and `iss`.",
            headers(("location" = String, description = "The app's redirect URI."))),
        (status = 400, description = "Unknown app or redirect URI: a text for the user.", body = String, content_type = "text/plain"),
        (status = 403, description = "Not a navigation of a browser: a text.", body = String, content_type = "text/plain"),
        (status = 423, description = "The vault is locked: a text.", body = String, content_type = "text/plain"),
        (status = 500, description = "Internal error: a text.", body = String, content_type = "text/plain"),
        (status = 503, description = "oauth_unavailable", body = ErrorEnvelope),
    )
)]
pub(super) async fn oauth_authorize(
    RequestIssuer(issuer): RequestIssuer,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    caller: Option<Extension<Caller>>,
    State(engine): State<Engine>,
) -> Response {
    // The router treats a HEAD as a GET, and this operation prompts the user.
    if method != Method::GET {
        return ApiError::NoMethod(method.to_string(), "/oauth/authorize".to_owned()).into_response();
    }
    if !is_navigation(&headers) {
        let text =
            "This URL is for a browser, not for a script, a frame or a preview. Open it in a browser window.";
        return response::text_page(StatusCode::FORBIDDEN, text);
    }
    let peer = caller.and_then(|Extension(caller)| caller.peer().cloned());
    let query = uri.query().unwrap_or_default();
    match engine.authorize(peer, &issuer, query).await {
        Ok(redirect) => response::redirect_to_app(&redirect),
        Err(wrong) => response::text_page(response::status(wrong.http_status()), &wrong.to_string()),
    }
}

operation!(oauth_authorize, Callers::Everybody);

/// Whether the user navigated here, as far as the browser tells: not a script, not a frame, not a preview (Fetch Metadata;
/// A13.4).
fn is_navigation(headers: &HeaderMap) -> bool {
    let only = |name: &str, wanted: &str| headers.get_all(name).iter().all(|value| value == wanted);
    only("sec-fetch-mode", "navigate")
        && only("sec-fetch-dest", "document")
        && !headers.contains_key("sec-purpose")
        && !headers.contains_key("purpose")
}
