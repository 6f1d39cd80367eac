//! SECURITY.md, "Local interfaces": requests of web pages and broken programs.

use crate::{socket::Line, support::Fixture};
use std::time::{Duration, Instant};
use tokenry_api::servers::{SocketServer, serve_socket};

async fn open() -> (Fixture, SocketServer) {
    let fixture = Fixture::connected().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    (fixture, server)
}

/// No token was returned, and the engine still responds.
async fn unharmed(fixture: &Fixture, server: &SocketServer) {
    let mut line = Line::open(server.path()).await;
    assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
    let page = fixture.ask("GET", "/v1/events?limit=500", None).await.json;
    assert!(
        page["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["kind"] != "token_handed_out")
    );
}

#[tokio::test]
async fn another_host_and_any_origin_are_refused() {
    let (fixture, server) = open().await;
    let token = "POST /v1/connections/sandbox/token HTTP/1.1\r\n";
    for headers in [
        "Host: evil.example\r\n",
        "Host: 127.0.0.1\r\n",
        "Host: localhost:80\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: localhost\r\nOrigin: http://localhost\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nOrigin:\r\n",
        "Origin: https://evil.example\r\n",
    ] {
        let mut line = Line::open(server.path()).await;
        let (status, _, body) = line.say(&format!("{token}{headers}\r\n")).await;
        assert_eq!(
            (status, body["error"]["code"].as_str()),
            (403, Some("permission_denied")),
            "{headers}"
        );
    }
    let absolute =
        "POST http://evil.example/v1/connections/sandbox/token HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(Line::open(server.path()).await.say(absolute).await.0, 403);
    unharmed(&fixture, &server).await;
}

#[tokio::test]
async fn no_host_an_empty_one_and_our_own_names_are_accepted() {
    let (_fixture, server) = open().await;
    let mut line = Line::open(server.path()).await;
    for headers in ["", "Host:\r\n", "Host: localhost\r\n", "Host: tokenry\r\n"] {
        assert_eq!(
            line.say(&format!("GET /v1/status HTTP/1.1\r\n{headers}\r\n"))
                .await
                .0,
            200,
            "{headers}"
        );
    }
}

#[tokio::test]
async fn a_body_of_another_type_than_json_is_refused_even_where_none_is_read() {
    let (fixture, server) = open().await;
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n",
    ] {
        for path in [
            "/v1/connections/sandbox/token",
            "/v1/lock",
            "/v1/hand-over",
            "/v1/connections/sandbox/refresh",
        ] {
            let mut line = Line::open(server.path()).await;
            let request =
                format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: 2\r\n\r\n{{}}");
            let (status, _, body) = line.say(&request).await;
            assert_eq!(
                (status, body["error"]["code"].as_str()),
                (422, Some("validation_error")),
                "{path} {kind}"
            );
        }
    }
    unharmed(&fixture, &server).await;
}

#[tokio::test]
async fn a_body_that_claims_to_be_too_large_is_refused_before_it_is_sent() {
    let (fixture, server) = open().await;
    let mut line = Line::open(server.path()).await;
    let head = "POST /v1/callback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let (status, _, body) = line.say(&format!("{head}Content-Length: 1048577\r\n\r\n")).await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (413, Some("payload_too_large"))
    );
    let mut line = Line::open(server.path()).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(17);
    line.0
        .send(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let _ = line.0.send(chunk.as_bytes()).await;
    assert_eq!(line.answer().await.unwrap().0, 413);
    unharmed(&fixture, &server).await;
}

/// RFC 9112 §6.3: a request with two lengths must not hide a second one.
#[tokio::test]
async fn a_request_with_two_lengths_hides_no_second_request() {
    let (fixture, server) = open().await;
    let hidden = "POST /v1/lock HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = hidden.len() + 5;
    for lengths in [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
        format!("Content-Length: 5\r\nContent-Length: {length}\r\n"),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Transfer-Encoding: identity\r\n".to_owned(),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        "Content-Length: +5\r\n".to_owned(),
        "Content-Length: 5, 5\r\n".to_owned(),
        "Content-Length: 99999999999999999999\r\n".to_owned(),
    ] {
        let mut line = Line::open(server.path()).await;
        let request = format!(
            "POST /v1/unlock HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lengths}\r\n0\r\n\r\n{hidden}"
        );
        line.0.send(request.as_bytes()).await.unwrap();
        let _ = line.answer().await;
        assert!(line.ends_within(Duration::from_secs(5)).await, "{lengths}");
        assert_eq!(
            fixture.engine.status().vault.state,
            tokenry_engine::VaultState::Unlocked,
            "{lengths}"
        );
    }
    unharmed(&fixture, &server).await;
}

#[tokio::test]
async fn garbage_ends_the_connection_and_nothing_else() {
    let (fixture, server) = open().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET /v1/status HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(5000));
    for (garbage, expected) in [
        ("\r\n\r\n\r\nxxxx yyyy\r\n\r\n", Some(400)),
        ("\0\0\0\0\0\0\0\0\r\n\r\n", Some(400)),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n", Some(400)),
        // hyper closes the connection of an HTTP/2 client without a response.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
        ("GET /v1/status HTTP/9.9\r\n\r\n", Some(400)),
        ("GET /v1/status\r\n\r\n", Some(400)),
        ("POST /v1/lock HTTP/1.1\r\nHost: local\0host\r\n\r\n", Some(400)),
        ("POST /v1/lock HTTP/1.1\r\n Folded: header\r\n\r\n", Some(400)),
        (&long, Some(431)),
        (&many, Some(431)),
    ] {
        let mut line = Line::open(server.path()).await;
        let _ = line.0.send(garbage.as_bytes()).await;
        let status = line.answer().await.map(|(status, ..)| status);
        assert_eq!(status, expected, "{:?}", &garbage[..garbage.len().min(40)]);
        drop(line);
    }
    unharmed(&fixture, &server).await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row() {
    let (_fixture, server) = open().await;
    let mut line = Line::open(server.path()).await;
    let one = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n";
    line.0.send(one.repeat(20).as_bytes()).await.unwrap();
    for _ in 0..20 {
        assert_eq!(line.answer().await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn a_slow_request_is_closed_after_ten_seconds() {
    let (fixture, server) = open().await;
    let mut line = Line::open(server.path()).await;
    let begun = Instant::now();
    let mut sent = 0;
    for byte in "GET /v1/status HTTP/1.1\r\nX: "
        .bytes()
        .chain(std::iter::repeat(b'a'))
    {
        if line.0.send(&[byte]).await.is_err() || begun.elapsed() > Duration::from_secs(20) {
            break;
        }
        sent += 1;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(
        (9..15).contains(&begun.elapsed().as_secs()),
        "{:?} and {sent} bytes",
        begun.elapsed()
    );
    unharmed(&fixture, &server).await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_refused_after_ten_seconds() {
    let (fixture, server) = open().await;
    let mut line = Line::open(server.path()).await;
    let head = "POST /v1/callback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let begun = Instant::now();
    let (status, _, body) = line.say(head).await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (422, Some("validation_error"))
    );
    assert!(
        (9..15).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    assert!(line.ends_within(Duration::from_secs(15)).await);
    unharmed(&fixture, &server).await;
}
