//! Addresses as other programs write them.

/// Whether an address can be read in one way only. In any other one a client could see another host than the engine does.
pub(super) fn is_plain(address: &str) -> bool {
    let is_doubtful = |c: char| c.is_control() || c.is_whitespace() || "@\\?#".contains(c);
    !address.contains(is_doubtful)
}

/// An address of the web without user name, query and fragment, which can hold secrets. Without a scheme, https is meant.
///
/// `None` for what two programs could read as two hosts, and for other schemes.
pub(super) fn plain(text: &str) -> Option<String> {
    let is_ambiguous = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if text.contains(is_ambiguous) {
        return None;
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => "http",
        // gRPC over TLS: the same host, and the same port unless one is named.
        "https" | "grpcs" => "https",
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    (!host.is_empty() && !host.starts_with(':')).then(|| format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn an_address_is_read_without_what_can_be_secret() {
        for (text, read) in [
            ("https://a.example/simple/", Some("https://a.example/simple/")),
            ("a.example", Some("https://a.example")),
            ("a.example:8443", Some("https://a.example:8443")),
            ("HTTP://127.0.0.1:8080/x", Some("http://127.0.0.1:8080/x")),
            (
                "https://user:secret@a.example/x?token=1#y",
                Some("https://a.example/x"),
            ),
            (
                "https://github.com@evil.example/x",
                Some("https://evil.example/x"),
            ),
            ("https://a.example?@github.com", Some("https://a.example")),
            (
                "https://a.example/@github.com/x",
                Some("https://a.example/@github.com/x"),
            ),
            (
                "grpcs://a.example/package.Service/Method",
                Some("https://a.example/package.Service/Method"),
            ),
            ("grpc://a.example", None),
            ("file:///etc/passwd", None),
            ("https://evil.example\\@github.com/", None),
            ("https://evil.example\r\n@github.com/", None),
            ("https://a.example\u{0}", None),
            ("https://a b/", None),
            ("https://", None),
            ("https://user@", None),
            ("https://:443/", None),
            ("", None),
        ] {
            assert_eq!(plain(text).as_deref(), read, "{text:?}");
        }
    }
}
