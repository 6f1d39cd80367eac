use super::{At, answer};
use crate::{
    error::Refused,
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
/// Authorization code with PKCE (S256). For a person's browser, at the loopback door: the answer comes when they have
/// decided, in a window of ours, after three minutes at the latest. An app that can prove itself and was granted as
/// much before gets its code at once. Errors are sent to the app, unless the app or its address is not known.
#[utoipa::path(
    get,
    path = "/oauth/authorize",
    tag = "oauth",
    params(OAuthAuthorizeQuery),
    responses(
        (status = 303, description = "To the app: `code`, or `error` and `error_description`; `state` and `iss`.",
            headers(("location" = String, description = "The app's redirect URI."))),
        (status = 400, description = "No such app or address: a text for the person.", body = String, content_type = "text/plain"),
        (status = 403, description = "Not a navigation of a browser's own: a text.", body = String, content_type = "text/plain"),
        (status = 423, description = "The vault is locked: a text.", body = String, content_type = "text/plain"),
        (status = 500, description = "Our fault: a text.", body = String, content_type = "text/plain"),
        (status = 503, description = "oauth_unavailable", body = ErrorEnvelope),
    )
)]
pub(super) async fn oauth_authorize(
    At(issuer): At,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    caller: Option<Extension<Caller>>,
    State(engine): State<Engine>,
) -> Response {
    // The router takes a HEAD for a GET, and this one asks a person.
    if method != Method::GET {
        return Refused::NoMethod(method.to_string(), "/oauth/authorize".to_owned()).into_response();
    }
    if !is_navigation(&headers) {
        let text = "This address is for a browser that a person uses, not for a script, a frame or a preview. Open it in a window of its own.";
        return answer::page(StatusCode::FORBIDDEN, text);
    }
    let peer = caller.and_then(|Extension(caller)| caller.peer().cloned());
    let query = uri.query().unwrap_or_default();
    match engine.authorize(peer, &issuer, query).await {
        Ok(redirect) => answer::sent_on(&redirect),
        Err(wrong) => answer::page(answer::status(wrong.http_status()), &wrong.to_string()),
    }
}

operation!(oauth_authorize, Callers::Everybody);

/// Whether a browser says that a person went here, or nothing at all: not a script, not a frame, not a preview of
/// what the person might click on (Fetch Metadata; A13.4).
fn is_navigation(headers: &HeaderMap) -> bool {
    let only = |name: &str, wanted: &str| headers.get_all(name).iter().all(|value| value == wanted);
    only("sec-fetch-mode", "navigate")
        && only("sec-fetch-dest", "document")
        && !headers.contains_key("sec-purpose")
        && !headers.contains_key("purpose")
}
