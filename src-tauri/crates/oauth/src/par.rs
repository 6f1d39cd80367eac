//! Pushed authorization requests (RFC 9126): the parameters of a sign-in go to the provider directly, and the browser
//! carries only a reference to them.

use crate::authorization_code::Started;
use crate::request::send;
use crate::response::Response;
use crate::{Failure, Http, client_auth};
use std::collections::BTreeMap;
use std::time::Duration;
use tokenry_core::Provider;
use url::Url;

/// A reference is text like any other; a longer one than this would not fit into an address.
const MAX_REFERENCE_BYTES: usize = 2048;

/// A pushed request.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// Where the browser is sent: the authorization endpoint with `client_id` and `request_uri` alone (RFC 9126 §4).
    pub authorization_url: Url,
    /// How long the provider keeps the request; `None` where it does not say.
    pub expires_in: Option<Duration>,
}

/// Pushes the request of a sign-in, with the same client authentication as at the token endpoint (RFC 9126 §2.1).
/// `None` where the provider has no such endpoint: then the request goes through the browser as it is.
///
/// # Errors
/// See [`Failure`]. Only an answer that says that nothing is there (404, 405, 501) lets a sign-in go on without, and
/// only where the provider does not require it.
pub async fn push(http: &Http, provider: &Provider, started: &Started) -> Result<Option<Pushed>, Failure> {
    let Some(endpoint) = provider.pushed_authorization_request_endpoint() else {
        return match provider.settings.require_pushed_authorization_requests {
            false => Ok(None),
            true => Err(Failure::NotSent {
                message: format!(
                    "{} requires pushed authorization requests, and their endpoint is not set. Add it.",
                    provider.name
                ),
            }),
        };
    };
    let (front, parameters) = split(provider, &started.authorization_url);
    let request = client_auth::form(provider, &parameters)?;
    let response = send(http, provider, &endpoint, request, &BTreeMap::new()).await?;
    let has_none = matches!(response.status, 404 | 405 | 501);
    if has_none && !provider.settings.require_pushed_authorization_requests {
        return Ok(None);
    }
    read(&response, provider, front).map(Some)
}

/// The authorization endpoint with its own query alone, and the parameters that were added to it.
fn split(provider: &Provider, url: &Url) -> (Url, Vec<(String, String)>) {
    let mut front = url.clone();
    let own = provider.authorization_endpoint();
    front.set_query(own.as_ref().and_then(Url::query));
    let own: Vec<_> = own
        .iter()
        .flat_map(|url| url.query_pairs().map(|(name, _)| name.into_owned()))
        .collect();
    let parameters = url.query_pairs().into_owned();
    (
        front,
        parameters.filter(|(name, _)| !own.contains(name)).collect(),
    )
}

fn read(response: &Response, provider: &Provider, mut front: Url) -> Result<Pushed, Failure> {
    let members = response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))?;
    let reference = members
        .text("request_uri")
        .filter(|_| !members.is_ambiguous("request_uri"))
        .map(tokenry_core::Secret::expose)
        .filter(|text| (1..=MAX_REFERENCE_BYTES).contains(&text.len()))
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let Some(reference) = reference else {
        let message = format!(
            "{} took the sign-in's parameters and gave no request_uri (RFC 9126, 2.2).",
            response.host
        );
        return Err(Failure::Unusable { message });
    };
    front
        .query_pairs_mut()
        .append_pair("client_id", &provider.settings.client_id)
        .append_pair("request_uri", reference);
    let seconds = members.number("expires_in").filter(|seconds| *seconds > 0.0);
    Ok(Pushed {
        authorization_url: front,
        expires_in: seconds.map(|seconds| Duration::from_secs(seconds.min(86_400.0) as u64)),
    })
}
