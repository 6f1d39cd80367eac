//! Responses in the format of the RFCs.

use axum::{
    Json,
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokenry_contract::{OAuthErrorAnswer, OAuthTokenAnswer};
use tokenry_core::ApiScope;
use tokenry_engine::{IssuedTokens, OAuthError, Redirect};
use zeroize::{Zeroize, Zeroizing};

/// An error in JSON (RFC 6749 §5.2).
pub(super) struct OAuthErrorResponse(pub(super) OAuthError);

impl From<OAuthError> for OAuthErrorResponse {
    fn from(error: OAuthError) -> Self {
        Self(error)
    }
}

impl IntoResponse for OAuthErrorResponse {
    fn into_response(self) -> Response {
        let status = status(self.0.code.http_status());
        let body = OAuthErrorAnswer {
            error: self.0.code.as_str().to_owned(),
            error_description: self.0.description,
        };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1.
            let basic = HeaderValue::from_static("Basic realm=\"Tokenry\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        no_store(response)
    }
}

/// An access token and a refresh token, which are wiped from our buffer once they are sent.
pub(super) struct OAuthTokenResponse(pub(super) IssuedTokens);

impl IntoResponse for OAuthTokenResponse {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(token_json(&self.0)));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        no_store(response)
    }
}

fn token_json(tokens: &IssuedTokens) -> Bytes {
    let mut answer = OAuthTokenAnswer {
        access_token: tokens.access_token.expose().to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh_token.expose().to_owned(),
        scope: scope(&tokens.scopes),
    };
    // Large enough, so that the buffer does not grow and leave a copy behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(1024));
    let done = serde_json::to_writer(&mut *buffer, &answer);
    answer.access_token.zeroize();
    answer.refresh_token.zeroize();
    if done.is_err() {
        // Strings and numbers always serialize.
        buffer.clear();
    }
    Bytes::from_owner(buffer)
}

/// Scopes as a parameter has them.
pub(super) fn scope<'a>(scopes: impl IntoIterator<Item = &'a ApiScope>) -> String {
    let list: Vec<_> = scopes.into_iter().map(|scope| scope.as_str()).collect();
    list.join(" ")
}

/// Redirects the browser to the app. 303, so that no browser sends a body there (A13.4).
pub(super) fn redirect_to_app(redirect: &Redirect) -> Response {
    let Ok(mut location) = HeaderValue::from_str(redirect.location()) else {
        return text_page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The redirect URI of the app is invalid.",
        );
    };
    location.set_sensitive(true);
    let response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    with_browser_headers(response)
}

/// A text for the user, when the browser must not be redirected. It is plain text, so nothing in it is interpreted.
pub(super) fn text_page(status: StatusCode, text: &str) -> Response {
    with_browser_headers((status, format!("Tokenry\n\n{text}\n")).into_response())
}

pub(super) fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A13.4: not cached, not shown in a frame, and without a referrer.
fn with_browser_headers(response: Response) -> Response {
    let mut response = no_store(response);
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn no_store(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}
