//! Token revocation (RFC 7009).

use crate::request::{capture, captured, client};
use crate::{Failure, Http};
use oauth2::{AccessToken, RefreshToken, RevocationUrl, StandardRevocableToken};
use tokenry_core::{Provider, Secret};
use url::Url;

/// Whether a token is revoked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It is, or the server never knew it (RFC 7009 §2.2).
    Yes,
    /// The provider cannot revoke it: no revocation endpoint, or `unsupported_token_type`.
    Unsupported,
}

/// What kind of token it is (RFC 7009 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// `access_token`.
    AccessToken,
    /// `refresh_token`.
    RefreshToken,
}

/// Asks the provider to revoke a token, once, with the same client authentication as at the token endpoint.
///
/// # Errors
/// See [`Failure`]; after all of them the token has to be taken as still good. A 503 is `Interfered`, with the time
/// to wait (RFC 7009 §2.2.1).
pub async fn revoke(
    http: &Http,
    provider: &Provider,
    token: &Secret,
    hint: Hint,
) -> Result<Revoked, Failure> {
    let Some(endpoint) = &provider.revocation_endpoint else {
        return Ok(Revoked::Unsupported);
    };
    let text = token.expose().to_owned();
    let token = match hint {
        Hint::AccessToken => StandardRevocableToken::AccessToken(AccessToken::new(text)),
        Hint::RefreshToken => StandardRevocableToken::RefreshToken(RefreshToken::new(text)),
    };
    let client = client(provider).set_revocation_url(RevocationUrl::from_url(as_https(endpoint)));
    let request = client.revoke_token(token).map_err(|_| Failure::NotSent {
        message: format!(
            "The revocation endpoint of {} is no https address. Correct it.",
            provider.name
        ),
    })?;
    let response = http.send(endpoint, captured(request.request(&capture))?).await?;
    let empty_or_other = response.is_success() && !response.is_html();
    match response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))
    {
        Ok(_) => Ok(Revoked::Yes),
        Err(Failure::Rejected { error, .. }) if error == "unsupported_token_type" => Ok(Revoked::Unsupported),
        // Not in RFC 7009, but what servers say of a token that they do not know.
        Err(Failure::Rejected { error, .. }) if error == "invalid_token" => Ok(Revoked::Yes),
        // The body of a success means nothing, and is mostly empty (RFC 7009 §2.2).
        Err(Failure::Unanswered { .. }) if empty_or_other => Ok(Revoked::Yes),
        Err(failure) => Err(failure),
    }
}

/// `oauth2` builds a revocation request for https only. Where it really goes is for [`Http`] to judge, which lets
/// http through to this machine and nowhere else.
fn as_https(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    let _ = url.set_scheme("https");
    url
}
