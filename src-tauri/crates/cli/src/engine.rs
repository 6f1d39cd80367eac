//! The engine, as this program sees it: questions over the socket.

use crate::failure::Failure;
use crate::http::{Answer, HttpError, Method, Request, path, read_answer};
use crate::secret_input::SecretText;
use crate::{app_token, peer, start};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokenry_contract::{ErrorCode, ErrorEnvelope, profile};
use zeroize::Zeroizing;

/// A person has 60 s for an answer, and then a provider has 30 s, perhaps after another refresh.
const PATIENCE: Duration = Duration::from_secs(135);

/// Whether to start an engine when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenAbsent {
    Start,
    Fail,
}

/// The one engine of this profile.
pub(crate) struct Engine {
    socket: PathBuf,
    when_absent: WhenAbsent,
    app_token: Option<SecretText>,
}

impl Engine {
    /// Called as the app whose token is in this file, or in the one that the environment names.
    pub(crate) fn new(when_absent: WhenAbsent, app_token_file: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self {
            socket: socket()?,
            when_absent,
            app_token: app_token::given(app_token_file)?,
        })
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Reads what is at these segments.
    pub(crate) fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Failure> {
        self.ask(&Request::new(Method::Get, path(segments)))
    }

    /// Does something without a body.
    pub(crate) fn send<T: DeserializeOwned>(&self, method: Method, segments: &[&str]) -> Result<T, Failure> {
        self.ask(&Request::new(method, path(segments)))
    }

    /// Does something with a body, which may hold a secret.
    pub(crate) fn send_body<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = Zeroizing::new(serde_json::to_vec(body).map_err(Failure::garbled)?);
        self.ask(&Request {
            body: Some(body),
            ..Request::new(method, path(segments))
        })
    }

    /// Asks anything and judges the answer.
    pub(crate) fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let token = self.app_token.as_ref().map(|token| token.as_str());
        let answer = exchange(self.connect()?, &request.bytes(token))?;
        if answer.status >= 400 {
            return Err(refusal(&answer));
        }
        // The error of serde_json could quote what it read, so only its place is told.
        serde_json::from_slice(&answer.body)
            .map_err(|error| Failure::garbled(format_args!("column {} is not as agreed", error.column())))
    }

    fn connect(&self) -> Result<UnixStream, Failure> {
        if let Some(stream) = peer::connect(&self.socket)? {
            return Ok(stream);
        }
        match self.when_absent {
            WhenAbsent::Start => start::in_background(&self.socket, start::Vault::OpensByItself),
            WhenAbsent::Fail => Err(start::absent(&self.socket)),
        }
    }
}

/// Where the engine's socket is.
pub(crate) fn socket() -> Result<PathBuf, Failure> {
    profile::socket().map_err(|error| {
        Failure::new(
            ErrorCode::ValidationError,
            error.to_string(),
            "Set TOKENRY_HOME and try again.",
        )
    })
}

fn exchange(stream: UnixStream, request: &[u8]) -> Result<Answer, Failure> {
    let mut stream = Timed {
        stream,
        deadline: Instant::now() + PATIENCE,
    };
    // An engine that refuses early has answered before it read everything: its answer counts.
    let sent = stream.stream.write_all(request);
    match (read_answer(&mut stream), sent) {
        (Ok(answer), _) => Ok(answer),
        (Err(_), Err(error)) => Err(unanswered(&HttpError::Io(error))),
        (Err(error), Ok(())) => Err(unanswered(&error)),
    }
}

fn unanswered(error: &HttpError) -> Failure {
    match error {
        _ if error.is_timeout() => Failure::new(
            ErrorCode::Internal,
            format!("The engine did not answer within {} s.", PATIENCE.as_secs()),
            "`tokenry status` shows whether it is well.",
        ),
        HttpError::Io(_) | HttpError::Truncated => Failure::new(
            ErrorCode::Internal,
            "The engine went away before it had answered.",
            "Try again; `tokenry status` shows how far it came.",
        ),
        HttpError::TooLarge | HttpError::Malformed(_) => Failure::garbled(error),
    }
}

fn refusal(answer: &Answer) -> Failure {
    match serde_json::from_slice::<ErrorEnvelope>(&answer.body) {
        Ok(envelope) => envelope.error.into(),
        Err(_) => Failure::garbled(format_args!("status {} and no reason", answer.status)),
    }
}

/// A stream that fails when the time is over, however slowly it drips.
struct Timed {
    stream: UnixStream,
    deadline: Instant,
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(into)
    }
}
