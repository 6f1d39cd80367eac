//! A blocking HTTP client of a few lines for tests: no cookies, no redirects, nothing remembered, one connection
//! per request, which is all a test needs to see what really comes over the wire.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use url::Url;

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Reply {
    /// The first value of this header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Where it redirects to, as it was written.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Fetches an address and follows nothing.
///
/// # Errors
/// When the connection fails, or ends before the answer is whole.
pub fn get(url: &Url, headers: &[(&str, &str)]) -> io::Result<Reply> {
    send("GET", url, headers, "")
}

/// Posts a form.
///
/// # Errors
/// When the connection fails, or ends before the answer is whole.
pub fn post(url: &Url, headers: &[(&str, &str)], form: &[(&str, &str)]) -> io::Result<Reply> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend(headers);
    send("POST", url, &all, &body)
}

fn send(method: &str, url: &Url, headers: &[(&str, &str)], body: &str) -> io::Result<Reply> {
    let addresses = url.socket_addrs(|| None)?;
    let mut stream = TcpStream::connect(addresses.as_slice())?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    // HTTP/1.0 has no chunks and no kept connections: the answer ends where the connection does.
    let mut head = format!(
        "{method} {target} HTTP/1.0\r\nhost: {host}\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> io::Result<Reply> {
    let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(ended)?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(ended)?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let reply = Reply {
        status,
        headers,
        body: body.to_owned(),
    };
    match reply
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok())
    {
        Some(length) if length > body.len() => Err(ended()),
        _ => Ok(reply),
    }
}
