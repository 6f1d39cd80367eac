//! Refreshing an access token (RFC 6749 §6).

use crate::request::{as_get, capture, captured, client, limits, no_token_endpoint, send};
use crate::{Answer, Failure, Http, answer};
use oauth2::{RefreshToken, TokenUrl};
use tokenry_core::{HttpMethod, Narrowing, Provider, Secret};

/// Sends the refresh token once, to the provider's refresh endpoint or else its token endpoint, with the same client
/// authentication as the exchange. `scope` is left out: the answer is for what was granted (OAuth 2.1 §4.3.1).
///
/// # Errors
/// See [`Failure`]. After [`Failure::NotSent`] the token is as good as before; after [`Failure::Unanswered`] its
/// state is unknown; only [`Failure::InvalidGrant`] says that it is worth nothing any more.
pub async fn refresh(http: &Http, provider: &Provider, refresh_token: &Secret) -> Result<Answer, Failure> {
    narrowed(http, provider, refresh_token, &Narrowing::default()).await
}

/// The same for a token that can do less than the grant, or is for one audience (RFC 6749 §6, RFC 8707 §2.2). What
/// the answer says that it can do is for the caller to check: servers may ignore all of this.
///
/// # Errors
/// As [`refresh`], but never [`Failure::InvalidGrant`]: some servers say that of a scope or a resource, so only a
/// plain refresh tells about the grant.
pub async fn narrowed(
    http: &Http,
    provider: &Provider,
    refresh_token: &Secret,
    to: &Narrowing,
) -> Result<Answer, Failure> {
    let Some(endpoint) = provider.refresh_target() else {
        return Err(no_token_endpoint(provider));
    };
    let client = client(provider).set_token_uri(TokenUrl::from_url(endpoint.clone()));
    let token = RefreshToken::new(refresh_token.expose().to_owned());
    let mut request = client.exchange_refresh_token(&token);
    for (name, value) in limits(provider, to) {
        request = request.add_extra_param(name, value);
    }
    let request = captured(request.request(&capture))?;
    let extra = &provider.settings.refresh_params;
    let response = match provider.settings.refresh_method {
        HttpMethod::Post => send(http, provider, &endpoint, request, extra).await?,
        HttpMethod::Get => {
            let (endpoint, request) = as_get(provider, &endpoint, request, extra)?;
            http.send(provider, &endpoint, request).await?
        }
    };
    let judged = answer::judge(&response, provider);
    if *to == Narrowing::default() {
        judged
    } else {
        judged.map_err(|failure| failure.without_a_grant(response.status))
    }
}
