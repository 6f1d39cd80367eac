//! `tokenry mcp`: passes messages between the standard streams and a remote MCP server, with the token of a connection.

mod access;
pub(crate) mod arguments;
mod challenge;
mod event_stream;
mod http;
mod legacy;
mod message;
mod requests;
mod sign_in;
mod stdio;
mod turn;

use crate::engine::Engine;
use crate::failure::Failure;
use crate::token::{Choice, TokenSource};
use crate::upstream;
use access::Access;
use arguments::{McpArguments, Transport};
use http::Session;
use legacy::Legacy;
use message::{Message, Unreadable};
use requests::Requests;
use reqwest::{Method, Request, Response, StatusCode, header};
use sign_in::SignIn;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use stdio::{Line, Output};
use tokenry_contract::ErrorCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{RwLock, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use url::Url;

/// How long requests that are under way may take after the client has closed its side.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server is told that the session ends.
const END_TIMEOUT: Duration = Duration::from_millis(1500);

/// Passes messages until the client closes its side, or a signal.
///
/// # Errors
/// When the options cannot be used.
pub(crate) async fn run(arguments: McpArguments) -> Result<(), Failure> {
    for note in &arguments.notes {
        crate::say(&format!("tokenry mcp: {note}"));
    }
    let mut interrupted = stopped(SignalKind::interrupt())?;
    let mut terminated = stopped(SignalKind::terminate())?;
    let engine = Engine::new(arguments.app_token_file.as_deref())?.waiting(arguments.wait);
    let engine = Arc::new(engine);
    let tokens = TokenSource::new(engine.clone(), &arguments.url, Choice::Only);
    let sign_in = SignIn::new(engine, &arguments.url, arguments.client);
    let client = upstream::client(&arguments.url)?;
    let (output, written) = Output::new()?;
    let bridge = Arc::new(Bridge {
        access: Access::new(client, tokens, sign_in, arguments.headers),
        url: arguments.url,
        transport: arguments.transport,
        output,
        session: Session::default(),
        legacy: OnceLock::new(),
        turns: Arc::default(),
        listener: Mutex::default(),
    });
    tokio::select! {
        () = pass(&bridge, stdio::input()?) => {}
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    let _ = timeout(END_TIMEOUT, bridge.end()).await;
    drain(bridge, written).await;
    Ok(())
}

fn stopped(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::internal(format!("Cannot wait for signals: {error}.")))
}

/// Passes the client's messages on until their end, and for a while waits for the answers.
async fn pass(bridge: &Arc<Bridge>, mut lines: mpsc::Receiver<Line>) {
    let mut requests = Requests::default();
    loop {
        let line = tokio::select! {
            line = lines.recv(), if requests.takes_more() => line,
            _ = requests.ended(bridge), if !requests.is_idle() => continue,
        };
        let read = match line {
            None => break,
            Some(Line::Message(bytes)) => Message::read(bytes),
            Some(Line::TooLong) => Err(Unreadable::TooLong),
        };
        match read {
            Ok(message) => requests.add(message, bridge).await,
            Err(why) => bridge.output.line(message::unreadable(why)).await,
        }
    }
    let _ = timeout(FINISH_TIMEOUT, async { while requests.ended(bridge).await {} }).await;
}

/// Waits until everything is written, where the client still reads.
async fn drain(bridge: Arc<Bridge>, mut written: mpsc::Receiver<()>) {
    drop(bridge);
    let _ = timeout(END_TIMEOUT, written.recv()).await;
}

struct Bridge {
    access: Access,
    url: Url,
    transport: Transport,
    output: Output,
    session: Session,
    /// The older transport, once it is in use.
    legacy: OnceLock<Legacy>,
    /// Held exclusively by the first messages of a session.
    turns: Arc<RwLock<()>>,
    /// The task that listens for what the server says by itself.
    listener: Mutex<Option<AbortHandle>>,
}

impl Bridge {
    async fn handle(self: &Arc<Self>, message: Message) {
        if let Err(failure) = self.deliver(&message).await {
            crate::say(&format!("tokenry mcp: {}", failure.line()));
            for id in &message.requests {
                self.output.line(message::error(id, &failure)).await;
            }
        }
    }

    async fn deliver(self: &Arc<Self>, message: &Message) -> Result<(), Failure> {
        if let Some(legacy) = self.legacy.get() {
            return self.deliver_to(legacy, message).await;
        }
        if message.is_initialize() {
            match self.transport {
                Transport::SseOnly => return self.older(message).await,
                Transport::SseFirst => match self.open_older().await {
                    Ok(legacy) => return self.deliver_to(legacy, message).await,
                    Err(failure) if failure.code() == Some(ErrorCode::NotFound) => {}
                    Err(failure) => return Err(failure),
                },
                Transport::HttpFirst | Transport::HttpOnly => {}
            }
        }
        let response = self.post(message).await?;
        let may_be_older = matches!(
            response.status(),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        );
        if message.is_initialize() && may_be_older && self.transport == Transport::HttpFirst {
            match self.open_older().await {
                Ok(legacy) => return self.deliver_to(legacy, message).await,
                // It speaks the newer one, and refuses this message.
                Err(failure) if failure.code() == Some(ErrorCode::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.answered(message, response).await
    }

    async fn older(self: &Arc<Self>, message: &Message) -> Result<(), Failure> {
        let legacy = self.open_older().await?;
        self.deliver_to(legacy, message).await
    }

    fn request(&self, method: Method, url: &Url) -> Request {
        let mut request = Request::new(method, url.clone());
        let accept = header::HeaderValue::from_static("application/json, text/event-stream");
        request.headers_mut().insert(header::ACCEPT, accept);
        request
    }

    /// Does this from now on, instead of what was done in the background before.
    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(work).abort_handle();
        self.listens(Some(task));
    }

    fn listens(&self, task: Option<AbortHandle>) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *listener, task) {
            before.abort();
        }
    }

    /// Tells the server that the session ends.
    async fn end(&self) {
        self.listens(None);
        if self.legacy.get().is_none() {
            self.end_session().await;
        }
    }
}

/// The failure that a status means.
fn refused(url: &Url, response: &Response) -> Failure {
    let status = response.status();
    let (code, next) = match status {
        StatusCode::UNAUTHORIZED => (
            ErrorCode::NeedsReauth,
            "It takes no token of this connection. Sign in again with `tokenry connect`, or check the address.",
        ),
        StatusCode::FORBIDDEN => (
            ErrorCode::PermissionDenied,
            "The account may not do this, or the token needs other scopes.",
        ),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (ErrorCode::NotFound, "Check the address."),
        StatusCode::TOO_MANY_REQUESTS => (ErrorCode::RateLimited, "Wait a moment and try again."),
        _ if status.is_server_error() => (ErrorCode::ProviderError, "Try again later."),
        _ if status.is_redirection() => {
            return Failure::new(
                ErrorCode::ProviderError,
                format!("{url} has another address now: {}.", location(url, response)),
                "Use that one, if you trust it. No token was sent there.",
            );
        }
        _ => (
            ErrorCode::ProviderError,
            "Its operator may know why it refuses this.",
        ),
    };
    Failure::new(
        code,
        format!("{url} answered with status {}.", status.as_u16()),
        next,
    )
}

/// Where a redirect leads, without what can hold a secret.
fn location(url: &Url, response: &Response) -> String {
    let location = response.headers().get(header::LOCATION);
    let target = location.and_then(|target| url.join(target.to_str().ok()?).ok());
    target.map_or_else(
        || "it does not say which".to_owned(),
        |target| format!("{}{}", target.origin().ascii_serialization(), target.path()),
    )
}

/// Whether the body is of this type.
fn is_of_type(response: &Response, kind: &str) -> bool {
    let value = response.headers().get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let own = value.split(';').next().unwrap_or_default().trim();
    own.eq_ignore_ascii_case(kind)
}
