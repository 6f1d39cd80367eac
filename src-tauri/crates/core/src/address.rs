//! Facts about the address of a server.

use url::{Host, Url};

/// The longest address we take, in bytes.
const MAX_ADDRESS_BYTES: usize = 2048;

/// Reads an address that was typed.
///
/// # Errors
/// What is wrong with it, for the user.
pub fn read_address(text: &str) -> Result<Url, String> {
    let refuse = |why: &str| {
        Err(format!(
            "must be a whole address like https://example.com/token: {why}"
        ))
    };
    if text.len() > MAX_ADDRESS_BYTES {
        return refuse("it is longer than 2048 bytes");
    }
    // A URL parser would drop these silently, and keep another address than the one that was shown.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("it holds a space or a control character");
    }
    Url::parse(text).or_else(|error| refuse(&error.to_string()))
}

/// Whether it can name a resource (RFC 8707 §2): an absolute URI of 1 to 2048 bytes without a fragment.
pub fn is_resource(text: &str) -> bool {
    // The parser forgives spaces and line ends, which a provider would not.
    let is_bare = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    is_bare && (1..=MAX_ADDRESS_BYTES).contains(&text.len()) && Url::parse(text).is_ok()
}

/// Whether the server is on this machine: a loopback address or `localhost` (RFC 8252 §7.3). A name below `localhost`
/// does not count, since it is looked up like any other name.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_localhost_are_on_this_machine() {
        let here = |url: &str| is_loopback(&url.parse().unwrap());
        for url in [
            "http://127.0.0.1:1/",
            "http://127.9.9.9",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "https://LOCALHOST/",
        ] {
            assert!(here(url), "{url}");
        }
        for url in [
            "http://localhost.example/",
            "http://a.localhost/",
            "http://localhost./",
            "http://10.0.0.1/",
            "http://[::]/",
            "http://0.0.0.0/",
            "data:localhost",
        ] {
            assert!(!here(url), "{url}");
        }
    }
}
