//! Tests of the settings that say how a provider differs from RFC 6749, and of captured values.

use super::*;

/// Each row is a change and the one setting that is wrong then; none where it can be kept.
#[test]
fn differences_from_rfc_6749_are_judged_setting_by_setting() {
    for (change, wrong) in [
        (
            json!({"param_names": {"client_id": "client_key", "scope": "user_scope", "token": "access_token"}}),
            None,
        ),
        (json!({"param_names": {"token": "refresh_token"}}), None),
        (json!({"param_names": {"state": "s"}}), Some("param_names")),
        (json!({"param_names": {"client_id": ""}}), Some("param_names")),
        (json!({"param_names": {"client_id": "a b"}}), Some("param_names")),
        (
            json!({"param_names": {"client_id": "client_secret"}}),
            Some("param_names"),
        ),
        (json!({"param_names": {"scope": "State[]"}}), Some("param_names")),
        (
            json!({"param_names": {"scope": "x", "client_id": "X"}}),
            Some("param_names"),
        ),
        (
            json!({"param_names": {"client_id": "key"}, "authorize_params": {"key": "x"}}),
            Some("authorize_params"),
        ),
        (
            json!({"param_names": {"client_id": "key"}, "token_params": {"Key": "x"}}),
            Some("token_params"),
        ),
        (
            json!({"token_params": {"action": "requesttoken", "scope": "a"}}),
            None,
        ),
        (json!({"token_params": {"Grant.Type": "x"}}), Some("token_params")),
        (
            json!({"token_params": {"client_secret[]": "x"}}),
            Some("token_params"),
        ),
        (json!({"token_params": {"a": "x\ny"}}), Some("token_params")),
        (json!({"token_params": {"a": "{realm}"}}), Some("token_params")),
        (
            json!({"refresh_params": {"refresh_token": "x"}}),
            Some("refresh_params"),
        ),
        (
            json!({"refresh_params": {"a": "x".repeat(5000)}}),
            Some("refresh_params"),
        ),
        (
            json!({"token_headers": {"Notion-Version": "2022-06-28", "User-Agent": "me/1"}}),
            None,
        ),
        (
            json!({"token_headers": {"Authorization": "x"}}),
            Some("token_headers"),
        ),
        (json!({"token_headers": {"hOST": "x"}}), Some("token_headers")),
        (
            json!({"token_headers": {"Content-Length": "1"}}),
            Some("token_headers"),
        ),
        (
            json!({"token_headers": {"Transfer-Encoding": "chunked"}}),
            Some("token_headers"),
        ),
        (json!({"token_headers": {"cookie": "a=b"}}), Some("token_headers")),
        (json!({"token_headers": {"Proxy-X": "a"}}), Some("token_headers")),
        (
            json!({"token_headers": {"X-A": "a\r\nHost: evil"}}),
            Some("token_headers"),
        ),
        (json!({"token_headers": {"X-A": "\u{e4}"}}), Some("token_headers")),
        (json!({"token_headers": {"X A": "a"}}), Some("token_headers")),
        (
            json!({"token_headers": {"X-A": "a", "x-a": "b"}}),
            Some("token_headers"),
        ),
        (json!({"authorize_fragment": "/oauth/authorize"}), None),
        (json!({"authorize_fragment": "/a?b"}), Some("authorize_fragment")),
        (json!({"authorize_fragment": "a b"}), Some("authorize_fragment")),
        (json!({"code_param": "auth_code"}), None),
        (json!({"code_param": "state"}), Some("code_param")),
        (json!({"code_param": "a b"}), Some("code_param")),
        (
            json!({"token_response_paths": {"access_token": "data.0.token", "token_type": ""}}),
            None,
        ),
        (
            json!({"token_response_paths": {"access_token": ""}}),
            Some("token_response_paths"),
        ),
        (
            json!({"token_response_paths": {"colour": "a"}}),
            Some("token_response_paths"),
        ),
        (
            json!({"token_response_paths": {"scope": "a..b"}}),
            Some("token_response_paths"),
        ),
        (
            json!({"token_response_paths": {"scope": "a.b.c.d.e.f.g.h.i"}}),
            Some("token_response_paths"),
        ),
        (json!({"default_expires_in": 3600}), None),
        (json!({"default_expires_in": 0}), Some("default_expires_in")),
        (
            json!({"exchange_step": {"endpoint": "https://a.example/x", "params": {"t": "{access_token}"}}}),
            None,
        ),
        (
            json!({"exchange_step": {"endpoint": "http://a.example/x"}}),
            Some("exchange_step"),
        ),
        (
            json!({"exchange_step": {"endpoint": "https://a.example/x", "params": {"t": "{realm}"}}}),
            Some("exchange_step"),
        ),
        (
            json!({"revocation_method": "parameters"}),
            Some("revocation_params"),
        ),
        (
            json!({"revocation_method": "parameters", "revocation_params": {"client_id": "{client_id}", "token": "{token}"}}),
            None,
        ),
        (
            json!({"revocation_params": {"token": "x"}}),
            Some("revocation_params"),
        ),
        (json!({"account_source": "userinfo"}), Some("userinfo_endpoint")),
        (
            json!({"account_source": "introspection"}),
            Some("introspection_endpoint"),
        ),
        (json!({"account_source": "token_response"}), Some("account_paths")),
        (
            json!({"account_source": "token_response", "account_paths": {"id": "user.id"}}),
            None,
        ),
        (json!({"account_paths": {"colour": "a"}}), Some("account_paths")),
        (json!({"account_paths": {"id": ""}}), Some("account_paths")),
    ] {
        let (_, problems) = self::change(&good(), change.clone());
        let found: Vec<_> = problems.keys().map(String::as_str).collect();
        assert_eq!(
            found,
            wrong.into_iter().collect::<Vec<_>>(),
            "{change}: {problems:?}"
        );
    }
}

