//! Requests to the engine's local interfaces, as any program of the same user can send them.

use crate::profile::Profile;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use tokenry_testkit::http::{Connection, Request};

/// A connection to the engine's socket.
///
/// # Panics
/// When no engine listens.
#[track_caller]
pub fn connect(profile: &Profile) -> Connection<UnixStream> {
    Connection::unix(&profile.home().join("engine.sock")).unwrap()
}

/// The status and the JSON of the response, over the socket.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask(profile: &Profile, method: &str, path: &str, body: &Value) -> (u16, Value) {
    send(connect(profile), Request::new(method, path), body)
}

/// The same as an app, with its token.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask_as(profile: &Profile, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    send(connect(profile), Request::new(method, path).bearer(token), body)
}

/// The same over the HTTP API on 127.0.0.1, at this port.
///
/// # Panics
/// When no engine answers.
#[track_caller]
pub fn ask_loopback(port: u16, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let connection = Connection::tcp(&[(Ipv4Addr::LOCALHOST, port).into()]).unwrap();
    let request = Request::new(method, path)
        .host(&format!("127.0.0.1:{port}"))
        .bearer(token);
    send(connection, request, body)
}

#[track_caller]
fn send<S: Read + Write>(mut connection: Connection<S>, request: Request, body: &Value) -> (u16, Value) {
    let response = connection.ask(&request.close().json(body)).unwrap();
    (response.status, response.json())
}
