//! One request to the engine over its socket, as any program of the same person can send it.

use crate::profile::Profile;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// The HTTP status and the JSON of the answer.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask(profile: &Profile, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut stream = UnixStream::connect(profile.home().join("engine.sock")).unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}