/// Each row is what the captures bring, an endpoint, its hosts, and whether that can be kept.
#[test]
fn a_placeholder_stands_for_a_declared_value_and_a_host_is_always_named() {
    let kept = |source: &str, field: &str, endpoint: &str, hosts: &[&str]| {
        let (_, problems) = self::change(
            &good(),
            json!({"captures": {"v": source}, field: endpoint, "captured_hosts": hosts}),
        );
        problems.into_keys().collect::<Vec<_>>()
    };
    for (field, endpoint, hosts) in [
        (
            "token_endpoint",
            "{v}/oauth/v2/token",
            &["accounts.zoho.eu", "*.zoho.com"][..],
        ),
        ("refresh_endpoint", "https://{v}/t", &["*.my.example"]),
        (
            "revocation_endpoint",
            "https://accounts.zoho.{v}/t",
            &["*.zoho.example"],
        ),
        ("userinfo_endpoint", "https://a.example/company/{v}/info", &[]),
        (
            "introspection_endpoint",
            "https://a.example/i?realm={v}&c={client_id}",
            &[],
        ),
        ("token_endpoint", "https://a.example/{client_id}/token", &[]),
    ] {
        assert!(
            kept("token_response.a.b", field, endpoint, hosts).is_empty(),
            "{endpoint}"
        );
    }
    for (source, field, endpoint, hosts, wrong) in [
        ("callback.x", "token_endpoint", "{v}/t", &[][..], "token_endpoint"),
        (
            "callback.x",
            "token_endpoint",
            "https://{v}/t",
            &[],
            "token_endpoint",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.{v}.test/t",
            &["b.example"],
            "token_endpoint",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/{w}",
            &[],
            "token_endpoint",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/{token}",
            &[],
            "token_endpoint",
        ),
        (
            "callback.x",
            "authorization_endpoint",
            "https://a.example/{v}",
            &[],
            "authorization_endpoint",
        ),
        (
            "callback.x",
            "authorization_endpoint",
            "https://{v}/a",
            &["b.example"],
            "authorization_endpoint",
        ),
        (
            "callback.x",
            "device_authorization_endpoint",
            "https://a.example/{v}",
            &[],
            "device_authorization_endpoint",
        ),
        (
            "callback.x",
            "token_endpoint",
            "http://{v}/t",
            &["b.example"],
            "token_endpoint",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://u@{v}/t",
            &["b.example"],
            "token_endpoint",
        ),
        (
            "query.x",
            "token_endpoint",
            "https://a.example/t",
            &[],
            "captures",
        ),
        (
            "callback.",
            "token_endpoint",
            "https://a.example/t",
            &[],
            "captures",
        ),
        (
            "token_response.a..b",
            "token_endpoint",
            "https://a.example/t",
            &[],
            "captures",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/t",
            &["*"],
            "captured_hosts",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/t",
            &["*.com"],
            "captured_hosts",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/t",
            &["https://b.example"],
            "captured_hosts",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/t",
            &["b.example:1"],
            "captured_hosts",
        ),
        (
            "callback.x",
            "token_endpoint",
            "https://a.example/t",
            &["a*.b.example"],
            "captured_hosts",
        ),
    ] {
        assert_eq!(
            kept(source, field, endpoint, hosts),
            [wrong],
            "{source} {endpoint} {hosts:?}"
        );
    }
    for name in ["token", "client_id", "access_token", "a b", "1a", ""] {
        let (_, problems) = self::change(&good(), json!({"captures": {name: "callback.x"}}));
        assert!(problems.contains_key("captures"), "{name}");
    }
}

#[test]
fn a_value_that_is_missing_leaves_an_address_unused() {
    let (provider, problems) = self::change(
        &good(),
        json!({"captures": {"v": "callback.x"}, "captured_hosts": ["*.b.example"], "refresh_endpoint": "{v}/t",
            "userinfo_endpoint": "https://a.example/{v}", "refresh_params": {"realm": "{v}"}}),
    );
    assert_eq!(problems, Problems::new());
    let without = provider.clone().filled_in(&Captured::new()).unwrap();
    assert!(without.refresh_target().is_none() && without.userinfo_endpoint().is_none());
    let with = |value: &str| {
        let captured = Captured::from([("v".to_owned(), crate::Secret::new(value.to_owned()))]);
        provider.clone().filled_in(&captured)
    };
    assert!(matches!(
        with("https://evil.test"),
        Err(CaptureError::UnknownHost { .. })
    ));
    assert!(
        matches!(with("https://x.b.example"), Err(CaptureError::Unfit(_))),
        "no segment"
    );
}
