//! Token exchange (RFC 8693): an access token for one that can do less, or is for another audience.

use crate::request::{capture, captured, client, limits, no_token_endpoint, send};
use crate::{Answer, Failure, Http, answer};
use oauth2::TokenUrl;
use std::collections::BTreeMap;
use tokenry_core::{Narrowing, Provider, Secret};

/// The type of both tokens (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The grant type that the library writes, and the one that is sent (RFC 8693 §2.1). Both are form-encoded.
const WRITTEN: &[u8] = b"grant_type=client_credentials&";
const SENT: &[u8] = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&";

/// Sends the access token once to the token endpoint as the subject token, with the limits and the same client
/// authentication as at the exchange of a code. The grant that the token is of is not touched.
///
/// # Errors
/// See [`Failure`]. No refresh token was sent, so what would be `InvalidGrant` is `Rejected`.
pub async fn narrowed(
    http: &Http,
    provider: &Provider,
    access_token: &Secret,
    to: &Narrowing,
) -> Result<Answer, Failure> {
    let Some(endpoint) = provider.token_endpoint() else {
        return Err(no_token_endpoint(provider));
    };
    let client = client(provider).set_token_uri(TokenUrl::from_url(endpoint.clone()));
    // The library has no request for this grant, and this one differs in its grant type alone.
    let mut request = client
        .exchange_client_credentials()
        .add_extra_param("subject_token", access_token.expose())
        .add_extra_param("subject_token_type", ACCESS_TOKEN)
        .add_extra_param("requested_token_type", ACCESS_TOKEN);
    for (name, value) in limits(provider, to) {
        request = request.add_extra_param(name, value);
    }
    let mut request = captured(request.request(&capture))?;
    if !request.body().starts_with(WRITTEN) {
        let message = "The token exchange request could not be built.".to_owned();
        return Err(Failure::NotSent { message });
    }
    request.body_mut().splice(..WRITTEN.len(), SENT.iter().copied());
    let response = send(http, provider, &endpoint, request, &BTreeMap::new()).await?;
    answer::judge(&response, provider)
        .and_then(Answer::usable)
        .map_err(|failure| failure.without_a_grant(response.status))
}
