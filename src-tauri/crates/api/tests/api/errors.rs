//! Every error is the one envelope.

use crate::support::{Answer, Fixture, program};
use axum::{
    body::{Body, Bytes},
    http::Request,
};
use futures_util::stream;
use std::convert::Infallible;
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use tokenry_testkit::{Behaviour, Fault, Server};

/// Reads the envelope, which every error has, and checks what is true of every one.
fn envelope(answer: &Answer) -> ErrorEnvelope {
    let envelope: ErrorEnvelope =
        serde_json::from_str(&answer.text).unwrap_or_else(|e| panic!("{e}: {}", answer.text));
    assert_eq!(answer.headers["content-type"], "application/json");
    let id: uuid::Uuid = envelope.error.request_id.parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert!(envelope.error.message.len() > 10, "{}", envelope.error.message);
    if answer.status != 405 {
        assert_eq!(answer.status, envelope.error.code.http_status());
    }
    envelope
}

fn request(method: &str, path: &str, kind: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let mut request = request.body(body.into()).unwrap();
    request.extensions_mut().insert(program());
    request
}

#[tokio::test]
async fn an_unknown_path_or_method_is_an_envelope() {
    let fixture = Fixture::new().await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/oauth-providers/",
        "/v1/connections/a/b/token",
        "/%00",
        "/v1/flows",
    ] {
        let answer = fixture.ask("GET", path, None).await;
        assert_eq!(
            (answer.status, envelope(&answer).error.code),
            (404, ErrorCode::NotFound),
            "{path}"
        );
    }
    for (method, path) in [
        ("POST", "/v1/status"),
        ("DELETE", "/v1/connections"),
        ("GET", "/v1/connections/x/token"),
        ("PATCH", "/v1/oauth-providers/x"),
        ("OPTIONS", "/v1/status"),
        ("BREW", "/v1/status"),
        ("POST", "/openapi.json"),
        ("TRACE", "/v1/lock"),
    ] {
        let answer = fixture.ask(method, path, None).await;
        assert_eq!(
            (answer.status, envelope(&answer).error.code),
            (405, ErrorCode::NotFound),
            "{method} {path}"
        );
        assert!(answer.headers.contains_key("allow"), "{method} {path}");
    }
}

