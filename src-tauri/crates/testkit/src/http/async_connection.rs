//! The same connection for tests that run the server in their own tokio runtime.

use super::received::{Received, Response};
use super::request::Request;
use std::io::{ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A connection on which one request follows the other.
#[derive(Debug)]
pub struct AsyncConnection<S> {
    stream: S,
    received: Received,
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncConnection<S> {
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
    pub async fn ask(&mut self, request: &Request) -> Result<Response> {
        self.send(&request.bytes()).await?;
        self.response().await
    }

    /// Sends these bytes, which need not be a request.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads the next response.
    ///
    /// # Errors
    /// When the connection fails, or ends before the response is complete.
    pub async fn response(&mut self) -> Result<Response> {
        let mut ended = false;
        loop {
            if let Some(response) = self.received.response(ended)? {
                return Ok(response);
            }
            ended = self.receive().await? == 0;
        }
    }

    /// Sends a request and reads the head of its response; the body, which may be a stream without an end, is left.
    ///
    /// # Errors
    /// When the connection fails, or ends before the head is complete.
    pub async fn head_of(&mut self, request: &Request) -> Result<Response> {
        self.send(&request.bytes()).await?;
        loop {
            if let Some(head) = self.received.head()? {
                return Ok(head);
            }
            if self.receive().await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads some bytes, at least one; none when the server has closed the connection.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn bytes(&mut self) -> Result<Vec<u8>> {
        if self.received.0.is_empty() {
            self.receive().await?;
        }
        Ok(std::mem::take(&mut self.received.0))
    }

    /// Reads everything until the server closes the connection, or it fails.
    pub async fn to_end(&mut self) -> Vec<u8> {
        while matches!(self.receive().await, Ok(1..)) {}
        std::mem::take(&mut self.received.0)
    }

    async fn receive(&mut self) -> Result<usize> {
        self.stream.read_buf(&mut self.received.0).await
    }
}
