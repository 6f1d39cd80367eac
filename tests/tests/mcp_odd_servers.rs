//! `tokenry mcp` with servers that do not keep to the protocol: each request of the client is answered all the same.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use tokenry_e2e::accounts::PASSPHRASE;
use tokenry_e2e::profile::Profile;

/// A real server does not commit these faults on demand. The path says which one.
fn odd_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut input = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    input.read_line(&mut first).ok()?;
    let (mut length, mut takes) = (0, String::new());
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        if let Some(value) = line.strip_prefix("accept-encoding: ") {
            takes = value.to_owned();
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"takes": takes}}).to_string();
    let (status, kind, body) = match first.split(' ').nth(1)? {
        "/redirect" => (
            "307 Temporary Redirect\r\nLocation: /redirect/",
            "text/plain",
            Vec::new(),
        ),
        "/elsewhere" => (
            "308 Permanent Redirect\r\nLocation: /redirect/",
            "text/plain",
            Vec::new(),
        ),
        "/redirect/" => ("200 OK", "application/json", answer.into()),
        "/mark" => (
            "200 OK",
            "application/json",
            [b"\xef\xbb\xbf", answer.as_bytes()].concat(),
        ),
        "/gzip" => (
            "200 OK\r\nContent-Encoding: gzip",
            "application/json",
            b"\x1f\x8b\x08\n".to_vec(),
        ),
        "/broken" => (
            "200 OK",
            "application/json",
            b"{\"jsonrpc\":\"2.0\",\"id\":".to_vec(),
        ),
        "/empty" => ("200 OK", "application/json", Vec::new()),
        "/other-id" => (
            "200 OK",
            "application/json",
            b"{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}".to_vec(),
        ),
        "/bytes" => (
            "200 OK",
            "application/json",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\xfe\"}".to_vec(),
        ),
        "/refused" => (
            "400 Bad Request",
            "application/json",
            b"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32602,\"message\":\"no such cursor\"}}"
                .to_vec(),
        ),
        "/junk-events" => (
            "200 OK",
            "text/event-stream",
            format!("data: not json\n\ndata: [{answer}]\n\n").into(),
        ),
        _ => ("404 Not Found", "text/plain", Vec::new()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).ok()
}

#[test]
fn each_request_gets_one_answer_and_the_client_only_messages() {
    let (server, profile) = (odd_server(), Profile::headless());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    for (path, told) in [
        ("/redirect", r#""takes":"identity""#),
        ("/mark", r#""takes":"identity""#),
        ("/junk-events", r#""takes":"identity""#),
        ("/refused", "no such cursor"),
        ("/elsewhere", "/redirect/"),
        ("/gzip", "gzip"),
        ("/broken", "not an answer"),
        ("/empty", "not an answer"),
        ("/other-id", "not an answer"),
        ("/bytes", "not an answer"),
    ] {
        let url = format!("{server}{path}");
        let mut bridge = profile.tokenry_running(&["mcp", &url, "--transport", "http-only"]);
        bridge.write("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
        let ended = bridge.wait();
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert_eq!(lines.len(), 1, "{path}: {ended:?}");
        let answer: Value = serde_json::from_str(lines[0]).unwrap();
        let one = answer.get(0).unwrap_or(&answer);
        assert_eq!(one["id"], 1, "{path}: {answer}");
        assert!(lines[0].contains(told), "{path}: {answer}");
    }
}

#[test]
fn a_line_of_the_client_that_is_json_and_no_message_is_an_invalid_request() {
    let (server, profile) = (odd_server(), Profile::headless());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut bridge = profile.tokenry_running(&["mcp", &format!("{server}/mark")]);
    bridge.write("42\n{}\n[]\n\r\n{\"jsonrpc\":\n");
    let ended = bridge.wait().success();
    let code =
        |line: &str| -> Value { serde_json::from_str::<Value>(line).unwrap()["error"]["code"].clone() };
    let codes: Vec<Value> = ended.stdout.lines().map(code).collect();
    assert_eq!(codes, [-32600, -32600, -32600, -32700], "{ended:?}");
}
