use crate::support::House;
use serde_json::{Value, json};
use tokenry_api::doors::WindowDoor;

#[tokio::test]
async fn the_window_does_everything_and_is_handed_no_token() {
    let house = House::connected().await;
    let door = WindowDoor::new(house.engine.clone());
    let listed = door.handle("GET", "/v1/connections", None).await;
    assert_eq!((listed.status, listed.body.as_array().unwrap().len()), (200, 1));
    let added = door
        .handle("POST", "/v1/oauth-providers", Some(house.provider("second")))
        .await;
    assert_eq!((added.status, &added.body["name"]), (201, &json!("second")));
    for path in [
        "/v1/connections/sandbox/token",
        "/v1/oauth-providers/sandbox/token",
        "/v1/connections/nobody/token",
    ] {
        for body in [None, Some(json!({"min_valid_seconds": 1}))] {
            let answer = door.handle("POST", path, body).await;
            assert_eq!(
                (answer.status, &answer.body["error"]["code"]),
                (403, &json!("permission_denied")),
                "{path}"
            );
        }
    }
    let page = door.handle("GET", "/v1/events?limit=100", None).await.body;
    let lines = page["events"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["kind"] != "token_handed_out"));
    assert!(
        lines
            .iter()
            .any(|line| line["kind"] == "provider_added" && line["caller"] == "ui")
    );
}

#[tokio::test]
async fn the_window_cannot_wait_at_a_stream_that_never_ends() {
    let house = House::new().await;
    let answer = WindowDoor::new(house.engine.clone())
        .handle("GET", "/v1/events/stream", None)
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn what_the_window_sends_wrongly_is_answered_in_the_envelope() {
    let house = House::new().await;
    let door = WindowDoor::new(house.engine.clone());
    for (method, path, body) in [
        ("G ET", "/v1/status", None),
        ("", "/v1/status", None),
        ("GET", "", None),
        ("GET", "v1/status", None),
        ("GET", "http://evil.example/v1/status", None),
        ("GET", "//evil.example/v1/status", None),
        ("GET", "/v1/st atus", None),
        ("GET", "/v1/nothing", None),
        ("POST", "/v1/oauth-providers", None),
        ("POST", "/v1/oauth-providers", Some(Value::Null)),
        ("POST", "/v1/callback", Some(json!([]))),
    ] {
        let answer = door.handle(method, path, body).await;
        assert!(answer.status >= 400, "{method} {path}");
        assert!(
            answer.body["error"]["code"].is_string(),
            "{method} {path}: {}",
            answer.body
        );
    }
}
