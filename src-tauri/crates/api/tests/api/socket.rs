use crate::support::House;
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokenry_api::doors::serve_socket;
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
async fn a_program_on_the_socket_is_known_by_what_the_system_says_of_it() {
    let house = House::connected().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut line = Line::open(door.path()).await;
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

/// security.md, "Local interfaces": a browser neither guesses the type of an answer nor shares it across sites.
#[tokio::test]
async fn every_answer_says_nosniff_and_same_origin() {
    let house = House::connected().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut line = Line::open(door.path()).await;
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
async fn a_kept_connection_answers_again_and_again() {
    let house = House::connected().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut line = Line::open(door.path()).await;
    for _ in 0..200 {
        assert_eq!(line.ask("POST", "/v1/connections/sandbox/token", "").await.0, 200);
    }
}

#[tokio::test]
async fn changes_are_heard_as_they_happen_and_the_stream_ends_with_the_engine() {
    let house = House::new().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut line = Line::open(door.path()).await;
    let stream = line.0.head_of(&Request::new("GET", "/v1/events/stream")).await;
    let stream = stream.unwrap();
    assert_eq!(
        (stream.status, stream.header("content-type")),
        (200, Some("text/event-stream"))
    );
    house.add("sandbox").await;
    let mut heard = String::new();
    line.hear(&mut heard, &["provider.changed", "provider_added"])
        .await;
    assert!(!heard.contains(crate::support::CLIENT_SECRET));
    house.engine.shutdown().await;
    line.hear(&mut heard, &["\r\n0\r\n\r\n"]).await;
}

/// security.md, "Keys": lock, and what was begun before it ends.
#[tokio::test]
async fn a_stream_of_changes_ends_when_the_vault_is_locked() {
    let house = House::new().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut line = Line::open(door.path()).await;
    let stream = line.0.head_of(&Request::new("GET", "/v1/events/stream")).await;
    assert_eq!(stream.unwrap().status, 200);
    house.engine.lock(&Caller::Ui).await.unwrap();
    let mut heard = String::new();
    line.hear(&mut heard, &["0\r\n\r\n"]).await;
    assert!(line.ends_within(Duration::from_secs(5)).await);
}

/// security.md, "Keys": secrets in memory are wiped. What a connection has brought stays in its buffer until it ends.
#[tokio::test]
async fn connections_that_are_kept_end_at_lock_and_are_not_kept_while_locked() {
    let house = House::new().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut kept = Line::open(door.path()).await;
    assert_eq!(kept.ask("GET", "/v1/status", "").await.0, 200);
    house.engine.lock(&Caller::Ui).await.unwrap();
    assert!(kept.ends_within(Duration::from_secs(5)).await);

    let mut locked = Line::open(door.path()).await;
    let wrong = r#"{"passphrase":"not the right one","create":false}"#;
    assert_ne!(locked.ask("POST", "/v1/unlock", wrong).await.0, 200);
    assert!(locked.ends_within(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn closing_lets_an_answer_under_way_finish_and_takes_the_socket_away() {
    let house = House::new().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut idle = Line::open(door.path()).await;
    assert_eq!(idle.ask("GET", "/v1/status", "").await.0, 200);
    let mut busy = Line::open(door.path()).await;
    house.add("sandbox").await;
    let (started, _) = house.signed_in("sandbox", None).await;
    let path = format!(
        "/v1/flows/{}?wait_seconds=1",
        started["flow_id"].as_str().unwrap()
    );
    let request = Request::new("GET", &path).bytes();
    busy.0.send(&request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    door.close().await;
    assert!(!house.socket().exists());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it waited for nobody: {:?}",
        begun.elapsed()
    );
    let (status, _, flow) = busy.answer().await.unwrap();
    assert!(status == 200 && flow["status"] == "waiting");
    assert!(idle.ends_within(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn one_caller_too_many_is_served_when_a_lingering_one_has_left() {
    let house = House::new().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    let mut lines = Vec::new();
    for _ in 0..64 {
        let mut line = Line::open(door.path()).await;
        assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
        lines.push(line);
    }
    // All of them may stay for as long as nobody else knocks.
    for line in &mut lines {
        assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
    }
    let mut late = Line::open(door.path()).await;
    let answered = tokio::time::timeout(Duration::from_secs(5), late.ask("GET", "/v1/status", "")).await;
    assert_eq!(answered.unwrap().0, 200);
}

/// security.md, "Local interfaces": connections are bounded for each process, and whoever has too many is told so; what
/// must always be possible is.
#[tokio::test]
async fn a_process_with_all_its_answers_under_way_is_told_so_and_can_still_lock() {
    let house = House::new().await;
    let door = serve_socket(house.engine.clone(), &house.socket()).await.unwrap();
    house.add("sandbox").await;
    let (started, _) = house.signed_in("sandbox", None).await;
    let path = format!(
        "/v1/flows/{}?wait_seconds=20",
        started["flow_id"].as_str().unwrap()
    );
    let request = Request::new("GET", &path).bytes();
    let mut lines = Vec::new();
    for _ in 0..96 {
        let mut line = Line::open(door.path()).await;
        line.0.send(&request).await.unwrap();
        lines.push(line);
    }
    let begun = Instant::now();
    let mut late = Line::open(door.path()).await;
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
        let mut late = Line::open(door.path()).await;
        assert_eq!(late.ask(method, path, "").await.0, 200, "{path}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
