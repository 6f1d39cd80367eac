//! `tokenry provider check` against real authorization servers: what is right, and each thing that is wrong.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokenry_e2e::accounts::{PASSPHRASE, add, sandbox_provider, sandbox_service};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};

/// Checks a provider of this description: its exit code, and the results by name.
fn checked(profile: &Profile, provider: &Value) -> (i32, BTreeMap<String, Value>) {
    add(profile, provider).success();
    let name = provider["name"].as_str().unwrap();
    let check = profile.tokenry(&["--json", "provider", "check", name]);
    let report = check.json();
    let items = report["checks"].as_array().unwrap().iter();
    let named = items.map(|item| (item["name"].as_str().unwrap().to_owned(), item.clone()));
    (check.code, named.collect())
}

fn with(mut provider: Value, changes: Value) -> Value {
    let changes = changes.as_object().unwrap().clone();
    provider.as_object_mut().unwrap().extend(changes);
    provider
}

#[test]
fn a_check_tells_what_works_and_what_to_change_where_it_does_not() {
    let (profile, sandbox) = (Profile::headless(), Sandbox::start());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let secret = sandbox.client_secret(CONFIDENTIAL);
    let right = with(
        sandbox_provider(&sandbox, "right"),
        json!({ "client_secret": secret }),
    );
    let (code, items) = checked(&profile, &right);
    assert_eq!(code, 0, "{items:?}");
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "client_authentication",
        "userinfo_endpoint",
        "revocation_endpoint",
        "metadata",
        "pkce",
        "clock",
    ] {
        assert_eq!(items[name]["result"], "ok", "{name}: {items:?}");
    }
    let (code, items) = checked(&profile, &sandbox_service(&sandbox, "service"));
    assert_eq!(
        (code, &items["client_authentication"]["result"]),
        (0, &json!("ok")),
        "{items:?}"
    );
    assert!(!items.contains_key("authorization_endpoint"), "{items:?}");

    let nowhere = format!("{}/nowhere", sandbox.issuer());
    let closed = "http://127.0.0.1:1/token";
    for (changes, wrong, says) in [
        (
            json!({"client_secret": "c4n4ry-wrong"}),
            "client_authentication",
            "client_secret_basic",
        ),
        (
            json!({"client_secret": null}),
            "client_authentication",
            "--client-secret-stdin",
        ),
        (
            json!({"client_id": "stranger"}),
            "client_authentication",
            "client id",
        ),
        (
            json!({ "token_endpoint": nowhere }),
            "token_endpoint",
            "Correct token_endpoint",
        ),
        (
            json!({ "token_endpoint": closed }),
            "token_endpoint",
            "Correct token_endpoint",
        ),
        (
            json!({ "authorization_endpoint": nowhere }),
            "authorization_endpoint",
            "Correct",
        ),
        (
            json!({ "userinfo_endpoint": nowhere }),
            "userinfo_endpoint",
            "Correct",
        ),
        (
            json!({ "revocation_endpoint": nowhere }),
            "revocation_endpoint",
            "Correct",
        ),
    ] {
        let changed = with(right.clone(), changes.clone());
        let (code, items) = checked(&profile, &with(changed, json!({"name": "wrong"})));
        assert_eq!(
            (code, &items[wrong]["result"]),
            (1, &json!("problem")),
            "{changes}: {items:?}"
        );
        let next = items[wrong]["next"].as_str().unwrap();
        assert!(next.contains(says), "{changes}: {next}");
        profile.tokenry(&["provider", "remove", "wrong"]).success();
    }
    let other = format!("{}/token?x=1", sandbox.issuer());
    let differs = with(
        right.clone(),
        json!({ "name": "differs", "revocation_endpoint": other, "use_pkce": false }),
    );
    let (_, items) = checked(&profile, &differs);
    assert_eq!(
        (&items["metadata"]["result"], &items["pkce"]["result"]),
        (&json!("warning"), &json!("warning")),
        "{items:?}"
    );
    assert!(
        items["metadata"]["text"]
            .as_str()
            .unwrap()
            .contains("another revocation_endpoint")
    );
    let shown = profile.tokenry(&["provider", "check", "right"]);
    assert!(shown.stdout.contains("client authentication   ok"), "{shown:?}");
}

#[test]
fn a_provider_that_is_checked_too_often_has_to_wait() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let provider = json!({
        "name": "kit",
        "client_id": "c1",
        "authorization_endpoint": "http://127.0.0.1:1/authorize",
        "token_endpoint": "http://127.0.0.1:1/token",
    });
    add(&profile, &provider).success();
    let codes: Vec<_> = (0..7)
        .map(|_| profile.tokenry(&["provider", "check", "kit"]).code)
        .collect();
    assert_eq!(codes, [1, 1, 1, 1, 1, 1, 21]);
    assert_eq!(profile.tokenry(&["provider", "check", "none"]).code, 15);
}
