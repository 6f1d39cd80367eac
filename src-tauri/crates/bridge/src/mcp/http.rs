//! The Streamable HTTP transport: messages by POST, answers as JSON or as an event stream that can be resumed.

use super::event_stream::EventStream;
use super::message::{self, Message};
use super::{Bridge, access, is_of_type, refused};
use crate::failure::Failure;
use crate::upstream;
use hyper::body::Bytes;
use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokenry_contract::ErrorCode;
use tokio::time::{sleep, timeout};

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The pause before a stream is resumed, where the server does not name one.
const RETRY: Duration = Duration::from_secs(1);
/// The shortest pause, whatever the server names.
const MIN_RETRY: Duration = Duration::from_millis(100);
/// The longest pause.
const MAX_RETRY: Duration = Duration::from_secs(30);
/// So often in a row an answer's stream is resumed without hearing anything.
const MAX_RESUMPTIONS: u32 = 8;

/// So long a stream is read on when all is answered.
const LINGER: Duration = Duration::from_secs(1);
/// The longest error that is passed on.
const MAX_ERROR_BYTES: usize = 256 * 1024;

/// The session with the server.
#[derive(Default)]
pub(super) struct Session {
    state: Mutex<State>,
    /// Held while a session that the server has forgotten is begun anew.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
    /// The client's first message, with which a new session is begun.
    initialize: Option<Message>,
    /// Its second one.
    initialized: Option<Message>,
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an event stream ended.
enum StreamEnd {
    /// With the answers to all requests.
    Answered,
    /// Before them.
    Early(EventStream),
}

impl Bridge {
    /// Sends a message. A session that the server has forgotten is begun anew.
    pub(super) async fn post(self: &Arc<Self>, message: &Message) -> Result<Response, Failure> {
        if message.is_initialize() {
            let mut state = self.session.state();
            (state.id, state.version, state.initialized) = (None, None, None);
            state.initialize = Some(message.clone());
        }
        let used = self.session.state().id.clone();
        let response = self.access.send(|| self.posted(&message.bytes)).await?;
        if response.status() == StatusCode::NOT_FOUND && used.is_some() && self.begin_again(used).await? {
            return self.access.send(|| self.posted(&message.bytes)).await;
        }
        Ok(response)
    }

    fn posted(&self, bytes: &Bytes) -> Request {
        let mut request = self.with_session(Method::POST);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        *request.body_mut() = Some(bytes.clone().into());
        request
    }

