//! Where a code may be sent: A13.1, A13.3.

use super::{error::Unredirectable, parameters::Parameters};
use crate::records::index::Index;
use tokenry_core::{App, AppId};

/// The app, and the one address of it that answers may go to. Looked at before anything else: whatever is wrong here
/// is told to the user, and sent to no address.
pub(super) fn of(index: &Index, parameters: &Parameters) -> Result<(App, String), Unredirectable> {
    let app = parameters
        .get("client_id")
        .and_then(|reference| app(index, reference))
        .ok_or(Unredirectable::UnknownClient)?;
    match parameters.get("redirect_uri") {
        Some(asked) if app.redirect_uris.iter().any(|own| is_same(own, asked)) => {
            Ok((app.clone(), asked.to_owned()))
        }
        _ => Err(Unredirectable::UnknownPlace),
    }
}

/// An app by its client id, or by its name.
pub(super) fn app<'a>(index: &'a Index, reference: &str) -> Option<&'a App> {
    let by_id = reference.parse::<AppId>().ok().and_then(|id| index.app(id));
    by_id.or_else(|| index.apps().find(|app| app.name.as_str() == reference))
}

/// Byte for byte the same; of an address on a loopback literal, the port is left out (RFC 8252 §7.3).
fn is_same(registered: &str, asked: &str) -> bool {
    // It goes into a header.
    if !asked.bytes().all(|byte| byte.is_ascii_graphic()) || asked.contains('#') {
        return false;
    }
    let loopback = || Some((without_port(registered)?, without_port(asked)?));
    registered == asked || loopback().is_some_and(|(registered, asked)| registered == asked)
}

/// The literal, and what comes after its port.
fn without_port(address: &str) -> Option<(&'static str, &str)> {
    let (literal, rest) = ["http://127.0.0.1", "http://[::1]"]
        .into_iter()
        .find_map(|literal| Some((literal, address.strip_prefix(literal)?)))?;
    let Some(rest) = rest.strip_prefix(':') else {
        return Some((literal, rest));
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (port, rest) = rest.split_at(end);
    let number: u16 = port.parse().ok()?;
    // Written as everybody writes it: no leading zero.
    (number != 0 && number.to_string() == port).then_some((literal, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A13.1: exact, but for the port of a loopback literal.
    #[test]
    fn only_the_port_of_a_loopback_literal_is_free() {
        for (registered, asked) in [
            ("https://app.example/cb", "https://app.example/cb"),
            ("com.example.app:/cb", "com.example.app:/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
            ("http://127.0.0.1:8080/cb?x=1", "http://127.0.0.1:1/cb?x=1"),
            ("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"),
            ("http://[::1]:1/", "http://[::1]:65535/"),
            ("http://localhost:3000/cb", "http://localhost:3000/cb"),
        ] {
            assert!(is_same(registered, asked), "{asked}");
        }
    }

    #[test]
    fn whatever_else_differs_is_another_address() {
        let registered = "http://127.0.0.1/cb";
        for asked in [
            "http://127.0.0.1:80",
            "http://127.0.0.1:80/cb/",
            "http://127.0.0.1:80/CB",
            "http://127.0.0.1:80/cb?",
            "http://127.0.0.1:80/cb?x",
            "http://127.0.0.1:80/cb#x",
            "http://127.0.0.1:80/../cb",
            "http://127.0.0.1:80/%63b",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:80:80/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:080/cb",
            "http://127.0.0.1:+80/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://user@127.0.0.1/cb",
            "http://127.0.0.2:80/cb",
            "http://127.1:80/cb",
            "http://2130706433/cb",
            "http://[::1]:80/cb",
            "http://localhost/cb",
            "https://127.0.0.1:80/cb",
            "HTTP://127.0.0.1:80/cb",
            " http://127.0.0.1/cb",
            "http://127.0.0.1/cb ",
            "http://127.0.0.1/cb\r\nX: y",
            "",
        ] {
            assert!(!is_same(registered, asked), "{asked:?}");
        }
        for (registered, asked) in [
            ("http://localhost/cb", "http://localhost:80/cb"),
            ("https://127.0.0.1/cb", "https://127.0.0.1:80/cb"),
            ("https://app.example/cb", "https://app.example:443/cb"),
            ("https://app.example/cb", "https://app.example/cb/x"),
            ("https://app.example/cb", "https://app.example.evil.example/cb"),
            ("com.example.app:/cb", "com.example.app://cb"),
        ] {
            assert!(!is_same(registered, asked), "{asked}");
        }
    }
}
