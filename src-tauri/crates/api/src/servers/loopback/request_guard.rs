//! Refuses requests of web pages to the loopback server.

use crate::{error::ApiError, extract};
use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
};

/// With this header a browser tells which site caused a request (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what a page of another site made a browser send, before a token is checked.
pub(super) fn check(request: &Request, port: u16) -> Result<(), ApiError> {
    let headers = request.headers();
    if !names_us(request, port) {
        return Err(ApiError::WebPage(
            "a request for another host than 127.0.0.1 with its port is refused",
        ));
    }
    if headers.contains_key(header::ORIGIN) {
        return Err(ApiError::WebPage("a request with an Origin is refused"));
    }
    // A preflight request: no page is allowed anything.
    if request.method() == Method::OPTIONS {
        return Err(ApiError::WebPage("OPTIONS is refused"));
    }
    if !has_no_initiator(headers) && !is_navigation_to_authorize(request) {
        return Err(ApiError::WebPage("a request that a web page caused is refused"));
    }
    extract::check(request.uri().path(), headers, request.body())
}

/// Whether the request names this server. A foreign name that resolves to this machine (DNS rebinding) does not.
fn names_us(request: &Request, port: u16) -> bool {
    let ours = |host: &str| {
        host.strip_suffix(&port.to_string())
            .is_some_and(|name| matches!(name, "127.0.0.1:" | "localhost:"))
    };
    // A target in absolute form has a host of its own, which takes precedence over the header (RFC 9112 §3.2.2).
    only(request.headers(), header::HOST.as_str()).is_some_and(ours)
        && request.uri().authority().is_none_or(|host| ours(host.as_str()))
}

/// Whether no web page caused the request. Programs do not send the header; a browser sends `none` for an address that the
/// user typed.
fn has_no_initiator(headers: &HeaderMap) -> bool {
    !headers.contains_key(SEC_FETCH_SITE) || only(headers, SEC_FETCH_SITE) == Some("none")
}

/// The one request that a page may cause: a navigation to our authorization endpoint, in a window and not in a frame.
fn is_navigation_to_authorize(request: &Request) -> bool {
    let says = |name, wanted| only(request.headers(), name) == Some(wanted);
    request.method() == Method::GET
        && request.uri().path() == "/oauth/authorize"
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}

/// The value of a header that is sent exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
