//! The address that the user types.

use super::Problem;
use crate::outbound::{Network, Outbound};
use tokenry_core::{clean, is_loopback, is_private};
use url::Url;

/// Where the metadata of a resource is (RFC 9728 §3).
pub(super) const RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// Where the metadata of an issuer is (RFC 8414 §3).
pub(super) const SERVER: &str = "/.well-known/oauth-authorization-server";
/// Where the metadata of an OpenID provider is (OpenID Connect Discovery §4).
pub(super) const OPENID: &str = "/.well-known/openid-configuration";

/// An address to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) kind: Kind,
}

/// What an address says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The metadata of this issuer.
    IssuerDocument { issuer: Url },
    /// The metadata of this resource.
    ResourceDocument { resource: Url },
    /// An issuer or a resource.
    Unknown,
}

/// Reads what was typed: a whole address, or a host name, which means https (http on this machine).
pub(super) fn read(typed: &str, network: &Network) -> Result<Target, Problem> {
    let refuse = |why: String| Err(Problem::Address(why));
    let typed = tokenry_core::trimmed(typed);
    if typed.is_empty() {
        return refuse("must be an address like https://login.example.org".to_owned());
    }
    let whole = match typed.contains("://") {
        true => typed.to_owned(),
        false => with_scheme(typed),
    };
    let url = match tokenry_core::read_address(&whole) {
        Ok(url) => url,
        Err(wrong) => return refuse(wrong),
    };
    match Outbound::new(&url, network.clone()).judge(&url) {
        Err(wrong) if wrong == "is not https" => refuse(format!(
            "must be https: {} would send secrets in the clear{}",
            clean(url.as_str()),
            match is_private(&url) {
                true => ". In your own network you can allow that with allow_private_http",
                false => ". http is for this machine, and for your own network where you allow it",
            }
        )),
        Err(wrong) => refuse(format!("{wrong}: leave that out")),
        Ok(_) if url.host_str().is_none_or(str::is_empty) => refuse("has no host".to_owned()),
        Ok(_) => Ok(Target {
            kind: kind(&url),
            url,
        }),
    }
}

fn with_scheme(host: &str) -> String {
    let local = format!("http://{host}");
    match local.parse().is_ok_and(|url| is_loopback(&url)) {
        true => local,
        false => format!("https://{host}"),
    }
}

fn kind(url: &Url) -> Kind {
    let without = |path: &str| {
        let mut url = url.clone();
        url.set_path(path);
        url.set_query(None);
        url
    };
    let path = url.path();
    let inserted = |well_known: &str| {
        let rest = path.strip_prefix(well_known)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| without(rest))
    };
    if let Some(resource) = inserted(RESOURCE) {
        return Kind::ResourceDocument { resource };
    }
    let appended = path.strip_suffix(OPENID).map(without);
    match inserted(SERVER).or_else(|| inserted(OPENID)).or(appended) {
        Some(issuer) => Kind::IssuerDocument { issuer },
        None => Kind::Unknown,
    }
}

/// The address at which `well_known` is inserted between host and path (RFC 8414 §3.1, RFC 9728 §3.1).
pub(super) fn inserted(of: &Url, well_known: &str) -> Url {
    let mut url = of.clone();
    let path = of.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    url.set_path(&format!("{well_known}{path}"));
    url
}

/// The addresses of an issuer's metadata, in the order in which they are asked (checklist A6.2).
pub(super) fn of_issuer(issuer: &Url) -> Vec<Url> {
    let mut issuer = issuer.clone();
    issuer.set_query(None);
    let mut all = vec![inserted(&issuer, SERVER), inserted(&issuer, OPENID)];
    let path = issuer.path().trim_end_matches('/').to_owned();
    if !path.is_empty() {
        issuer.set_path(&format!("{path}{OPENID}"));
        all.push(issuer);
    }
    all
}

