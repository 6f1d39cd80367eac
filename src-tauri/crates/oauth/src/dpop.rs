//! Proofs of possession (RFC 9449): a request shows that its sender has the key that the token is bound to.

use crate::jose::SigningKey;
use crate::response::Response;
use crate::{Failure, Http, jose, random};
use serde_json::json;
use tokenry_core::{Provider, Secret};
use url::Url;

/// The name of the header that carries a proof.
pub(crate) const HEADER: &str = "dpop";
/// The name of the header in which a server gives a nonce (RFC 9449 §8).
pub(crate) const NONCE_HEADER: &str = "dpop-nonce";
/// The longest nonce that is kept, in bytes.
const MAX_NONCE_BYTES: usize = 1024;

/// A request that a proof is for.
#[derive(Debug, Clone)]
pub struct Proven<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The address. Its query and fragment are left out of the proof (RFC 9449 §4.2).
    pub url: &'a Url,
    /// The nonce that the server gave, instead of the last one that was seen from it.
    pub nonce: Option<String>,
    /// SHA-256 of the access token that is sent along, in base64url.
    pub ath: Option<String>,
}

/// Makes a proof for one request (RFC 9449 §4.2).
///
/// # Errors
/// When the key cannot be read.
pub fn proof(http: &Http, stored: &Secret, request: &Proven<'_>) -> Result<String, Failure> {
    let key = SigningKey::read(stored)?;
    let mut target = request.url.clone();
    target.set_query(None);
    target.set_fragment(None);
    let servers = http.servers();
    let mut claims = json!({
        "jti": random::fresh(servers.random()).expose(),
        "htm": request.method,
        "htu": target.as_str(),
        "iat": servers.now_at(request.url).as_second(),
    });
    if let Some(nonce) = request.nonce.clone().or_else(|| servers.nonce_of(request.url)) {
        claims["nonce"] = nonce.into();
    }
    if let Some(ath) = &request.ath {
        claims["ath"] = ath.as_str().into();
    }
    key.sign(json!({"typ": "dpop+jwt", "jwk": key.jwk()}), &claims)
}

/// `ath` of an access token (RFC 9449 §4.2).
pub fn hash_of(access_token: &Secret) -> String {
    jose::sha256(access_token.expose().as_bytes())
}

/// Whether a text can be a nonce (RFC 9449 §8.1).
pub fn is_nonce(text: &str) -> bool {
    let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=MAX_NONCE_BYTES).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether a server refused a proof only for its nonce (RFC 9449 §8, §9): then it has not looked at the rest.
pub(crate) fn wants_nonce(provider: &Provider, response: &Response) -> bool {
    if provider.dpop_key.is_none() || !matches!(response.status, 400 | 401) || !response.brought_nonce {
        return false;
    }
    let says_so = || {
        let failure = response.members().err();
        failure.is_some_and(|failure| failure.provider_error() == Some("use_dpop_nonce"))
    };
    let challenges = &response.challenges;
    challenges
        .iter()
        .any(|challenge| challenge.contains("use_dpop_nonce"))
        || says_so()
}

/// Whether a token may be bound, or has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// There is no key.
    Impossible,
    /// There is a key of an earlier sign-in, and the setting was switched off since.
    Possible,
    Demanded,
}

impl Binding {
    pub(crate) fn of(provider: &Provider) -> Self {
        match (&provider.dpop_key, provider.settings.dpop) {
            (None, _) => Self::Impossible,
            (Some(_), false) => Self::Possible,
            (Some(_), true) => Self::Demanded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_visible_text_without_quotes() {
        assert!(is_nonce("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
        for bad in ["", "a b", "a\"b", "a\\b", "ä", "a\n", &"n".repeat(1025)] {
            assert!(!is_nonce(bad), "{bad}");
        }
    }
}