#[tokio::test]
async fn an_invalid_body_is_an_envelope() {
    let fixture = Fixture::new().await;
    let json = Some("application/json");
    for (kind, body) in [
        (json, "{"),
        (json, ""),
        (json, "null"),
        (json, "[1]"),
        (json, "\u{feff}{}"),
        (json, "{\"url\":\"\\ud800\"}"),
        (json, "{}"),
        (None, "{\"url\":\"x\"}"),
        (Some("text/plain"), "{\"url\":\"x\"}"),
        (Some("application/x-www-form-urlencoded"), "url=x"),
        (Some("application/jsonp"), "{\"url\":\"x\"}"),
        (
            Some("multipart/form-data; boundary=application/json"),
            "{\"url\":\"x\"}",
        ),
    ] {
        let answer = fixture.send(request("POST", "/v1/callback", kind, body)).await;
        let error = envelope(&answer).error;
        assert_eq!(
            (answer.status, error.code),
            (422, ErrorCode::ValidationError),
            "{kind:?} {body}"
        );
        assert!(!error.details.unwrap().fields.is_empty(), "{kind:?} {body}");
    }
    let bytes = fixture
        .send(request("POST", "/v1/callback", json, &b"{\"url\":\"\xff\"}"[..]))
        .await;
    assert_eq!(envelope(&bytes).error.code, ErrorCode::ValidationError);
    let fine = request(
        "POST",
        "/v1/unlock",
        Some("Application/JSON; charset=utf-8"),
        "{}",
    );
    assert_eq!(fixture.send(fine).await.status, 200);
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_rejected() {
    let fixture = Fixture::new().await;
    let json = Some("application/json");
    let large = format!("{{\"url\":\"{}\"}}", "x".repeat(1 << 20));
    let said = fixture
        .send(request("POST", "/v1/callback", json, large.clone()))
        .await;
    assert_eq!(
        (said.status, envelope(&said).error.code),
        (413, ErrorCode::PayloadTooLarge)
    );
    // In pieces, without a length: only reading shows how much it is.
    let piece = Bytes::from(vec![b' '; 64 << 10]);
    let endless = stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
    let unsaid = fixture
        .send(request("POST", "/v1/callback", json, Body::from_stream(endless)))
        .await;
    assert_eq!(
        (unsaid.status, envelope(&unsaid).error.code),
        (413, ErrorCode::PayloadTooLarge)
    );
}

#[tokio::test]
async fn an_invalid_path_or_query_is_an_envelope() {
    let fixture = Fixture::new().await;
    for (method, path) in [
        ("GET", "/v1/oauth-providers/%ff"),
        ("POST", "/v1/connections/%c3%28/token"),
        ("GET", "/v1/events?before=x"),
        ("GET", "/v1/events?unknown=1"),
        (
            "GET",
            "/v1/flows/01990000-0000-7000-8000-000000000000?wait_seconds=99999999999",
        ),
        ("DELETE", "/v1/oauth-providers/x?disconnect=maybe"),
        ("GET", "/v1/oauth-providers/x/authorize?redirect=carrier-pigeon"),
        ("GET", "/v1/oauth-providers/x/authorize?label=a&label=b"),
    ] {
        let answer = fixture.ask(method, path, None).await;
        assert_eq!(
            envelope(&answer).error.code,
            ErrorCode::ValidationError,
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn names_in_errors_are_sanitized_and_cut() {
    let fixture = Fixture::new().await;
    let long = "x".repeat(5000);
    for name in ["%1b%5b31mred", "%e2%80%aeabc", "%00", long.as_str()] {
        let answer = fixture
            .ask("GET", &format!("/v1/oauth-providers/{name}"), None)
            .await;
        let message = envelope(&answer).error.message;
        assert_eq!(answer.status, 404, "{name}");
        assert!(
            message.len() < 600 && !message.chars().any(char::is_control),
            "{message}"
        );
        assert!(!message.contains('\u{202e}'), "{message}");
    }
}

#[tokio::test]
async fn a_request_without_a_caller_is_refused() {
    let fixture = Fixture::connected().await;
    for (method, path) in [
        ("GET", "/v1/connections"),
        ("POST", "/v1/connections/sandbox/token"),
        ("GET", "/v1/status"),
    ] {
        let mut bare = request(method, path, None, "");
        bare.extensions_mut().clear();
        let answer = fixture.send(bare).await;
        assert_eq!(envelope(&answer).error.code, ErrorCode::Internal, "{path}");
    }
}

#[tokio::test]
async fn the_providers_error_is_in_the_details_and_the_retry_time_in_a_header() {
    let fixture = Fixture::connected().await;
    fixture.server.queue(Fault::OauthError {
        status: 400,
        error: "invalid_scope".to_owned(),
    });
    let said_no = fixture.ask("POST", "/v1/connections/sandbox/refresh", None).await;
    let error = envelope(&said_no).error;
    assert_eq!(error.code, ErrorCode::ProviderError);
    assert_eq!(
        error.details.unwrap().provider_error.as_deref(),
        Some("invalid_scope")
    );

    let fixture = Fixture::connected().await;
    fixture.server.queue(Fault::TemporarilyUnavailable {
        retry_after: Some(120),
    });
    let busy = fixture.ask("POST", "/v1/connections/sandbox/refresh", None).await;
    let error = envelope(&busy).error;
    assert_eq!(error.code, ErrorCode::ProviderUnreachable, "{}", busy.text);
    let seconds = error.details.unwrap().retry_after_seconds.unwrap();
    assert!((110..=130).contains(&seconds), "{seconds}");
    assert_eq!(busy.headers["retry-after"], seconds.to_string());
}

#[tokio::test]
async fn a_provider_that_does_not_listen_is_unreachable() {
    let fixture = Fixture::new().await;
    let gone = Server::start(Behaviour::default()).token_endpoint();
    let mut body = fixture.provider("robot");
    body["grant_type"] = "client_credentials".into();
    body["token_endpoint"] = gone.as_str().into();
    assert_eq!(fixture.ask("POST", "/v1/oauth-providers", body).await.status, 201);
    let answer = fixture
        .ask("POST", "/v1/oauth-providers/robot/connect", None)
        .await;
    assert_eq!(
        (answer.status, envelope(&answer).error.code),
        (503, ErrorCode::ProviderUnreachable)
    );
}