    fn with_session(&self, method: Method) -> Request {
        let mut request = self.request(method, &self.url);
        let state = self.session.state();
        let headers = [(SESSION_ID, &state.id), (PROTOCOL_VERSION, &state.version)];
        for (name, value) in headers {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.clone());
            }
        }
        request
    }

    /// Begins a new session with the client's own first messages. The client does not hear of it. Returns whether there
    /// is another session now.
    async fn begin_again(self: &Arc<Self>, lost: Option<HeaderValue>) -> Result<bool, Failure> {
        let _turn = self.session.renewal.lock().await;
        let (initialize, initialized) = {
            let mut state = self.session.state();
            if state.id != lost {
                return Ok(state.id.is_some());
            }
            (state.id, state.version) = (None, None);
            (state.initialize.clone(), state.initialized.clone())
        };
        let (Some(initialize), Some(initialized)) = (initialize, initialized) else {
            return Ok(false);
        };
        crate::say("tokenry mcp: the server has forgotten the session, which begins anew.");
        let response = self.access.send(|| self.posted(&initialize.bytes)).await?;
        if !response.status().is_success() {
            return Err(refused(&self.url, &response));
        }
        self.keep_session(&response);
        let is_stream = is_of_type(&response, "text/event-stream");
        let body = response.bytes().await;
        let body = body.map_err(|error| access::unreachable(self.url.as_str(), &upstream::cause(&error)))?;
        if is_stream {
            let events = EventStream::default().read(&body).unwrap_or_default();
            events.iter().for_each(|event| self.keep_version(&event.data));
        } else {
            self.keep_version(&body);
        }
        self.access.send(|| self.posted(&initialized.bytes)).await?;
        self.listen();
        Ok(true)
    }

    fn keep_session(&self, response: &Response) {
        let id = response.headers().get(SESSION_ID).cloned();
        self.session.state().id = id;
    }

    fn keep_version(&self, answer: &[u8]) {
        let version = message::version(answer);
        if let Some(version) = version.and_then(|version| HeaderValue::from_str(&version).ok()) {
            self.session.state().version = Some(version);
        }
    }

    /// Passes the answer to a message on.
    pub(super) async fn answered(
        self: &Arc<Self>,
        message: &Message,
        response: Response,
    ) -> Result<(), Failure> {
        let is_json = is_of_type(&response, "application/json");
        if !response.status().is_success() {
            let failure = refused(&self.url, &response);
            return match is_json {
                true => self.error_of_server(message, response, failure).await,
                false => Err(failure),
            };
        }
        if message.is_initialize() {
            self.keep_session(&response);
        }
        if message.is_initialized() {
            self.session.state().initialized = Some(message.clone());
            self.listen();
        }
        if is_of_type(&response, "text/event-stream") {
            return self.stream_of(message, response).await;
        }
        if message.requests.is_empty() {
            return Ok(());
        }
        if !is_json {
            return Err(Failure::new(
                ErrorCode::ProviderError,
                format!("{} answered with neither JSON nor an event stream.", self.url),
                "Check that the address is that of an MCP server.",
            ));
        }
        let read = self.output.answer(response).await;
        let read = read.map_err(|error| access::unreachable(self.url.as_str(), &upstream::cause(&error)))?;
        let Some(answer) = read else { return Ok(()) };
        let ids = message::answers(&answer).unwrap_or_default();
        if !message.requests.iter().all(|id| ids.contains(id)) {
            return Err(self.no_answer("is not an answer to this request"));
        }
        if message.is_initialize() {
            self.keep_version(&answer);
        }
        self.output.line(answer).await;
        Ok(())
    }

    fn no_answer(&self, why: &str) -> Failure {
        Failure::new(
            ErrorCode::ProviderError,
            format!("What {} answered {why}.", self.url),
            "Its operator should know of it.",
        )
    }

    /// The error may be an answer in itself.
    async fn error_of_server(
        &self,
        message: &Message,
        mut response: Response,
        failure: Failure,
    ) -> Result<(), Failure> {
        let mut body = Vec::new();
        while let Ok(Some(part)) = response.chunk().await {
            body.extend_from_slice(&part);
            if body.len() > MAX_ERROR_BYTES {
                return Err(failure);
            }
        }
        let body = message::without_mark(body);
        let ids = message::answers(&body).unwrap_or_default();
        let answer = match message.requests.as_slice() {
            [id] if ids.is_empty() => message::error_without_id(&body, id),
            requests => (!ids.is_empty() && ids.iter().all(|id| requests.contains(id))).then_some(body),
        };
        self.output.line(answer.ok_or(failure)?).await;
        Ok(())
    }

    /// Passes the events on until all requests of the message are answered. A stream that ends early is resumed.
    async fn stream_of(&self, message: &Message, response: Response) -> Result<(), Failure> {
        let mut open: Vec<Value> = message.requests.clone();
        let mut end = self
            .pass_events(response, EventStream::default(), &mut open, message)
            .await?;
        let mut failures = 0;
        loop {
            let stream = match end {
                StreamEnd::Answered => return Ok(()),
                StreamEnd::Early(stream) if stream.last_id.is_some() && failures < MAX_RESUMPTIONS => stream,
                StreamEnd::Early(_) => {
                    return Err(access::unreachable(self.url.as_str(), "the answer ended early"));
                }
            };
            sleep(pause(&stream, failures)).await;
            failures += 1;
            let before = stream.last_id.clone();
            end = match self.access.send(|| self.resumption(before.as_deref())).await {
                Ok(response) if response.status().is_success() => {
                    let end = self.pass_events(response, stream, &mut open, message).await?;
                    if let StreamEnd::Early(stream) = &end
                        && stream.last_id != before
                    {
                        failures = 0;
                    }
                    end
                }
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                    return Err(refused(&self.url, &response));
                }
                Ok(response) if response.status().is_client_error() => {
                    return Err(self.no_answer("ended early, and cannot be resumed"));
                }
                _ => StreamEnd::Early(stream),
            };
        }
    }

    fn resumption(&self, last_id: Option<&str>) -> Request {
        let mut request = self.with_session(Method::GET);
        let accept = HeaderValue::from_static("text/event-stream");
        request.headers_mut().insert(header::ACCEPT, accept);
        if let Some(id) = last_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            request.headers_mut().insert(LAST_EVENT_ID, id);
        }
        request
    }

    async fn pass_events(
        &self,
        mut response: Response,
        before: EventStream,
        open: &mut Vec<Value>,
        message: &Message,
    ) -> Result<StreamEnd, Failure> {
        let mut stream = EventStream::after(before.last_id, before.retry);
        loop {
            let part = match open.is_empty() {
                // Some servers never end it.
                true => timeout(LINGER, response.chunk()).await.unwrap_or(Ok(None)),
                false => response.chunk().await,
            };
            let Ok(Some(part)) = part else {
                let is_done = open.is_empty();
                return Ok(if is_done {
                    StreamEnd::Answered
                } else {
                    StreamEnd::Early(stream)
                });
            };
            let events = stream.read(&part).map_err(|_| too_long())?;
            for event in events.into_iter().filter(super::event_stream::Event::is_message) {
                let Some(ids) = message::answers(&event.data) else {
                    continue;
                };
                open.retain(|one| !ids.contains(one));
                if message.is_initialize() && !ids.is_empty() {
                    self.keep_version(&event.data);
                }
                self.output.line(event.data).await;
            }
        }
    }

    /// Listens for what the server says by itself, in a task that ends with the session.
    fn listen(self: &Arc<Self>) {
        let bridge = self.clone();
        self.in_background(async move { bridge.listening().await });
    }

    async fn listening(self: Arc<Self>) {
        let mut stream = EventStream::default();
        let mut failures = 0;
        loop {
            let last_id = stream.last_id.clone();
            let response = self.access.send(|| self.resumption(last_id.as_deref())).await;
            match response {
                Ok(mut response)
                    if response.status().is_success() && is_of_type(&response, "text/event-stream") =>
                {
                    let began = Instant::now();
                    let before = stream.last_id.clone();
                    let mut is_quiet = true;
                    stream = EventStream::after(stream.last_id, stream.retry);
                    while let Ok(Some(part)) = response.chunk().await {
                        let Ok(events) = stream.read(&part) else { return };
                        for event in events.into_iter().filter(super::event_stream::Event::is_message) {
                            is_quiet = false;
                            if message::answers(&event.data).is_some() {
                                self.output.line(event.data).await;
                            }
                        }
                    }
                    // A server that ends each stream at once has nothing to say.
                    is_quiet &= stream.last_id == before && began.elapsed() < MAX_RETRY;
                    failures = if is_quiet { failures + 1 } else { 0 };
                }
                // The server has nothing to say by itself, or does not know the session any more.
                Ok(response) if !response.status().is_server_error() => return,
                _ => failures += 1,
            }
            sleep(pause(&stream, failures)).await;
        }
    }

    /// Tells the server that the session ends.
    pub(super) async fn end_session(&self) {
        if self.session.state().id.is_some() {
            let _ = self.access.send(|| self.with_session(Method::DELETE)).await;
        }
    }
}

/// The pause before a stream is resumed, after so many failures.
pub(super) fn pause(stream: &EventStream, failures: u32) -> Duration {
    let usual = stream.retry.map_or(RETRY, Duration::from_millis).max(MIN_RETRY);
    usual.saturating_mul(1 << failures.min(5)).min(MAX_RETRY)
}

pub(super) fn too_long() -> Failure {
    Failure::new(
        ErrorCode::PayloadTooLarge,
        "A message of the server is longer than 16 MiB.",
        "Ask it for less.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_names_the_pause_and_failures_make_it_longer_within_a_limit() {
        let stream = |retry| EventStream::after(None, retry);
        assert_eq!(pause(&stream(None), 0), RETRY);
        assert_eq!(pause(&stream(Some(0)), 0), MIN_RETRY);
        assert_eq!(pause(&stream(Some(500)), 0), Duration::from_millis(500));
        assert_eq!(pause(&stream(Some(500)), 2), Duration::from_secs(2));
        assert_eq!(pause(&stream(Some(u64::MAX)), 0), MAX_RETRY);
        assert_eq!(pause(&stream(None), u32::MAX), MAX_RETRY);
    }
}
