//! What a token endpoint's neighbour says of a token (RFC 7662). Only the account is read.

use crate::json::Value;
use crate::request::{capture, captured, client, send};
use crate::{Failure, Http, account};
use oauth2::{AccessToken, IntrospectionUrl};
use std::collections::BTreeMap;
use tokenry_core::{Account, Provider, Secret};

/// Asks once whose access token it is, with the client authentication of the token endpoint (RFC 7662 §2.1).
///
/// # Errors
/// See [`Failure`]; none of them says anything about the grant. [`Failure::Unusable`] without an endpoint, or when the
/// answer names no account.
pub async fn fetch(http: &Http, provider: &Provider, access_token: &Secret) -> Result<Account, Failure> {
    let unusable = |message: String| Failure::Unusable { message };
    let Some(endpoint) = provider.introspection_endpoint() else {
        let message = format!("The provider {} has no introspection endpoint.", provider.name);
        return Err(unusable(message));
    };
    let client = client(provider).set_introspection_url(IntrospectionUrl::from_url(endpoint.clone()));
    let token = AccessToken::new(access_token.expose().to_owned());
    let request = captured(client.introspect(&token).request(&capture))?;
    let response = send(http, provider, &endpoint, request, &BTreeMap::new()).await?;
    let members = response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))?;
    if !matches!(members.get("active"), Some(Value::True)) {
        return Err(unusable(format!(
            "{} does not call the token active.",
            response.host
        )));
    }
    account::read(&Value::Object(members), &provider.settings.account_paths)
        .ok_or_else(|| unusable(format!("{} did not say whose account it is.", response.host)))
}
