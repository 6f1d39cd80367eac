//! The part of HTTP/1.1 (RFC 9112) that one request and its response on one connection need, with limits.

mod body;
mod head;
mod request;
mod response;

pub(crate) use request::{Method, Request, encoded, path};
pub(crate) use response::{Response, read_response};

use std::fmt;
use std::io;

/// Why a response cannot be read.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// Reading or writing failed, or took too long.
    Io(io::Error),
    /// It ends before it is complete.
    Truncated,
    /// It is longer than any response of the engine.
    TooLarge,
    /// It is not HTTP/1.1: the text says what is wrong.
    Malformed(&'static str),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) if is_timeout(error) => f.write_str("it took too long"),
            Self::Io(error) => error.fmt(f),
            Self::Truncated => f.write_str("it ends before it is complete"),
            Self::TooLarge => f.write_str("it is too long"),
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl HttpError {
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Io(error) if is_timeout(error))
    }
}

/// Whether reading timed out.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
