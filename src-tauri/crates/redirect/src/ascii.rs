//! The request line of an HTTP/1.1 connection, made ASCII before the HTTP library reads it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that is read at a time while the request line lasts, in bytes.
const READ_BYTES: usize = 4096;

/// A stream whose first line is ASCII: bytes above that are percent-encoded. Servers put raw Latin-1 and UTF-8 into
/// the address they redirect to, some clients pass it on so, and the HTTP library would refuse the whole request.
pub(super) struct AsciiTarget<S> {
    stream: S,
    /// Encoded, and not handed on yet.
    waiting: Vec<u8>,
    line_is_over: bool,
}

impl<S> AsciiTarget<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            waiting: Vec::new(),
            line_is_over: false,
        }
    }

    fn encode(&mut self, part: &[u8]) {
        for byte in part {
            self.line_is_over |= *byte == b'\n';
            if byte.is_ascii() || self.line_is_over {
                self.waiting.push(*byte);
            } else {
                self.waiting.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
    }

    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.waiting.len().min(buffer.remaining());
        buffer.put_slice(&self.waiting[..length]);
        self.waiting.drain(..length);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for AsciiTarget<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.waiting.is_empty() && self.line_is_over {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        if self.waiting.is_empty() {
            let mut bytes = [0; READ_BYTES];
            let mut part = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
            self.encode(part.filled());
        }
        self.hand_on(buffer);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for AsciiTarget<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
