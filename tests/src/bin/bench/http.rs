//! Just enough of an HTTP/1.1 client for a connection that is kept: what it costs itself is the same for everybody.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use url::Url;

/// A connection on which one request follows the other.
pub(crate) struct Kept<S: Read + Write> {
    stream: BufReader<S>,
    line: String,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body, when all went well.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, 200, "{text}");
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {text}"))
    }
}

impl Kept<UnixStream> {
    pub(crate) fn unix(socket: &Path) -> Self {
        Self::new(UnixStream::connect(socket).expect("the socket is there"))
    }
}

impl Kept<TcpStream> {
    pub(crate) fn tcp(url: &Url) -> Self {
        let address = *url.socket_addrs(|| None).unwrap().first().unwrap();
        let stream = TcpStream::connect(address).expect("the server is there");
        stream.set_nodelay(true).unwrap();
        Self::new(stream)
    }
}

impl<S: Read + Write> Kept<S> {
    fn new(stream: S) -> Self {
        Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            line: String::new(),
        }
    }

    /// Sends a request in one piece and reads its whole answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Reply {
        self.send(request);
        self.read()
    }

    pub(crate) fn send(&mut self, request: &[u8]) {
        self.stream.get_mut().write_all(request).unwrap();
    }

    pub(crate) fn read(&mut self) -> Reply {
        let status = self.next_line();
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut length = 0;
        loop {
            let line = self.next_line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header has a name");
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().expect("a length is a number");
            }
            assert!(!name.eq_ignore_ascii_case("transfer-encoding"), "{line}");
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Reply {
            status: status.expect("a status is a number"),
            body,
        }
    }

    fn next_line(&mut self) -> String {
        self.line.clear();
        self.stream.read_line(&mut self.line).unwrap();
        assert!(self.line.ends_with('\n'), "the connection ended");
        self.line.trim_end().to_owned()
    }
}

/// A request as it goes over the wire.
pub(crate) fn request(method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
    request_with(method, path, "", body)
}

/// The same with more headers, each with its line end.
pub(crate) fn request_with(method: &str, path: &str, headers: &str, body: Option<&Value>) -> Vec<u8> {
    let body = body.map(Value::to_string);
    let kind = if body.is_some() {
        "Content-Type: application/json\r\n"
    } else {
        ""
    };
    let body = body.unwrap_or_default();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A form for a provider's token endpoint.
pub(crate) fn form(url: &Url, fields: &[(&str, &str)]) -> Vec<u8> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        url.path(),
        url.authority(),
        body.len()
    )
    .into_bytes()
}
