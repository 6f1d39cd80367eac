//! The socket server: identification, streams, limits.

use crate::support::Fixture;
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokenry_api::servers::serve_socket;
use tokenry_core::Caller;
use tokenry_testkit::http::{AsyncConnection, Request, Response};
use tokio::net::UnixStream;

/// One kept connection.
pub(crate) struct Line(pub(crate) AsyncConnection<UnixStream>);

impl Line {
    pub(crate) async fn open(path: &Path) -> Self {
        Self(AsyncConnection::new(UnixStream::connect(path).await.unwrap()))
    }

    /// Sends these bytes and reads one response: status, head and JSON.
    pub(crate) async fn say(&mut self, request: &str) -> (u16, String, Value) {
        self.0.send(request.as_bytes()).await.unwrap();
        self.answer().await.expect("a response")
    }

    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, String, Value) {
        let request = match body {
            "" => Request::new(method, path),
            body => Request::new(method, path).body("application/json", body),
        };
        parts(self.0.ask(&request).await.unwrap())
    }

    /// Status, head and JSON; nothing when the server closed the connection.
    pub(crate) async fn answer(&mut self) -> Option<(u16, String, Value)> {
        self.0.response().await.ok().map(parts)
    }

    /// Reads until all of these words were received.
    async fn hear(&mut self, heard: &mut String, wanted: &[&str]) {
        while !wanted.iter().all(|words| heard.contains(words)) {
            let read = tokio::time::timeout(Duration::from_secs(10), self.0.bytes()).await;
            let read = read.unwrap_or_else(|_| panic!("only heard {heard}")).unwrap();
            assert!(!read.is_empty(), "it ended, and only said {heard}");
            heard.push_str(&String::from_utf8_lossy(&read));
        }
    }

    /// Whether the server closes the connection within this time.
    pub(crate) async fn ends_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.0.to_end()).await.is_ok()
    }
}

fn parts(response: Response) -> (u16, String, Value) {
    let json = response.json();
    (response.status, response.head, json)
}

#[tokio::test]
async fn a_program_at_the_socket_is_identified_by_the_operating_system() {
    let fixture = Fixture::connected().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut line = Line::open(server.path()).await;
    let (status, head, token) = line.ask("POST", "/v1/connections/sandbox/token", "{}").await;
    assert!(status == 200 && head.contains("no-store") && token["access_token"].is_string());
    let (_, _, page) = line.ask("GET", "/v1/events?limit=10", "").await;
    let handed = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["kind"] == "token_handed_out")
        .unwrap();
    assert_eq!(
        (&handed["caller"], &handed["pid"]),
        (&json!("program"), &json!(std::process::id()))
    );
    let exe = std::env::current_exe().unwrap();
    assert_eq!(
        handed["program"].as_str().unwrap(),
        tokenry_core::clean(&exe.to_string_lossy())
    );
}

/// SECURITY.md, "Local interfaces": a browser does not guess the type of a response, and does not share it across sites.
#[tokio::test]
async fn every_response_has_nosniff_and_same_origin() {
    let fixture = Fixture::connected().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut line = Line::open(server.path()).await;
    for (method, path, body) in [
        ("GET", "/v1/status", ""),
        ("POST", "/v1/connections/sandbox/token", ""),
        ("GET", "/v1/connections/none", ""),
        ("GET", "/nowhere", ""),
        ("POST", "/v1/oauth-providers", "{"),
    ] {
        let (_, head, _) = line.ask(method, path, body).await;
        for header in [
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(header), "{method} {path}: {head}");
        }
    }
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let fixture = Fixture::connected().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut line = Line::open(server.path()).await;
    for _ in 0..200 {
        assert_eq!(line.ask("POST", "/v1/connections/sandbox/token", "").await.0, 200);
    }
}

#[tokio::test]
async fn changes_are_streamed_as_they_happen_until_the_engine_ends() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut line = Line::open(server.path()).await;
    let stream = line.0.head_of(&Request::new("GET", "/v1/events/stream")).await;
    let stream = stream.unwrap();
    assert_eq!(
        (stream.status, stream.header("content-type")),
        (200, Some("text/event-stream"))
    );
    fixture.add("sandbox").await;
    let mut heard = String::new();
    line.hear(&mut heard, &["provider.changed", "provider_added"])
        .await;
    assert!(!heard.contains(crate::support::CLIENT_SECRET));
    fixture.engine.shutdown().await;
    line.hear(&mut heard, &["\r\n0\r\n\r\n"]).await;
}

