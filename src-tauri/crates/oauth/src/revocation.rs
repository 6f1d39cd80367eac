//! Token revocation (RFC 7009).

use crate::request::{capture, captured, client, send};
use crate::response::{Media, Response};
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
/// to wait (RFC 7009 §2.2.1), and so is a 404, which says that nothing is there.
pub async fn revoke(
    http: &Http,
    provider: &Provider,
    token: &Secret,
    hint: Hint,
) -> Result<Revoked, Failure> {
    let Some(endpoint) = provider.revocation_endpoint() else {
        return Ok(Revoked::Unsupported);
    };
    let text = token.expose().to_owned();
    let token = match hint {
        Hint::AccessToken => StandardRevocableToken::AccessToken(AccessToken::new(text)),
        Hint::RefreshToken => StandardRevocableToken::RefreshToken(RefreshToken::new(text)),
    };
    let client = client(provider).set_revocation_url(RevocationUrl::from_url(as_https(&endpoint)));
    let request = client.revoke_token(token).map_err(|_| Failure::NotSent {
        message: format!(
            "The revocation endpoint of {} is no https address. Correct it.",
            provider.name
        ),
    })?;
    let request = captured(request.request(&capture))?;
    let extra = &provider.settings.revocation_params;
    judge(&send(http, provider, &endpoint, request, extra).await?)
}

/// What an answer means for the token (RFC 7009 §2.2). The status of a success decides, and not its body: only a web
/// page may come from another server, like the sign-in page of a network.
fn judge(response: &Response) -> Result<Revoked, Failure> {
    let Response { host, status, .. } = response;
    if response.is_success() && !says_otherwise(response) {
        return Ok(Revoked::Yes);
    }
    let told = |message: String| Failure::Interfered {
        status: *status,
        message,
        retry_after: response.retry_after,
    };
    let at_the_endpoint = format!("{host} answered {status} at its revocation endpoint");
    let failure = match response.members() {
        Ok(_) => return Ok(Revoked::Yes),
        Err(failure) => failure.without_a_grant(*status),
    };
    match (failure, *status) {
        (Failure::Rejected { error, .. }, _) if error == "unsupported_token_type" => Ok(Revoked::Unsupported),
        // Not in RFC 7009, but what servers say of a token that they do not know.
        (Failure::Rejected { error, .. }, _) if error == "invalid_token" => Ok(Revoked::Yes),
        (_, 404 | 405 | 410 | 501) => Err(told(format!("{at_the_endpoint}. Check that address."))),
        (_, 408 | 425 | 429 | 500..) => Err(told(format!("{at_the_endpoint}. The tokens are still good."))),
        (Failure::Interfered { .. }, 300..) => Err(told(format!("{at_the_endpoint}."))),
        (failure, _) => Err(failure),
    }
}

/// Whether the body of a success takes it back: a web page, or an error as JSON.
fn says_otherwise(response: &Response) -> bool {
    if response.cut.is_some() && response.media == Media::Html {
        return true;
    }
    let is_error = || {
        response
            .members()
            .is_err_and(|failure| failure.provider_error().is_some())
    };
    is_page(&response.body, response.media) || is_error()
}

/// Whether a body is a web page. `OK` is none, whatever its type is called: Django and Express call everything HTML.
fn is_page(body: &[u8], media: Media) -> bool {
    let text = String::from_utf8_lossy(body)
        .trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
        .to_ascii_lowercase();
    if text.starts_with(['{', '[', '"']) {
        return false;
    }
    let has_markup = ["<!doctype html", "<html", "<head", "<body", "<script", "<meta"]
        .iter()
        .any(|markup| text.contains(markup));
    has_markup || (media == Media::Html && text.starts_with('<'))
}

/// `oauth2` builds a revocation request for https only. Where it really goes is for [`Http`] to judge, which lets
/// http through to this machine and nowhere else.
fn as_https(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    let _ = url.set_scheme("https");
    url
}
