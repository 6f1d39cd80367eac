//! The claims of an ID token that tell the account.

use crate::Failure;
use crate::account::is_picture;
use crate::json::{self, Object};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use tokenry_core::{Account, Provider, Secret, clean, issuer_matches};
use zeroize::Zeroizing;

/// How far the server's clock and the token's may be apart, in seconds (OpenID Connect Core §3.1.3.7).
pub(crate) const SKEW: f64 = 300.0;

/// Whose account an id token names, taken straight from the token endpoint (OpenID Connect Core §3.1.3.7).
///
/// Its signature is not looked at, so it is trusted as far as the connection it came over. One that cannot be read
/// is ignored. One for another client is an error, and so is then the whole response.
pub(crate) fn account(
    token: &Secret,
    provider: &Provider,
    now: Option<Timestamp>,
) -> Result<Option<Account>, Failure> {
    let Some(claims) = claims(token.expose()) else {
        return Ok(None);
    };
    let tenant = claims.text("tid").map(Secret::expose);
    if let (Some(expected), Some(issuer)) = (&provider.settings.issuer, claims.text("iss"))
        && !issuer_matches(
            expected,
            &provider.settings.issuer_aliases,
            issuer.expose(),
            tenant,
        )
    {
        let issuer = clean(issuer.expose());
        let message = format!(
            "The answer is from the issuer {issuer}, not from {}. It was not used.",
            clean(expected)
        );
        return Err(Failure::Unusable { message });
    }
    let audiences = claims.list("aud");
    if !audiences.is_empty() && !audiences.contains(&provider.settings.client_id.as_str()) {
        let message = "The answer is meant for another client than ours. It was not used.".to_owned();
        return Err(Failure::Unusable { message });
    }
    let ours = match claims.text("azp") {
        Some(azp) => azp.expose() == provider.settings.client_id,
        None => audiences.len() == 1,
    };
    let lives = match (claims.number("exp"), now) {
        (Some(exp), Some(now)) => exp + SKEW > now.as_second() as f64,
        (Some(_), None) => true,
        (None, _) => false,
    };
    Ok((ours && !audiences.is_empty() && lives && claims.has_text("iss"))
        .then(|| named(&claims))
        .flatten())
}

/// Why an id token is not of the sign-in that sent this nonce (OpenID Connect Core §3.1.3.7, 11). One that cannot be
/// read names no account either, and is not judged.
pub(crate) fn nonce_problem(token: &Secret, nonce: &Secret) -> Option<Failure> {
    let claims = claims(token.expose())?;
    let message = match claims.text("nonce") {
        Some(found) if tokenry_core::same_secret(found, nonce) => return None,
        Some(_) => {
            "The id token is of another sign-in: its nonce is not the one that was sent. It was not used."
        }
        None => {
            "The id token does not have the nonce that was sent (OpenID Connect Core 3.1.3.7). It was not used."
        }
    };
    let message = message.to_owned();
    Some(Failure::Unusable { message })
}

/// Who the claims are about. `sub` is taken to the letter or not at all: it tells two accounts apart.
pub(crate) fn named(claims: &Object) -> Option<Account> {
    let subject = claims.text("sub")?.expose();
    subject_fits(subject).then(|| Account {
        subject: subject.to_owned(),
        name: shown(claims, &["name", "preferred_username"]),
        email: shown(claims, &["email"]),
        picture: shown(claims, &["picture"]).filter(|text| is_picture(text)),
    })
}

/// At most 255 characters, and none that could hide (OpenID Connect Core §2).
pub(crate) fn subject_fits(subject: &str) -> bool {
    !subject.is_empty() && subject.chars().count() <= 255 && !subject.chars().any(char::is_control)
}

/// The first of these members that has something to show, cleaned.
pub(crate) fn shown(members: &Object, keys: &[&str]) -> Option<String> {
    keys.iter()
        .filter_map(|key| members.text(key))
        .map(|text| clean(text.expose()))
        .find(|text| !text.trim().is_empty())
}

/// The claims of a signed token (RFC 7519 §7.2). An encrypted or unsigned one has none for us.
pub(crate) fn claims(token: &str) -> Option<Object> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok().map(Zeroizing::new);
    let header = json::object(&decode(header)?).ok()?;
    let signed = header
        .text("alg")
        .is_some_and(|alg| !alg.expose().eq_ignore_ascii_case("none"));
    if signed {
        json::object(&decode(payload)?).ok()
    } else {
        None
    }
}
