//! SECURITY.md, "Local interfaces", of the server on 127.0.0.1: who may call, and when it runs.

use crate::support::{Fixture, TestHost};
use serde_json::{Value, json};
use std::{fs, net::TcpListener, os::unix::fs::MetadataExt, path::PathBuf, sync::Arc, time::Duration};
use tokenry_api::servers::{LoopbackServer, Supervisor, serve_loopback, supervise_loopback};
use tokenry_core::Caller;
use tokenry_engine::{Engine, Options};
use tokenry_testkit::http::{AsyncConnection, Response};
use tokio::net::TcpStream;

/// A fixture with a running loopback server.
pub(crate) struct LoopbackFixture {
    pub(crate) fixture: Fixture,
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) server: LoopbackServer,
}

impl LoopbackFixture {
    /// With the connection `sandbox`.
    pub(crate) async fn open() -> Self {
        let fixture = Fixture::connected().await;
        let server = serve_loopback(fixture.engine.clone(), &profile(&fixture))
            .await
            .unwrap();
        let (port, token) = discovered(&fixture);
        Self {
            fixture,
            port,
            token,
            server,
        }
    }

    /// A request as a program sends it, with the server's token and these headers.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[&str]) -> String {
        let token = format!("Authorization: Bearer {}", self.token);
        self.bare(method, path, &[&[token.as_str()], headers].concat())
    }

    /// The same without the token.
    pub(crate) fn bare(&self, method: &str, path: &str, headers: &[&str]) -> String {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}\r\n",
            self.port
        )
    }

    /// Sends these bytes on a connection of their own.
    pub(crate) async fn say(&self, request: &str) -> Reply {
        say(self.port, request.as_bytes()).await
    }

    /// The events of this kind.
    pub(crate) async fn logged(&self, kind: &str) -> Vec<Value> {
        let page = self.fixture.ask("GET", "/v1/events?limit=500", None).await.json;
        let events = page["events"].as_array().unwrap().iter();
        events.filter(|event| event["kind"] == kind).cloned().collect()
    }
}

/// A response; the status is 0 when there was none.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// Sends these bytes and reads to the end.
pub(crate) async fn say(port: u16, request: &[u8]) -> Reply {
    let mut connection = AsyncConnection::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    // A server that refuses a request may close the connection before it has read all of it.
    let _ = connection.send(request).await;
    let bytes = connection.to_end().await;
    match Response::of(&bytes) {
        Ok(response) => Reply {
            status: response.status,
            body: response.json(),
            head: response.head,
        },
        Err(_) => Reply {
            status: 0,
            body: Value::Null,
            head: String::from_utf8(bytes).unwrap(),
        },
    }
}

pub(crate) fn profile(fixture: &Fixture) -> PathBuf {
    fixture.folder.path().join("p")
}

fn file(fixture: &Fixture) -> PathBuf {
    profile(fixture).join("loopback.json")
}

/// The port and the token of the discovery file.
fn discovered(fixture: &Fixture) -> (u16, String) {
    let told: Value = serde_json::from_slice(&fs::read(file(fixture)).unwrap()).unwrap();
    assert_eq!(told["pid"], std::process::id());
    assert_eq!(told.as_object().unwrap().len(), 3);
    let port = told["port"].as_u64().unwrap().try_into().unwrap();
    (port, told["token"].as_str().unwrap().to_owned())
}

