//! The address that a redirect arrived on, in one spelling.

use super::SCHEME;
use tokenry_core::{is_loopback, is_plain_path};
use url::Url;

/// `io.github.tokenry:/cb/x` of a deep link. Some servers make it `://cb/x` or put a slash at its end, and some take no
/// other form.
pub(super) fn deep_link(address: &str) -> Option<String> {
    let rest = address.strip_prefix(SCHEME)?.strip_prefix(':')?;
    let path = if rest.starts_with("//") { &rest[1..] } else { rest };
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_bare = path.len() > 1 && !path.ends_with('/');
    (is_bare && is_plain_path(path)).then(|| format!("{SCHEME}:{path}"))
}

/// An https address, or an http address on this machine. It has to be as a URL parser would write it, so that what is
/// compared with the flow's redirect URI is what a browser would have gone to.
pub(super) fn web(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_web = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let is_plain = is_web && url.username().is_empty() && url.password().is_none();
    (is_plain && url.as_str() == address).then(|| address.to_owned())
}
