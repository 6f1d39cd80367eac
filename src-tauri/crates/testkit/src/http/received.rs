//! Bytes that were received, and the responses in them.

use serde_json::Value;
use std::io::{Error, ErrorKind, Result};

/// One HTTP response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The status line and the headers, with names in lower case, up to the empty line.
    pub head: String,
    /// The body, as text.
    pub body: String,
}

impl Response {
    /// The first value of this header. The name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find_map(|(key, value)| (key == name).then_some(value.trim()))
    }

    /// The values of this header. The name is in lower case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.filter_map(move |(key, value)| (key == name).then_some(value.trim()))
    }

    /// The address of a redirect, as it was sent.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The body as JSON; `Null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The JSON of a response that must be a success.
    ///
    /// # Panics
    /// When the status is not 200, or the body not JSON.
    #[track_caller]
    pub fn expect_json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The response in these bytes, which are all that a server sent until it closed the connection.
    ///
    /// # Errors
    /// When they are not a complete response.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let response = Received(bytes.to_vec()).response(true)?;
        response.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    fn parse(head: &[u8]) -> Result<Self> {
        let head = String::from_utf8_lossy(head);
        let lower = |line: &str| match line.split_once(':') {
            Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
            None => line.to_owned(),
        };
        let head: Vec<String> = head.split("\r\n").map(lower).collect();
        let status = head[0].split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok(Self {
            status: status.ok_or_else(|| Error::new(ErrorKind::InvalidData, head[0].clone()))?,
            head: head.join("\r\n"),
            body: String::new(),
        })
    }

    /// The length of the body; `None` when it ends with the connection.
    fn length(&self) -> Result<Option<usize>> {
        match self.header("content-length") {
            _ if self.status == 204 || self.status == 304 => Ok(Some(0)),
            Some(length) => length
                .parse()
                .map(Some)
                .map_err(|_| ErrorKind::InvalidData.into()),
            None => Ok(None),
        }
    }
}

/// What was received and not read yet.
#[derive(Debug, Default)]
pub(super) struct Received(pub(super) Vec<u8>);

impl Received {
    /// The next head; `None` while bytes are missing.
    pub(super) fn head(&mut self) -> Result<Option<Response>> {
        let Some((head, length)) = self.peek()? else {
            return Ok(None);
        };
        self.0.drain(..length);
        Ok(Some(head))
    }

    /// The next response; `None` while bytes are missing.
    pub(super) fn response(&mut self, ended: bool) -> Result<Option<Response>> {
        let whole = match self.peek()? {
            None => None,
            Some((head, start)) => {
                let body = match head.length()? {
                    Some(length) => self.0.get(start..start + length),
                    None => ended.then(|| &self.0[start..]),
                };
                body.map(|bytes| {
                    let body = String::from_utf8_lossy(bytes).into_owned();
                    (start + bytes.len(), Response { body, ..head })
                })
            }
        };
        match whole {
            Some((length, response)) => {
                self.0.drain(..length);
                Ok(Some(response))
            }
            None if ended => Err(ErrorKind::UnexpectedEof.into()),
            None => Ok(None),
        }
    }

    fn peek(&self) -> Result<Option<(Response, usize)>> {
        let Some(end) = self.0.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        Ok(Some((Response::parse(&self.0[..end])?, end + 4)))
    }
}
