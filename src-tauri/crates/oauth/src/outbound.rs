//! Where requests to addresses may go that others named: never into this machine or a private network.

use crate::Failure;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokenry_core::{Provider, clean, is_loopback, is_private, is_private_ip};
use url::{Host, Url};

/// What the resolver says of a name that leads into a private network.
pub(crate) const PRIVATE: &str = "its name leads to a private address";
/// The same of one that leads out of it.
pub(crate) const PUBLIC: &str = "its name leads to a public address";

/// What a provider's settings say of connections to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Whether http may go to an address of the user's own network.
    pub allow_private_http: bool,
    /// A file of CAs that are trusted besides the system's.
    pub ca_file: Option<String>,
}

impl Network {
    /// What the settings of this provider say.
    pub fn of(provider: &Provider) -> Self {
        Self {
            allow_private_http: provider.settings.allow_private_http,
            ca_file: provider.settings.ca_file.clone(),
        }
    }

    /// Which addresses a request to an address of the provider's settings may connect to; `None` where it may not be
    /// sent.
    pub(crate) fn reach(&self, url: &Url) -> Option<Reach> {
        let reach = match url.scheme() {
            "https" => Reach::Any,
            "http" if is_loopback(url) => Reach::Any,
            "http" if self.allow_private_http && is_private(url) => Reach::Private,
            _ => return None,
        };
        (url.username().is_empty() && url.password().is_none()).then_some(reach)
    }
}

/// The hosts that the user typed, and what that allows.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    hosts: Vec<String>,
    is_loopback: bool,
    network: Network,
}

/// Which addresses a request may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any: the user typed the host.
    Any,
    /// Those of the public internet.
    Public,
    /// Those of the user's own network.
    Private,
}

impl Outbound {
    /// `typed` is the address that the user typed.
    pub(crate) fn new(typed: &Url, network: Network) -> Self {
        Self {
            hosts: vec![typed.host_str().unwrap_or_default().to_owned()],
            is_loopback: is_loopback(typed),
            network,
        }
    }

    /// For the address `url` of a provider that was added before. Where its tokens come from, and who it says it is, was
    /// shown to the user.
    pub(crate) fn of(provider: &Provider, url: &Url) -> Self {
        let issuer = provider.settings.issuer.as_deref();
        let issuer = issuer.and_then(|issuer| issuer.parse::<Url>().ok());
        let shown: Vec<Url> = provider.token_endpoint().into_iter().chain(issuer).collect();
        let mut outbound = Self::new(shown.first().unwrap_or(url), Network::of(provider));
        let hosts = shown.iter().filter_map(Url::host_str);
        outbound.hosts = hosts.map(str::to_owned).collect();
        outbound
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Which addresses `url` may lead to.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn judge(&self, url: &Url) -> Result<Reach, String> {
        let is_named = |host: &str| self.hosts.iter().any(|own| own == host);
        let is_typed = url.host_str().is_some_and(is_named) || (self.is_loopback && is_loopback(url));
        let without_user = || {
            let mut url = url.clone();
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url
        };
        let reach = self.network.reach(&without_user());
        let Some(reach) = reach.filter(|_| is_typed || url.scheme() == "https") else {
            return Err("is not https".to_owned());
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password".to_owned());
        }
        if url.fragment().is_some() {
            return Err("has a fragment (#…)".to_owned());
        }
        if is_typed {
            return Ok(reach);
        }
        let is_public = match url.host() {
            Some(Host::Ipv4(ip)) => is_public(ip.into()),
            Some(Host::Ipv6(ip)) => is_public(ip.into()),
            Some(Host::Domain(name)) => !is_local_name(name),
            None => false,
        };
        match is_public {
            true => Ok(Reach::Public),
            false => Err("is in a private network, and you did not type that host".to_owned()),
        }
    }

    /// The same for the text of an address that a document names.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub(crate) fn read(&self, text: &str) -> Result<Url, String> {
        let url = tokenry_core::read_address(text).map_err(|_| "is not an address".to_owned())?;
        self.judge(&url)?;
        Ok(url)
    }
}

/// A request that is not sent, because of what is wrong with its address.
pub(crate) fn refused(url: &Url, wrong: &str) -> Failure {
    let shown = clean(url.as_str());
    Failure::NotSent {
        message: format!("The address {shown} {wrong}, so nothing was sent there."),
    }
}

/// Names that never lead to the public internet (RFC 6761, 6762, 8375, 9476).
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_below = |domain: &str| name == domain || name.ends_with(&format!(".{domain}"));
    ["localhost", "local", "home.arpa", "internal", "lan", "onion"]
        .iter()
        .any(|domain| is_below(domain))
        || !name.contains('.')
}

