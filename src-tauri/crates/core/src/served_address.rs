//! The addresses that a connection serves: a host, and the path below which its tokens may go.

use crate::{is_loopback, read_address};
use std::fmt;
use url::{Host, Url};

/// A prefix of addresses: scheme, host, port and whole segments of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedAddress {
    url: Url,
    /// Whether hosts below it are meant, and not the host itself.
    below: bool,
}

impl ServedAddress {
    /// Reads an address that a user typed, such as `https://github.com/acme` or `github.com`.
    ///
    /// # Errors
    /// What is wrong with it, for the user.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = read_target(&whole)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must end with the path: a query or fragment cannot be bound".to_owned());
        }
        if url.host_str().is_some_and(|host| host.contains('*')) {
            return Err("must name one host: a * stands for none".to_owned());
        }
        Ok(Self { url, below: false })
    }

    /// A host as a preset names it: `api.github.com`, or `*.pkg.dev` for all hosts below one.
    pub fn of_host(text: &str) -> Option<Self> {
        let (host, below) = match text.strip_prefix("*.") {
            Some(host) => (host, true),
            None => (text, false),
        };
        let url = read_target(&format!("https://{host}")).ok()?;
        // `*.com` would be half of the internet.
        let is_safe = !below || matches!(url.host(), Some(Host::Domain(name)) if name.contains('.'));
        is_safe.then_some(Self { url, below })
    }

    /// Whether a token may go to this address.
    pub fn covers(&self, url: &Url) -> bool {
        self.url.scheme() == url.scheme()
            && self.url.port_or_known_default() == url.port_or_known_default()
            && self.is_host_of(url)
            && self.is_above(url)
    }

    fn is_host_of(&self, url: &Url) -> bool {
        let (Some(own), Some(host)) = (self.url.host_str(), url.host_str()) else {
            return false;
        };
        if !self.below {
            return own == host;
        }
        host.strip_suffix(own)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }

    fn is_above(&self, url: &Url) -> bool {
        let mut wanted = url.path().split('/').skip(1);
        self.segments().all(|own| wanted.next() == Some(own))
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        let path = self.url.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        path.split('/').skip(1)
    }

    /// How exact it is: the one with more segments comes first, then one host before all below another.
    pub fn exactness(&self) -> (usize, bool) {
        (self.segments().count(), !self.below)
    }
}

impl fmt::Display for ServedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.url.as_str();
        let text = text.strip_suffix('/').unwrap_or(text);
        if self.below {
            return f.write_str(&text.replacen("https://", "https://*.", 1));
        }
        f.write_str(text)
    }
}

/// Reads an address that a token shall go to.
///
/// # Errors
/// What is wrong with it, for the user.
pub fn read_target(text: &str) -> Result<Url, String> {
    let mut url = read_address(text)?;
    if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
        return Err("must be an address of the web: https://, a host and a path".to_owned());
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err("must begin with https://: a token does not travel unencrypted".to_owned());
    }
    // A user name is the client's matter, and a password is not ours to see.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(bound: &str, address: &str) -> bool {
        let url = read_target(address).unwrap();
        ServedAddress::read(bound).unwrap().covers(&url)
    }

    #[test]
    fn an_address_covers_its_host_and_what_is_below_its_path() {
        for (bound, address) in [
            ("github.com", "https://github.com/acme/x.git"),
            ("https://github.com/acme", "https://github.com/acme"),
            (
                "https://github.com/acme/",
                "https://github.com/acme/x.git?service=git",
            ),
            ("https://GitHub.com:443", "https://me:secret@github.com/"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/x"),
            ("https://xn--bcher-kva.example", "https://bücher.example/"),
        ] {
            assert!(covers(bound, address), "{bound} {address}");
        }
    }

    #[test]
    fn no_spelling_leads_out_of_a_bound_path_or_host() {
        for (bound, address) in [
            ("https://github.com/acme", "https://github.com/acme2"),
            ("https://github.com/acme", "https://github.com/Acme"),
            ("https://github.com/acme", "https://github.com/acme/../evil"),
            ("https://github.com/acme", "https://github.com/acme/%2e%2e/evil"),
            ("https://github.com/acme", "https://github.com//acme"),
            ("https://github.com/acme", "https://github.com/"),
            ("github.com", "https://github.com.evil.example/"),
            ("github.com", "https://evilgithub.com/"),
            ("github.com", "https://api.github.com/"),
            ("github.com", "https://github.com:8443/"),
            ("github.com", "https://github.com@evil.example/"),
            ("https://127.0.0.1", "http://127.0.0.1:443/"),
        ] {
            assert!(!covers(bound, address), "{bound} {address}");
        }
    }

    #[test]
    fn a_star_stands_for_the_hosts_below_one() {
        let all = ServedAddress::of_host("*.pkg.dev").unwrap();
        let covers = |address: &str| all.covers(&read_target(address).unwrap());
        assert!(covers("https://eu-docker.pkg.dev/x"));
        assert!(!covers("https://pkg.dev/") && !covers("https://evilpkg.dev/"));
        assert_eq!(all.to_string(), "https://*.pkg.dev");
        assert_eq!(ServedAddress::of_host("*.com"), None);
        assert!(ServedAddress::read("*.pkg.dev").is_err(), "a user names hosts");
    }

    #[test]
    fn what_is_no_place_for_a_token_is_refused() {
        for text in [
            "",
            "http://example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "data:text/plain,x",
            "https://",
            "https://exa mple.com",
            "https://example.com\n",
            "https://example.com/\u{0}",
        ] {
            assert!(read_target(text).is_err(), "{text:?}");
        }
        for text in [
            "https://example.com?x=1",
            "https://example.com#x",
            "http://example.com",
        ] {
            assert!(ServedAddress::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_address_with_the_longer_path_is_more_exact() {
        let read = |text: &str| ServedAddress::read(text).unwrap().exactness();
        assert!(read("https://github.com/acme") > read("github.com"));
        assert_eq!(read("https://github.com/acme/"), read("https://github.com/acme"));
        let below = ServedAddress::of_host("*.pkg.dev").unwrap().exactness();
        assert!(read("eu.pkg.dev") > below);
        let shown = ServedAddress::read(" github.com/acme/ ").unwrap();
        assert_eq!(shown.to_string(), "https://github.com/acme");
    }
}
