//! A token that can do less, and a part of the activity log.

use crate::support::House;
use serde_json::json;

#[tokio::test]
async fn both_token_operations_give_a_token_that_can_do_less_and_say_so() {
    let house = House::connected().await;
    house
        .server
        .set(|behaviour| behaviour.rotation = tokenry_testkit::Rotation::None);
    let stays = json!({"rotation": {"kind": "none"}});
    house.ask("PUT", "/v1/oauth-providers/sandbox", stays).await;
    let (by_id, by_provider) = (
        "/v1/connections/sandbox/token",
        "/v1/oauth-providers/sandbox/token",
    );
    let whole = house.ask("POST", by_id, None).await.json;
    let wish = json!({"scope": " read ", "resource": "https://api.example.com"});
    let less = house.ask("POST", by_id, wish.clone()).await;
    assert_eq!(
        (less.status, &less.json["scope"]),
        (200, &json!("read")),
        "{}",
        less.text
    );
    assert_ne!(less.json["access_token"], whole["access_token"]);
    let sent = house.server.log().pop().unwrap();
    assert_eq!(sent.parameter("scope"), Some("read"));
    assert_eq!(sent.parameter("resource"), Some("https://api.example.com"));
    assert_eq!(house.ask("POST", by_provider, wish).await.json, less.json);
    house.ask("POST", by_provider, json!({"audience": "api"})).await;
    assert_eq!(
        house.server.log().pop().unwrap().parameter("audience"),
        Some("api")
    );
    assert_eq!(house.ask("POST", by_id, None).await.json, whole);
    assert_eq!(house.server.refreshes(), 2);
}

/// A server that replaces refresh tokens may use one up over a resource that it does not know.
#[tokio::test]
async fn a_resource_that_was_never_used_is_sent_only_when_it_was_confirmed() {
    let house = House::connected().await;
    let path = "/v1/connections/sandbox/token";
    let wish = json!({"resource": "https://api.example.com"});
    let cannot = house.ask("POST", path, wish.clone()).await;
    assert_eq!(
        (cannot.status, cannot.code()),
        (409, "conflict"),
        "{}",
        cannot.text
    );
    let marked = json!({"narrowing": "refresh"});
    let provider = house.ask("PUT", "/v1/oauth-providers/sandbox", marked).await;
    assert_eq!(provider.json["narrowing"], "refresh");
    let unknown = house.ask("POST", path, wish.clone()).await;
    assert_eq!((unknown.status, unknown.code()), (422, "validation_error"));
    let wrong = unknown.json["error"]["details"]["fields"]["resource"]
        .as_str()
        .unwrap();
    assert!(wrong.contains("allow_unknown_target"), "{wrong}");
    assert_eq!(house.server.refreshes(), 0);
    let confirmed = json!({"resource": "https://api.example.com", "allow_unknown_target": true});
    assert_eq!(house.ask("POST", path, confirmed).await.status, 200);
    assert_eq!(house.ask("POST", path, wish).await.status, 200, "it is known now");
    assert_eq!(house.server.refreshes(), 1);
}

#[tokio::test]
async fn a_wish_that_cannot_be_names_its_field() {
    let house = House::connected().await;
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
        let refused = house.ask("POST", path, wish.clone()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "validation_error"),
            "{wish}"
        );
        assert!(refused.field(field).contains(words), "{wish}: {}", refused.text);
    }
    assert_eq!(house.server.refreshes(), 0);
}

#[tokio::test]
async fn the_activity_log_is_filtered_by_connection_and_outcome() {
    let house = House::connected().await;
    house.ask("POST", "/v1/connections/sandbox/token", None).await;
    let path = |query: &str| format!("/v1/events?{query}");
    let done = house
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
    let id = house.ask("GET", "/v1/connections/sandbox", None).await.json["id"].clone();
    assert!(
        events.iter().all(|event| event["connection_id"] == id),
        "{}",
        done.text
    );
    let failed = house.ask("GET", &path("outcome=failed"), None).await;
    assert_eq!(failed.json, json!({"events": [], "next": null}));
    for unknown in ["app=nobody", "connection=nothing"] {
        let answer = house.ask("GET", &path(unknown), None).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{unknown}");
    }
    assert_eq!(house.ask("GET", &path("outcome=well"), None).await.status, 422);
}
