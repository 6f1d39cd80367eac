//! Requests as bytes that are made once, and kept connections on which a failure ends the benchmark.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use tokenry_testkit::http::{Connection, Request, Response};
use url::Url;

/// A connection on which one request follows the other.
pub(crate) struct Kept<S: Read + Write>(Connection<S>);

impl Kept<UnixStream> {
    pub(crate) fn unix(socket: &Path) -> Self {
        Self(Connection::unix(socket).expect("an engine listens"))
    }
}

impl Kept<TcpStream> {
    pub(crate) fn tcp(url: &Url) -> Self {
        let addresses = url.socket_addrs(|| None).unwrap();
        Self(Connection::tcp(&addresses).expect("a server listens"))
    }
}

impl<S: Read + Write> Kept<S> {
    /// Sends a request in one piece and reads its response.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Response {
        self.0.exchange(request).expect("a response")
    }
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
    with_body(Request::new(method, path), body)
}

/// The same as an app, with its token.
pub(crate) fn request_as(token: &str, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
    with_body(Request::new(method, path).bearer(token), body)
}

fn with_body(request: Request, body: Option<&Value>) -> Vec<u8> {
    match body {
        Some(body) => request.json(body).bytes(),
        None => request.bytes(),
    }
}

/// The bytes of a request to a provider's token endpoint.
pub(crate) fn form(url: &Url, fields: &[(&str, &str)]) -> Vec<u8> {
    let request = Request::new("POST", url.path()).host(url.authority());
    request.form(fields).bytes()
}
