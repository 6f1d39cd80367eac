use crate::support::House;
use serde_json::json;

#[tokio::test]
async fn a_connection_is_shown_by_id_by_provider_and_by_label() {
    let house = House::new().await;
    house.add("sandbox").await;
    let id = house.connect("sandbox", Some("work")).await;
    for name in [id.as_str(), "sandbox", "sandbox%2Fwork", "work"] {
        let shown = house.ask("GET", &format!("/v1/connections/{name}"), None).await;
        assert_eq!(
            (shown.status, &shown.json["id"]),
            (200, &json!(id)),
            "{name}: {}",
            shown.text
        );
    }
    let listed = house.ask("GET", "/v1/connections", None).await.json;
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
async fn a_token_is_handed_out_and_not_to_be_kept_on_the_way() {
    let house = House::connected().await;
    let answer = house.ask("POST", "/v1/connections/sandbox/token", None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(
        house
            .server
            .accepts(answer.json["access_token"].as_str().unwrap())
    );
    assert_eq!(
        (&answer.json["token_type"], &answer.json["scope"]),
        (&json!("Bearer"), &json!("read write"))
    );
    assert!(answer.json["expires_at"].is_string());
    let by_provider = house
        .ask("POST", "/v1/oauth-providers/sandbox/token", json!({}))
        .await;
    assert_eq!(by_provider.json, answer.json);
    assert_eq!(house.server.refreshes(), 0);
}

#[tokio::test]
async fn a_token_that_must_live_longer_is_refreshed_first() {
    let house = House::connected().await;
    house.server.set(|behaviour| behaviour.token_life = 7200);
    let before = house
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    let answer = house
        .ask(
            "POST",
            "/v1/connections/sandbox/token",
            json!({"min_valid_seconds": 2000}),
        )
        .await
        .json;
    assert_eq!(answer, before);
    let refreshed = house.ask("POST", "/v1/connections/sandbox/refresh", None).await;
    assert_eq!(
        (refreshed.status, &refreshed.json["status"]),
        (200, &json!("active")),
        "{}",
        refreshed.text
    );
    let after = house
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    assert!(after["access_token"] != before["access_token"] && house.server.refreshes() == 1);
}

#[tokio::test]
async fn several_connections_make_a_bare_provider_ambiguous_and_the_error_names_them() {
    let house = House::new().await;
    house.add("sandbox").await;
    house.connect("sandbox", Some("home")).await;
    house.connect("sandbox", Some("work")).await;
    for (method, path) in [
        ("POST", "/v1/oauth-providers/sandbox/token"),
        ("DELETE", "/v1/oauth-providers/sandbox/disconnect"),
        ("POST", "/v1/connections/sandbox/token"),
        ("GET", "/v1/connections/sandbox"),
    ] {
        let answer = house.ask(method, path, None).await;
        assert_eq!((answer.status, answer.code()), (409, "conflict"), "{path}");
        assert!(
            answer.text.contains("sandbox/home") && answer.text.contains("sandbox/work"),
            "{}",
            answer.text
        );
    }
    assert_eq!(
        house
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
    let house = House::new().await;
    house.add("sandbox").await;
    for (method, path) in [
        ("POST", "/v1/oauth-providers/sandbox/token"),
        ("DELETE", "/v1/oauth-providers/sandbox/disconnect"),
    ] {
        let answer = house.ask(method, path, None).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{path}");
        assert!(answer.text.contains("tokenry connect sandbox"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_label_is_given_and_taken_away_and_a_pause_stops_hand_outs() {
    let house = House::connected().await;
    let path = "/v1/connections/sandbox";
    assert_eq!(
        house.ask("PATCH", path, json!({"label": "new"})).await.json["name"],
        "sandbox/new"
    );
    assert_eq!(
        house.ask("PATCH", path, json!({"label": ""})).await.json["label"],
        json!(null)
    );
    assert_eq!(
        house.ask("PATCH", path, json!({"label": "a/b"})).await.code(),
        "validation_error"
    );
    assert_eq!(
        house.ask("PATCH", path, json!({"paused": true})).await.json["status"],
        "paused"
    );
    let refused = house.ask("POST", "/v1/connections/sandbox/token", None).await;
    assert_eq!((refused.status, refused.code()), (409, "conflict"));
    assert_eq!(
        house.ask("PATCH", path, json!({"paused": false})).await.json["status"],
        "active"
    );
}

#[tokio::test]
async fn a_disconnect_says_what_the_provider_did() {
    let house = House::connected().await;
    let answer = house.ask("DELETE", "/v1/connections/sandbox", None).await;
    assert_eq!(
        (answer.status, &answer.json),
        (200, &json!({"success": true, "revoked": "yes"}))
    );
    assert!(!house.server.family_alive());
    assert_eq!(house.ask("GET", "/v1/connections", None).await.json, json!([]));
    house.connect("sandbox", None).await;
    house
        .ask(
            "PUT",
            "/v1/oauth-providers/sandbox",
            json!({"revocation_endpoint": ""}),
        )
        .await;
    let answer = house
        .ask("DELETE", "/v1/oauth-providers/sandbox/disconnect", None)
        .await;
    assert_eq!(answer.json["revoked"], "unsupported", "{}", answer.text);
}

#[tokio::test]
async fn client_credentials_connect_at_once() {
    let house = House::new().await;
    house.add_machine("robot").await;
    let path = "/v1/oauth-providers/robot/connect";
    assert_eq!(
        house.ask("POST", path, json!({"label": "ci"})).await.json,
        json!({"success": true})
    );
    let token = house.ask("POST", "/v1/connections/robot%2Fci/token", None).await;
    assert!(house.server.accepts(token.json["access_token"].as_str().unwrap()));
    house.add("sandbox").await;
    let browser = house
        .ask("POST", "/v1/oauth-providers/sandbox/connect", json!({}))
        .await;
    assert!(
        browser.status >= 400 && !browser.code().is_empty(),
        "{}",
        browser.text
    );
}

#[tokio::test]
async fn a_hand_out_stands_in_the_log_with_who_asked_and_without_what_was_given() {
    let house = House::connected().await;
    let token = house
        .ask("POST", "/v1/connections/sandbox/token", None)
        .await
        .json;
    let page = house.ask("GET", "/v1/events?limit=50", None).await;
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
