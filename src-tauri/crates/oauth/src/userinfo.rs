//! Whose account an access token is for (OpenID Connect Core §5.3).

use crate::json::{Object, Value};
use crate::request::{Outgoing, access_token_header, add_headers, form_request};
use crate::response::{Media, Response};
use crate::{Failure, Http, account, send, signed_claims};
use oauth2::http::Method;
use oauth2::http::header::{AUTHORIZATION, CONTENT_TYPE};
use tokenry_core::{Account, HttpMethod, Provider, Secret};

/// Asks the provider's userinfo endpoint, with the token in the header (RFC 6750 §2.1). Servers that are not OpenID
/// providers answer with `id` and `login` in place of `sub` and `name`; those are read too, where the provider's settings
/// do not say where the account is.
///
/// # Errors
/// See [`Failure`]; none of them says anything about the grant. [`Failure::Unusable`] without an endpoint, or when
/// the response names no account.
pub async fn fetch(http: &Http, provider: &Provider, access_token: &Secret) -> Result<Account, Failure> {
    let unusable = |message: String| Failure::Unusable { message };
    let Some(endpoint) = provider.userinfo_endpoint() else {
        return Err(unusable(format!(
            "The provider {} has no userinfo endpoint.",
            provider.name
        )));
    };
    let mut request = form_request(&[]);
    if provider.settings.userinfo_method == HttpMethod::Get {
        *request.method_mut() = Method::GET;
        request.headers_mut().remove(CONTENT_TYPE);
    }
    add_headers(provider, request.headers_mut())?;
    let credentials = access_token_header(provider, access_token)?;
    request.headers_mut().insert(AUTHORIZATION, credentials);
    let made = || Ok(Outgoing::from(request.clone()));
    let response = send::proven(http, provider, &endpoint, Some(access_token), made).await?;
    let members = members(http, provider, &response).await?;
    account::read(&Value::Object(members), &provider.settings.account_paths)
        .ok_or_else(|| unusable(format!("{} did not say whose account it is.", response.host)))
}

/// The members of the answer, which is JSON or a signed JWT (OpenID Connect Core §5.3.2).
async fn members(http: &Http, provider: &Provider, response: &Response) -> Result<Object, Failure> {
    let text = std::str::from_utf8(&response.body).unwrap_or_default().trim();
    // What a header of a token begins with: `{"` in base64url.
    let is_token = response.media == Media::Jwt || text.starts_with("eyJ");
    if response.is_success() && response.cut.is_none() && is_token {
        return signed_claims::userinfo(http, provider, text).await;
    }
    response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))
}
