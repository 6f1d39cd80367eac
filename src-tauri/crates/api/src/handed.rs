use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, header},
    response::IntoResponse,
};
use serde::Serialize;
use tokenry_contract::{App, CreatedApp, Credential, TokenAnswer};
use tokenry_core::Secret;
use tokenry_engine::TokenView;
use zeroize::{Zeroize, Zeroizing};

/// An access token on its way to a program: not to be kept by anything between (RFC 6749 §5.1), and wiped from our
/// own buffer once it is sent.
pub(crate) struct Handed(pub(crate) TokenView);

impl IntoResponse for Handed {
    fn into_response(self) -> axum::response::Response {
        not_kept(written(self.0))
    }
}

/// A new app with its own token, on its way to whoever registered it; nobody sees that token again.
pub(crate) struct Registered(pub(crate) App, pub(crate) Option<Secret>);

impl IntoResponse for Registered {
    fn into_response(self) -> axum::response::Response {
        let mut answer = CreatedApp {
            app: self.0,
            token: self.1.map(|token| token.expose().to_owned()),
        };
        let written = in_one_buffer(&answer, 4096);
        answer.token.zeroize();
        not_kept(written)
    }
}

/// A credential on its way to a program, perhaps with values: handled as a token is.
pub(crate) struct HandedCredential(pub(crate) Credential);

impl IntoResponse for HandedCredential {
    fn into_response(mut self) -> axum::response::Response {
        let data = &self.0.data;
        let room: usize = data
            .iter()
            .map(|(field, value)| field.len() + value.len() + 8)
            .sum();
        let written = in_one_buffer(&self.0, 2 * room + 1024);
        self.0.data.values_mut().for_each(Zeroize::zeroize);
        not_kept(written)
    }
}

fn not_kept(written: Bytes) -> axum::response::Response {
    let mut response = Response::new(Body::from(written));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn written(token: TokenView) -> Bytes {
    let mut answer = TokenAnswer {
        access_token: token.access_token.expose().to_owned(),
        token_type: token.token_type,
        expires_at: token.expires_at,
        scope: (!token.scopes.is_empty()).then(|| token.scopes.to_string()),
    };
    // Large enough for nearly every token, so that no half of it stays behind in a buffer that grew.
    let room = answer.access_token.len() + answer.scope.as_ref().map_or(0, String::len) + 256;
    let written = in_one_buffer(&answer, room);
    answer.access_token.zeroize();
    written
}

/// Written into one buffer that is wiped once it is sent.
fn in_one_buffer(answer: &impl Serialize, room: usize) -> Bytes {
    let mut buffer = Zeroizing::new(Vec::with_capacity(room));
    let done = serde_json::to_writer(&mut *buffer, answer);
    if done.is_err() {
        // Strings and times always serialise.
        buffer.clear();
    }
    Bytes::from_owner(buffer)
}