/// The same of a resource's metadata: with its path, then at the root.
pub(super) fn of_resource(resource: &Url) -> Vec<Url> {
    let with_path = inserted(resource, RESOURCE);
    let mut root = with_path.clone();
    root.set_path(RESOURCE);
    root.set_query(None);
    match root == with_path {
        true => vec![root],
        false => vec![with_path, root],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(urls: Vec<Url>) -> Vec<String> {
        urls.into_iter().map(String::from).collect()
    }

    /// Checklist A6.2.
    #[test]
    fn the_metadata_of_an_issuer_is_asked_for_in_the_order_of_the_standards() {
        let asked = |issuer: &str| texts(of_issuer(&issuer.parse().unwrap()));
        assert_eq!(
            asked("https://as.example/tenant/1"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant/1",
                "https://as.example/.well-known/openid-configuration/tenant/1",
                "https://as.example/tenant/1/.well-known/openid-configuration",
            ]
        );
        for root in ["https://as.example", "https://as.example/"] {
            assert_eq!(
                asked(root),
                [
                    "https://as.example/.well-known/oauth-authorization-server",
                    "https://as.example/.well-known/openid-configuration",
                ]
            );
        }
    }

    /// Checklist A6.5.
    #[test]
    fn the_metadata_of_a_resource_is_asked_for_with_its_path_then_at_the_root() {
        let asked = |resource: &str| texts(of_resource(&resource.parse().unwrap()));
        assert_eq!(
            asked("https://mcp.example/mcp/"),
            [
                "https://mcp.example/.well-known/oauth-protected-resource/mcp",
                "https://mcp.example/.well-known/oauth-protected-resource",
            ]
        );
        assert_eq!(
            asked("https://mcp.example"),
            ["https://mcp.example/.well-known/oauth-protected-resource"]
        );
    }

    #[test]
    fn a_host_name_means_https_and_http_on_this_machine() {
        for (typed, url) in [
            ("login.example.org", "https://login.example.org/"),
            (
                " login.example.org/realms/x ",
                "https://login.example.org/realms/x",
            ),
            ("login.example.org:8443", "https://login.example.org:8443/"),
            ("localhost:9000", "http://localhost:9000/"),
            ("127.0.0.1:9000/mcp", "http://127.0.0.1:9000/mcp"),
            ("http://[::1]:9000", "http://[::1]:9000/"),
            ("https://192.168.1.9", "https://192.168.1.9/"),
        ] {
            assert_eq!(
                read(typed, &Network::default()).unwrap().url.as_str(),
                url,
                "{typed}"
            );
        }
        for typed in [
            "",
            "http://login.example.org",
            "http://192.168.1.9",
            "https://user@login.example.org",
            "https://login.example.org/#x",
            "a b",
            "ftp://login.example.org",
            "https://",
        ] {
            assert!(
                matches!(read(typed, &Network::default()), Err(Problem::Address(_))),
                "{typed:?}"
            );
        }
        let private = Network {
            allow_private_http: true,
            ca_file: None,
        };
        assert!(read("http://192.168.1.9:8123", &private).is_ok());
    }

    #[test]
    fn the_address_of_a_document_says_whose_it_is() {
        let kind = |typed: &str| read(typed, &Network::default()).unwrap().kind;
        let url = |text: &str| text.parse().unwrap();
        for (typed, issuer) in [
            (
                "https://as.example/.well-known/openid-configuration",
                "https://as.example",
            ),
            (
                "https://as.example/r/x/.well-known/openid-configuration",
                "https://as.example/r/x",
            ),
            (
                "https://as.example/.well-known/oauth-authorization-server/r/x",
                "https://as.example/r/x",
            ),
        ] {
            assert_eq!(
                kind(typed),
                Kind::IssuerDocument { issuer: url(issuer) },
                "{typed}"
            );
        }
        let resource = url("https://mcp.example/mcp");
        assert_eq!(
            kind("https://mcp.example/.well-known/oauth-protected-resource/mcp"),
            Kind::ResourceDocument { resource }
        );
        assert_eq!(
            kind("https://as.example/.well-known/oauth-authorization-serverx"),
            Kind::Unknown
        );
    }
}
