//! Who a request comes from: the program at the other end, or the app of a bearer token.

use crate::{error::ApiError, extract::UnverifiedApp, oauth};
use axum::{
    extract::Request,
    http::{HeaderMap, header},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokenry_core::{Caller, Code, OsRandom, Peer, Random, Secret};
use tokenry_engine::{Engine, Error};

/// The loopback server's own token: its bearer could read a file of our user. Only a keyed hash of it is kept in memory.
pub(super) struct OwnToken {
    /// One block of the hash.
    key: [u8; 64],
    tag: Vec<u8>,
}

impl OwnToken {
    /// A new token of 256 bits, and its text for the discovery file.
    pub(super) fn generate() -> (Self, Secret) {
        let (mut key, mut bytes) = ([0; 64], [0; 32]);
        OsRandom.fill(&mut key);
        OsRandom.fill(&mut bytes);
        let text = Secret::hex(&bytes);
        let tag = keyed(&key, &text).finalize().into_bytes().to_vec();
        (Self { key, tag }, text)
    }

    /// Whether this is the token, compared in constant time.
    fn matches(&self, token: &Secret) -> bool {
        keyed(&self.key, token).verify_slice(&self.tag).is_ok()
    }
}

fn keyed(key: &[u8; 64], text: &Secret) -> Hmac<Sha256> {
    let mut mac = Hmac::new(key.into());
    mac.update(text.expose().as_bytes());
    mac
}

/// Puts the caller into a request: the app of the token in its header, or a program of our user. Without a token it is a
/// program of our user at the socket (`own` is `None`), and refused at the loopback server. A wrong token is always
/// refused. A token that a locked vault cannot check is left to the operation, which may wait for the unlock.
pub(super) async fn identify(
    engine: &Engine,
    request: &mut Request,
    peer: &Peer,
    own: Option<&OwnToken>,
) -> Result<(), ApiError> {
    let program = || Caller::Program(peer.clone());
    // At these paths an OAuth client authenticates itself in OAuth's own ways (RFC 6749 §2.3.1).
    if oauth::is_public(request.uri().path()) {
        request.extensions_mut().insert(program());
        return Ok(());
    }
    let caller = match (token(request.headers())?, own) {
        (None, None) => program(),
        (None, Some(_)) => {
            return Err(unauthorized(
                "the loopback server needs a token; send `Authorization: Bearer` with the token in loopback.json or with \
                 an app's own token",
            ));
        }
        (Some(token), Some(own)) if own.matches(&token) => program(),
        (Some(token), _) => match engine.authenticate(&token, Some(peer.clone())).await {
            Err(error) if error.code() == Code::VaultLocked => {
                let peer = peer.clone();
                request.extensions_mut().insert(UnverifiedApp { token, peer });
                return Ok(());
            }
            checked => checked?,
        },
    };
    request.extensions_mut().insert(caller);
    Ok(())
}

/// The bearer token (RFC 6750 §2.1), which is read from this header only.
fn token(headers: &HeaderMap) -> Result<Option<Secret>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let value = value.to_str().ok().filter(|_| values.next().is_none());
    let token = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_matches(' '))
        .filter(|token| is_token(token));
    match token {
        Some(token) => Ok(Some(Secret::new(token.to_owned()))),
        None => Err(unauthorized(
            "the Authorization header is invalid; send it once, as `Bearer` and a token",
        )),
    }
}

/// `b64token` of RFC 6750 §2.1.
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

fn unauthorized(why: &'static str) -> ApiError {
    ApiError::Engine(Error::Unauthorized(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&'static str]) -> Result<Option<String>, ApiError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        token(&headers).map(|found| found.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn only_the_case_of_the_scheme_may_differ() {
        for good in ["Bearer a-._~+/9==", "bearer a-._~+/9==", "BEARER  a-._~+/9=="] {
            assert_eq!(read(&[good]).unwrap().as_deref(), Some("a-._~+/9=="));
        }
        assert_eq!(read(&[]).unwrap(), None);
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer =",
            "Bearer a b",
            "Bearer a,b",
            "Bearer \"a\"",
            "Basic YTpi",
            "a",
        ] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
        assert!(read(&["Bearer a", "Bearer a"]).is_err());
    }

    #[test]
    fn the_own_token_is_new_each_time_and_has_256_bits() {
        let (one, text) = OwnToken::generate();
        let (other, _) = OwnToken::generate();
        assert!(text.expose().len() == 64 && one.matches(&text) && !other.matches(&text));
        assert!(!one.matches(&Secret::new(String::new())));
    }
}
