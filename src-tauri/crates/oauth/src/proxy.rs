//! The proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`). Requests to providers go through it by CONNECT,
//! so it sees their names and nothing else.

use crate::Failure;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokenry_core::{Secret, clean};
use url::{Host, Url};

/// Where a proxy may be named, the first one that is set wins. The names in small letters are the older ones.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Which requests go through which proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    proxy: Option<Result<Proxy, &'static str>>,
    exceptions: Vec<Exception>,
}

/// A proxy, and where it was named.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// Without user name and password.
    pub(crate) url: Url,
    pub(crate) user: Option<(String, Secret)>,
    pub(crate) variable: &'static str,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = clean(self.url.host_str().unwrap_or_default());
        match self.url.port_or_known_default() {
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(&host),
        }
    }
}

/// A part of `NO_PROXY`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exception {
    Everything,
    /// A name and all names below it; the port, if only that one is meant.
    Domain(String, Option<u16>),
    /// Addresses whose first bits are these.
    Network(IpAddr, u8, Option<u16>),
}

impl Proxies {
    /// No proxy at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// What the environment of this process says.
    pub fn from_environment() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    /// What these variables say. An empty one is as if it were not there.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| {
            variable(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let proxy = VARIABLES
            .iter()
            .find_map(|name| Some(address(&set(name)?, name).ok_or(*name)));
        let exceptions = set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default();
        Self {
            proxy,
            exceptions: exceptions
                .split([',', ' ', '\t', ';'])
                .filter_map(|part| exception(part.trim()))
                .collect(),
        }
    }

    /// The proxy for an address: https only, and never for this machine.
    ///
    /// # Errors
    /// [`Failure::NotSent`] when the variable names no proxy that can be used: going without one is not for us to
    /// decide.
    pub(crate) fn of(&self, url: &Url) -> Result<Option<&Proxy>, Failure> {
        if url.scheme() != "https" || is_this_machine(url) || self.is_excepted(url) {
            return Ok(None);
        }
        match &self.proxy {
            None => Ok(None),
            Some(Ok(proxy)) => Ok(Some(proxy)),
            Some(Err(variable)) => Err(Failure::NotSent {
                message: format!(
                    "The environment variable {variable} does not name a proxy that Tokenry can use, so nothing was \
                     sent. It has to be like http://proxy.example:3128; correct it, and restart Tokenry."
                ),
            }),
        }
    }

    fn is_excepted(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let is_port = |wanted: &Option<u16>| wanted.is_none() || *wanted == port;
        self.exceptions
            .iter()
            .any(|exception| match (exception, url.host()) {
                (Exception::Everything, _) => true,
                (Exception::Domain(domain, wanted), Some(Host::Domain(name))) => {
                    let name = name.trim_end_matches('.').to_ascii_lowercase();
                    let above = name.strip_suffix(domain.as_str());
                    is_port(wanted) && above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                }
                (Exception::Network(network, bits, wanted), Some(Host::Ipv4(ip))) => {
                    is_port(wanted) && shares(*network, IpAddr::V4(ip), *bits)
                }
                (Exception::Network(network, bits, wanted), Some(Host::Ipv6(ip))) => {
                    is_port(wanted) && shares(*network, IpAddr::V6(ip), *bits)
                }
                _ => false,
            })
    }
}

/// More than [`tokenry_core::is_loopback`]: what may be this machine is not told to a proxy either.
fn is_this_machine(url: &Url) -> bool {
    let name = url.domain().map(|name| name.trim_end_matches('.'));
    tokenry_core::is_loopback(url)
        || name.is_some_and(|name| name == "localhost" || name.ends_with(".localhost"))
}

/// `http://user:password@host:port`; without a scheme it is http, as everywhere.
fn address(text: &str, variable: &'static str) -> Option<Proxy> {
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let mut url = Url::parse(&whole).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    let named = !url.username().is_empty() || url.password().is_some();
    let user = named.then(|| {
        let password = decoded(url.password().unwrap_or_default());
        (decoded(url.username()), Secret::new(password))
    });
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    Some(Proxy { url, user, variable })
}

/// Percent-decoded; a plus is a plus here.
fn decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

fn exception(text: &str) -> Option<Exception> {
    if text == "*" {
        return Some(Exception::Everything);
    }
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    if let Some((address, bits)) = text.split_once('/')
        && let Ok(ip) = bare(address).parse::<IpAddr>()
    {
        let bits: u8 = bits.parse().ok()?;
        return (bits <= width(ip)).then_some(Exception::Network(ip, bits, None));
    }
    let text = text.trim_end_matches('/');
    if let Ok(ip) = bare(text).parse::<IpAddr>() {
        return Some(Exception::Network(ip, width(ip), None));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    if let Ok(ip) = bare(host).parse::<IpAddr>() {
        return Some(Exception::Network(ip, width(ip), port));
    }
    let host = host
        .trim_start_matches("*.")
        .trim_matches('.')
        .to_ascii_lowercase();
    // As it stands in an address, so that a name in another alphabet is found, too.
    let host = match Host::parse(&host).ok()? {
        Host::Domain(name) => name,
        _ => return None,
    };
    Some(Exception::Domain(host, port))
}

fn bare(text: &str) -> &str {
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text)
}

