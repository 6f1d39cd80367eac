//! Pasted addresses, and on which redirect URI an answer arrived (checklist A2.4).

use crate::server::{flow, provider};
use tokenry_core::{Flow, Redirect};
use tokenry_oauth::redirect::{
    Means, Outcome, Refused, judge_deep_link, judge_loopback, judge_pasted, same_redirect,
};

#[test]
fn both_full_forms_and_an_https_address_can_be_pasted() {
    for (address, uri) in [
        ("io.github.tokenry:/cb/x", "io.github.tokenry:/cb/x"),
        ("  io.github.tokenry://cb/x/", "io.github.tokenry:/cb/x"),
        ("http://127.0.0.1:49152/cb/x", "http://127.0.0.1:49152/cb/x"),
        (
            "https://pages.example/tokenry/cb/x",
            "https://pages.example/tokenry/cb/x",
        ),
        (
            "https://pages.example:8443/cb/x",
            "https://pages.example:8443/cb/x",
        ),
        ("http://localhost:4711/", "http://localhost:4711/"),
        ("http://[::1]:4711/Callback/", "http://[::1]:4711/Callback/"),
    ] {
        let redirected = judge_pasted(&format!("{address}?code=c&state=s\r\n")).unwrap();
        assert_eq!(redirected.uri, uri);
        assert_eq!(redirected.means, Means::Paste);
    }
}

/// As terminals, mail programs and chats break a long address.
#[test]
fn white_space_and_line_breaks_inside_a_pasted_address_are_forgiven() {
    for address in [
        "http://127.0.0.1:49152/cb/x?code=a\r\nb&state=s",
        "http://127.0.0.1:49152/cb/x?code=a\n    b&state=s",
        "http://127.0.0.1:49152/\ncb/x?code=ab&sta te=s",
        "  http://127.0.0.1:49152/cb/x?code=a\u{a0}\u{200b}\u{2028}b&state=s \t\n",
        "\u{feff}http://127.0.0.1:49152/cb/x?co\tde=ab&state=s#_=\n_",
    ] {
        let redirected = judge_pasted(address).unwrap();
        assert_eq!(redirected.uri, "http://127.0.0.1:49152/cb/x", "{address:?}");
        assert!(
            matches!(&redirected.outcome, Outcome::Code(code) if code.expose() == "ab"),
            "{address:?}"
        );
    }
    let link = judge_pasted("io.github.tokenry:/cb/x?code=c\n&state=\ns").unwrap();
    assert_eq!(
        (link.uri.as_str(), link.state.expose()),
        ("io.github.tokenry:/cb/x", "s")
    );
    for (other, refused) in [
        ("\0", Refused::ControlCharacter),
        ("\u{b}", Refused::ControlCharacter),
        ("\u{c}", Refused::ControlCharacter),
        ("\u{1b}[200~", Refused::ControlCharacter),
        ("\u{85}", Refused::ControlCharacter),
        ("%0a", Refused::ControlCharacter),
        ("\u{202e}", Refused::IllegalCharacter),
        ("\u{200d}", Refused::IllegalCharacter),
    ] {
        let address = format!("http://127.0.0.1:49152/cb/x?code=a{other}b&state=s");
        assert_eq!(judge_pasted(&address).unwrap_err(), refused, "{address:?}");
    }
    let gaps = format!(
        "http://127.0.0.1:49152/cb/x?code=c&state=s{}",
        " \n".repeat(20_000)
    );
    assert_eq!(judge_pasted(&gaps).unwrap_err(), Refused::TooLong);
    // Never in what did not come from a clipboard.
    assert!(judge_deep_link("io.github.tokenry:/cb/x?code=c&state=s\n").is_err());
    assert!(judge_loopback("/cb/x?code=c &state=s").is_err());
}

#[test]
fn anything_else_that_is_pasted_is_refused() {
    for address in [
        "/cb/x",
        "http://127.0.0.1:/cb/x",
        "http://127.0.0.1:04711/cb/x",
        "http://127.0.0.1:+4711/cb/x",
        "http://127.0.0.1:99999/cb/x",
        "http://127.0.0.1:4711@evil.example/cb/x",
        "http://127.0.0.1.evil.example:4711/cb/x",
        "http://evil.example/cb/x",
        "https://user:pass@pages.example/cb/x",
        "https://pages.example@evil.example/cb/x",
        "https://PAGES.example/cb/x",
        "https://pages.example:443/cb/x",
        "https://pages.example/a/../cb/x",
        "https:pages.example/cb/x",
        "https:///cb/x",
        "javascript:alert(1)//cb/x",
        "file:///cb/x",
        "",
    ] {
        let refused = judge_pasted(&format!("{address}?code=c&state=s")).unwrap_err();
        assert_eq!(refused, Refused::WrongPath, "{address}");
    }
}

fn started_with(redirect_uri: String, redirect: Redirect) -> Flow {
    let url = "https://as.example/token".parse().unwrap();
    Flow {
        redirect_uri,
        redirect,
        ..flow(&provider(&url), &url)
    }
}

/// OAuth 2.1 §7.15.2: a response on another redirect URI is refused.
#[test]
fn an_answer_counts_only_on_the_redirect_uri_of_its_flow() {
    let loopback = started_with("http://127.0.0.1:4711/cb/x".into(), Redirect::Loopback);
    let deep = started_with("io.github.tokenry:/cb/x".into(), Redirect::DeepLink);
    let slashes = started_with("io.github.tokenry://cb/x".into(), Redirect::DeepLink);
    let https = started_with("https://pages.example/cb/x".into(), Redirect::Paste);
    let bare = started_with("https://pages.example".into(), Redirect::Paste);

    let request = |name: &str| judge_loopback(&format!("/cb/{name}?code=c&state=s")).unwrap();
    let link =
        |name: &str| judge_deep_link(&format!("io.github.tokenry://cb/{name}/?code=c&state=s")).unwrap();
    let pasted = |address: &str| judge_pasted(&format!("{address}?code=c&state=s")).unwrap();

    for (flow, arrived, same) in [
        // The listener puts its own address before a path that is right.
        (&loopback, request("x"), false),
        (&loopback, link("x"), false),
        (&loopback, pasted("http://127.0.0.1:4711/cb/x"), true),
        (&loopback, pasted("http://127.0.0.1:4712/cb/x"), false),
        (&loopback, pasted("http://127.0.0.1:4711/cb/x/"), false),
        (&loopback, pasted("http://127.0.0.1:4711/cb/X"), false),
        (&loopback, pasted("http://127.0.0.1/cb/x"), false),
        (&loopback, pasted("http://localhost:4711/cb/x"), false),
        (&loopback, pasted("io.github.tokenry:/cb/x"), false),
        (&deep, link("x"), true),
        (&slashes, link("x"), true),
        (&deep, pasted("io.github.tokenry:/cb/x"), true),
        (&slashes, pasted("io.github.tokenry:/cb/x"), true),
        (&deep, link("y"), false),
        (&deep, link("X"), false),
        (&deep, link("x/y"), false),
        (&deep, request("x"), false),
        (&https, pasted("https://pages.example/cb/x"), true),
        (&https, pasted("https://pages.example/cb/x/"), false),
        (&https, pasted("https://evil.example/cb/x"), false),
        (&https, request("x"), false),
        (&https, link("x"), false),
        (&bare, pasted("https://pages.example/"), true),
        (&bare, pasted("https://pages.example/cb/x"), false),
    ] {
        assert_eq!(
            same_redirect(flow, &arrived),
            same,
            "{} at {}",
            flow.redirect_uri,
            arrived.uri
        );
    }
}
