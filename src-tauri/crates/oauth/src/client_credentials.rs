//! The client credentials grant (RFC 6749 §4.4).

use crate::request::{capture, captured, client};
use crate::{Answer, Failure, Http, answer};
use oauth2::TokenUrl;
use tokenry_core::{Provider, Scopes};

/// Fetches a token for the client itself. Without scopes no `scope` is sent.
///
/// # Errors
/// See [`Failure`]. There is no grant here, so what would be `InvalidGrant` is `Rejected`.
pub async fn fetch(http: &Http, provider: &Provider, scopes: &Scopes) -> Result<Answer, Failure> {
    let Some(endpoint) = &provider.token_endpoint else {
        let message = format!("The provider {} has no token endpoint. Add it.", provider.name);
        return Err(Failure::NotSent { message });
    };
    let client = client(provider).set_token_uri(TokenUrl::from_url(endpoint.clone()));
    let mut request = client.exchange_client_credentials();
    if !scopes.is_empty() {
        request = request.add_extra_param("scope", scopes.join(&provider.scope_separator));
    }
    let response = http.send(endpoint, captured(request.request(&capture))?).await?;
    answer::judge(&response, provider).map_err(|failure| failure.without_a_grant(response.status))
}
