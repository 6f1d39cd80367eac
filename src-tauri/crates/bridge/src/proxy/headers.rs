//! The headers that a proxy passes on, and those that it does not (RFC 9110, 7.6.1).

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use std::net::SocketAddr;
use url::{Position, Url};

/// Those of one connection.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const OLD_HOP_BY_HOP: [&str; 2] = ["keep-alive", "proxy-connection"];

/// Those of a request that mean the proxy. Cookies of one port go to all ports of a host, so none are passed on.
const OF_CALLER: [HeaderName; 6] = [
    header::HOST,
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("cookie2"),
    header::EXPECT,
    header::CONTENT_LENGTH,
];

/// Whether a request was meant for this address. A page of another site, whose name leads here, says its own name.
pub(super) fn is_for(headers: &HeaderMap, listen: SocketAddr) -> bool {
    let mut values = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (values.next(), values.next()) else {
        return false;
    };
    is_own(host.as_bytes(), listen)
}

/// Whether a host with its port is the address that the proxy listens at.
pub(super) fn is_own(host: &[u8], listen: SocketAddr) -> bool {
    let port = listen.port();
    let own = [listen.to_string(), format!("localhost:{port}")];
    own.iter().any(|own| host.eq_ignore_ascii_case(own.as_bytes()))
        || (port == 80 && host == listen.ip().to_string().as_bytes())
}

/// Whether the proxy knows how a body is transferred. `hyper` decodes `chunked` only (RFC 9112, 6.1).
pub(super) fn has_known_transfer(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    values.next().is_none_or(is_chunked) && values.next().is_none()
}

/// The headers for the API.
pub(super) fn to_api(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    for name in OF_CALLER {
        headers.remove(name);
    }
    headers
}

/// The headers for the caller, without those whose value `has_token`. A redirect within the API leads to the proxy.
pub(super) fn to_caller(
    headers: &mut HeaderMap,
    api: &Url,
    listen: SocketAddr,
    has_token: impl Fn(&[u8]) -> bool,
) {
    remove_hop_by_hop(headers);
    let repeating = headers.iter().filter(|(_, value)| has_token(value.as_bytes()));
    let repeating: Vec<HeaderName> = repeating.map(|(name, _)| name.clone()).collect();
    for name in repeating {
        headers.remove(name);
    }
    for name in [
        header::SET_COOKIE,
        HeaderName::from_static("set-cookie2"),
        header::ALT_SVC,
        header::STRICT_TRANSPORT_SECURITY,
    ] {
        headers.remove(name);
    }
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        let moved = headers.get(&name).and_then(|value| moved(value, api, listen));
        if let Some(moved) = moved {
            headers.insert(name, moved);
        }
    }
}

fn moved(location: &HeaderValue, api: &Url, listen: SocketAddr) -> Option<HeaderValue> {
    let location: Url = location.to_str().ok()?.parse().ok()?;
    if location.origin() != api.origin() {
        return None;
    }
    let rest = &location[Position::BeforePath..];
    let rest = rest.strip_prefix(api.path().trim_end_matches('/'))?;
    let is_below = rest.is_empty() || rest.starts_with(['/', '?', '#']);
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let own = is_below.then(|| format!("http://{listen}{slash}{rest}"))?;
    HeaderValue::from_str(&own).ok()
}

/// Removes those of one connection, and those that `Connection` names.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter();
    let named: Vec<HeaderName> = named
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(HOP_BY_HOP) {
        headers.remove(name);
    }
    for name in OLD_HOP_BY_HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_belongs_to_the_callers_connection_stays_there() {
        let sent = to_api(headers(&[
            ("host", "127.0.0.1:80"),
            ("authorization", "Bearer own"),
            ("cookie", "a=b"),
            ("cookie2", "$Version=1"),
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("accept", "text/plain"),
            ("x-other", "2"),
        ]));
        let mut names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "x-other"]);
    }

    #[test]
    fn the_host_header_has_to_name_the_address_that_the_proxy_listens_at() {
        let listen = "127.0.0.1:4000".parse().unwrap();
        let is_for = |hosts: &[&'static str]| {
            let pairs: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            is_for(&headers(&pairs), listen)
        };
        assert!(is_for(&["127.0.0.1:4000"]) && is_for(&["LOCALHOST:4000"]));
        for hosts in [
            &[][..],
            &["evil.example:4000"],
            &["127.0.0.1"],
            &["127.0.0.1:4001"],
            &["localhost"],
            &["127.0.0.1:4000", "evil.example"],
            &["127.0.0.1:4000.evil.example"],
        ] {
            assert!(!is_for(hosts), "{hosts:?}");
        }
    }

    #[test]
    fn a_redirect_within_the_api_leads_to_the_proxy_and_cookies_are_dropped() {
        let listen = "127.0.0.1:4000".parse().unwrap();
        let api = "https://api.example.com/v1".parse().unwrap();
        let location = |text: &'static str| {
            let mut answered = headers(&[
                ("location", text),
                ("set-cookie", "a=b"),
                ("set-cookie2", "a=b"),
                ("etag", "x"),
            ]);
            to_caller(&mut answered, &api, listen, |_| false);
            assert_eq!(answered.len(), 2);
            assert!(answered.contains_key(header::ETAG));
            answered[header::LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(
            location("https://api.example.com/v1/a?b"),
            "http://127.0.0.1:4000/a?b"
        );
        assert_eq!(location("https://api.example.com/v1"), "http://127.0.0.1:4000/");
        for other in [
            "https://api.example.com/v10/a",
            "https://other.example/v1/a",
            "http://api.example.com/v1/a",
            "/v1/a",
        ] {
            assert_eq!(location(other), other);
        }
    }
    #[test]
    fn a_header_that_repeats_the_token_is_left_out() {
        let api = "https://api.example.com".parse().unwrap();
        let mut answered = headers(&[("x-sent", "Bearer c4n4ry"), ("x-sent", "other"), ("etag", "x")]);
        let has_token = |value: &[u8]| value.ends_with(b"c4n4ry");
        to_caller(&mut answered, &api, "127.0.0.1:1".parse().unwrap(), has_token);
        assert_eq!(answered, headers(&[("etag", "x")]));
    }

    #[test]
    fn only_the_chunked_transfer_encoding_is_known() {
        let is_known = |values: &[&'static str]| {
            let pairs: Vec<_> = values.iter().map(|value| ("transfer-encoding", *value)).collect();
            has_known_transfer(&headers(&pairs))
        };
        assert!(is_known(&[]) && is_known(&["chunked"]) && is_known(&["Chunked"]));
        for values in [
            &["gzip, chunked"][..],
            &["gzip", "chunked"],
            &["chunked", "chunked"],
            &["chunked, chunked"],
            &["identity"],
            &[""],
        ] {
            assert!(!is_known(values), "{values:?}");
        }
    }
}