fn width(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Whether two addresses have the same first bits.
fn shares(network: IpAddr, ip: IpAddr, bits: u8) -> bool {
    let as_number = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(Ipv4Addr::to_bits(ip)) << 96,
        IpAddr::V6(ip) => Ipv6Addr::to_bits(ip),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    width(network) == width(ip) && (as_number(network) ^ as_number(ip)) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::read(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn through(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = proxies(variables);
        let proxy = proxies.of(&url.parse().unwrap()).unwrap();
        proxy.map(|proxy| format!("{proxy} by {}", proxy.variable))
    }

    #[test]
    fn a_proxy_is_read_from_either_spelling_of_its_variable() {
        for (variables, proxy) in [
            (
                vec![("HTTPS_PROXY", "http://p.example:3128")],
                Some("p.example:3128 by HTTPS_PROXY"),
            ),
            (
                vec![("https_proxy", "p.example:3128/")],
                Some("p.example:3128 by https_proxy"),
            ),
            (
                vec![("https_proxy", ""), ("HTTPS_PROXY", " p ")],
                Some("p:80 by HTTPS_PROXY"),
            ),
            (
                vec![("https_proxy", "a"), ("HTTPS_PROXY", "b")],
                Some("a:80 by https_proxy"),
            ),
            (
                vec![("HTTPS_PROXY", "https://[::1]")],
                Some("[::1]:443 by HTTPS_PROXY"),
            ),
            (vec![("ALL_PROXY", "http://p")], Some("p:80 by ALL_PROXY")),
            (vec![("HTTP_PROXY", "http://p")], None),
            (vec![("NO_PROXY", "x")], None),
            (vec![], None),
        ] {
            assert_eq!(
                through(&variables, "https://as.example/").as_deref(),
                proxy,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn only_https_to_other_machines_goes_through_a_proxy() {
        let set = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "")];
        for url in [
            "http://127.0.0.1/",
            "https://127.0.0.1/",
            "https://127.9.9.9:8443/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://localhost/",
            "https://localhost./",
            "https://as.localhost/",
            "http://as.example/",
        ] {
            assert_eq!(through(&set, url), None, "{url}");
        }
        for url in [
            "https://10.0.0.1/",
            "https://as.example:8443/",
            "https://localhost.example/",
        ] {
            assert!(through(&set, url).is_some(), "{url}");
        }
    }

    #[test]
    fn no_proxy_takes_names_ports_networks_and_everything() {
        for (no_proxy, url, direct) in [
            ("*", "https://as.example/", true),
            ("as.example", "https://as.example/", true),
            ("as.example", "https://login.as.example/", true),
            (".as.example", "https://login.as.example/", true),
            ("*.as.example", "https://login.as.example/", true),
            ("AS.Example.", "https://as.EXAMPLE./", true),
            ("as.example", "https://has.example/", false),
            ("as.example", "https://as.example.evil/", false),
            ("x, as.example ,y", "https://as.example/", true),
            ("x as.example", "https://as.example/", true),
            ("as.example:8443", "https://as.example:8443/", true),
            ("as.example:8443", "https://as.example/", false),
            ("as.example:443", "https://as.example/", true),
            ("10.1.2.3", "https://10.1.2.3/", true),
            ("10.1.2.3:8443", "https://10.1.2.3/", false),
            ("10.1.2.3:443", "https://10.1.2.3/", true),
            ("10.0.0.0/8", "https://10.255.1.1/", true),
            ("10.0.0.0/8", "https://11.0.0.1/", false),
            ("10.1.2.128/25", "https://10.1.2.127/", false),
            ("0.0.0.0/0", "https://192.0.2.1/", true),
            ("0.0.0.0/0", "https://[2001:db8::1]/", false),
            ("2001:db8::/32", "https://[2001:db8:1::1]/", true),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
            ("[2001:db8::1]:443", "https://[2001:db8::1]/", true),
            ("[2001:db8::1]:444", "https://[2001:db8::1]/", false),
            ("fd00::/8", "https://[fe80::1]/", false),
            ("10.0.0.0/33", "https://10.0.0.1/", false),
            ("https://as.example/", "https://as.example/", true),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
            ("as.example:x", "https://as.example/", false),
            (",, ,", "https://as.example/", false),
        ] {
            for name in ["no_proxy", "NO_PROXY"] {
                let set = [("HTTPS_PROXY", "http://p:1"), (name, no_proxy)];
                assert_eq!(through(&set, url).is_none(), direct, "{no_proxy} {url}");
            }
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_and_not_a_way_round_it() {
        for bad in [
            "socks5://p:1080",
            "http://",
            "http://p:99999",
            "http://CANARY:CANARY@",
            "://",
        ] {
            let proxies = proxies(&[("HTTPS_PROXY", bad)]);
            let failure = proxies.of(&"https://as.example/".parse().unwrap()).unwrap_err();
            let text = format!("{failure} {failure:?} {proxies:?}");
            assert!(text.contains("HTTPS_PROXY") && !text.contains("CANARY"), "{text}");
            assert!(
                proxies
                    .of(&"https://127.0.0.1/".parse().unwrap())
                    .unwrap()
                    .is_none()
            );
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_decoded_and_never_shown() {
        let proxies = proxies(&[(
            "HTTPS_PROXY",
            "http://us%40er:CANARY%3a+%26x@p.example:3128/x?y#z",
        )]);
        let proxy = proxies
            .of(&"https://as.example/".parse().unwrap())
            .unwrap()
            .unwrap();
        let (user, password) = proxy.user.as_ref().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("us@er", "CANARY:+&x"));
        assert_eq!(proxy.url.as_str(), "http://p.example:3128/");
        let shown = format!("{proxies:?} {proxy} {proxy:?}");
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}