/// SECURITY.md, "Keys": a lock ends what began before it.
#[tokio::test]
async fn a_stream_of_changes_ends_when_the_vault_is_locked() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut line = Line::open(server.path()).await;
    let stream = line.0.head_of(&Request::new("GET", "/v1/events/stream")).await;
    assert_eq!(stream.unwrap().status, 200);
    fixture.engine.lock(&Caller::Ui).await.unwrap();
    let mut heard = String::new();
    line.hear(&mut heard, &["0\r\n\r\n"]).await;
    assert!(line.ends_within(Duration::from_secs(5)).await);
}

/// SECURITY.md, "Keys": secrets in memory are wiped. The buffer of a connection keeps what was sent until it ends.
#[tokio::test]
async fn kept_connections_end_at_lock_and_none_is_kept_while_locked() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut kept = Line::open(server.path()).await;
    assert_eq!(kept.ask("GET", "/v1/status", "").await.0, 200);
    fixture.engine.lock(&Caller::Ui).await.unwrap();
    assert!(kept.ends_within(Duration::from_secs(5)).await);

    let mut locked = Line::open(server.path()).await;
    let wrong = r#"{"passphrase":"not the right one","create":false}"#;
    assert_ne!(locked.ask("POST", "/v1/unlock", wrong).await.0, 200);
    assert!(locked.ends_within(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn closing_finishes_the_responses_under_way_and_removes_the_socket() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut idle = Line::open(server.path()).await;
    assert_eq!(idle.ask("GET", "/v1/status", "").await.0, 200);
    let mut busy = Line::open(server.path()).await;
    fixture.add("sandbox").await;
    let (started, _) = fixture.signed_in("sandbox", None).await;
    let path = format!(
        "/v1/flows/{}?wait_seconds=1",
        started["flow_id"].as_str().unwrap()
    );
    let request = Request::new("GET", &path).bytes();
    busy.0.send(&request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    server.close().await;
    assert!(!fixture.socket().exists());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it did not wait: {:?}",
        begun.elapsed()
    );
    let (status, _, flow) = busy.answer().await.unwrap();
    assert!(status == 200 && flow["status"] == "waiting");
    assert!(idle.ends_within(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn a_caller_beyond_the_limit_is_served_when_an_idle_one_has_left() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut lines = Vec::new();
    for _ in 0..64 {
        let mut line = Line::open(server.path()).await;
        assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
        lines.push(line);
    }
    // All of them may stay while no other connection needs the room.
    for line in &mut lines {
        assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
    }
    let mut late = Line::open(server.path()).await;
    let answered = tokio::time::timeout(Duration::from_secs(5), late.ask("GET", "/v1/status", "")).await;
    assert_eq!(answered.unwrap().0, 200);
}

/// A lock by logind comes at any time, also between the connect and the request of another program.
#[tokio::test]
async fn a_connection_that_has_sent_nothing_outlives_a_lock() {
    let fixture = Fixture::connected().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    let mut silent = Line::open(server.path()).await;
    // Connections are accepted in their order, so that after this the first one is served, too.
    let mut other = Line::open(server.path()).await;
    assert_eq!(other.ask("GET", "/v1/status", "").await.0, 200);
    fixture.engine.lock(&Caller::Ui).await.unwrap();
    assert!(other.ends_within(Duration::from_secs(5)).await);
    let (status, _, engine) = silent.ask("GET", "/v1/status", "").await;
    assert_eq!((status, &engine["vault"]["state"]), (200, &json!("locked")));
}

/// SECURITY.md, "Local interfaces": connections are limited per process, and a process beyond the limit gets an error. Operations
/// that must always be possible are.
#[tokio::test]
async fn a_process_at_its_limit_gets_an_error_and_can_still_lock() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    fixture.add("sandbox").await;
    let (started, _) = fixture.signed_in("sandbox", None).await;
    let path = format!(
        "/v1/flows/{}?wait_seconds=20",
        started["flow_id"].as_str().unwrap()
    );
    let request = Request::new("GET", &path).bytes();
    let mut lines = Vec::new();
    for _ in 0..96 {
        let mut line = Line::open(server.path()).await;
        line.0.send(&request).await.unwrap();
        lines.push(line);
    }
    let begun = Instant::now();
    let mut late = Line::open(server.path()).await;
    let (status, head, body) = late.ask("GET", "/v1/connections", "").await;
    assert!(status == 503 && head.contains("retry-after: 1"), "{head}");
    let words = body["error"]["message"].as_str().unwrap();
    assert!(
        words.contains(&format!("(process {}) holds 96 of the 96", std::process::id())),
        "{words}"
    );
    for (method, path) in [
        ("GET", "/v1/status"),
        ("GET", "/v1/prompts"),
        ("POST", "/v1/lock"),
    ] {
        let mut late = Line::open(server.path()).await;
        assert_eq!(late.ask(method, path, "").await.0, 200, "{path}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
