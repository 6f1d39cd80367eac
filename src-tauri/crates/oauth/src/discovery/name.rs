//! The names of hosts: who they belong to, and what to call a provider by.

use tokenry_core::Name;
use url::{Host, Url};

/// First labels that say what a host does, and not whose it is.
const PLAIN_LABELS: [&str; 14] = [
    "www", "mcp", "login", "auth", "oauth", "oauth2", "accounts", "account", "sso", "id", "idp", "api",
    "identity", "signin",
];

/// The domain that was registered, such as `example.co.uk` of `login.example.co.uk`; of an address, the address.
pub(super) fn owner(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match url.host() {
        Some(Host::Domain(_)) => psl::domain_str(host).unwrap_or(host).to_owned(),
        _ => host.to_owned(),
    }
}

/// A name for a provider at this address.
pub(super) fn suggestion(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let text = match url.host() {
        Some(Host::Domain(name)) if name.contains('.') => {
            let owner = owner(url);
            let own = owner.split('.').next().unwrap_or_default();
            let below = host.strip_suffix(&owner).unwrap_or_default();
            let below = below
                .split('.')
                .filter(|label| !label.is_empty() && !PLAIN_LABELS.contains(label));
            below.chain([own]).collect::<Vec<_>>().join("-")
        }
        _ => match url.port() {
            Some(port) => format!("{host}-{port}"),
            None => host.to_owned(),
        },
    };
    let plain: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let parts: Vec<_> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let mut name = parts.join("-");
    name.truncate(40);
    let name = name.trim_end_matches('-');
    match name.parse::<Name>() {
        Ok(name) => name.to_string(),
        Err(_) => format!("at-{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_from_the_part_of_the_host_that_was_registered() {
        for (url, owner_is, name) in [
            ("https://login.example.org", "example.org", "example"),
            ("https://mcp.linear.app/mcp", "linear.app", "linear"),
            (
                "https://tenant.auth.example.co.uk",
                "example.co.uk",
                "tenant-example",
            ),
            ("https://shop.github.io", "shop.github.io", "shop"),
            ("http://127.0.0.1:9000/mcp", "127.0.0.1", "at-127-0-0-1-9000"),
            ("http://localhost:9000", "localhost", "localhost-9000"),
            (
                "https://xn--bcher-kva.example",
                "xn--bcher-kva.example",
                "xn-bcher-kva",
            ),
        ] {
            let url: Url = url.parse().unwrap();
            assert_eq!(owner(&url), owner_is, "{url}");
            assert_eq!(suggestion(&url), name, "{url}");
            assert!(suggestion(&url).parse::<Name>().is_ok(), "{url}");
        }
    }
}
