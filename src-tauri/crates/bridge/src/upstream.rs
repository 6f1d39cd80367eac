//! The HTTP client for the servers that get tokens, and which addresses it may go to.

use crate::failure::Failure;
use reqwest::{Client, redirect, retry};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokenry_contract::ErrorCode;
use url::{Host, Url};

/// DNS and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// An unused connection is closed after this time: servers close theirs after five seconds at the earliest.
const POOL_TIMEOUT: Duration = Duration::from_secs(4);
/// So many unused connections are kept.
const MAX_IDLE_CONNECTIONS: usize = 8;

/// Reads an address that may get a token: https, or http on this machine.
///
/// # Errors
/// For every other one. It may hold a password, so it is not repeated.
pub(crate) fn address(text: &str) -> Result<Url, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{what}; use an address like https://api.example.com"));
    let url: Url = text.parse().map_err(|_| wrong("The address is invalid"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("The address holds a user name or a password"));
    }
    if url.fragment().is_some() {
        return Err(wrong("The address holds a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(wrong("Tokens go over http to this machine only")),
        _ => Err(wrong("The address is neither https nor http")),
    }
}

/// Whether the host of an address is this machine, whatever a resolver says.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// A client for one server. It follows no redirect and sends nothing twice.
///
/// # Errors
/// When the system's certificates cannot be used.
pub(crate) fn client(server: &Url) -> Result<Client, Failure> {
    let loopback = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
    let builder = Client::builder()
        .user_agent(concat!("tokenry/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .resolve_to_addrs("localhost", &loopback)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS);
    let builder = match server.scheme() {
        // No certificate is looked at, so none is loaded.
        "http" => builder.no_proxy().tls_certs_only([]),
        _ if is_loopback(server) => builder.no_proxy(),
        _ => builder,
    };
    builder.build().map_err(|_| {
        Failure::new(
            ErrorCode::Internal,
            "Cannot use the certificates of the system.",
            "Check with `tokenry doctor`.",
        )
    })
}

/// Why a request failed, without its address.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match error.is_timeout() {
        true => "timed out".to_owned(),
        false => tokenry_contract::sanitize_for_display(&cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_tls_or_stays_on_this_machine() {
        for good in [
            "https://api.example.com",
            "https://api.example.com:8443/v1",
            "http://127.0.0.1:1/",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://192.168.0.1",
            "ftp://127.0.0.1",
            "https://me:c4n4ry@api.example.com",
            "https://c4n4ry@api.example.com",
            "https://api.example.com/#c4n4ry",
            "c4n4ry",
            "",
            "https://",
        ] {
            let failure = address(bad).unwrap_err();
            assert!(!failure.to_string().contains("c4n4ry"), "{failure}");
        }
    }
}
