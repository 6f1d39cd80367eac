//! The HTTP+SSE transport of 2024-11-05: one event stream with all answers, and an address for messages that it names.

use super::event_stream::{Event, EventStream};
use super::message::{self, Message};
use super::{Bridge, access, http, is_of_type, refused};
use crate::failure::Failure;
use reqwest::header::{self, HeaderValue};
use reqwest::{Method, Request, Response};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokenry_contract::ErrorCode;
use tokio::sync::RwLock;
use tokio::time::{sleep, timeout};
use url::Url;

/// The server names the address for messages within this time.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(30);

/// The state of this transport.
pub(super) struct Legacy {
    state: Mutex<State>,
    /// Held while there is no event stream: the answer to what is sent then would be lost.
    interruption: RwLock<()>,
}

struct State {
    endpoint: Url,
    /// The ids of the requests without an answer.
    open: Vec<Value>,
    initialize: Option<Message>,
    initialized: Option<Message>,
}

impl Legacy {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose address for messages is known.
struct Opened {
    endpoint: Url,
    response: Response,
    stream: EventStream,
    rest: Vec<Event>,
}

impl Bridge {
    /// Opens the event stream, and listens to it in a task.
    ///
    /// # Errors
    /// `not_found` when the server does not speak this transport; others when it cannot be reached.
    pub(super) async fn open_older(self: &Arc<Self>) -> Result<&Legacy, Failure> {
        let opened = self.open_stream().await?;
        let legacy = self.legacy.get_or_init(|| Legacy {
            interruption: RwLock::default(),
            state: Mutex::new(State {
                endpoint: opened.endpoint.clone(),
                open: Vec::new(),
                initialize: None,
                initialized: None,
            }),
        });
        let bridge = self.clone();
        self.in_background(async move { bridge.listen_older(opened).await });
        Ok(legacy)
    }

    async fn open_stream(&self) -> Result<Opened, Failure> {
        let get = || {
            let mut request = self.request(Method::GET, &self.url);
            let accept = HeaderValue::from_static("text/event-stream");
            request.headers_mut().insert(header::ACCEPT, accept);
            request
        };
        let mut response = self.access.send(get).await?;
        let other = || not_spoken(&self.url);
        if response.status().is_client_error() && response.status() != reqwest::StatusCode::UNAUTHORIZED {
            return Err(other());
        }
        if !response.status().is_success() {
            return Err(refused(&self.url, &response));
        }
        if !is_of_type(&response, "text/event-stream") {
            return Err(other());
        }
        let mut stream = EventStream::default();
        let first = async {
            while let Ok(Some(part)) = response.chunk().await {
                let mut events = stream.read(&part).map_err(|_| http::too_long())?.into_iter();
                if let Some(event) = events.find(|event| event.name == "endpoint") {
                    return Ok((endpoint(&self.url, &event.data)?, events.collect()));
                }
            }
            Err(other())
        };
        let first = timeout(ENDPOINT_TIMEOUT, first).await;
        let (endpoint, rest) = first.unwrap_or_else(|_| Err(other()))?;
        Ok(Opened {
            endpoint,
            response,
            stream,
            rest,
        })
    }

    async fn listen_older(self: Arc<Self>, mut opened: Opened) {
        let Some(legacy) = self.legacy.get() else { return };
        loop {
            self.pass_older(legacy, std::mem::take(&mut opened.rest)).await;
            while let Ok(Some(part)) = opened.response.chunk().await {
                match opened.stream.read(&part) {
                    Ok(events) => self.pass_older(legacy, events).await,
                    Err(_) => break,
                }
            }
            let _interruption = legacy.interruption.write().await;
            // Their answers would have come by this stream.
            let lost = access::unreachable(self.url.as_str(), "the event stream ended");
            let open = std::mem::take(&mut legacy.state().open);
            for id in &open {
                self.output.line(message::error(id, &lost)).await;
            }
            let mut failures = 0;
            opened = loop {
                sleep(http::pause(&opened.stream, failures)).await;
                match self.open_stream().await {
                    Ok(opened) => break opened,
                    Err(_) => failures += 1,
                }
            };
            let (initialize, initialized) = {
                let mut state = legacy.state();
                state.endpoint = opened.endpoint.clone();
                (state.initialize.clone(), state.initialized.clone())
            };
            // The client does not hear the answer of the new session: it has that of the first one.
            for message in initialize.into_iter().chain(initialized) {
                let _ = self.access.send(|| self.posted_to(legacy, &message)).await;
            }
        }
    }

