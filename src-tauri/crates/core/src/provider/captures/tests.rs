//! Addresses and texts that values of a sign-in are filled into.

use super::*;

fn filled(template: &str, value: &str) -> Result<String, CaptureError> {
    let captured = Captured::from([("v".to_owned(), Secret::new(value.to_owned()))]);
    let hosts = ["*.example.com".to_owned(), "login.example.org".to_owned()];
    fill_address(template, &captured, "my-id", &hosts).map(String::from)
}

#[test]
fn a_value_is_an_origin_a_part_of_a_host_or_a_segment() {
    for (template, value, address) in [
        (
            "{v}/oauth/token",
            "https://eu.example.com",
            "https://eu.example.com/oauth/token",
        ),
        (
            "{v}/oauth/token",
            "https://eu.example.com/",
            "https://eu.example.com/oauth/token",
        ),
        (
            "{v}/t",
            "https://login.example.org",
            "https://login.example.org/t",
        ),
        ("https://{v}/t", "a.b.example.com", "https://a.b.example.com/t"),
        (
            "https://api.{v}.example.com/t?x=1",
            "eu-1",
            "https://api.eu-1.example.com/t?x=1",
        ),
        (
            "https://as.test/{v}/t",
            "a.B_c~1-2",
            "https://as.test/a.B_c~1-2/t",
        ),
        ("https://as.test/t?realm={v}", "42", "https://as.test/t?realm=42"),
        ("https://as.test/{client_id}/t", "", "https://as.test/my-id/t"),
    ] {
        assert_eq!(
            filled(template, value).as_deref(),
            Ok(address),
            "{template} {value}"
        );
    }
    let known = Captured::new();
    assert_eq!(
        fill_address("https://as.test/{v}", &known, "id", &[]),
        Err(CaptureError::Missing("v".to_owned()))
    );
}

/// A callback can be made by any web page: its values never choose a host that the settings do not name.
#[test]
fn a_value_never_leads_to_a_host_that_is_not_named() {
    for (template, value) in [
        ("{v}/t", "https://evil.test"),
        ("{v}/t", "https://example.com"),
        ("{v}/t", "https://notexample.com"),
        ("{v}/t", "https://login.example.org.evil.test"),
        ("{v}/t", "http://eu.example.com"),
        ("{v}/t", "https://eu.example.com:8443"),
        ("{v}/t", "https://u:p@eu.example.com"),
        ("{v}/t", "https://eu.example.com/x"),
        ("{v}/t", "https://eu.example.com?x"),
        ("{v}/t", "https://eu.example.com#x"),
        ("{v}/t", "https://eu.example.com\\@evil.test"),
        ("{v}/t", "https://evil.test\\.example.com"),
        ("{v}/t", "https:eu.example.com"),
        ("{v}/t", "//eu.example.com"),
        ("{v}/t", "javascript:alert(1)"),
        ("{v}/t", "https://127.0.0.1:1"),
        ("{v}/t", "HTTPS://EU.EXAMPLE.COM"),
        ("{v}/t", " https://eu.example.com"),
        ("{v}/t", ""),
        ("https://{v}/t", "evil.test"),
        ("https://{v}/t", "evil.test/x.example.com"),
        ("https://{v}/t", "evil.test#.example.com"),
        ("https://{v}/t", "evil.test?.example.com"),
        ("https://{v}/t", "u@login.example.org"),
        ("https://{v}/t", "login.example.org:444"),
        ("https://{v}.example.com/t", "evil.test/"),
        ("https://{v}.example.com/t", "."),
        ("https://{v}.example.com/t", "a..b"),
        ("https://login.example.{v}/t", "org.evil.test"),
        ("https://login.example.org{v}", ".evil.test"),
        ("https://login.example.org{v}", "@evil.test"),
        ("https://as.test/{v}/t", ".."),
        ("https://as.test/{v}/t", "."),
        ("https://as.test/{v}/t", "a/b"),
        ("https://as.test/{v}/t", "a%2fb"),
        ("https://as.test/{v}/t", "a?b"),
        ("https://as.test/{v}/t", "a#b"),
        ("https://as.test/{v}/t", "a b"),
        ("https://as.test/{v}/t", "a\nb"),
        ("https://as.test/{v}/t", "\u{e4}"),
        ("https://as.test/t?x={v}", "1&y=2"),
    ] {
        let error = filled(template, value).unwrap_err();
        assert!(
            !matches!(error, CaptureError::Missing(_)),
            "{template} {value}: {error}"
        );
    }
    assert!(filled("https://as.test/{v}", &"a".repeat(257)).is_err());
    let captured = Captured::from([("v".to_owned(), Secret::new("https://evil.test".to_owned()))]);
    for hosts in ["*", "*.", "*evil.test", ""] {
        let filled = fill_address("{v}/t", &captured, "my-id", &[hosts.to_owned()]);
        assert!(filled.is_err(), "{hosts:?} is no host");
    }
}

#[test]
fn braces_around_anything_else_stand_for_themselves() {
    let values = BTreeMap::from([("v", "1"), ("w", "{v}")]);
    for (text, filled) in [
        ("{v}", "1"),
        ("a{v}b{v}", "a1b1"),
        ("{w}", "{v}"),
        ("{unknown}", "{unknown}"),
        (r#"{"claims":{"v":null}}"#, r#"{"claims":{"v":null}}"#),
        ("{{v}}", "{1}"),
        ("{v", "{v"),
        ("v}", "v}"),
        ("{}{ v }", "{}{ v }"),
    ] {
        assert_eq!(fill_text(text, &values), filled, "{text}");
    }
    assert_eq!(
        placeholders("{a}/{b}{a}").into_iter().collect::<Vec<_>>(),
        ["a", "b"]
    );
}
