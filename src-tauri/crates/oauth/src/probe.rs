//! Requests that tell whether an endpoint is there, without a grant: empty, or with a code or token that is made up.

use crate::random::fresh;
use crate::request::{capture, captured, client};
use crate::response::Response;
use crate::{Failure, Http};
use jiff::Timestamp;
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::http::{HeaderValue, Method, Request};
use oauth2::{AccessToken, HttpRequest, IntrospectionUrl};
use tokenry_core::{HttpMethod, Provider, Random};
use url::Url;

/// What an endpoint answered to a probe. Its body is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The HTTP status.
    pub status: u16,
    /// The server's clock.
    pub date: Option<Timestamp>,
    /// Whether it answered with a web page.
    pub is_page: bool,
}

impl From<Response> for Probed {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            date: response.date,
            is_page: response.is_html(),
        }
    }
}

/// A GET without any of our parameters.
///
/// # Errors
/// See [`Failure`]: only that no answer came.
pub async fn get(http: &Http, provider: &Provider, url: &Url) -> Result<Probed, Failure> {
    send(http, provider, url, Request::new(Vec::new())).await
}

/// A POST with an empty form.
///
/// # Errors
/// As [`get`].
pub async fn empty_form(http: &Http, provider: &Provider, url: &Url) -> Result<Probed, Failure> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::POST;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    send(http, provider, url, request).await
}

/// A request with a made-up access token.
///
/// # Errors
/// As [`get`].
pub async fn made_up_bearer(
    http: &Http,
    provider: &Provider,
    url: &Url,
    method: HttpMethod,
    random: &dyn Random,
) -> Result<Probed, Failure> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
    };
    let bearer = format!("Bearer {}", fresh(random).expose());
    if let Ok(bearer) = HeaderValue::from_str(&bearer) {
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    send(http, provider, url, request).await
}

/// An introspection of a made-up token (RFC 7662 §2.1), with the client's authentication.
///
/// # Errors
/// As [`get`].
pub async fn made_up_introspection(
    http: &Http,
    provider: &Provider,
    url: &Url,
    random: &dyn Random,
) -> Result<Probed, Failure> {
    let token = AccessToken::new(fresh(random).expose().to_owned());
    let client = client(provider).set_introspection_url(IntrospectionUrl::from_url(url.clone()));
    let request = captured(client.introspect(&token).request(&capture))?;
    Ok(http.send(provider, url, request).await?.into())
}

async fn send(
    http: &Http,
    provider: &Provider,
    url: &Url,
    mut request: HttpRequest,
) -> Result<Probed, Failure> {
    request.headers_mut().insert(
        ACCEPT,
        HeaderValue::from_static("application/json, text/html;q=0.9, */*;q=0.8"),
    );
    Ok(http.send(provider, url, request).await?.into())
}
