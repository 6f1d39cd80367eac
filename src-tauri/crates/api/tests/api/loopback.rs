//! security.md, "Doors", of the door on 127.0.0.1: who is let in, and when it is there.

use crate::support::{House, TestHost};
use serde_json::{Value, json};
use std::{fs, net::TcpListener, os::unix::fs::MetadataExt, path::PathBuf, sync::Arc, time::Duration};
use tokenry_api::doors::{KeptLoopback, LoopbackDoor, keep_loopback, serve_loopback};
use tokenry_core::Caller;
use tokenry_engine::{Engine, Options};
use tokenry_testkit::http::{AsyncConnection, Response};
use tokio::net::TcpStream;

/// A house with its door on 127.0.0.1 open, seen from outside.
pub(crate) struct Porch {
    pub(crate) house: House,
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) door: LoopbackDoor,
}

impl Porch {
    /// One with the connection `sandbox`.
    pub(crate) async fn open() -> Self {
        let house = House::connected().await;
        let door = serve_loopback(house.engine.clone(), &profile(&house))
            .await
            .unwrap();
        let (port, token) = told(&house);
        Self {
            house,
            port,
            token,
            door,
        }
    }

    /// A request as a program sends it, with the door's token and these headers.
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
    pub(crate) async fn say(&self, request: &str) -> Heard {
        say(self.port, request.as_bytes()).await
    }

    /// What is in the activity log of this kind.
    pub(crate) async fn logged(&self, kind: &str) -> Vec<Value> {
        let page = self.house.ask("GET", "/v1/events?limit=500", None).await.json;
        let events = page["events"].as_array().unwrap().iter();
        events.filter(|event| event["kind"] == kind).cloned().collect()
    }
}

/// An answer; the status is 0 when there was none.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Heard {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// Sends these bytes and reads to the end.
pub(crate) async fn say(port: u16, request: &[u8]) -> Heard {
    let mut connection = AsyncConnection::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    // A server that refuses a request may close the connection before it has read all of it.
    let _ = connection.send(request).await;
    let bytes = connection.to_end().await;
    match Response::of(&bytes) {
        Ok(response) => Heard {
            status: response.status,
            body: response.json(),
            head: response.head,
        },
        Err(_) => Heard {
            status: 0,
            body: Value::Null,
            head: String::from_utf8(bytes).unwrap(),
        },
    }
}

pub(crate) fn profile(house: &House) -> PathBuf {
    house.folder.path().join("p")
}

fn file(house: &House) -> PathBuf {
    profile(house).join("loopback.json")
}

/// Port and token, as a program finds them.
fn told(house: &House) -> (u16, String) {
    let told: Value = serde_json::from_slice(&fs::read(file(house)).unwrap()).unwrap();
    assert_eq!(told["pid"], std::process::id());
    assert_eq!(told.as_object().unwrap().len(), 3);
    let port = told["port"].as_u64().unwrap().try_into().unwrap();
    (port, told["token"].as_str().unwrap().to_owned())
}

async fn switch(house: &House, on: bool) -> Value {
    let answer = house
        .ask_as(Caller::Ui, "PUT", "/v1/settings", Some(json!({ "loopback": on })))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

async fn keep(house: &House, forced: bool) -> KeptLoopback {
    keep_loopback(house.engine.clone(), profile(house), forced).await
}

/// Waits until the file is there, or is not.
async fn until(house: &House, open: bool) {
    for _ in 0..1000 {
        if file(house).exists() == open {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the door did not become {open}");
}

#[tokio::test]
async fn whoever_has_the_token_of_the_door_is_a_program_known_by_its_process() {
    let porch = Porch::open().await;
    let path = "/v1/connections/sandbox/token";
    let heard = porch.say(&porch.request("POST", path, &[])).await;
    assert!(
        heard.status == 200 && heard.body["access_token"].is_string(),
        "{heard:?}"
    );
    let line = &porch.logged("token_handed_out").await[0];
    assert_eq!(
        (&line["caller"], &line["pid"]),
        (&json!("program"), &json!(std::process::id()))
    );
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token_or_with_one_that_is_wrong() {
    let porch = Porch::open().await;
    let (token, path) = (&porch.token, "/v1/connections/sandbox/token");
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
            let heard = porch.say(&porch.bare(method, path, &headers)).await;
            assert_eq!(
                (heard.status, heard.code()),
                (401, "unauthorized"),
                "{path} {headers:?}"
            );
            assert!(heard.head.contains("www-authenticate: bearer"), "{}", heard.head);
            assert!(heard.body["error"]["request_id"].is_string());
        }
    }
    let in_query = format!("{path}?access_token={token}");
    assert_eq!(porch.say(&porch.bare("POST", &in_query, &[])).await.status, 401);
    let body = json!({ "access_token": token }).to_string();
    let length = format!("Content-Length: {}", body.len());
    let request = porch.bare("POST", path, &["Content-Type: application/json", &length]) + &body;
    assert_eq!(porch.say(&request).await.status, 401);
    assert!(porch.logged("token_handed_out").await.is_empty());
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let porch = Porch::open().await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let header = format!("authorization: {scheme} {}", porch.token);
        assert_eq!(
            porch
                .say(&porch.bare("GET", "/v1/status", &[&header]))
                .await
                .status,
            200
        );
    }
}

/// On the socket the system says who calls, and a token only says which app it is.
#[tokio::test]
async fn a_wrong_token_on_the_socket_is_refused_and_not_overlooked() {
    let house = House::connected().await;
    let door = tokenry_api::doors::serve_socket(house.engine.clone(), &house.socket())
        .await
        .unwrap();
    for header in ["Bearer wrong", "Basic YTpi", ""] {
        let mut line = crate::socket::Line::open(door.path()).await;
        let request =
            format!("GET /v1/connections HTTP/1.1\r\nHost: localhost\r\nAuthorization: {header}\r\n\r\n");
        let (status, head, body) = line.say(&request).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (401, &json!("unauthorized")),
            "{header}"
        );
        assert!(head.contains("www-authenticate: bearer"), "{head}");
    }
}

