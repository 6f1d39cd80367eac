//! Responses that hold a secret: they are not cached, and wiped from our buffers after sending.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, header},
    response::IntoResponse,
};
use serde::Serialize;
use tokenry_contract::{AddressToken, App, CreatedApp, Credential, ServingConnection, TokenAnswer};
use tokenry_core::Secret;
use tokenry_engine::TokenView;
use zeroize::{Zeroize, Zeroizing};

/// An access token. No cache may store it (RFC 6749 §5.1), and it is wiped from our buffer once it is sent.
pub(crate) struct TokenResponse(pub(crate) TokenView);

impl IntoResponse for TokenResponse {
    fn into_response(self) -> axum::response::Response {
        let mut answer = token_answer(self.0);
        let json = wiped_json(&answer, capacity(&answer));
        wipe(&mut answer);
        no_store(json)
    }
}

/// The same, with the connections that serve the address.
pub(crate) struct AddressTokenResponse(pub(crate) Vec<ServingConnection>, pub(crate) Option<TokenView>);

impl IntoResponse for AddressTokenResponse {
    fn into_response(self) -> axum::response::Response {
        let mut answer = AddressToken {
            connections: self.0,
            token: self.1.map(token_answer),
        };
        let capacity = answer.token.as_ref().map_or(0, capacity) + 4096;
        let json = wiped_json(&answer, capacity);
        if let Some(token) = &mut answer.token {
            wipe(token);
        }
        no_store(json)
    }
}

/// A new app with its own token, which is not shown again.
pub(crate) struct CreatedAppResponse(pub(crate) App, pub(crate) Option<Secret>);

impl IntoResponse for CreatedAppResponse {
    fn into_response(self) -> axum::response::Response {
        let mut answer = CreatedApp {
            app: self.0,
            token: self.1.map(|token| token.expose().to_owned()),
        };
        let json = wiped_json(&answer, 4096);
        answer.token.zeroize();
        no_store(json)
    }
}

/// A credential, perhaps with values. It is treated as a token is.
pub(crate) struct CredentialResponse(pub(crate) Credential);

impl IntoResponse for CredentialResponse {
    fn into_response(mut self) -> axum::response::Response {
        let data = &self.0.data;
        let capacity: usize = data
            .iter()
            .map(|(field, value)| field.len() + value.len() + 8)
            .sum();
        let json = wiped_json(&self.0, 2 * capacity + 1024);
        self.0.data.values_mut().for_each(Zeroize::zeroize);
        no_store(json)
    }
}

fn no_store(json: Bytes) -> axum::response::Response {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn token_answer(token: TokenView) -> TokenAnswer {
    TokenAnswer {
        access_token: token.access_token.expose().to_owned(),
        token_type: token.token_type,
        expires_at: token.expires_at,
        scope: (!token.scopes.is_empty()).then(|| token.scopes.to_string()),
        id_token: token.id_token.map(|token| token.expose().to_owned()),
    }
}

/// Large enough for nearly every token, so that the buffer does not grow and leave a copy behind.
fn capacity(answer: &TokenAnswer) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    answer.access_token.len() + length(&answer.scope) + length(&answer.id_token) + 256
}

fn wipe(answer: &mut TokenAnswer) {
    answer.access_token.zeroize();
    answer.id_token.zeroize();
}

/// The JSON in one buffer, which is wiped once it is sent.
fn wiped_json(answer: &impl Serialize, capacity: usize) -> Bytes {
    let mut buffer = Zeroizing::new(Vec::with_capacity(capacity));
    let done = serde_json::to_writer(&mut *buffer, answer);
    if done.is_err() {
        // Strings and times always serialize.
        buffer.clear();
    }
    Bytes::from_owner(buffer)
}
