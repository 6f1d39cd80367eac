//! The client credentials grant (RFC 6749 §4.4).

use crate::request::{capture, captured, client, limits, no_token_endpoint, send};
use crate::{Answer, Failure, Http, answer};
use oauth2::TokenUrl;
use tokenry_core::{Narrowing, Provider, Scopes};

/// Fetches a token for the client itself. Without scopes no `scope` is sent.
///
/// # Errors
/// See [`Failure`]. There is no grant here, so what would be `InvalidGrant` is `Rejected`.
pub async fn fetch(http: &Http, provider: &Provider, scopes: &Scopes) -> Result<Answer, Failure> {
    let scopes = Some(scopes.clone());
    let to = Narrowing {
        scopes,
        ..Narrowing::default()
    };
    narrowed(http, provider, &to).await
}

/// The same for a token that is limited in other ways too (RFC 8707 §2.2). Without an audience or a resource of its
/// own it is for the provider's.
///
/// # Errors
/// As [`fetch`].
pub async fn narrowed(http: &Http, provider: &Provider, to: &Narrowing) -> Result<Answer, Failure> {
    let Some(endpoint) = provider.token_endpoint() else {
        return Err(no_token_endpoint(provider));
    };
    let client = client(provider).set_token_uri(TokenUrl::from_url(endpoint.clone()));
    let mut request = client.exchange_client_credentials();
    let mut to = to.clone();
    if !to.has_audience() {
        to.resource.clone_from(&provider.settings.resource);
    }
    for (name, value) in limits(provider, &to) {
        request = request.add_extra_param(name, value);
    }
    let request = captured(request.request(&capture))?;
    let response = send(
        http,
        provider,
        &endpoint,
        request,
        &provider.settings.token_params,
    )
    .await?;
    answer::judge(&response, provider).map_err(|failure| failure.without_a_grant(response.status))
}
