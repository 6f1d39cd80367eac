//! Providers over HTTP.

use crate::support::{CLIENT_SECRET, Fixture};
use serde_json::{Value, json};
use tokenry_contract::{OAuthProvider, ProviderSettings};

#[tokio::test]
async fn a_provider_is_added_shown_listed_changed_and_removed() {
    let fixture = Fixture::new().await;
    let added = fixture.add("sandbox").await;
    let ports = added["loopback_ports"].as_array().unwrap();
    let uris = ports
        .iter()
        .map(|port| format!("http://127.0.0.1:{port}/cb/sandbox"));
    assert_eq!(added["redirect_uris"], json!(uris.collect::<Vec<_>>()));
    assert_eq!(ports.len(), 3);
    assert!(added["use_pkce"] == true && added["has_client_secret"] == true && added["project"] == "default");
    assert_eq!(added["token_endpoint_auth_method"], "automatic");
    let id = added["id"].as_str().unwrap();
    for reference in ["sandbox", id, "default%2Fsandbox"] {
        let shown = fixture
            .ask("GET", &format!("/v1/oauth-providers/{reference}"), None)
            .await;
        assert_eq!((shown.status, &shown.json), (200, &added), "{reference}");
    }
    assert_eq!(
        fixture.ask("GET", "/v1/oauth-providers", None).await.json,
        json!([added])
    );

    let change = json!({"display_name": "Sand", "rotation": {"kind": "grace", "seconds": 30}});
    let changed = fixture.ask("PUT", "/v1/oauth-providers/sandbox", change).await;
    assert_eq!(
        (changed.status, &changed.json["display_name"]),
        (200, &json!("Sand"))
    );
    assert_eq!(changed.json["rotation"], json!({"kind": "grace", "seconds": 30}));
    assert_eq!(changed.json["default_scopes"], added["default_scopes"]);

    let gone = fixture.ask("DELETE", "/v1/oauth-providers/sandbox", None).await;
    assert_eq!((gone.status, gone.json), (200, json!({"success": true})));
    assert_eq!(
        fixture
            .ask("GET", "/v1/oauth-providers/sandbox", None)
            .await
            .code(),
        "not_found"
    );
}

/// RFC 6749 appendix A.2: what came along when a secret was copied is refused, and around an id it is cut off.
#[tokio::test]
async fn a_client_id_is_trimmed_and_a_secret_with_control_characters_is_refused() {
    let fixture = Fixture::new().await;
    let mut body = fixture.provider("sandbox");
    let id = body["client_id"].as_str().unwrap().to_owned();
    body["client_id"] = json!(format!("\u{feff} {id}\r\n"));
    for secret in [
        "\u{feff}c4n4ry",
        "c4n4ry\n",
        "c4n4ry\r\nmore",
        "c4\tn4ry",
        "c4n4ry\0",
    ] {
        body["client_secret"] = json!(secret);
        let answer = fixture.ask("POST", "/v1/oauth-providers", body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{secret:?}"
        );
        assert!(
            answer.field("client_secret").contains("copied"),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("n4ry"), "{}", answer.text);
    }
    body["client_secret"] = json!(CLIENT_SECRET);
    let added = fixture.ask("POST", "/v1/oauth-providers", body).await;
    assert_eq!(
        (added.status, &added.json["client_id"]),
        (201, &json!(id)),
        "{}",
        added.text
    );
}

#[tokio::test]
async fn an_empty_string_clears_an_optional_field_only() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let clear =
        json!({"client_secret": "", "issuer": "", "revocation_endpoint": "", "userinfo_endpoint": ""});
    let answer = fixture.ask("PUT", "/v1/oauth-providers/sandbox", clear).await;
    assert_eq!(
        (answer.status, &answer.json["has_client_secret"]),
        (200, &json!(false)),
        "{}",
        answer.text
    );
    for field in ["issuer", "revocation_endpoint", "userinfo_endpoint"] {
        assert!(answer.json[field].is_null(), "{field}");
    }
    for required in [
        "token_endpoint",
        "authorization_endpoint",
        "client_id",
        "name",
        "display_name",
    ] {
        let answer = fixture
            .ask("PUT", "/v1/oauth-providers/sandbox", json!({ required: "" }))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{required}"
        );
        assert!(!answer.field(required).is_empty(), "{required}: {}", answer.text);
    }
}

