//! Requests to the engine over its socket.

use crate::failure::Failure;
use crate::http::{HttpError, Method, Request, Response, is_timeout, path, read_response};
use crate::output::Output;
use crate::secret_input::SecretText;
use crate::waiting::Waiting;
use crate::{app_token, find, hidden, peer, proof, start};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokenry_contract::{ErrorCode, ErrorEnvelope, profile};
use zeroize::Zeroizing;

/// A request waits 60 s for the vault to be unlocked. Its permission request waits 240 s for others and is shown for 60 s;
/// then a provider has 30 s, perhaps after another refresh.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(435);
/// The engine answers a status request without waiting for anything.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request is repeated that waits for the user to sign in or to unlock the vault.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// For a request beside the one that is waited for.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether to start an engine when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenAbsent {
    Start,
    /// For what needs no vault: one that cannot be unlocked now is no error.
    StartLocked,
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
    /// A connection on which another request can follow.
    kept: Mutex<Option<UnixStream>>,
    /// How long the user is waited for, where this was said.
    wait: Option<Wait>,
    /// Whether nothing but the response is printed.
    silent: bool,
}

#[derive(Clone, Copy)]
struct Wait {
    seconds: u32,
    until: Instant,
}

impl Engine {
    /// Acts as the app whose token is in this file, or in the one that the environment variable names.
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
            kept: Mutex::default(),
            wait: None,
            silent: output.is_json(),
        })
    }

    /// Waits so many seconds for the user, if there is a number: for an answer, for the vault and for a sign-in.
    pub(crate) fn waiting(mut self, seconds: Option<u32>) -> Self {
        self.wait = seconds.map(|seconds| Wait {
            seconds,
            until: Instant::now() + Duration::from_secs(seconds.into()),
        });
        self
    }

    /// What a request answers, repeated while the user can end its failure and there is time left.
    pub(crate) fn retrying<T>(&self, request: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
        loop {
            match request() {
                Err(failure) if self.try_again(&failure) => {}
                answer => return answer,
            }
        }
    }

    /// Whether to try again after this failure, which the user can end: true after a pause, while there is time left.
    fn try_again(&self, failure: &Failure) -> bool {
        let is_for_the_user = matches!(
            failure.code(),
            Some(ErrorCode::NeedsReauth | ErrorCode::VaultLocked)
        );
        let is_early = self
            .wait
            .is_some_and(|wait| Instant::now() + RETRY_INTERVAL < wait.until);
        if is_for_the_user && is_early {
            std::thread::sleep(RETRY_INTERVAL);
        }
        is_for_the_user && is_early
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        self.found.get().unwrap_or(&self.socket)
    }

    /// Sends GET for this path.
    pub(crate) fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Failure> {
        self.ask(&Request::new(Method::Get, path(segments)))
    }

    /// Sends a request without a body.
    pub(crate) fn send<T: DeserializeOwned>(&self, method: Method, segments: &[&str]) -> Result<T, Failure> {
        self.ask(&Request::new(method, path(segments)))
    }

    /// Sends a request with a body, which is wiped once it is sent.
    pub(crate) fn send_body<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: impl Serialize,
    ) -> Result<T, Failure> {
        self.send_over(method, segments, body, || self.connect())
    }

    /// The same with a passphrase, which only the engine of this profile gets.
    pub(crate) fn send_passphrase<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: impl Serialize,
    ) -> Result<T, Failure> {
        self.send_over(method, segments, body, || self.engine_alone())
    }

    fn send_over<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: impl Serialize,
        connect: impl FnOnce() -> Result<UnixStream, Failure>,
    ) -> Result<T, Failure> {
        let bytes = Zeroizing::new(serde_json::to_vec(&body).map_err(Failure::invalid_response)?);
        drop(body);
        let request = Request {
            body: Some(bytes),
            ..Request::new(method, path(segments))
        };
        self.asked(request, connect)
    }

    /// Checks the engine before a passphrase is prompted for.
    pub(crate) fn is_the_engine(&self) -> Result<(), Failure> {
        self.engine_alone().map(drop)
    }

    fn engine_alone(&self) -> Result<UnixStream, Failure> {
        let stream = self.connect()?;
        proof::is_the_engine(&stream, self.socket())?;
        Ok(stream)
    }

    /// Sends a request and parses its response. Meanwhile it shows what the engine waits for.
    pub(crate) fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let stream = || self.connect();
        self.answered(&request.target, request.is_first, self.bytes(request), stream)
    }

    /// The same, and wipes the request before it waits for the response.
    fn asked<T: DeserializeOwned>(
        &self,
        request: Request,
        connect: impl FnOnce() -> Result<UnixStream, Failure>,
    ) -> Result<T, Failure> {
        let bytes = self.bytes(&request);
        let Request { target, body, .. } = request;
        drop(body);
        self.answered(&target, false, bytes, connect)
    }

    fn bytes(&self, request: &Request) -> Zeroizing<Vec<u8>> {
        let wait = self.wait.map(|wait| wait.seconds);
        request.bytes(self.app_token.as_ref().map(|token| token.as_str()), wait)
    }

    fn answered<T: DeserializeOwned>(
        &self,
        target: &str,
        is_first: bool,
        request: Zeroizing<Vec<u8>>,
        connect: impl FnOnce() -> Result<UnixStream, Failure>,
    ) -> Result<T, Failure> {
        // A caller that asks the engine to wait knows what for.
        let waiting = !self.silent && !target.contains("wait_seconds=");
        let timeout = match target {
            "/v1/status" => STATUS_TIMEOUT,
            _ => RESPONSE_TIMEOUT,
        };
        let waiting = waiting.then(|| Waiting::new(self, target != "/v1/unlock"));
        let _shown = hidden::not_for_a_request();
        let (answer, stream) = exchange(connect()?, request, timeout, waiting)?;
        if is_first && answer.has_end {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
        }
        if answer.status >= 400 {
            return Err(refusal(&answer));
        }
        // An error of serde_json could quote what it read, so only its position is shown.
        serde_json::from_slice(&answer.body).map_err(|error| {
            Failure::invalid_response(format_args!("column {} is not as expected", error.column()))
        })
    }

    /// Sends GET for this path. Returns `None` on any failure.
    pub(crate) fn probe<T: DeserializeOwned>(&self, segments: &[&str]) -> Option<T> {
        probe(&self.socket, segments)
    }

    fn connect(&self) -> Result<UnixStream, Failure> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stream) = kept.filter(|stream| !peer::has_said_something(stream)) {
            return Ok(stream);
        }
        let found = match find::engine(&self.socket)? {
            Some(found) => found,
            None => match self.when_absent {
                WhenAbsent::Start => start::in_background(&self.socket, start::Vault::OpensByItself)?,
                WhenAbsent::StartLocked => start::in_background(&self.socket, start::Vault::MayBeLocked)?,
                WhenAbsent::Fail => {
                    find::engine_soon(&self.socket)?.ok_or_else(|| find::absent(&self.socket))?
                }
            },
        };
        self.found.get_or_init(|| found.socket);
        Ok(found.stream)
    }
}

