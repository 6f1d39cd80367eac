//! Whose account an access token is for (OpenID Connect Core §5.3).

use crate::json::Value;
use crate::request::{Outgoing, add_headers, bearer_header, form_request};
use crate::response::Media;
use crate::{Failure, Http, account};
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
    request
        .headers_mut()
        .insert(AUTHORIZATION, bearer_header(access_token)?);
    let response = http.send(&endpoint, Outgoing::from(request)).await?;
    if response.is_success() && response.media == Media::Jwt {
        return Err(unusable(format!(
            "{} sent its userinfo as a JWT, which is not read. Ask it for JSON.",
            response.host
        )));
    }
    let members = response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))?;
    account::read(&Value::Object(members), &provider.settings.account_paths)
        .ok_or_else(|| unusable(format!("{} did not say whose account it is.", response.host)))
}
