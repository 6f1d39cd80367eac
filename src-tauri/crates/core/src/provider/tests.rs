//! Tests of providers: validation, merge patches and the stored form.

mod differences;

use super::*;
use crate::{OsRandom, SystemClock};
use serde_json::{Map, Value, json};
use tokenry_contract::{GrantType, Rotation, TokenEndpointAuthMethod};

fn create(patch: Value) -> (Provider, Problems) {
    let id = ProviderId::new(&SystemClock, &OsRandom);
    Provider::create(id, self::patch(patch), Timestamp::UNIX_EPOCH).unwrap()
}

fn patch(value: Value) -> ProviderPatch {
    match value {
        Value::Object(map) => map.into(),
        _ => Map::new().into(),
    }
}

fn change(provider: &Provider, patch: Value) -> (Provider, Problems) {
    provider.changed(&self::patch(patch), Timestamp::UNIX_EPOCH)
}

fn provider(authorization: &str, token: &str) -> Provider {
    let (provider, _) = create(json!({
        "name": "example", "client_id": "id", "authorization_endpoint": authorization, "token_endpoint": token,
    }));
    provider
}

fn good() -> Provider {
    let provider = provider("https://a.example/auth", "https://a.example/token");
    assert_eq!(provider.problems(), Problems::new());
    provider
}

#[test]
fn https_everywhere_or_loopback_everywhere() {
    good();
    assert!(
        provider("http://127.0.0.1:1/auth", "http://[::1]:1/token")
            .problems()
            .is_empty()
    );
    let mixed = provider("https://a.example/auth", "http://127.0.0.1:1/token").problems();
    assert_eq!(mixed.keys().collect::<Vec<_>>(), ["token_endpoint"]);
    assert!(
        provider("http://a.example/auth", "https://a.example/token")
            .problems()
            .contains_key("authorization_endpoint")
    );
    for hostile in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://u:p@a.example/",
        "https://a.example/#f",
        "https://a.example/ x",
        "not an address",
        "//a.example/x",
    ] {
        assert!(
            provider(hostile, "https://a.example/token")
                .problems()
                .contains_key("authorization_endpoint"),
            "{hostile}"
        );
    }
}

#[test]
fn a_provider_that_no_path_would_find_by_its_name_is_refused() {
    let (_, problems) = change(&good(), json!({"name": "exchange"}));
    assert_eq!(problems.into_keys().collect::<Vec<_>>(), ["name"]);
}

#[test]
fn reserved_parameters_cannot_be_set_by_an_endpoint_or_by_authorize_params() {
    for name in [
        "client_id",
        "client_secret",
        "code",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "Redirect.URI[]",
    ] {
        let endpoint = format!("https://a.example/auth?{name}=1");
        let by_endpoint = provider(&endpoint, "https://a.example/token").problems();
        assert!(by_endpoint.contains_key("authorization_endpoint"), "{name}");
        let (_, problems) = change(&good(), json!({"authorize_params": {name: "x"}}));
        assert!(problems.contains_key("authorize_params"), "{name}");
    }
    let others =
        json!({"authorize_params": {"prompt": "login", "nonce": "n", "resource": "r", "requested": "1"}});
    let (_, problems) = change(
        &provider("https://a.example/auth?tenant=1", "https://a.example/token"),
        others,
    );
    assert_eq!(problems, Problems::new());
}

#[test]
fn a_change_keeps_the_rest_and_null_sets_the_default() {
    let (before, problems) = change(
        &good(),
        json!({"client_secret": "s3cret", "display_name": "Example", "issuer": "https://a.example",
            "use_pkce": false, "rotation": {"kind": "grace", "seconds": 30}, "default_scopes": ["a", "b", "a"],
            "scope_separator": ",", "token_endpoint_auth_method": "client_secret_basic"}),
    );
    assert_eq!(problems, Problems::new());
    assert_eq!(before.settings.default_scopes, ["a", "b"]);
    let (after, _) = change(&before, json!({"display_name": "New"}));
    assert_eq!(after.settings.display_name, "New");
    assert_eq!(after.client_secret.as_ref().unwrap().expose(), "s3cret");
    assert_eq!(after.settings.rotation, Rotation::Grace { seconds: 30 });

    let all: Map<String, Value> = after
        .settings
        .to_map()
        .into_iter()
        .map(|(name, _)| (name, Value::Null))
        .collect();
    let (reset, problems) = change(&after, Value::Object(all));
    assert_eq!(reset.settings, reset.default_settings());
    assert_eq!(
        problems.into_keys().collect::<Vec<_>>(),
        ["authorization_endpoint", "client_id", "token_endpoint"]
    );
    assert_eq!(
        reset.settings.token_endpoint_auth_method,
        TokenEndpointAuthMethod::Automatic
    );
    let (public, _) = change(
        &after,
        json!({"client_secret": null, "token_endpoint_auth_method": null}),
    );
    assert!(public.client_secret.is_none());
    assert_eq!(public.auth_method(), TokenEndpointAuthMethod::None);
    let (cleared, _) = change(&after, json!({"client_secret": "", "issuer": ""}));
    assert!(cleared.client_secret.is_none() && cleared.settings.issuer.is_none());
}

/// RFC 7396 §2.
#[test]
fn the_members_of_a_map_are_merged_and_null_removes_one() {
    let (one, _) = change(&good(), json!({"authorize_params": {"a": "1", "b": "2"}}));
    let (two, _) = change(&one, json!({"authorize_params": {"b": null, "c": "3"}}));
    assert_eq!(
        two.settings.to_map()["authorize_params"],
        json!({"a": "1", "c": "3"})
    );
    let (none, _) = change(&two, json!({"authorize_params": null}));
    assert!(none.settings.authorize_params.is_empty());
    let (grace, _) = change(&none, json!({"rotation": {"kind": "grace", "seconds": 9}}));
    let (strict, problems) = change(&grace, json!({"rotation": {"kind": "strict"}}));
    assert_eq!(
        (strict.settings.rotation, problems),
        (Rotation::Strict, Problems::new())
    );
}

