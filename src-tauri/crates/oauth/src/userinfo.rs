//! Whose account an access token is for (OpenID Connect Core §5.3).

use crate::id_token::{shown, subject_fits};
use crate::{Failure, Http};
use oauth2::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::http::{HeaderValue, Request};
use tokenry_core::{Account, Provider, Secret};

/// Asks the provider's userinfo endpoint, with the token in the header (RFC 6750 §2.1). Servers that are not OpenID
/// providers answer with `id` and `login` in place of `sub` and `name`; those are read too.
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
    let credentials = HeaderValue::from_str(&format!("Bearer {}", access_token.expose()))
        .map_err(|_| unusable("The access token fits in no header.".to_owned()))?;
    let mut request = Request::new(Vec::new());
    request.headers_mut().insert(AUTHORIZATION, credentials);
    request
        .headers_mut()
        .insert(ACCEPT, HeaderValue::from_static("application/json"));

    let response = http.send(&endpoint, request).await?;
    let members = response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))?;
    let subject = ["sub", "id", "user_id"]
        .iter()
        .find(|key| members.get(key).is_some())
        .filter(|key| !members.is_ambiguous(key))
        .and_then(|key| members.text_or_number(key));
    // A replacement character stands for unreadable bytes: two accounts could look like one.
    let fits = |subject: &String| subject_fits(subject) && !subject.contains(char::REPLACEMENT_CHARACTER);
    match subject.filter(fits) {
        Some(subject) => Ok(Account {
            subject,
            name: shown(&members, &["name", "preferred_username", "login", "username"]),
            email: shown(&members, &["email"]),
        }),
        None => Err(unusable(format!(
            "{} did not say whose account it is.",
            response.host
        ))),
    }
}
