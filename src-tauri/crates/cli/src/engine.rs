//! The engine, as this program sees it: questions over the socket.

use crate::failure::Failure;
use crate::http::{Answer, HttpError, Method, Request, is_timeout, path, read_answer};
use crate::output::Output;
use crate::secret_input::SecretText;
use crate::waiting::Waiting;
use crate::{app_token, find, hidden, peer, proof, start};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokenry_contract::{ErrorCode, ErrorEnvelope, profile};
use zeroize::Zeroizing;

/// A question waits 240 s for others that are shown first, and is shown for 60 s; then a provider has 30 s, perhaps
/// after another refresh.
const PATIENCE: Duration = Duration::from_secs(375);
/// How the engine is it knows without asking anybody.
const STATUS_PATIENCE: Duration = Duration::from_secs(5);
/// For a look beside a request that has its own end.
const GLANCE_PATIENCE: Duration = Duration::from_secs(1);

/// Whether to start an engine when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenAbsent {
    Start,
    Fail,
}

/// The one engine of this profile.
pub(crate) struct Engine {
    /// Where the environment says that it listens.
    socket: PathBuf,
    /// Where it was found.
    found: OnceLock<PathBuf>,
    when_absent: WhenAbsent,
    app_token: Option<SecretText>,
    /// Whether nothing is said but the answer.
    silent: bool,
}

impl Engine {
    /// Called as the app whose token is in this file, or in the one that the environment names.
    pub(crate) fn new(
        when_absent: WhenAbsent,
        app_token_file: Option<&Path>,
        output: &Output,
    ) -> Result<Self, Failure> {
        Ok(Self {
            socket: socket()?,
            found: OnceLock::new(),
            when_absent,
            app_token: app_token::given(app_token_file)?,
            silent: output.is_json(),
        })
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        self.found.get().unwrap_or(&self.socket)
    }

    /// Reads what is at these segments.
    pub(crate) fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Failure> {
        self.ask(&Request::new(Method::Get, path(segments)))
    }

    /// Does something without a body.
    pub(crate) fn send<T: DeserializeOwned>(&self, method: Method, segments: &[&str]) -> Result<T, Failure> {
        self.ask(&Request::new(method, path(segments)))
    }

    /// Does something with a body. One that holds a secret is given away here, and is gone once it is sent.
    pub(crate) fn send_body<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: impl Serialize,
    ) -> Result<T, Failure> {
        self.send_over(method, segments, body, || self.connect())
    }

    /// The same with a passphrase: whoever is not the engine of this profile gets none.
    pub(crate) fn send_passphrase<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: impl Serialize,
    ) -> Result<T, Failure> {
        self.send_over(Method::Post, segments, body, || self.engine_alone())
    }

    fn send_over<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: impl Serialize,
        connect: impl FnOnce() -> Result<UnixStream, Failure>,
    ) -> Result<T, Failure> {
        let bytes = Zeroizing::new(serde_json::to_vec(&body).map_err(Failure::garbled)?);
        drop(body);
        let request = Request {
            body: Some(bytes),
            ..Request::new(method, path(segments))
        };
        self.asked(request, connect)
    }

    /// Before a passphrase is asked for: whether there is somebody to send it to.
    pub(crate) fn is_the_engine(&self) -> Result<(), Failure> {
        self.engine_alone().map(drop)
    }

    fn engine_alone(&self) -> Result<UnixStream, Failure> {
        let stream = self.connect()?;
        proof::is_the_engine(&stream, self.socket())?;
        Ok(stream)
    }

    /// Asks anything and judges the answer. What the answer waits for is said meanwhile.
    pub(crate) fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        self.answered(&request.target, self.bytes(request), || self.connect())
    }

    /// The same, with a request that is gone while its answer is waited for.
    fn asked<T: DeserializeOwned>(
        &self,
        request: Request,
        connect: impl FnOnce() -> Result<UnixStream, Failure>,
    ) -> Result<T, Failure> {
        let bytes = self.bytes(&request);
        let Request { target, body, .. } = request;
        drop(body);
        self.answered(&target, bytes, connect)
    }

    fn bytes(&self, request: &Request) -> Zeroizing<Vec<u8>> {
        request.bytes(self.app_token.as_ref().map(|token| token.as_str()))
    }

    fn answered<T: DeserializeOwned>(
        &self,
        target: &str,
        request: Zeroizing<Vec<u8>>,
        connect: impl FnOnce() -> Result<UnixStream, Failure>,
    ) -> Result<T, Failure> {
        // Who asks to be kept waiting knows what for.
        let waiting = !self.silent && !target.contains("wait_seconds=");
        let patience = match target {
            "/v1/status" => STATUS_PATIENCE,
            _ => PATIENCE,
        };
        let waiting = waiting.then(|| Waiting::new(self));
        let _shown = hidden::not_for_a_request();
        let answer = exchange(connect()?, request, patience, waiting)?;
        if answer.status >= 400 {
            return Err(refusal(&answer));
        }
        // The error of serde_json could quote what it read, so only its place is told.
        serde_json::from_slice(&answer.body)
            .map_err(|error| Failure::garbled(format_args!("column {} is not as agreed", error.column())))
    }

    /// Reads what is at these segments, without insisting.
    pub(crate) fn glance<T: DeserializeOwned>(&self, segments: &[&str]) -> Option<T> {
        glance(&self.socket, segments)
    }

    fn connect(&self) -> Result<UnixStream, Failure> {
        let found = match find::engine(&self.socket)? {
            Some(found) => found,
            None => match self.when_absent {
                WhenAbsent::Start => start::in_background(&self.socket, start::Vault::OpensByItself)?,
                WhenAbsent::Fail => {
                    find::engine_soon(&self.socket)?.ok_or_else(|| find::absent(&self.socket))?
                }
            },
        };
        self.found.get_or_init(|| found.socket);
        Ok(found.stream)
    }
}

