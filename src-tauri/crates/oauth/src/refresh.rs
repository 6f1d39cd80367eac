//! Refreshing an access token (RFC 6749 §6).

use crate::request::{capture, captured, client};
use crate::{Answer, Failure, Http, answer};
use oauth2::{RefreshToken, TokenUrl};
use tokenry_core::{Provider, Secret};

/// Sends the refresh token once, to the provider's refresh endpoint or else its token endpoint, with the same client
/// authentication as the exchange. `scope` is left out: the answer is for what was granted (OAuth 2.1 §4.3.1).
///
/// # Errors
/// See [`Failure`]. After [`Failure::NotSent`] the token is as good as before; after [`Failure::Unanswered`] nobody
/// knows; only [`Failure::InvalidGrant`] says that it is worth nothing any more.
pub async fn refresh(http: &Http, provider: &Provider, refresh_token: &Secret) -> Result<Answer, Failure> {
    let Some(endpoint) = provider.refresh_target() else {
        let message = format!("The provider {} has no token endpoint. Add it.", provider.name);
        return Err(Failure::NotSent { message });
    };
    let client = client(provider).set_token_uri(TokenUrl::from_url(endpoint.clone()));
    let token = RefreshToken::new(refresh_token.expose().to_owned());
    let request = captured(client.exchange_refresh_token(&token).request(&capture))?;
    answer::judge(&http.send(endpoint, request).await?, provider)
}
