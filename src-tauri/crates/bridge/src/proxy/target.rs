//! The address at the API that a request of a caller means.

use super::headers;
use hyper::Uri;
use std::net::SocketAddr;
use url::Url;

/// The target below the API's address.
///
/// # Errors
/// When the request names a host other than the proxy, as for an open proxy, or could lead above the API's address.
pub(super) fn join(api: &Url, target: &Uri, listen: SocketAddr) -> Result<Url, &'static str> {
    // The whole address of the proxy means the same as the path (RFC 9112, 3.2.2).
    let is_own = match (target.scheme_str(), target.authority()) {
        (None, None) => true,
        (Some("http"), Some(authority)) => headers::is_own(authority.as_str().as_bytes(), listen),
        _ => false,
    };
    if !is_own || !target.path().starts_with('/') {
        return Err("send only the path: this proxy has one fixed target");
    }
    let path = target.path();
    if path.split('/').any(is_dot_segment) || path.contains('\\') || path.to_ascii_lowercase().contains("%5c")
    {
        return Err("the path must not hold `..`, `.` or a backslash");
    }
    let mut url = api.clone();
    let whole = format!("{}{path}", api.path().trim_end_matches('/'));
    url.set_path(&whole);
    url.set_query(target.query());
    match url.origin() == api.origin() && url.path().starts_with(api.path().trim_end_matches('/')) {
        true => Ok(url),
        false => Err("the path is invalid"),
    }
}

/// Also where a server decodes it before it resolves it, and where parameters follow.
fn is_dot_segment(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    let decoded = name.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    decoded.split('/').any(|part| part == "." || part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_address_of_the_api() {
        let joined = |api: &str, target: &str| {
            let listen = "127.0.0.1:4000".parse().unwrap();
            let joined = join(&api.parse().unwrap(), &target.parse().unwrap(), listen);
            joined.map(|url| url.to_string()).map_err(str::to_owned)
        };
        for (api, target, url) in [
            ("https://a.example", "/", "https://a.example/"),
            ("https://a.example", "/x/y?z=%2F", "https://a.example/x/y?z=%2F"),
            ("https://a.example/v1", "/x", "https://a.example/v1/x"),
            ("https://a.example/v1/", "/x%20y", "https://a.example/v1/x%20y"),
            (
                "https://a.example/v1",
                "//evil.example/x",
                "https://a.example/v1//evil.example/x",
            ),
            ("https://a.example", "/...", "https://a.example/..."),
            (
                "https://a.example/v1",
                "http://127.0.0.1:4000/x?y",
                "https://a.example/v1/x?y",
            ),
            (
                "https://a.example/v1",
                "http://localhost:4000",
                "https://a.example/v1/",
            ),
        ] {
            assert_eq!(joined(api, target).as_deref(), Ok(url), "{target}");
        }
        for target in [
            "http://evil.example/",
            "https://a.example/x",
            "evil.example:443",
            "127.0.0.1:4000",
            "http://127.0.0.1:4001/",
            "http://me@127.0.0.1:4000/",
            "https://127.0.0.1:4000/",
            "http://127.0.0.1:4000/../x",
            "*",
            "/../x",
            "/x/..",
            "/x/./y",
            "/%2e%2e/x",
            "/.%2E/x",
            "/..%2fx",
            "/..;a=b/x",
            "/x%5c..%5cy",
        ] {
            assert!(joined("https://a.example/v1", target).is_err(), "{target}");
        }
    }
}
