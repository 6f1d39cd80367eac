//! What a signed id token or userinfo has to say (OpenID Connect Core §3.1.3.7, §5.3.2), once its signature is verified.

use crate::id_token::{SKEW, named};
use crate::jose;
use crate::json::Object;
use crate::jwks::{self, Signed};
use crate::{Failure, Http};
use jiff::Timestamp;
use tokenry_core::{Account, Provider, Secret, clean, issuer_matches, same_secret};

/// The end of the year 9000: later times are none to keep.
const LAST_SECOND: f64 = 221_845_392_000.0;

/// What an id token has to fit to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// The nonce that the sign-in sent.
    pub nonce: Option<&'a Secret>,
    /// The access token that came with it, for `at_hash`.
    pub access_token: Option<&'a Secret>,
    /// The id token before this one, whose issuer, subject and party have to stay (OpenID Connect Core §12.2).
    pub before: Option<&'a Secret>,
    /// The server's own time.
    pub date: Option<Timestamp>,
}

/// An id token that was checked.
#[derive(Debug, Clone)]
pub struct IdToken {
    /// The token.
    pub token: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose account it names.
    pub account: Option<Account>,
}

/// Checks an id token. Its signature is verified where the provider's keys are known; without them it is trusted as far
/// as the connection it came over, which the standard allows (OpenID Connect Core §3.1.3.7, 6). Then `None` stands for
/// one that cannot be read.
///
/// # Errors
/// [`Failure::Unusable`] where it is not what it has to be; another where the keys could not be fetched.
pub async fn checked(
    http: &Http,
    provider: &Provider,
    token: &Secret,
    expected: Expected<'_>,
) -> Result<Option<IdToken>, Failure> {
    let told = |why: &str| Failure::Unusable {
        message: format!("The id token cannot be used: {why}."),
    };
    let signed = match Signed::read(token.expose()) {
        Ok(signed) => signed,
        Err(_) if provider.settings.jwks_uri.is_none() => return Ok(None),
        Err(why) => return Err(told(why)),
    };
    if let Some(uri) = provider.jwks_uri() {
        jwks::verify(http, provider, &uri, &signed)
            .await
            .map_err(|failure| match failure {
                Failure::Unusable { message } => told(&message),
                other => told(&format!("the provider's keys could not be fetched. {other}")),
            })?;
    } else if is_unsigned(token) {
        return Ok(None);
    }
    let now = expected.date.unwrap_or_else(|| http.servers().clock().now());
    let expires_at = check(&signed.claims, provider, &expected, now).map_err(|why| told(&why))?;
    Ok(Some(IdToken {
        token: token.clone(),
        expires_at,
        account: named(&signed.claims),
    }))
}

/// When an id token ends, by its own word.
pub fn id_token_end(token: &Secret) -> Option<Timestamp> {
    let end = crate::id_token::claims(token.expose())?.number("exp")?;
    Timestamp::from_second(end.min(LAST_SECOND) as i64).ok()
}

/// Whether a token says that nothing signs it.
fn is_unsigned(token: &Secret) -> bool {
    crate::id_token::claims(token.expose()).is_none()
}

/// The claims of a userinfo that came as a signed JWT (OpenID Connect Core §5.3.2): of the provider, and for us where it
/// says for whom.
///
/// # Errors
/// As [`checked`]; [`Failure::Unusable`] also where the provider's keys are not known.
pub(crate) async fn userinfo(http: &Http, provider: &Provider, token: &str) -> Result<Object, Failure> {
    let told = |why: &str| Failure::Unusable {
        message: format!("The signed userinfo cannot be used: {why}."),
    };
    let signed = Signed::read(token.trim()).map_err(told)?;
    let uri = provider
        .jwks_uri()
        .ok_or_else(|| told("jwks_uri is not set, so its signature cannot be verified"))?;
    jwks::verify(http, provider, &uri, &signed)
        .await
        .map_err(|failure| told(&failure.to_string()))?;
    let claims = signed.claims;
    if claims.get("iss").is_some() {
        check_issuer(&claims, provider).map_err(|why| told(&why))?;
    }
    let audiences = claims.list("aud");
    if !audiences.is_empty() && !audiences.contains(&provider.settings.client_id.as_str()) {
        return Err(told("it is meant for another client"));
    }
    Ok(claims)
}

/// OpenID Connect Core §3.1.3.7. Gives when the token ends.
fn check(
    claims: &Object,
    provider: &Provider,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Timestamp, String> {
    check_issuer(claims, provider)?;
    if !claims.has_text("sub") {
        return Err("it names no subject".to_owned());
    }
    let (client, audiences) = (provider.settings.client_id.as_str(), claims.list("aud"));
    if !audiences.contains(&client) {
        return Err("it is meant for another client".to_owned());
    }
    match claims.text("azp") {
        Some(party) if party.expose() == client => {}
        Some(_) => return Err("it was issued to another client (azp)".to_owned()),
        None if audiences.len() > 1 => {
            return Err(
                "it is meant for other clients, too, and does not say that it was issued to this one"
                    .to_owned(),
            );
        }
        None => {}
    }
    let now_seconds = now.as_second() as f64;
    let end = claims.number("exp").ok_or("it does not say when it ends")?;
    if end + SKEW <= now_seconds {
        return Err("it has ended".to_owned());
    }
    let issued = claims.number("iat").ok_or("it does not say when it was issued")?;
    if issued - SKEW > now_seconds {
        return Err("it is from the future; check this machine's clock".to_owned());
    }
    if let Some(nonce) = expected.nonce
        && !claims
            .text("nonce")
            .is_some_and(|found| same_secret(found, nonce))
    {
        return Err("it does not have the nonce that was sent".to_owned());
    }
    check_access_token(claims, expected)?;
    if let Some(before) = expected
        .before
        .and_then(|before| crate::id_token::claims(before.expose()))
    {
        check_same(claims, &before)?;
    }
    Timestamp::from_second(end.min(LAST_SECOND) as i64).map_err(|_| "its end is no time".to_owned())
}

fn check_issuer(claims: &Object, provider: &Provider) -> Result<(), String> {
    let issuer = claims.text("iss").ok_or("it names no issuer")?.expose();
    let settings = &provider.settings;
    let tenant = claims.text("tid").map(Secret::expose);
    let fits = |expected: &String| issuer_matches(expected, &settings.issuer_aliases, issuer, tenant);
    match &settings.issuer {
        Some(expected) if !fits(expected) => Err(format!(
            "it is from the issuer {}, not from {}",
            clean(issuer),
            clean(expected)
        )),
        _ => Ok(()),
    }
}

/// `at_hash`, where there is one (OpenID Connect Core §3.1.3.8): the left half of the hash that the algorithm uses.
fn check_access_token(claims: &Object, expected: &Expected<'_>) -> Result<(), String> {
    let (Some(hash), Some(token)) = (claims.text("at_hash"), expected.access_token) else {
        return Ok(());
    };
    let halves = jose::left_halves(token.expose().as_bytes());
    match halves.iter().any(|half| half == hash.expose()) {
        true => Ok(()),
        false => Err("it belongs to another access token (at_hash)".to_owned()),
    }
}

/// OpenID Connect Core §12.2.
fn check_same(claims: &Object, before: &Object) -> Result<(), String> {
    let text = |claims: &Object, name: &str| claims.text(name).map(|text| text.expose().to_owned());
    for (name, what) in [("iss", "issuer"), ("sub", "subject"), ("azp", "authorized party")] {
        if text(claims, name) != text(before, name) {
            return Err(format!("its {what} is not that of the id token before"));
        }
    }
    Ok(())
}