/// Reads what is at these segments of an engine that is there, and takes no for an answer.
pub(crate) fn glance<T: DeserializeOwned>(socket: &Path, segments: &[&str]) -> Option<T> {
    let _shown = hidden::not_for_a_request();
    let found = find::engine(socket).ok()??;
    let request = Request::new(Method::Get, path(segments)).bytes(None);
    let answer = exchange(found.stream, request, GLANCE_PATIENCE, None).ok()?;
    serde_json::from_slice(&answer.body).ok()
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

fn exchange(
    stream: UnixStream,
    request: Zeroizing<Vec<u8>>,
    patience: Duration,
    waiting: Option<Waiting<'_>>,
) -> Result<Answer, Failure> {
    let mut stream = Timed {
        stream,
        deadline: Instant::now() + patience,
        waiting,
    };
    // An engine that refuses early has answered before it read everything: its answer counts.
    let sent = stream.stream.write_all(&request);
    drop(request);
    match (read_answer(&mut stream), sent) {
        (Ok(answer), _) => Ok(answer),
        (Err(_), Err(error)) => Err(unanswered(&HttpError::Io(error), &stream.stream, patience)),
        (Err(error), Ok(())) => Err(unanswered(&error, &stream.stream, patience)),
    }
}

fn unanswered(error: &HttpError, stream: &UnixStream, patience: Duration) -> Failure {
    match error {
        _ if error.is_timeout() => {
            let (process, next) = match peer::pid(stream) {
                Some(pid) => (
                    format!(" (process {pid})"),
                    format!("If it stays like this, end it with `kill -9 {pid}` and try again."),
                ),
                None => (String::new(), "End it and try again.".to_owned()),
            };
            let seconds = patience.as_secs();
            Failure::new(
                ErrorCode::Internal,
                format!("The engine{process} did not answer within {seconds} s."),
                next,
            )
        }
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
struct Timed<'a> {
    stream: UnixStream,
    deadline: Instant,
    waiting: Option<Waiting<'a>>,
}

impl Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let pause = self
                .waiting
                .as_ref()
                .map_or(left, |waiting| left.min(waiting.pause()));
            // A pause of nothing would be one without an end.
            self.stream
                .set_read_timeout(Some(pause.max(Duration::from_millis(1))))?;
            match (self.stream.read(into), &mut self.waiting) {
                (Err(error), Some(waiting)) if is_timeout(&error) => waiting.look(),
                (read, _) => return read,
            }
        }
    }
}