/// Sends GET for this path to an engine that runs. Returns `None` on any failure.
pub(crate) fn probe<T: DeserializeOwned>(socket: &Path, segments: &[&str]) -> Option<T> {
    let _shown = hidden::not_for_a_request();
    let found = find::engine(socket).ok()??;
    let request = Request::new(Method::Get, path(segments)).bytes(None, None);
    let (answer, _) = exchange(found.stream, request, PROBE_TIMEOUT, None).ok()?;
    serde_json::from_slice(&answer.body).ok()
}

/// Where the engine's socket is.
pub(crate) fn socket() -> Result<PathBuf, Failure> {
    if let Some(forwarded) = profile::forwarded_socket() {
        return Ok(forwarded);
    }
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
    timeout: Duration,
    waiting: Option<Waiting<'_>>,
) -> Result<(Response, UnixStream), Failure> {
    let mut stream = Timed {
        stream,
        deadline: Instant::now() + timeout,
        waiting,
    };
    // An engine may respond before it has read the whole request: its response counts.
    let sent = stream.stream.write_all(&request);
    drop(request);
    match (read_response(&mut stream), sent) {
        (Ok(answer), _) => Ok((answer, stream.stream)),
        (Err(_), Err(error)) => Err(unanswered(&HttpError::Io(error), &stream.stream, timeout)),
        (Err(error), Ok(())) => Err(unanswered(&error, &stream.stream, timeout)),
    }
}

fn unanswered(error: &HttpError, stream: &UnixStream, timeout: Duration) -> Failure {
    match error {
        _ if error.is_timeout() => {
            let (process, next) = match peer::pid(stream) {
                Some(pid) => (
                    format!(" (process {pid})"),
                    format!("If this continues, end it with `kill -9 {pid}` and try again."),
                ),
                None => (String::new(), "End it and try again.".to_owned()),
            };
            let seconds = timeout.as_secs();
            Failure::new(
                ErrorCode::Internal,
                format!("The engine{process} did not answer within {seconds} s."),
                next,
            )
        }
        HttpError::Io(_) | HttpError::Truncated => Failure::new(
            ErrorCode::Internal,
            "The engine closed the connection without responding.",
            "Check `tokenry status`, then try again.",
        ),
        HttpError::TooLarge | HttpError::Malformed(_) => Failure::invalid_response(error),
    }
}

fn refusal(answer: &Response) -> Failure {
    match serde_json::from_slice::<ErrorEnvelope>(&answer.body) {
        Ok(envelope) => envelope.error.into(),
        Err(_) => Failure::invalid_response(format_args!("status {} without an error", answer.status)),
    }
}

/// A stream that fails at its deadline, even while bytes arrive slowly.
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
            // A timeout of zero would mean none.
            self.stream
                .set_read_timeout(Some(pause.max(Duration::from_millis(1))))?;
            match (self.stream.read(into), &mut self.waiting) {
                (Err(error), Some(waiting)) if is_timeout(&error) => waiting.check(),
                (read, _) => return read,
            }
        }
    }
}