#[tokio::test]
async fn where_it_is_and_its_token_stand_in_a_file_for_our_user_alone_that_goes_with_it() {
    let porch = Porch::open().await;
    let found = fs::metadata(file(&porch.house)).unwrap();
    assert_eq!(found.mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(profile(&porch.house)).unwrap().mode() & 0o777, 0o700);
    assert_eq!(porch.token.len(), 64);
    let Porch {
        house, token, door, ..
    } = porch;
    door.close().await;
    assert!(!file(&house).exists());
    let door = serve_loopback(house.engine.clone(), &profile(&house))
        .await
        .unwrap();
    assert_ne!(told(&house).1, token, "the token of the last run");
    // Somebody else's file in its place stays.
    fs::remove_file(file(&house)).unwrap();
    fs::write(file(&house), "mine").unwrap();
    drop(door);
    assert_eq!(fs::read_to_string(file(&house)).unwrap(), "mine");
}

#[tokio::test]
async fn a_link_in_the_place_of_the_file_is_replaced_and_not_followed() {
    let house = House::new().await;
    let target = house.folder.path().join("target");
    fs::write(&target, "mine").unwrap();
    for name in ["loopback.json", "loopback.json.new"] {
        std::os::unix::fs::symlink(&target, profile(&house).join(name)).unwrap();
    }
    let _door = serve_loopback(house.engine.clone(), &profile(&house))
        .await
        .unwrap();
    assert!(fs::symlink_metadata(file(&house)).unwrap().is_file());
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
}

/// Off-the-shelf OAuth clients write our issuer identifier down (RFC 8414 §2), so it must not change.
#[tokio::test]
async fn its_port_is_the_same_at_the_next_start_unless_somebody_else_has_it() {
    let house = House::new().await;
    let folder = profile(&house);
    let open = || serve_loopback(house.engine.clone(), &folder);
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
    let porch = Porch::open().await;
    for other in ["127.0.0.2", "::1"] {
        let refused = TcpStream::connect((other, porch.port)).await;
        assert!(refused.is_err(), "{other}");
    }
}

#[tokio::test]
async fn it_is_off_until_the_person_turns_it_on_and_no_program_can() {
    let house = House::new().await;
    let _kept = keep(&house, false).await;
    assert!(!file(&house).exists());
    for (method, body) in [("GET", None), ("PUT", Some(json!({"loopback": true})))] {
        let answer = house.ask(method, "/v1/settings", body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "permission_denied"),
            "{method}"
        );
    }
    assert!(!file(&house).exists());
    assert_eq!(switch(&house, true).await["loopback"], true);
    until(&house, true).await;
    let (port, token) = told(&house);
    let header = format!("Host: localhost:{port}\r\nAuthorization: Bearer {token}");
    let request = format!("GET /v1/status HTTP/1.1\r\n{header}\r\n\r\n");
    assert_eq!(say(port, request.as_bytes()).await.status, 200);
    let settings = house.ask_as(Caller::Ui, "GET", "/v1/settings", None).await.json;
    assert_eq!(
        settings,
        json!({"loopback": true, "loopback_port": port, "ask_passphrase": false})
    );
    switch(&house, false).await;
    until(&house, false).await;
    let page = house.ask("GET", "/v1/events", None).await.json;
    let changed = page["events"].as_array().unwrap().iter();
    assert_eq!(
        changed.filter(|line| line["kind"] == "settings_changed").count(),
        2
    );
}

#[tokio::test]
async fn it_closes_when_the_vault_locks_and_comes_back_at_the_same_port() {
    let house = House::new().await;
    let kept = keep(&house, false).await;
    switch(&house, true).await;
    until(&house, true).await;
    let (port, token) = told(&house);
    house.ask("POST", "/v1/lock", None).await;
    until(&house, false).await;
    house.ask("POST", "/v1/unlock", json!({})).await;
    until(&house, true).await;
    let (again, other) = told(&house);
    assert!(again == port && other != token);
    kept.close().await;
    assert!(!file(&house).exists());
}

#[tokio::test]
async fn what_a_killed_engine_left_is_removed_at_the_next_start() {
    let house = House::new().await;
    fs::write(file(&house), "{}").unwrap();
    let _kept = keep(&house, false).await;
    assert!(!file(&house).exists());
}

#[tokio::test]
async fn a_forced_door_is_open_whatever_the_switch_says_and_ends_with_the_engine() {
    let house = House::new().await;
    let _kept = keep(&house, true).await;
    assert!(file(&house).exists());
    house.engine.shutdown().await;
    until(&house, false).await;
}

/// security.md, "At rest": everything of a record but its id is sealed.
#[tokio::test]
async fn the_switch_and_the_port_outlive_the_engine_and_are_sealed() {
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
    let door = serve_loopback(first.clone(), &profile).await.unwrap();
    let port = door.port();
    door.close().await;
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
async fn a_locked_engine_has_no_door_on_loopback_even_when_it_is_forced() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("p");
    let host = Arc::new(TestHost::default());
    let mut options = Options::for_this_machine(profile.clone(), host, false).unwrap();
    options.vault = tokenry_engine::VaultChoice::Passphrase;
    let engine = Engine::start(options).await.unwrap();
    let _kept = keep_loopback(engine, profile.clone(), true).await;
    assert!(!profile.join("loopback.json").exists());
}