/// Whether an address is one of the public internet (RFC 6890).
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_for_protocols = a == 192 && b == 0 && c == 0;
    let is_for_benchmarks = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || is_shared
        || is_for_protocols
        || is_for_benchmarks)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        // NAT64 and 6to4 pass on to the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo and other protocols; documentation.
        [0x2001, second, ..] => second > 0x1ff && second != 0xdb8,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Looks names up as the system does, and leaves private addresses out. What is connected to is what was looked at, so
/// a name that changes in between (DNS rebinding) gains nothing.
#[derive(Debug)]
pub(crate) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
                return Err(PRIVATE.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The same for names of the user's own network: one that leads out of it would carry secrets there in the clear.
#[derive(Debug)]
pub(crate) struct PrivateOnly;

impl Resolve for PrivateOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            private_only(&found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn private_only(found: &[SocketAddr]) -> Result<(), &'static str> {
    match found.iter().all(|address| is_private_ip(address.ip())) {
        true => Ok(()),
        false => Err(PUBLIC),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(typed: &str, private_http: bool, found: &str) -> Result<Reach, String> {
        let network = Network {
            allow_private_http: private_http,
            ca_file: None,
        };
        let outbound = Outbound::new(&typed.parse().unwrap(), network);
        outbound.read(found).map(|url| outbound.judge(&url).unwrap())
    }

    #[test]
    fn a_name_of_the_own_network_may_not_lead_out_of_it() {
        for (found, is_private) in [
            (vec!["192.168.1.9:0"], true),
            (
                vec!["192.168.1.9:0", "[fe80::1]:0", "[fd00::1]:0", "127.0.1.1:0"],
                true,
            ),
            (vec!["192.168.1.9:0", "93.184.216.34:0"], false),
            (vec!["[2606:4700::1]:0"], false),
            (vec!["0.0.0.0:0"], false),
            (vec!["100.64.0.1:0"], false),
        ] {
            let addresses: Vec<SocketAddr> = found.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(private_only(&addresses).is_ok(), is_private, "{found:?}");
        }
    }

    #[test]
    fn http_of_a_provider_stays_in_the_own_network_and_needs_the_setting() {
        for (url, without, with) in [
            ("https://as.example/", Some(Reach::Any), Some(Reach::Any)),
            ("https://nas.local/", Some(Reach::Any), Some(Reach::Any)),
            ("http://127.0.0.1:1/", Some(Reach::Any), Some(Reach::Any)),
            ("http://nas.local:8123/", None, Some(Reach::Private)),
            ("http://192.168.1.9/", None, Some(Reach::Private)),
            ("http://as.example/", None, None),
            ("http://1.1.1.1/", None, None),
            ("http://user@nas.local/", None, None),
            ("https://user@as.example/", None, None),
            ("ftp://nas.local/", None, None),
        ] {
            let reach = |allow_private_http| {
                let network = Network {
                    allow_private_http,
                    ca_file: None,
                };
                network.reach(&url.parse().unwrap())
            };
            assert_eq!((reach(false), reach(true)), (without, with), "{url}");
        }
    }

    /// Checklist A6.12.
    #[test]
    fn a_discovered_address_is_https_and_public_unless_its_host_was_typed() {
        let typed = "https://as.example/x";
        assert_eq!(judged(typed, false, "https://other.example/y"), Ok(Reach::Public));
        assert_eq!(judged(typed, false, "https://as.example:8443/y"), Ok(Reach::Any));
        for bad in [
            "http://as.example/",
            "http://other.example/",
            "http://127.0.0.1/",
            "https://127.0.0.1/",
            "https://localhost/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://nas.local/",
            "https://nas.home.arpa/",
            "https://intranet/",
            "https://user@other.example/",
            "https://user:pass@as.example/",
            "https://other.example/#x",
            "https://other.example/\u{7}",
            "https:// other.example/",
            "ftp://other.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/plain,x",
            "",
            "/relative",
        ] {
            assert!(judged(typed, false, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_types_a_host_of_their_own_network_may_reach_that_host() {
        for (typed, private_http, found, is_allowed) in [
            ("http://127.0.0.1:1", false, "http://127.0.0.1:2/y", true),
            ("http://127.0.0.1:1", false, "http://localhost:2/y", true),
            ("http://127.0.0.1:1", false, "http://10.0.0.1/y", false),
            ("http://127.0.0.1:1", false, "http://as.example/y", false),
            ("https://nas.local", false, "https://nas.local/y", true),
            ("https://nas.local", false, "http://nas.local/y", false),
            ("http://nas.local", true, "http://nas.local/y", true),
            ("http://nas.local", true, "http://other.local/y", false),
            ("http://192.168.1.9:8123", true, "http://192.168.1.9:8123/y", true),
            ("http://as.example", true, "http://as.example/y", false),
            ("http://nas.lan", true, "http://nas.lan/y", false),
            ("http://100.64.0.1", true, "http://100.64.0.1/y", false),
        ] {
            assert_eq!(
                judged(typed, private_http, found).is_ok(),
                is_allowed,
                "{typed} {found}"
            );
        }
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }
}