    async fn pass_older(&self, legacy: &Legacy, events: Vec<Event>) {
        for event in events.into_iter().filter(Event::is_message) {
            let Some(ids) = message::answers(&event.data) else {
                continue;
            };
            let is_asked = {
                let mut state = legacy.state();
                let before = state.open.len();
                state.open.retain(|one| !ids.contains(one));
                state.open.len() < before
            };
            if is_asked || ids.is_empty() {
                self.output.line(event.data).await;
            }
        }
    }

    pub(super) async fn deliver_to(&self, legacy: &Legacy, message: &Message) -> Result<(), Failure> {
        let uninterrupted = timeout(ENDPOINT_TIMEOUT, legacy.interruption.read()).await;
        drop(uninterrupted.map_err(|_| access::unreachable(self.url.as_str(), "there is no event stream"))?);
        {
            let mut state = legacy.state();
            state.open.extend(message.requests.iter().cloned());
            if message.is_initialize() {
                state.initialize = Some(message.clone());
            }
            if message.is_initialized() {
                state.initialized = Some(message.clone());
            }
        }
        let response = self.access.send(|| self.posted_to(legacy, message)).await;
        let failure = match response {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => refused(&self.url, &response),
            Err(failure) => failure,
        };
        let mut state = legacy.state();
        state.open.retain(|id| !message.requests.contains(id));
        Err(failure)
    }

    fn posted_to(&self, legacy: &Legacy, message: &Message) -> Request {
        let endpoint = legacy.state().endpoint.clone();
        let mut request = self.request(Method::POST, &endpoint);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        *request.body_mut() = Some(message.bytes.clone().into());
        request
    }
}

/// The address for messages, which has to be on the same host: the token goes there.
fn endpoint(server: &Url, data: &[u8]) -> Result<Url, Failure> {
    let text = std::str::from_utf8(data).unwrap_or_default();
    let joined = server.join(text.trim()).ok();
    joined
        .filter(|endpoint| endpoint.origin() == server.origin())
        .ok_or_else(|| {
            Failure::new(
                ErrorCode::ProviderError,
                format!("{server} names an address for messages on another host."),
                "Nothing was sent there. Report this to the operator of the server.",
            )
        })
}

fn not_spoken(url: &Url) -> Failure {
    Failure::new(
        ErrorCode::NotFound,
        format!("{url} does not speak the HTTP+SSE transport of MCP."),
        "Check the address and --transport.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_to_an_address_on_the_same_host_only() {
        let server: Url = "https://mcp.example.com/sse".parse().unwrap();
        let of = |data: &[u8]| endpoint(&server, data).map(|url| url.to_string());
        assert_eq!(
            of(b"/messages?id=1").unwrap(),
            "https://mcp.example.com/messages?id=1"
        );
        assert_eq!(of(b"messages").unwrap(), "https://mcp.example.com/messages");
        assert!(of(b"https://mcp.example.com:443/x").is_ok());
        for other in [
            &b"https://evil.example/x"[..],
            b"//evil.example/x",
            b"http://mcp.example.com/x",
            b"https://mcp.example.com:8443/x",
            b"https://mcp.example.com@evil.example/",
            b"file:///etc/passwd",
            b"\\\\evil.example/x",
        ] {
            assert!(of(other).is_err(), "{other:?}");
        }
    }
}
