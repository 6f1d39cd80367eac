//! Connections and their tokens over HTTP.

use crate::support::Fixture;
use serde_json::json;

#[tokio::test]
async fn a_connection_is_found_by_id_by_provider_and_by_label() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let id = fixture.connect("sandbox", Some("work")).await;
    for name in [id.as_str(), "sandbox", "sandbox%2Fwork", "work"] {
        let shown = fixture.ask("GET", &format!("/v1/connections/{name}"), None).await;
        assert_eq!(
            (shown.status, &shown.json["id"]),
            (200, &json!(id)),
            "{name}: {}",
            shown.text
        );
    }
    let listed = fixture.ask("GET", "/v1/connections", None).await.json;
    let one = &listed[0];
    assert!(
        one["status"] == "active"
            && one["refreshable"] == true
            && one["account"]["email"] == "ada@example.com"
    );
    assert_eq!(one["scopes"], json!(["read", "write"]));
    assert_eq!(
        (&one["provider_name"], &one["label"]),
        (&json!("sandbox"), &json!("work"))
    );
}

#[tokio::test]
async fn a_token_response_is_not_cached() {
    let fixture = Fixture::connected().await;
    let answer = fixture.ask("POST", "/v1/connections/sandbox/token", None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(
        fixture
            .server
            .accepts(answer.json["access_token"].as_str().unwrap())
    );
    assert_eq!(
        (&answer.json["token_type"], &answer.json["scope"]),
        (&json!("Bearer"), &json!("read write"))
    );
    assert!(answer.json["expires_at"].is_string());
    let by_provider = fixture
        .ask("POST", "/v1/oauth-providers/sandbox/token", json!({}))
        .await;
    assert_eq!(by_provider.json, answer.json);
    assert_eq!(fixture.server.refreshes(), 0);
}

#[tokio::test]
async fn a_token_that_must_live_longer_is_refreshed_first() {
    let fixture = Fixture::connected().await;
    fixture.server.set(|behaviour| behaviour.token_life = 7200);
    let before = fixture
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    let answer = fixture
        .ask(
            "POST",
            "/v1/connections/sandbox/token",
            json!({"min_valid_seconds": 2000}),
        )
        .await
        .json;
    assert_eq!(answer, before);
    let refreshed = fixture.ask("POST", "/v1/connections/sandbox/refresh", None).await;
    assert_eq!(
        (refreshed.status, &refreshed.json["status"]),
        (200, &json!("active")),
        "{}",
        refreshed.text
    );
    let after = fixture
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    assert!(after["access_token"] != before["access_token"] && fixture.server.refreshes() == 1);
}

#[tokio::test]
async fn several_connections_make_a_bare_provider_ambiguous_and_the_error_names_them() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    fixture.connect("sandbox", Some("home")).await;
    fixture.connect("sandbox", Some("work")).await;
    for (method, path) in [
        ("POST", "/v1/oauth-providers/sandbox/token"),
        ("DELETE", "/v1/oauth-providers/sandbox/disconnect"),
        ("POST", "/v1/connections/sandbox/token"),
        ("GET", "/v1/connections/sandbox"),
    ] {
        let answer = fixture.ask(method, path, None).await;
        assert_eq!((answer.status, answer.code()), (409, "conflict"), "{path}");
        assert!(
            answer.text.contains("sandbox/home") && answer.text.contains("sandbox/work"),
            "{}",
            answer.text
        );
    }
    assert_eq!(
        fixture
            .ask("GET", "/v1/connections", None)
            .await
            .json
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_provider_without_a_connection_has_no_token_and_nothing_to_disconnect() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    for (method, path) in [
        ("POST", "/v1/oauth-providers/sandbox/token"),
        ("DELETE", "/v1/oauth-providers/sandbox/disconnect"),
    ] {
        let answer = fixture.ask(method, path, None).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{path}");
        assert!(answer.text.contains("tokenry connect sandbox"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_label_is_set_and_removed_and_a_paused_connection_gives_no_token() {
    let fixture = Fixture::connected().await;
    let path = "/v1/connections/sandbox";
    assert_eq!(
        fixture.ask("PATCH", path, json!({"label": "new"})).await.json["name"],
        "sandbox/new"
    );
    assert_eq!(
        fixture.ask("PATCH", path, json!({"label": ""})).await.json["label"],
        json!(null)
    );
    assert_eq!(
        fixture.ask("PATCH", path, json!({"label": "a/b"})).await.code(),
        "validation_error"
    );
    assert_eq!(
        fixture.ask("PATCH", path, json!({"paused": true})).await.json["status"],
        "paused"
    );
    let refused = fixture.ask("POST", "/v1/connections/sandbox/token", None).await;
    assert_eq!((refused.status, refused.code()), (409, "conflict"));
    assert_eq!(
        fixture.ask("PATCH", path, json!({"paused": false})).await.json["status"],
        "active"
    );
}

#[tokio::test]
async fn a_disconnect_says_what_the_provider_did() {
    let fixture = Fixture::connected().await;
    let answer = fixture.ask("DELETE", "/v1/connections/sandbox", None).await;
    assert_eq!(
        (answer.status, &answer.json),
        (200, &json!({"success": true, "revoked": "yes"}))
    );
    assert!(!fixture.server.family_alive());
    assert_eq!(fixture.ask("GET", "/v1/connections", None).await.json, json!([]));
    fixture.connect("sandbox", None).await;
    fixture
        .ask(
            "PUT",
            "/v1/oauth-providers/sandbox",
            json!({"revocation_endpoint": ""}),
        )
        .await;
    let answer = fixture
        .ask("DELETE", "/v1/oauth-providers/sandbox/disconnect", None)
        .await;
    assert_eq!(answer.json["revoked"], "unsupported", "{}", answer.text);
}

#[tokio::test]
async fn client_credentials_connect_at_once() {
    let fixture = Fixture::new().await;
    fixture.add_machine("robot").await;
    let path = "/v1/oauth-providers/robot/connect";
    assert_eq!(
        fixture.ask("POST", path, json!({"label": "ci"})).await.json,
        json!({"success": true})
    );
    let token = fixture
        .ask("POST", "/v1/connections/robot%2Fci/token", None)
        .await;
    assert!(
        fixture
            .server
            .accepts(token.json["access_token"].as_str().unwrap())
    );
    fixture.add("sandbox").await;
    let browser = fixture
        .ask("POST", "/v1/oauth-providers/sandbox/connect", json!({}))
        .await;
    assert!(
        browser.status >= 400 && !browser.code().is_empty(),
        "{}",
        browser.text
    );
}

#[tokio::test]
async fn a_token_request_is_logged_with_its_caller_and_without_the_token() {
    let fixture = Fixture::connected().await;
    let token = fixture
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    let page = fixture.ask("GET", "/v1/events?limit=50", None).await;
    let line = page.json["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["kind"] == "token_handed_out")
        .unwrap();
    assert!(line["caller"] == "program" && line["program"] == "/usr/bin/thing" && line["pid"] == 2);
    assert_eq!(line["outcome"], "done");
    assert!(!page.text.contains(token["access_token"].as_str().unwrap()));
}

/// Checklist A12.4: the fingerprint alone is sent, and it is read strictly.
#[tokio::test]
async fn a_rejected_token_is_reported_by_its_fingerprint_and_refreshed_once() {
    let fixture = Fixture::connected().await;
    let path = "/v1/connections/sandbox/rejected";
    let token = fixture
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&token);
    let fingerprint = tokenry_core::hex(&digest).to_string();
    let first = fixture
        .ask("POST", path, json!({"fingerprint": fingerprint}))
        .await;
    assert_eq!(
        (first.status, &first.json),
        (200, &json!({"outcome": "refreshed"})),
        "{}",
        first.text
    );
    let again = fixture
        .ask("POST", path, json!({"fingerprint": fingerprint}))
        .await;
    assert_eq!((again.status, &again.json["outcome"]), (200, &json!("newer")));
    assert_eq!(fixture.server.refreshes(), 1);
    for (body, field) in [
        (json!({"fingerprint": token}), "fingerprint"),
        (json!({"fingerprint": ""}), "fingerprint"),
        (
            json!({"fingerprint": fingerprint, "challenge": {"error": "insufficient_scope", "max_age": 1}}),
            "challenge.max_age",
        ),
        (
            json!({"fingerprint": fingerprint, "challenge": {"error": "insufficient_scope"}}),
            "challenge.scope",
        ),
        (
            json!({"fingerprint": fingerprint, "challenge": {"error": "insufficient_user_authentication", "scope": "a"}}),
            "challenge.scope",
        ),
    ] {
        let refused = fixture.ask("POST", path, body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "validation_error"),
            "{}",
            refused.text
        );
        assert_ne!(refused.field(field), "", "{}", refused.text);
        assert!(!refused.text.contains(&token));
    }
}

/// RFC 6750 §3.1, RFC 9470: the answer names the sign-in that waits for the user.
#[tokio::test]
async fn a_challenge_of_a_resource_starts_one_sign_in_that_the_answer_names() {
    let fixture = Fixture::connected().await;
    let token = fixture
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    let digest = <sha2::Sha256 as sha2::Digest>::digest(token["access_token"].as_str().unwrap());
    let body = json!({
        "fingerprint": tokenry_core::hex(&digest).to_string(),
        "challenge": {"error": "insufficient_scope", "scope": "admin", "resource": "https://mcp.example/mcp"},
    });
    let path = "/v1/connections/sandbox/rejected";
    let first = fixture.ask("POST", path, body.clone()).await;
    assert_eq!(
        (first.status, &first.json["outcome"]),
        (200, &json!("sign_in")),
        "{}",
        first.text
    );
    let flow = first.json["flow_id"].as_str().unwrap();
    let shown = fixture.ask("GET", &format!("/v1/flows/{flow}"), None).await.json;
    assert_eq!(shown["status"], "waiting");
    assert!(
        shown["authorization_url"]
            .as_str()
            .unwrap()
            .contains("scope=read+write+admin"),
        "{shown}"
    );
    let again = fixture.ask("POST", path, body).await;
    assert_eq!(again.json["flow_id"], first.json["flow_id"]);
    assert_eq!(fixture.server.refreshes(), 0);
}
