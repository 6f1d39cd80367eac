//! One request to the engine at one of its doors, as any program of the same person can send it.

use crate::profile::Profile;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;

/// The HTTP status and the JSON of the answer, at the socket.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask(profile: &Profile, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let stream = UnixStream::connect(profile.home().join("engine.sock")).unwrap();
    send(stream, "localhost", None, method, path, body)
}

/// The same for an app, which proves itself by this token.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask_as(profile: &Profile, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let stream = UnixStream::connect(profile.home().join("engine.sock")).unwrap();
    send(stream, "localhost", Some(token), method, path, body)
}

/// The same at the loopback door, which is at this port.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask_loopback(port: u16, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let host = format!("127.0.0.1:{port}");
    send(stream, &host, Some(token), method, path, body)
}

#[track_caller]
fn send(
    mut stream: impl Read + Write,
    host: &str,
    token: Option<&str>,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let proof = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {proof}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}
