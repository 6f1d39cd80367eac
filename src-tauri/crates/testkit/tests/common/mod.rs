//! What the tests of the server share.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use tokenry_testkit::{Server, http};
use url::Url;

pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";
pub const REDIRECT: &str = "http://127.0.0.1:9/cb/test";

pub fn authorization_url(server: &Server, redirect: &str) -> Url {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut url = server.authorization_endpoint();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "tokenry"),
        ("redirect_uri", redirect),
        ("state", "s1"),
        ("scope", "read write"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    url
}

/// The parameters of the answer to an authorization request.
pub fn authorize(server: &Server) -> HashMap<String, String> {
    let reply = http::get(&authorization_url(server, REDIRECT), &[]).unwrap();
    assert_eq!(reply.status, 302);
    let location = Url::parse(reply.location().unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT));
    location.query_pairs().into_owned().collect()
}

pub fn exchange(server: &Server, code: &str, verifier: &str) -> http::Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "tokenry"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    http::post(&server.token_endpoint(), &[], &form).unwrap()
}

pub fn try_refresh(server: &Server, token: &str) -> std::io::Result<http::Response> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "tokenry"),
        ("refresh_token", token),
    ];
    http::post(&server.token_endpoint(), &[], &form)
}

pub fn refresh(server: &Server, token: &str) -> http::Response {
    try_refresh(server, token).unwrap()
}

/// A first refresh token, given without a consent flow.
pub fn refresh_token(server: &Server) -> String {
    server.grant("tokenry", "read write").refresh_token.unwrap()
}

/// A member of the answer that is a text.
pub fn text(reply: &http::Response, name: &str) -> String {
    reply.json()[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {reply:?}"))
        .to_owned()
}
