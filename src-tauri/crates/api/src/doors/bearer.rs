//! What every door that programs knock at has in common: who a request comes from.

use crate::{error::Refused, oauth};
use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokenry_core::{Caller, OsRandom, Peer, Random, Secret};
use tokenry_engine::{Engine, Error};

/// A door's own token: whoever has it could read a file of our user. Only its keyed hash is kept.
pub(super) struct OwnToken {
    /// As long as a block of the hash.
    key: [u8; 64],
    tag: Vec<u8>,
}

impl OwnToken {
    /// A new one of 256 bits, and the text to hand out.
    pub(super) fn fresh() -> (Self, Secret) {
        let (mut key, mut octets) = ([0; 64], [0; 32]);
        OsRandom.fill(&mut key);
        OsRandom.fill(&mut octets);
        let text = Secret::hex(&octets);
        let tag = keyed(&key, &text).finalize().into_bytes().to_vec();
        (Self { key, tag }, text)
    }

    /// Whether this is it; takes the same time whatever is wrong with it.
    fn is(&self, token: &Secret) -> bool {
        keyed(&self.key, token).verify_slice(&self.tag).is_ok()
    }
}

fn keyed(key: &[u8; 64], text: &Secret) -> Hmac<Sha256> {
    let mut mac = Hmac::new(key.into());
    mac.update(text.expose().as_bytes());
    mac
}

/// Who asks: whoever the token in the header proves. Without a token it is a program of our user where the door can
/// tell that by itself (`own` is `None`), and nobody elsewhere. A token that is wrong is never overlooked.
pub(super) async fn caller(
    engine: &Engine,
    path: &str,
    headers: &HeaderMap,
    peer: &Peer,
    own: Option<&OwnToken>,
) -> Result<Caller, Refused> {
    // There an OAuth client proves itself, in OAuth's own ways (RFC 6749 §2.3.1).
    if oauth::is_public(path) {
        return Ok(Caller::Program(peer.clone()));
    }
    match (token(headers)?, own) {
        (None, None) => Ok(Caller::Program(peer.clone())),
        (None, Some(_)) => Err(refused(
            "this door lets nobody in without a token; send `Authorization: Bearer` with the one in loopback.json or \
             with an app's own",
        )),
        (Some(token), Some(own)) if own.is(&token) => Ok(Caller::Program(peer.clone())),
        (Some(token), _) => Ok(engine.authenticate(&token, Some(peer.clone())).await?),
    }
}

/// The bearer token (RFC 6750 §2.1): in this header, and nowhere else.
fn token(headers: &HeaderMap) -> Result<Option<Secret>, Refused> {
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
        None => Err(refused(
            "the Authorization header cannot be read; send it once, as `Bearer` and a token",
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

fn refused(why: &'static str) -> Refused {
    Refused::Engine(Error::Unauthorized(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&'static str]) -> Result<Option<String>, Refused> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        token(&headers).map(|found| found.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case_and_nothing_else_may_differ() {
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
    fn a_token_of_a_door_is_new_each_time_and_has_256_bits() {
        let (one, text) = OwnToken::fresh();
        let (other, _) = OwnToken::fresh();
        assert!(text.expose().len() == 64 && one.is(&text) && !other.is(&text));
        assert!(!one.is(&Secret::new(String::new())));
    }
}
