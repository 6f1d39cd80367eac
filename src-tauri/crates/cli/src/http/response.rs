//! Reads one HTTP response from a stream, within limits.

use super::head::{self, Framing};
use super::{HttpError, body};
use std::io::Read;
use zeroize::Zeroizing;

/// The status line and headers together.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// A list of 10,000 connections has about 10 MiB.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Most responses fit into one read of this size.
const READ_BYTES: usize = 2048;

/// A complete response. Its body may contain a token.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Whether nothing but another response can follow on the connection.
    pub(crate) has_end: bool,
}

/// Reads one response. Bytes after it are ignored.
pub(crate) fn read_response(stream: &mut dyn Read) -> Result<Response, HttpError> {
    read_bounded(stream, MAX_BODY_BYTES)
}

fn read_bounded(stream: &mut dyn Read, limit: usize) -> Result<Response, HttpError> {
    let mut source = Source::new(stream);
    let head = head::parse(&source.head()?)?;
    let body = match head.framing {
        Framing::Length(length) if length > limit => return Err(HttpError::TooLarge),
        Framing::Length(length) => {
            let mut body = Zeroizing::new(Vec::new());
            source.take_into(length, &mut body)?;
            body
        }
        Framing::Chunked => body::chunked(&mut source, limit)?,
        Framing::UntilClose => source.rest(limit)?,
    };
    Ok(Response {
        status: head.status,
        body,
        has_end: matches!(head.framing, Framing::Length(_)) && source.pending().is_empty(),
    })
}

/// Bytes that were received and not used yet.
pub(super) struct Source<'a> {
    stream: &'a mut dyn Read,
    buffer: Zeroizing<Vec<u8>>,
    used: usize,
}

impl<'a> Source<'a> {
    fn new(stream: &'a mut dyn Read) -> Self {
        Self {
            stream,
            buffer: Zeroizing::new(Vec::with_capacity(READ_BYTES)),
            used: 0,
        }
    }

    fn pending(&self) -> &[u8] {
        &self.buffer[self.used..]
    }

    /// Reads once more. Returns false at the end.
    fn fill(&mut self) -> Result<bool, HttpError> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let mut piece = Zeroizing::new([0; READ_BYTES]);
        loop {
            match self.stream.read(&mut *piece) {
                Ok(count) => {
                    self.buffer.extend_from_slice(&piece[..count]);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(HttpError::Io(error)),
            }
        }
    }

    fn need(&mut self) -> Result<(), HttpError> {
        if self.fill()? {
            Ok(())
        } else {
            Err(HttpError::Truncated)
        }
    }

    /// Everything up to the mark, which is consumed too.
    fn until(&mut self, mark: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
        let mut searched = 0;
        loop {
            let pending = self.pending();
            if let Some(at) = pending[searched..]
                .windows(mark.len())
                .position(|window| window == mark)
            {
                let end = searched + at;
                if end > limit {
                    return Err(HttpError::TooLarge);
                }
                let found = Zeroizing::new(pending[..end].to_vec());
                self.used += end + mark.len();
                return Ok(found);
            }
            if pending.len() > limit {
                return Err(HttpError::TooLarge);
            }
            searched = pending.len().saturating_sub(mark.len() - 1);
            self.need()?;
        }
    }

    /// Everything up to the empty line, which is included.
    fn head(&mut self) -> Result<Zeroizing<Vec<u8>>, HttpError> {
        const END: &[u8] = b"\r\n\r\n";
        let mut head = self.until(END, MAX_HEAD_BYTES)?;
        head.extend_from_slice(END);
        Ok(head)
    }

    pub(super) fn line(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
        self.until(b"\r\n", limit)
    }

    /// Exactly this many bytes. Memory is allocated as they arrive, not as they are announced.
    pub(super) fn take_into(&mut self, mut count: usize, body: &mut Vec<u8>) -> Result<(), HttpError> {
        while count > 0 {
            if self.pending().is_empty() {
                self.need()?;
            }
            let now = count.min(self.pending().len());
            body.extend_from_slice(&self.pending()[..now]);
            self.used += now;
            count -= now;
        }
        Ok(())
    }

    fn rest(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
        while self.pending().len() <= limit {
            if !self.fill()? {
                return Ok(Zeroizing::new(self.pending().to_vec()));
            }
        }
        Err(HttpError::TooLarge)
    }
}

#[cfg(test)]
mod tests;
