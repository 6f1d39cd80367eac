//! Refuses requests of web pages that reach the socket through a forwarded port.

use crate::{error::ApiError, extract};
use axum::{
    body::Body,
    http::{HeaderMap, Request, Uri, header},
};

/// Refuses what a program on this machine would not send. A web page cannot reach a Unix socket, except when it is
/// forwarded to a port; then the `Host` or the `Origin` shows it.
pub(super) fn check(request: &Request<Body>) -> Result<(), ApiError> {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) {
        return Err(ApiError::WebPage("a request with an Origin is refused"));
    }
    if !names_us(request.uri(), headers) {
        return Err(ApiError::WebPage(
            "a request for another host than `localhost` is refused",
        ));
    }
    extract::check(request.uri().path(), headers, request.body())
}

fn names_us(uri: &Uri, headers: &HeaderMap) -> bool {
    let ours = |host: &str| matches!(host, "" | "localhost" | "tokenry");
    headers
        .get_all(header::HOST)
        .iter()
        .all(|host| host.to_str().is_ok_and(ours))
        && uri.authority().is_none_or(|host| ours(host.as_str()))
}