#[test]
fn all_wrong_members_are_told_at_once_and_no_value_is_repeated() {
    let wrong = json!({
        "name": "Not A Name", "client_secret": ["c4n4ry"], "use_pkce": "hunter2", "redirect": "hunter2",
        "rotation": {"kind": "grace"}, "default_scopes": ["x", 1], "authorize_params": {"a": 1}, "isuer": "hunter2",
        "token_endpoint": "hunter2", "issuer": 1,
    });
    let (unchanged, problems) = change(&good(), wrong.clone());
    let fields = [
        "authorize_params.a",
        "client_secret",
        "default_scopes[1]",
        "issuer",
        "isuer",
        "name",
        "redirect",
        "rotation.seconds",
        "token_endpoint",
        "use_pkce",
    ];
    assert_eq!(problems.keys().collect::<Vec<_>>(), fields, "{problems:?}");
    assert_eq!(problems["isuer"], "is not known here: did you mean `issuer`?");
    assert_eq!(problems["use_pkce"], "must be a boolean");
    assert!(!format!("{problems:?} {:?}", patch(wrong.clone())).contains("c4n4ry"));
    assert!(!format!("{problems:?}").contains("hunter2"));
    assert!(unchanged.client_secret.is_none());
    let (_, problems) = create(wrong);
    assert!(
        fields.iter().all(|field| problems.contains_key(*field)),
        "{problems:?}"
    );
    let (_, problems) = change(&good(), json!({"project": "work", "colour": "blue"}));
    assert_eq!(problems.into_keys().collect::<Vec<_>>(), ["colour", "project"]);
}

#[test]
fn a_new_provider_has_the_default_settings() {
    let (provider, problems) = create(
        json!({"name": "kit", "client_id": "\u{feff} id\r\n", "project": "",
        "token_endpoint": "https://A.example", "authorization_endpoint": "https://a.example/auth"}),
    );
    assert_eq!(problems, Problems::new());
    assert_eq!(
        (provider.project.as_str(), provider.settings.client_id.as_str()),
        ("default", "id")
    );
    assert_eq!(provider.settings.display_name, "kit");
    assert_eq!(
        (
            provider.settings.token_endpoint_auth_method,
            provider.auth_method()
        ),
        (TokenEndpointAuthMethod::Automatic, TokenEndpointAuthMethod::None)
    );
    assert_eq!(provider.settings.grant_type, GrantType::AuthorizationCode);
    assert_eq!(
        provider.settings.token_endpoint.as_deref(),
        Some("https://a.example/")
    );
    let (_, problems) = create(json!({"colour": "blue"}));
    assert_eq!(
        problems.into_keys().collect::<Vec<_>>(),
        [
            "authorization_endpoint",
            "client_id",
            "colour",
            "name",
            "token_endpoint"
        ]
    );
}

/// A record as Tokenry 0.1 wrote it, before the settings were a type of their own.
#[test]
fn a_stored_provider_is_read_and_written_as_before() {
    let stored = json!({
        "id": "01900000-0000-7000-8000-000000000001", "project": "default", "name": "github",
        "display_name": "GitHub", "grant_type": "authorization_code", "issuer": "https://as.example",
        "issuer_aliases": ["as.example"], "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token", "refresh_endpoint": null, "revocation_endpoint": null,
        "userinfo_endpoint": "https://as.example/userinfo", "client_id": "abc", "client_secret": "s3cret",
        "token_endpoint_auth_method": "client_secret_basic", "default_scopes": ["read", "write"],
        "scope_separator": " ", "use_pkce": true, "authorize_params": {"prompt": "consent"}, "redirect": "deep_link",
        "authorization_response_iss_parameter_supported": true, "rotation": {"kind": "grace", "seconds": 30},
        "narrowing": "refresh", "created_at": "2027-01-10T08:00:00Z", "updated_at": "2027-01-15T07:52:00Z",
    });
    let read: Provider = serde_json::from_str(&stored.to_string()).unwrap();
    assert_eq!(read.client_secret.as_ref().unwrap().expose(), "s3cret");
    assert_eq!(read.settings.rotation, Rotation::Grace { seconds: 30 });
    let written = serde_json::to_value(&read).unwrap();
    for (name, value) in stored.as_object().unwrap() {
        assert_eq!(&written[name], value, "{name}");
    }
    // Without what was left out where it was empty, and without what came later.
    let mut old = stored.as_object().unwrap().clone();
    old.retain(|name, _| name != "issuer_aliases" && name != "narrowing");
    let read: Provider = serde_json::from_value(Value::Object(old)).unwrap();
    assert!(read.settings.issuer_aliases.is_empty());
    // A record with a member that this version does not know still opens.
    let mut newer = stored;
    newer["from_the_future"] = json!(1);
    assert!(serde_json::from_value::<Provider>(newer).is_ok());
}

#[test]
fn a_name_is_compared_as_the_most_lenient_server_would() {
    for same in [
        "redirect_uri",
        "Redirect_URI",
        "redirect_uri[]",
        "redirect.uri",
        "redirect uri",
        " redirect_uri",
    ] {
        assert_eq!(parameter_name(same), "redirect_uri", "{same}");
    }
    assert_eq!(parameter_name("access_type"), "access_type");
}
