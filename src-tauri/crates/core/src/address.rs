//! Facts about the address of a server.

use std::net::IpAddr;
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

/// Whether the server is in the user's own network by its address: this machine, a private or link-local address
/// (RFC 1918, RFC 4193), or a name of `.local` or `.home.arpa` (RFC 6762, RFC 8375).
pub fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_private_ip(ip.into()),
        Some(Host::Ipv6(ip)) => is_private_ip(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let is_local = [".local", ".home.arpa"].iter().any(|below| name.ends_with(below));
            is_local || is_loopback(url)
        }
        None => false,
    }
}

/// The same of an IP address.
pub fn is_private_ip(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
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

    #[test]
    fn only_private_addresses_and_local_names_are_in_the_own_network() {
        let own = |url: &str| is_private(&url.parse().unwrap());
        for url in [
            "http://127.0.0.1:1/",
            "http://localhost/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.1.9:8123/",
            "http://169.254.1.1/",
            "http://[::1]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[::ffff:192.168.1.9]/",
            "http://HomeAssistant.local:8123/",
            "http://nas.local./",
            "http://cloud.home.arpa/",
        ] {
            assert!(own(url), "{url}");
        }
        for url in [
            "http://as.example/",
            "http://local/",
            "http://nas.local.example/",
            "http://notlocal/",
            "http://home.arpa.example/",
            "http://nas.lan/",
            "http://intranet/",
            "http://8.8.8.8/",
            "http://172.32.0.1/",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://224.0.0.1/",
            "http://[2606:4700::1]/",
            "http://[::]/",
            "http://[ff02::1]/",
            "http://[64:ff9b::a00:1]/",
        ] {
            assert!(!own(url), "{url}");
        }
    }
}
