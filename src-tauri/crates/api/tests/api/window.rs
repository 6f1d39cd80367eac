//! The in-process server of the window.

use crate::support::Fixture;
use serde_json::{Value, json};
use tokenry_api::servers::InProcessServer;

#[tokio::test]
async fn the_window_can_do_everything_and_gets_no_token() {
    let fixture = Fixture::connected().await;
    let server = InProcessServer::main(fixture.engine.clone());
    let listed = server.handle("GET", "/v1/connections", None).await;
    assert_eq!((listed.status, listed.body.as_array().unwrap().len()), (200, 1));
    let added = server
        .handle("POST", "/v1/oauth-providers", Some(fixture.provider("second")))
        .await;
    assert_eq!((added.status, &added.body["name"]), (201, &json!("second")));
    for path in [
        "/v1/connections/sandbox/token",
        "/v1/oauth-providers/sandbox/token",
        "/v1/connections/unknown/token",
    ] {
        for body in [None, Some(json!({"min_valid_seconds": 1}))] {
            let answer = server.handle("POST", path, body).await;
            assert_eq!(
                (answer.status, &answer.body["error"]["code"]),
                (403, &json!("permission_denied")),
                "{path}"
            );
        }
    }
    let page = server.handle("GET", "/v1/events?limit=100", None).await.body;
    let lines = page["events"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["kind"] != "token_handed_out"));
    assert!(
        lines
            .iter()
            .any(|line| line["kind"] == "provider_added" && line["caller"] == "ui")
    );
}

#[tokio::test]
async fn the_window_cannot_open_the_endless_stream() {
    let fixture = Fixture::new().await;
    let answer = InProcessServer::main(fixture.engine.clone())
        .handle("GET", "/v1/events/stream", None)
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn an_invalid_request_of_the_window_is_an_envelope() {
    let fixture = Fixture::new().await;
    let server = InProcessServer::main(fixture.engine.clone());
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
        let answer = server.handle(method, path, body).await;
        assert!(answer.status >= 400, "{method} {path}");
        assert!(
            answer.body["error"]["code"].is_string(),
            "{method} {path}: {}",
            answer.body
        );
    }
}
