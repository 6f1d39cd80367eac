//! Facts about the address of a server.

use url::{Host, Url};

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
