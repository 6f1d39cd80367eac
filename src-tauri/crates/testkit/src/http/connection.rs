//! A blocking connection, and single requests on one of their own.

use super::received::{Received, Response};
use super::request::Request;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use url::{Position, Url};

/// How long a server may take until the next byte of its response.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection on which one request follows the other.
#[derive(Debug)]
pub struct Connection<S> {
    /// For tests that send something else than a request.
    pub stream: S,
    received: Received,
}

impl Connection<UnixStream> {
    /// Connects to a Unix socket.
    ///
    /// # Errors
    /// When no server listens there.
    pub fn unix(socket: &Path) -> Result<Self> {
        UnixStream::connect(socket).map(Self::new)
    }
}

impl Connection<TcpStream> {
    /// Connects by TCP.
    ///
    /// # Errors
    /// When no server listens there.
    pub fn tcp(addresses: &[SocketAddr]) -> Result<Self> {
        let stream = TcpStream::connect(addresses)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        Ok(Self::new(stream))
    }
}

impl<S: Read + Write> Connection<S> {
    /// A connection over this stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            received: Received::default(),
        }
    }

    /// Sends a request in one piece and reads its response.
    ///
    /// # Errors
    /// When the connection fails, or ends before the response is complete.
    pub fn ask(&mut self, request: &Request) -> Result<Response> {
        self.exchange(&request.bytes())
    }

    /// Sends these bytes in one piece and reads a response.
    ///
    /// # Errors
    /// When the connection fails, or ends before the response is complete.
    pub fn exchange(&mut self, bytes: &[u8]) -> Result<Response> {
        self.stream.write_all(bytes)?;
        self.response()
    }

    /// Reads the next response.
    ///
    /// # Errors
    /// When the connection fails, or ends before the response is complete.
    pub fn response(&mut self) -> Result<Response> {
        let mut piece = [0; 4096];
        let mut ended = false;
        loop {
            if let Some(response) = self.received.response(ended)? {
                return Ok(response);
            }
            match self.stream.read(&mut piece) {
                Ok(length) => {
                    self.received.0.extend_from_slice(&piece[..length]);
                    ended = length == 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Fetches an address and follows nothing.
///
/// # Errors
/// When the connection fails, or ends before the response is complete.
pub fn get(url: &Url, headers: &[(&str, &str)]) -> Result<Response> {
    send(url, headers, Request::new("GET", target(url)))
}

/// Posts a form.
///
/// # Errors
/// When the connection fails, or ends before the response is complete.
pub fn post(url: &Url, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Result<Response> {
    send(url, headers, Request::new("POST", target(url)).form(form))
}

fn target(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

fn send(url: &Url, headers: &[(&str, &str)], request: Request) -> Result<Response> {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let add = |request: Request, (name, value): &(&str, &str)| request.header(name, value);
    let request = headers.iter().fold(request.http_1_0().host(host), add);
    Connection::tcp(&url.socket_addrs(|| None)?)?.ask(&request)
}
