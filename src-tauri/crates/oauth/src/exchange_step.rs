//! A second exchange after the code: a long-lived token for a short-lived one, as Facebook, Instagram and Threads have it.

use crate::request::{Outgoing, add_headers, form_request};
use crate::{Answer, Failure, Http, answer};
use oauth2::HttpRequest;
use oauth2::http::Method;
use oauth2::http::header::CONTENT_TYPE;
use std::collections::BTreeMap;
use tokenry_core::{CaptureError, ExchangeStep, HttpMethod, Provider, Secret, fill_text, placeholders};
use url::Url;

/// Sends the access token once to the endpoint of the provider's second exchange.
///
/// # Errors
/// See [`Failure`]. The token that was sent is as good as before.
pub async fn exchange(
    http: &Http,
    provider: &Provider,
    step: &ExchangeStep,
    access_token: &Secret,
) -> Result<Answer, Failure> {
    let (endpoint, request) = request(provider, step, access_token)?;
    let mut outgoing = Outgoing::from(request);
    outgoing.paths.clone_from(&provider.settings.token_response_paths);
    outgoing.also_secret(access_token);
    if let Some(secret) = &provider.client_secret {
        outgoing.also_secret(secret);
    }
    let response = http.send(provider, &endpoint, outgoing).await?;
    answer::judge(&response, provider)
        .and_then(Answer::usable)
        .map_err(|failure| failure.without_a_grant(response.status))
}

fn request(
    provider: &Provider,
    step: &ExchangeStep,
    access_token: &Secret,
) -> Result<(Url, HttpRequest), Failure> {
    let missing = |text: &str| {
        let name = placeholders(text)
            .into_iter()
            .next()
            .unwrap_or_default()
            .to_owned();
        let message = CaptureError::Missing(name).to_string();
        Failure::NotSent { message }
    };
    let mut endpoint: Url = step.endpoint.parse().map_err(|_| missing(&step.endpoint))?;
    if step.endpoint.contains('{') {
        return Err(missing(&step.endpoint));
    }
    let secret = provider.client_secret.as_ref().map_or("", Secret::expose);
    let values = BTreeMap::from([
        ("access_token", access_token.expose()),
        ("client_id", provider.settings.client_id.as_str()),
        ("client_secret", secret),
    ]);
    let unknown = |text: &&String| placeholders(text).iter().any(|name| !values.contains_key(name));
    if let Some(text) = step.params.values().find(unknown) {
        return Err(missing(text));
    }
    let pairs: Vec<_> = step
        .params
        .iter()
        .map(|(name, value)| (name.as_str(), fill_text(value, &values)))
        .collect();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut request = match step.method {
        HttpMethod::Post => form_request(&pairs),
        HttpMethod::Get => {
            endpoint.query_pairs_mut().extend_pairs(&pairs);
            let mut request = form_request(&[]);
            *request.method_mut() = Method::GET;
            request.headers_mut().remove(CONTENT_TYPE);
            request
        }
    };
    add_headers(provider, request.headers_mut())?;
    Ok((endpoint, request))
}