async fn switch(fixture: &Fixture, on: bool) -> Value {
    let answer = fixture
        .ask_as(Caller::Ui, "PUT", "/v1/settings", Some(json!({ "loopback": on })))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

async fn keep(fixture: &Fixture, forced: bool) -> Supervisor {
    supervise_loopback(fixture.engine.clone(), profile(fixture), forced).await
}

/// Waits until the file is there, or is not.
async fn until(fixture: &Fixture, open: bool) {
    for _ in 0..1000 {
        if file(fixture).exists() == open {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the server did not become {open}");
}

#[tokio::test]
async fn the_bearer_of_the_loopback_token_is_a_program_known_by_its_process() {
    let loopback = LoopbackFixture::open().await;
    let path = "/v1/connections/sandbox/token";
    let heard = loopback.say(&loopback.request("POST", path, &[])).await;
    assert!(
        heard.status == 200 && heard.body["access_token"].is_string(),
        "{heard:?}"
    );
    let line = &loopback.logged("token_handed_out").await[0];
    assert_eq!(
        (&line["caller"], &line["pid"]),
        (&json!("program"), &json!(std::process::id()))
    );
}

#[tokio::test]
async fn a_request_without_a_token_or_with_a_wrong_one_is_refused() {
    let loopback = LoopbackFixture::open().await;
    let (token, path) = (&loopback.token, "/v1/connections/sandbox/token");
    let cut = &token[1..];
    let capital = token.to_ascii_uppercase();
    for headers in [
        vec![],
        vec!["Authorization: Bearer x".to_owned()],
        vec![format!("Authorization: Bearer {cut}")],
        vec![format!("Authorization: Bearer {token}0")],
        vec![format!("Authorization: Bearer {capital}")],
        vec![format!("Authorization: Basic {token}")],
        vec![format!("Authorization: {token}")],
        vec![format!("Authorization: Bearer {token}, Bearer {token}")],
        vec![format!("Authorization: Bearer {token}"); 2],
        // The header is the only place.
        vec![format!("Cookie: token={token}; Authorization=Bearer {token}")],
        vec![format!("X-Authorization: Bearer {token}")],
        vec![format!("Proxy-Authorization: Bearer {token}")],
    ] {
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        for (method, path) in [
            ("POST", path),
            ("GET", "/v1/status"),
            ("GET", "/openapi.json"),
            ("GET", "/nowhere"),
            ("GET", "/oauth/token/"),
            ("GET", "//oauth/token"),
            ("POST", "/oauth/consent"),
        ] {
            let heard = loopback.say(&loopback.bare(method, path, &headers)).await;
            assert_eq!(
                (heard.status, heard.code()),
                (401, "unauthorized"),
                "{path} {headers:?}"
            );
            assert!(heard.head.contains("www-authenticate: Bearer"), "{}", heard.head);
            assert!(heard.body["error"]["request_id"].is_string());
        }
    }
    let in_query = format!("{path}?access_token={token}");
    assert_eq!(
        loopback.say(&loopback.bare("POST", &in_query, &[])).await.status,
        401
    );
    let body = json!({ "access_token": token }).to_string();
    let length = format!("Content-Length: {}", body.len());
    let request = loopback.bare("POST", path, &["Content-Type: application/json", &length]) + &body;
    assert_eq!(loopback.say(&request).await.status, 401);
    assert!(loopback.logged("token_handed_out").await.is_empty());
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let loopback = LoopbackFixture::open().await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let header = format!("authorization: {scheme} {}", loopback.token);
        assert_eq!(
            loopback
                .say(&loopback.bare("GET", "/v1/status", &[&header]))
                .await
                .status,
            200
        );
    }
}

/// At the socket the operating system identifies the program; a token only names the app.
#[tokio::test]
async fn a_wrong_token_at_the_socket_is_refused() {
    let fixture = Fixture::connected().await;
    let server = tokenry_api::servers::serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    for header in ["Bearer wrong", "Basic YTpi", ""] {
        let mut line = crate::socket::Line::open(server.path()).await;
        let request =
            format!("GET /v1/connections HTTP/1.1\r\nHost: localhost\r\nAuthorization: {header}\r\n\r\n");
        let (status, head, body) = line.say(&request).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (401, &json!("unauthorized")),
            "{header}"
        );
        assert!(head.contains("www-authenticate: Bearer"), "{head}");
    }
}

#[tokio::test]
async fn the_discovery_file_is_readable_by_our_user_only_and_removed_at_the_end() {
    let loopback = LoopbackFixture::open().await;
    let found = fs::metadata(file(&loopback.fixture)).unwrap();
    assert_eq!(found.mode() & 0o7777, 0o600);
    assert_eq!(
        fs::metadata(profile(&loopback.fixture)).unwrap().mode() & 0o777,
        0o700
    );
    assert_eq!(loopback.token.len(), 64);
    let LoopbackFixture {
        fixture,
        token,
        server,
        ..
    } = loopback;
    server.close().await;
    assert!(!file(&fixture).exists());
    let server = serve_loopback(fixture.engine.clone(), &profile(&fixture))
        .await
        .unwrap();
    assert_ne!(discovered(&fixture).1, token, "the token of the last run");
    // A file of another program at its path stays.
    fs::remove_file(file(&fixture)).unwrap();
    fs::write(file(&fixture), "mine").unwrap();
    drop(server);
    assert_eq!(fs::read_to_string(file(&fixture)).unwrap(), "mine");
}

#[tokio::test]
async fn a_symlink_at_the_discovery_files_path_is_replaced_and_not_followed() {
    let fixture = Fixture::new().await;
    let target = fixture.folder.path().join("target");
    fs::write(&target, "mine").unwrap();
    for name in ["loopback.json", "loopback.json.new"] {
        std::os::unix::fs::symlink(&target, profile(&fixture).join(name)).unwrap();
    }
    let _server = serve_loopback(fixture.engine.clone(), &profile(&fixture))
        .await
        .unwrap();
    assert!(fs::symlink_metadata(file(&fixture)).unwrap().is_file());
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
}

/// OAuth clients store our issuer identifier (RFC 8414 §2), so it must not change.
#[tokio::test]
async fn its_port_is_the_same_at_the_next_start_unless_it_is_taken() {
    let fixture = Fixture::new().await;
    let folder = profile(&fixture);
    let open = || serve_loopback(fixture.engine.clone(), &folder);
    let first = open().await.unwrap();
    let port = first.port();
    first.close().await;
    let second = open().await.unwrap();
    assert_eq!(second.port(), port);
    second.close().await;
    let squatter = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let third = open().await.unwrap();
    let other = third.port();
    assert_ne!(other, port);
    third.close().await;
    drop(squatter);
    assert_eq!(open().await.unwrap().port(), other, "the last one is kept");
}

#[tokio::test]
async fn it_listens_on_127_0_0_1_and_on_no_other_address() {
    let loopback = LoopbackFixture::open().await;
    for other in ["127.0.0.2", "::1"] {
        let refused = TcpStream::connect((other, loopback.port)).await;
        assert!(refused.is_err(), "{other}");
    }
}

#[tokio::test]
async fn it_is_off_until_the_user_enables_it_and_a_program_cannot() {
    let fixture = Fixture::new().await;
    let _kept = keep(&fixture, false).await;
    assert!(!file(&fixture).exists());
    let answer = fixture
        .ask("PUT", "/v1/settings", Some(json!({"loopback": true})))
        .await;
    assert_eq!((answer.status, answer.code()), (403, "permission_denied"));
    assert!(!file(&fixture).exists());
    assert_eq!(switch(&fixture, true).await["loopback"], true);
    until(&fixture, true).await;
    let (port, token) = discovered(&fixture);
    let header = format!("Host: localhost:{port}\r\nAuthorization: Bearer {token}");
    let request = format!("GET /v1/status HTTP/1.1\r\n{header}\r\n\r\n");
    assert_eq!(say(port, request.as_bytes()).await.status, 200);
    let settings = fixture.ask_as(Caller::Ui, "GET", "/v1/settings", None).await.json;
    assert_eq!(
        (&settings["loopback"], &settings["loopback_port"]),
        (&json!(true), &json!(port))
    );
    switch(&fixture, false).await;
    until(&fixture, false).await;
    let page = fixture.ask("GET", "/v1/events", None).await.json;
    let changed = page["events"].as_array().unwrap().iter();
    assert_eq!(
        changed.filter(|line| line["kind"] == "settings_changed").count(),
        2
    );
}

#[tokio::test]
async fn it_closes_when_the_vault_locks_and_reopens_at_the_same_port() {
    let fixture = Fixture::new().await;
    let kept = keep(&fixture, false).await;
    switch(&fixture, true).await;
    until(&fixture, true).await;
    let (port, token) = discovered(&fixture);
    fixture.ask("POST", "/v1/lock", None).await;
    until(&fixture, false).await;
    fixture.ask("POST", "/v1/unlock", json!({})).await;
    until(&fixture, true).await;
    let (again, other) = discovered(&fixture);
    assert!(again == port && other != token);
    kept.close().await;
    assert!(!file(&fixture).exists());
}

#[tokio::test]
async fn the_file_of_a_killed_engine_is_removed_at_the_next_start() {
    let fixture = Fixture::new().await;
    fs::write(file(&fixture), "{}").unwrap();
    let _kept = keep(&fixture, false).await;
    assert!(!file(&fixture).exists());
}

#[tokio::test]
async fn a_forced_server_runs_whatever_the_setting_is_and_ends_with_the_engine() {
    let fixture = Fixture::new().await;
    let _kept = keep(&fixture, true).await;
    assert!(file(&fixture).exists());
    fixture.engine.shutdown().await;
    until(&fixture, false).await;
}

/// SECURITY.md, "At rest": everything of a record but its id is sealed.
#[tokio::test]
async fn the_setting_and_the_port_are_kept_and_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("p");
    let start = async || {
        let host = Arc::new(TestHost::default());
        let mut options = Options::for_this_machine(profile.clone(), host, false).unwrap();
        options.vault = tokenry_engine::VaultChoice::Passphrase;
        options.passphrase = Some("correct horse battery".to_owned().into());
        Engine::start(options).await.unwrap()
    };
    let first = start().await;
    let open = tokenry_engine::SettingsChange {
        loopback: Some(true),
        ..Default::default()
    };
    first.change_settings(&Caller::Ui, open).await.unwrap();
    let server = serve_loopback(first.clone(), &profile).await.unwrap();
    let port = server.port();
    server.close().await;
    first.shutdown().await;
    for file in fs::read_dir(&profile).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(13).any(|part| part == b"loopback_port"));
    }
    drop(first);
    let chosen = start().await.settings(&Caller::Ui).await.unwrap();
    assert_eq!((chosen.loopback, chosen.loopback_port), (true, Some(port)));
}

#[tokio::test]
async fn a_locked_engine_has_no_loopback_server_even_if_forced() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("p");
    let host = Arc::new(TestHost::default());
    let mut options = Options::for_this_machine(profile.clone(), host, false).unwrap();
    options.vault = tokenry_engine::VaultChoice::Passphrase;
    let engine = Engine::start(options).await.unwrap();
    let _kept = supervise_loopback(engine, profile.clone(), true).await;
    assert!(!profile.join("loopback.json").exists());
}
