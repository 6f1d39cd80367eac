//! Narrowed tokens, and filters of the activity log.

use crate::support::Fixture;
use serde_json::json;

#[tokio::test]
async fn both_token_operations_return_a_narrowed_token_and_its_scope() {
    let fixture = Fixture::connected().await;
    fixture
        .server
        .set(|behaviour| behaviour.rotation = tokenry_testkit::Rotation::None);
    let stays = json!({"rotation": {"kind": "none"}});
    fixture.ask("PUT", "/v1/oauth-providers/sandbox", stays).await;
    let (by_id, by_provider) = (
        "/v1/connections/sandbox/token",
        "/v1/oauth-providers/sandbox/token",
    );
    let whole = fixture.ask("POST", by_id, None).await.json;
    let wish = json!({"scope": " read ", "resource": "https://api.example.com"});
    let less = fixture.ask("POST", by_id, wish.clone()).await;
    assert_eq!(
        (less.status, &less.json["scope"]),
        (200, &json!("read")),
        "{}",
        less.text
    );
    assert_ne!(less.json["access_token"], whole["access_token"]);
    let sent = fixture.server.log().pop().unwrap();
    assert_eq!(sent.parameter("scope"), Some("read"));
    assert_eq!(sent.parameter("resource"), Some("https://api.example.com"));
    assert_eq!(fixture.ask("POST", by_provider, wish).await.json, less.json);
    fixture.ask("POST", by_provider, json!({"audience": "api"})).await;
    assert_eq!(
        fixture.server.log().pop().unwrap().parameter("audience"),
        Some("api")
    );
    assert_eq!(fixture.ask("POST", by_id, None).await.json, whole);
    assert_eq!(fixture.server.refreshes(), 2);
}

/// A server that rotates refresh tokens may end a grant over an unknown resource.
#[tokio::test]
async fn a_resource_that_was_not_used_before_is_sent_only_when_confirmed() {
    let fixture = Fixture::connected().await;
    let path = "/v1/connections/sandbox/token";
    let wish = json!({"resource": "https://api.example.com"});
    let cannot = fixture.ask("POST", path, wish.clone()).await;
    assert_eq!(
        (cannot.status, cannot.code()),
        (409, "conflict"),
        "{}",
        cannot.text
    );
    let marked = json!({"narrowing": "refresh"});
    let provider = fixture.ask("PUT", "/v1/oauth-providers/sandbox", marked).await;
    assert_eq!(provider.json["narrowing"], "refresh");
    let unknown = fixture.ask("POST", path, wish.clone()).await;
    assert_eq!((unknown.status, unknown.code()), (422, "validation_error"));
    let wrong = unknown.json["error"]["details"]["fields"]["resource"]
        .as_str()
        .unwrap();
    assert!(wrong.contains("allow_unknown_target"), "{wrong}");
    assert_eq!(fixture.server.refreshes(), 0);
    let confirmed = json!({"resource": "https://api.example.com", "allow_unknown_target": true});
    assert_eq!(fixture.ask("POST", path, confirmed).await.status, 200);
    assert_eq!(
        fixture.ask("POST", path, wish).await.status,
        200,
        "it is known now"
    );
    assert_eq!(fixture.server.refreshes(), 1);
}

#[tokio::test]
async fn an_invalid_token_request_names_its_field() {
    let fixture = Fixture::connected().await;
    let path = "/v1/connections/sandbox/token";
    for (wish, field, words) in [
        (json!({"scope": "read admin"}), "scope", "asks for admin"),
        (json!({"scope": "read admin"}), "scope", "holds read write"),
        (json!({"scope": "  "}), "scope", "must name a scope"),
        (json!({"scope": "read,write"}), "scope", "read,write"),
        (json!({"resource": "api"}), "resource", "absolute URI"),
        (
            json!({"resource": "https://a.example/#b"}),
            "resource",
            "without a fragment",
        ),
        (json!({"audience": ""}), "audience", "1 to 2048"),
    ] {
        let refused = fixture.ask("POST", path, wish.clone()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "validation_error"),
            "{wish}"
        );
        assert!(refused.field(field).contains(words), "{wish}: {}", refused.text);
    }
    assert_eq!(fixture.server.refreshes(), 0);
}

#[tokio::test]
async fn the_activity_log_is_filtered_by_connection_and_outcome() {
    let fixture = Fixture::connected().await;
    fixture.ask("POST", "/v1/connections/sandbox/token", None).await;
    let path = |query: &str| format!("/v1/events?{query}");
    let done = fixture
        .ask("GET", &path("connection=sandbox&outcome=done"), None)
        .await;
    let events = done.json["events"].as_array().unwrap().clone();
    assert!(
        events.iter().any(|event| event["kind"] == "token_handed_out"),
        "{}",
        done.text
    );
    assert!(
        events.iter().all(|event| event["outcome"] == "done"),
        "{}",
        done.text
    );
    let id = fixture.ask("GET", "/v1/connections/sandbox", None).await.json["id"].clone();
    assert!(
        events.iter().all(|event| event["connection_id"] == id),
        "{}",
        done.text
    );
    let failed = fixture.ask("GET", &path("outcome=failed"), None).await;
    assert_eq!(failed.json, json!({"events": [], "next": null}));
    for unknown in ["app=unknown", "connection=unknown"] {
        let answer = fixture.ask("GET", &path(unknown), None).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{unknown}");
    }
    assert_eq!(fixture.ask("GET", &path("outcome=well"), None).await.status, 422);
}
