//! The ID token of a connection, for services that trust its issuer.

use crate::commands::token;
use crate::engine::Engine;
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokenry_contract::{ErrorCode, TokenAnswer, TokenRequest};
use zeroize::Zeroizing;

/// A JSON Web Token, and when it ends.
pub(super) struct WebToken {
    pub(super) text: Zeroizing<String>,
    /// Seconds since 1970.
    pub(super) ends_at: Option<i64>,
}

/// The ID token of a connection; or its access token, where that is a JSON Web Token and the service takes it.
///
/// # Errors
/// Those of a token request, and when there is no such token.
pub(super) fn web_token(name: &str, access_token: bool, engine: &Engine) -> Result<WebToken, Failure> {
    let request = TokenRequest {
        id_token: (!access_token).then_some(true),
        ..TokenRequest::default()
    };
    let answer: TokenAnswer = token::ask(name, &request, engine)?;
    let reported = answer.expires_at.filter(|_| access_token);
    let (own, other) = (
        Zeroizing::new(answer.access_token),
        answer.id_token.map(Zeroizing::new),
    );
    let text = match access_token {
        true => Some(own),
        false => other,
    };
    let found = text
        .filter(|text| is_web_token(text))
        .ok_or_else(|| absent(name, access_token))?;
    let ends_at = end_of(&found).or(reported.map(|end| end.as_second()));
    Ok(WebToken { text: found, ends_at })
}

fn absent(name: &str, access_token: bool) -> Failure {
    match access_token {
        true => Failure::new(
            ErrorCode::ValidationError,
            format!("The access token of {name} is not a JSON Web Token, so only its provider can read it."),
            "Leave --access-token out: then the ID token is used.",
        ),
        false => Failure::new(
            ErrorCode::NotFound,
            format!("{name} has no ID token."),
            format!(
                "Sign in again with `openid` among the scopes; `tokenry connect {name}` asks for the provider's scopes."
            ),
        ),
    }
}

/// Whether it has the form of one (RFC 7515, 7.1): three parts of base64url. Nothing else can be told in a line.
fn is_web_token(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        !part.is_empty() && part.bytes().all(is_letter)
    };
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// Its claim `exp` (RFC 7519, 4.1.4). The service checks the signature; we only say when to ask again.
pub(super) fn end_of(text: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let payload = text.split('.').nth(1)?;
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    // Up to the year 9999: what is later is no time.
    let is_time = (0.0..253_402_300_800.0).contains(&claims.exp);
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    is_time.then_some(claims.exp as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_end_of_a_web_token_is_read_and_nonsense_is_none() {
        assert_eq!(end_of(&token(r#"{"exp":1800000000}"#)), Some(1_800_000_000));
        assert_eq!(
            end_of(&token(r#"{"exp":1800000000.7,"aud":"x"}"#)),
            Some(1_800_000_000)
        );
        for claims in [
            "{}",
            "[]",
            "",
            r#"{"exp":"1800000000"}"#,
            r#"{"exp":-1}"#,
            r#"{"exp":1e300}"#,
            r#"{"exp":null}"#,
            r#"{"exp":1,"exp":2}"#,
        ] {
            assert_eq!(end_of(&token(claims)), None, "{claims}");
        }
        for text in ["", "a", "a.b", "a.!.c", "a.e30"] {
            assert_eq!(end_of(text), None, "{text}");
        }
    }

    #[test]
    fn only_three_parts_of_base64url_are_a_web_token() {
        assert!(is_web_token("e30.e30.c2ln"));
        for text in [
            "", "opaque", "a.b", "a.b.c.d", "a.b.", "a.b.c\n", "a.b.c\"", "a.b.c=", "ä.b.c",
        ] {
            assert!(!is_web_token(text), "{text:?}");
        }
    }
}
