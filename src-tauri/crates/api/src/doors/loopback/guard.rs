use crate::{error::Refused, extract};
use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
};

/// What a page of another site makes a browser say of itself (Fetch Metadata).
const SITE: &str = "sec-fetch-site";

/// Turns away whatever a browser was made to send by somebody else's page, before anybody's token is looked at.
pub(super) fn check(request: &Request, port: u16) -> Result<(), Refused> {
    let headers = request.headers();
    if !names_us(request, port) {
        return Err(Refused::Stranger(
            "a request for another host than 127.0.0.1 with its port is refused",
        ));
    }
    if headers.contains_key(header::ORIGIN) {
        return Err(Refused::Stranger("a request with an Origin is refused"));
    }
    // A preflight: no page is ever allowed what it asks for.
    if request.method() == Method::OPTIONS {
        return Err(Refused::Stranger("OPTIONS is refused"));
    }
    if !comes_by_itself(headers) && !is_navigation_to_authorize(request) {
        return Err(Refused::Stranger("a request that a web page caused is refused"));
    }
    extract::check(request.uri().path(), headers, request.body())
}

/// A name that somebody else made to point at this machine (DNS rebinding) is not ours.
fn names_us(request: &Request, port: u16) -> bool {
    let ours = |host: &str| {
        host.strip_suffix(&port.to_string())
            .is_some_and(|name| matches!(name, "127.0.0.1:" | "localhost:"))
    };
    // In absolute form the target brings a host of its own, which outranks the header (RFC 9112 §3.2.2).
    only(request.headers(), header::HOST.as_str()).is_some_and(ours)
        && request.uri().authority().is_none_or(|host| ours(host.as_str()))
}

/// Programs do not send the header; a browser says `none` for what its person typed.
fn comes_by_itself(headers: &HeaderMap) -> bool {
    !headers.contains_key(SITE) || only(headers, SITE) == Some("none")
}

/// The one thing that a page may send a browser to: our authorization endpoint, as a whole window and not a frame.
fn is_navigation_to_authorize(request: &Request) -> bool {
    let says = |name, wanted| only(request.headers(), name) == Some(wanted);
    request.method() == Method::GET
        && request.uri().path() == "/oauth/authorize"
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}

/// A header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
