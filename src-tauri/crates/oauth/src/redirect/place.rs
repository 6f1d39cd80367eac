//! The provider that a redirect URL belongs to.

use super::SCHEME;
use tokenry_core::Name;
use url::Url;

/// The provider of `io.github.tokenry:/cb/x`. Some servers make it `://cb/x` or put a slash at its end.
pub(super) fn deep_link(address: &str) -> Option<Name> {
    let rest = address.strip_prefix(SCHEME)?.strip_prefix(':')?;
    let name = rest.strip_prefix("//cb/").or_else(|| rest.strip_prefix("/cb/"))?;
    name.strip_suffix('/').unwrap_or(name).parse().ok()
}

/// The provider of `/cb/x`.
pub(super) fn path(path: &str) -> Option<Name> {
    path.strip_prefix("/cb/")?.parse().ok()
}

/// The provider of `http://127.0.0.1:{port}/cb/x`.
pub(super) fn loopback(address: &str) -> Option<Name> {
    let rest = address.strip_prefix("http://127.0.0.1:")?;
    let slash = rest.find('/')?;
    let (port, rest) = rest.split_at_checked(slash)?;
    let number: u16 = port.parse().ok()?;
    // Written as we write it: no sign, no leading zero.
    (number != 0 && number.to_string() == port)
        .then(|| path(rest))
        .flatten()
}

/// The provider of `https://…/cb/x`. The address has to be as a URL parser would write it, so that what is compared
/// with the flow's redirect URI is what a browser would have gone to.
pub(super) fn https(address: &str) -> Option<Name> {
    let url = Url::parse(address).ok()?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    if !plain || url.as_str() != address {
        return None;
    }
    let (_, name) = url.path().rsplit_once("/cb/")?;
    name.parse().ok()
}
