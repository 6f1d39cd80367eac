//! Token revocation: RFC 7009, and the other ways in which providers take it.

use crate::request::{
    Outgoing, authenticated, bearer, bearer_header, capture, captured, client, client_basic, dressed,
    form_request,
};
use crate::response::{Media, Response};
use crate::{Failure, Http};
use oauth2::http::Method;
use oauth2::http::header::AUTHORIZATION;
use oauth2::{AccessToken, HttpRequest, RefreshToken, RevocationUrl, StandardRevocableToken};
use std::collections::BTreeMap;
use tokenry_core::{
    BodyFormat, Provider, RevocationMethod, Secret, TokenEndpointAuthMethod, fill_text, placeholders,
};
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

/// Asks the provider to revoke a token, once, in the way of its settings. Where the grant ends with an access token
/// alone, a refresh token is `Unsupported`.
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
    let method = provider.settings.revocation_method;
    let request = match (method, hint) {
        (RevocationMethod::Rfc7009, _) => {
            let extra = &provider.settings.revocation_params;
            let request = rfc7009(provider, &endpoint, token, hint)?;
            authenticated(http, provider, &endpoint, request, extra)?
        }
        (RevocationMethod::Bearer, Hint::RefreshToken) => return Ok(Revoked::Unsupported),
        (RevocationMethod::Delete, Hint::RefreshToken) if takes_access_tokens_alone(provider) => {
            return Ok(Revoked::Unsupported);
        }
        (RevocationMethod::Bearer, Hint::AccessToken) => by_bearer(provider, token)?,
        (RevocationMethod::Delete, _) => by_delete(provider, token, hint)?,
        (RevocationMethod::Parameters, _) => match parameters(provider, token, hint) {
            Some(parameters) => by_parameters(provider, token, &parameters)?,
            None => return Ok(Revoked::Unsupported),
        },
    };
    let response = http.send(provider, &endpoint, request).await?;
    if method == RevocationMethod::Bearer && response.status == 401 {
        // An access token that has ended is no way in; the grant behind it lives on.
        let description =
            Some("it no longer takes the access token, so the grant could not be revoked".to_owned());
        return Err(Failure::Rejected {
            error: "HTTP 401".to_owned(),
            description,
            status: 401,
        });
    }
    judge(&response)
}

fn rfc7009(provider: &Provider, endpoint: &Url, token: &Secret, hint: Hint) -> Result<HttpRequest, Failure> {
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
    captured(request.request(&capture))
}

/// Dropbox, Slack: the token proves itself.
fn by_bearer(provider: &Provider, token: &Secret) -> Result<Outgoing, Failure> {
    let mut request = form_request(&[]);
    let extra = &provider.settings.revocation_params;
    request.headers_mut().insert(AUTHORIZATION, bearer_header(token)?);
    bearer(provider, request, extra)
}

/// Whether the parameter is called so, as at GitHub: the grant ends with any of its access tokens then.
fn takes_access_tokens_alone(provider: &Provider) -> bool {
    let name = provider.settings.param_names.get("token");
    name.is_some_and(|name| name == "access_token")
}

/// GitHub, Mollie: HTTP Basic, whatever the token endpoint takes, and the token in JSON.
fn by_delete(provider: &Provider, token: &Secret, hint: Hint) -> Result<Outgoing, Failure> {
    let kind = match hint {
        Hint::AccessToken => "access_token",
        Hint::RefreshToken => "refresh_token",
    };
    let parameters = [("token", token.expose()), ("token_type_hint", kind)];
    // A name that tells the kind of token needs no hint.
    let parameters = &parameters[..if takes_access_tokens_alone(provider) { 1 } else { 2 }];
    let mut provider = provider.clone();
    provider.settings.token_body_format = BodyFormat::Json;
    let mut request = form_request(parameters);
    *request.method_mut() = Method::DELETE;
    if provider.client_secret.is_some() {
        request
            .headers_mut()
            .insert(AUTHORIZATION, client_basic(&provider)?);
    }
    dressed(&provider, request, &provider.settings.revocation_params)
}

/// The provider's own parameters with the token in its place; `None` where they are for a token of the other kind.
fn parameters(provider: &Provider, token: &Secret, hint: Hint) -> Option<BTreeMap<String, String>> {
    let settings = &provider.settings;
    let other = match hint {
        Hint::AccessToken => "refresh_token",
        Hint::RefreshToken => "access_token",
    };
    let params = &settings.revocation_params;
    if params.values().any(|value| placeholders(value).contains(other)) {
        return None;
    }
    let secret = provider.client_secret.as_ref().map_or("", Secret::expose);
    let values = BTreeMap::from([
        ("token", token.expose()),
        ("access_token", token.expose()),
        ("refresh_token", token.expose()),
        ("client_id", settings.client_id.as_str()),
        ("client_secret", secret),
    ]);
    let filled = params.iter();
    Some(
        filled
            .map(|(name, value)| (name.clone(), fill_text(value, &values)))
            .collect(),
    )
}

/// Nothing but these parameters, and client authentication where that is a header.
fn by_parameters(
    provider: &Provider,
    token: &Secret,
    parameters: &BTreeMap<String, String>,
) -> Result<Outgoing, Failure> {
    let mut request = form_request(&[]);
    if provider.auth_method() == TokenEndpointAuthMethod::ClientSecretBasic {
        request
            .headers_mut()
            .insert(AUTHORIZATION, client_basic(provider)?);
    }
    let mut outgoing = dressed(provider, request, parameters)?;
    outgoing.also_secret(token);
    Ok(outgoing)
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
