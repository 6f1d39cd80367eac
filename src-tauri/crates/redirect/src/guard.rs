//! Which requests are looked at: those of a browser that navigates to our very address.

use super::shared::Shared;
use hyper::header::{COOKIE, HOST};
use hyper::{HeaderMap, Method, Request};
use tokenry_core::Secret;

/// Why a request is refused before its path is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestRefusal {
    /// POST, as a server answers that was asked for `form_post`.
    Post,
    /// Another method than GET.
    Method,
    /// Another `Host` than ours: a name that was made to point at this machine (DNS rebinding).
    Host,
    /// A browser that fetches ahead, or a preview of the link. The user has not followed it yet.
    Prefetch,
    /// A script or a frame, and not the user's navigation.
    NotNavigating,
}

/// How browsers and others say that they only fetch ahead.
const PREFETCH_HEADERS: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Only a browser that navigates to our very address is let in: to this host and port.
pub(super) fn admit<B>(host: &str, request: &Request<B>) -> Result<(), RequestRefusal> {
    // In absolute form the target brings a host of its own, which outranks the header (RFC 9112 §3.2.2).
    let origin_form = request.uri().authority().is_none();
    if !origin_form || only(request.headers(), HOST.as_str()) != Some(host) {
        return Err(RequestRefusal::Host);
    }
    match *request.method() {
        Method::GET => {}
        Method::POST => return Err(RequestRefusal::Post),
        _ => return Err(RequestRefusal::Method),
    }
    let fetches_ahead = |name: &&str| {
        let values = request.headers().get_all(*name).iter();
        values
            .map(|value| value.as_bytes().to_ascii_lowercase())
            .any(|value| {
                let value = String::from_utf8_lossy(&value);
                ["prefetch", "prerender", "preview"]
                    .iter()
                    .any(|ahead| value.contains(ahead))
            })
    };
    if PREFETCH_HEADERS.iter().any(fetches_ahead) {
        return Err(RequestRefusal::Prefetch);
    }
    let fits = |name, wanted| match request.headers().get(name) {
        Some(_) => only(request.headers(), name) == Some(wanted),
        None => true,
    };
    if fits("sec-fetch-mode", "navigate") && fits("sec-fetch-dest", "document") {
        Ok(())
    } else {
        Err(RequestRefusal::NotNavigating)
    }
}

/// Whether the request brings the flow's cookie.
pub(super) fn has_cookie(shared: &Shared, headers: &HeaderMap) -> bool {
    let name = shared.cookie_name();
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(key, value)| {
            key == name && tokenry_core::same_secret(&shared.cookie, &Secret::new(value.to_owned()))
        })
}

/// A header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