#[tokio::test]
async fn all_invalid_fields_are_reported_at_once() {
    let fixture = Fixture::new().await;
    let wrong = json!({
        "name": "Not A Name", "client_id": " ", "project": "x y",
        "authorization_endpoint": "http://a.example/authorize", "token_endpoint": "not an address",
        "revocation_endpoint": "https://user:pw@a.example/", "userinfo_endpoint": "https://a.example/\u{7}",
        "refresh_endpoint": format!("https://a.example/{}", "x".repeat(3000)),
        "default_scopes": ["a b"], "scope_separator": "", "display_name": "a\u{202e}b",
        "authorize_params": {"state": "mine"}, "issuer": "a.example",
    });
    let fields: Vec<_> = wrong.as_object().unwrap().keys().cloned().collect();
    let answer = fixture.ask("POST", "/v1/oauth-providers", wrong.clone()).await;
    assert_eq!((answer.status, answer.code()), (422, "validation_error"));
    for field in &fields {
        assert!(!answer.field(field).is_empty(), "{field}: {}", answer.text);
    }
    fixture.add("sandbox").await;
    let mut change = wrong;
    change.as_object_mut().unwrap().remove("project");
    let answer = fixture.ask("PUT", "/v1/oauth-providers/sandbox", change).await;
    for field in fields.iter().filter(|field| *field != "project") {
        assert!(!answer.field(field).is_empty(), "{field}: {}", answer.text);
    }
    assert_eq!(
        fixture
            .ask("GET", "/v1/oauth-providers", None)
            .await
            .json
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn an_unknown_field_is_an_error_that_names_it() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    for (method, path) in [
        ("POST", "/v1/oauth-providers"),
        ("PUT", "/v1/oauth-providers/sandbox"),
        ("POST", "/v1/oauth-providers/sandbox/connect"),
        ("POST", "/v1/oauth-providers/sandbox/authorize"),
        ("POST", "/v1/oauth-providers/sandbox/token"),
        ("POST", "/v1/oauth-providers/exchange"),
        ("PATCH", "/v1/connections/sandbox"),
        ("POST", "/v1/callback"),
        ("POST", "/v1/unlock"),
    ] {
        let answer = fixture.ask(method, path, json!({"colour": "blue"})).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{method} {path}"
        );
        assert!(
            answer.field("colour").contains("not known"),
            "{method} {path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_and_so_is_removing_a_provider_in_use() {
    let fixture = Fixture::connected().await;
    let again = fixture
        .ask("POST", "/v1/oauth-providers", fixture.provider("sandbox"))
        .await;
    assert_eq!((again.status, again.code()), (409, "conflict"));
    let used = fixture.ask("DELETE", "/v1/oauth-providers/sandbox", None).await;
    assert_eq!((used.status, used.code()), (409, "conflict"));
    let gone = fixture
        .ask("DELETE", "/v1/oauth-providers/sandbox?disconnect=true", None)
        .await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert_eq!(fixture.ask("GET", "/v1/connections", None).await.json, json!([]));
    assert!(!fixture.server.family_alive());
}

#[tokio::test]
async fn the_status_tells_whether_a_token_is_valid() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let before = fixture
        .ask("GET", "/v1/oauth-providers/sandbox/status", None)
        .await
        .json;
    assert!(before["authenticated"] == false && before["oauth_provider_name"] == "sandbox");
    fixture.connect("sandbox", Some("one")).await;
    fixture.connect("sandbox", Some("two")).await;
    let after = fixture
        .ask("GET", "/v1/oauth-providers/sandbox/status", None)
        .await
        .json;
    assert!(
        after["authenticated"] == true && after["scope"] == "read write" && after["expires_at"].is_string()
    );
}

#[tokio::test]
async fn a_client_secret_goes_in_and_never_comes_out() {
    let fixture = Fixture::connected().await;
    for path in [
        "/v1/oauth-providers",
        "/v1/oauth-providers/sandbox",
        "/v1/events",
        "/v1/connections",
        "/v1/status",
    ] {
        assert!(
            !fixture.ask("GET", path, None).await.text.contains(CLIENT_SECRET),
            "{path}"
        );
    }
    let mut wrong = fixture.provider("Bad Name");
    wrong["use_pkce"] = CLIENT_SECRET.into();
    assert!(
        !fixture
            .ask("POST", "/v1/oauth-providers", wrong)
            .await
            .text
            .contains(CLIENT_SECRET)
    );
}

/// A new setting needs no further line for any of this.
#[tokio::test]
async fn every_setting_is_in_the_document_and_goes_in_and_out() {
    let fixture = Fixture::new().await;
    let added = fixture.add("sandbox").await;
    let document: Value = serde_json::to_value(tokenry_api::openapi()).unwrap();
    let properties = |schema: &str| &document["components"]["schemas"][schema]["properties"];
    let mut copied = added.clone();
    let members = copied.as_object_mut().unwrap();
    members.retain(|name, _| !OAuthProvider::READ_ONLY.contains(&name.as_str()));
    copied["name"] = json!("copied");
    copied["client_secret"] = json!(CLIENT_SECRET);
    let copy = fixture.ask("POST", "/v1/oauth-providers", copied).await;
    assert_eq!(copy.status, 201, "{}", copy.text);
    for setting in ProviderSettings::default().to_map().keys() {
        for schema in ["ProviderSettings", "CreateProvider", "UpdateProvider"] {
            assert!(properties(schema)[setting].is_object(), "{setting} of {schema}");
        }
        let value = added.get(setting);
        assert!(
            value.is_some() && copy.json.get(setting) == value,
            "{setting}: {}",
            copy.text
        );
        let same = json!({ setting: value });
        let path = "/v1/oauth-providers/copied";
        let changed = fixture.ask("PUT", path, same).await;
        assert_eq!(
            (changed.status, changed.json.get(setting)),
            (200, value),
            "{setting}"
        );
        let reset = fixture.ask("PUT", path, json!({ setting: null })).await;
        let is_required =
            ["authorization_endpoint", "token_endpoint", "client_id"].contains(&setting.as_str());
        assert_eq!(
            reset.status,
            if is_required { 422 } else { 200 },
            "{setting}: {}",
            reset.text
        );
    }
}

/// RFC 7396.
#[tokio::test]
async fn an_update_merges_the_parameters_and_null_removes_one() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let path = "/v1/oauth-providers/sandbox";
    for (patch, after) in [
        (json!({"a": "1", "b": "2"}), json!({"a": "1", "b": "2"})),
        (json!({"b": null, "c": "3"}), json!({"a": "1", "c": "3"})),
        (json!(null), json!({})),
    ] {
        let changed = fixture
            .ask("PUT", path, json!({ "authorize_params": patch }))
            .await;
        assert_eq!((changed.status, &changed.json["authorize_params"]), (200, &after));
    }
    let wrong = json!({"isuer": "x", "use_pkce": "hunter2", "rotation": {"kind": "grace"}, "name": "A"});
    let refused = fixture.ask("PUT", path, wrong).await;
    assert_eq!((refused.status, refused.code()), (422, "validation_error"));
    assert!(refused.field("isuer").contains("issuer"), "{}", refused.text);
    for field in ["use_pkce", "rotation.seconds", "name"] {
        assert!(!refused.field(field).is_empty(), "{field}: {}", refused.text);
    }
    assert!(!refused.text.contains("hunter2"));
}
