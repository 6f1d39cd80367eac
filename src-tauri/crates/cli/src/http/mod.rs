//! Just enough of HTTP/1.1 (RFC 9112) for one request and its answer on one connection, with an end to everything.

mod answer;
mod body;
mod head;
mod request;

pub(crate) use answer::{Answer, read_answer};
pub(crate) use request::{Method, Request, encoded, path};

use std::fmt;
use std::io;

/// Why an answer is none.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// Reading or writing failed, or took too long.
    Io(io::Error),
    /// It ends before it is complete.
    Truncated,
    /// It is longer than anything the engine says.
    TooLarge,
    /// It is no HTTP/1.1: the text says what is wrong.
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

/// Whether reading ended because its time was over.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
