//! Accepts connections and routes requests to endpoints.

use crate::answer::{Answer, AnswerBody, Delivery, Gone};
use crate::behaviour::Behaviour;
use crate::call::{self, Call};
use crate::grants::Grants;
use crate::{Endpoint, Fault, Kind, Request, authorize, client, device, resource, token};
use http_body_util::{BodyExt, Limited};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokenry_core::{Clock, Random};
use tokio::sync::watch;

/// What the server knows and is told.
pub(crate) struct State {
    pub(crate) behaviour: Behaviour,
    pub(crate) queued: HashMap<Endpoint, VecDeque<Fault>>,
    pub(crate) log: Vec<Request>,
    pub(crate) grants: Grants,
}

/// What the server's thread and its handle have in common.
pub(crate) struct Shared {
    pub(crate) issuer: String,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) random: Box<dyn Random>,
    pub(crate) state: Mutex<State>,
    /// Told whenever the log changes.
    pub(crate) changed: Condvar,
    /// Counts the releases, for those who wait for one.
    pub(crate) released: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request from its arrival to its answer.
    pub(crate) async fn serve(
        self: Arc<Self>,
        request: hyper::Request<hyper::body::Incoming>,
    ) -> Result<hyper::Response<AnswerBody>, Gone> {
        let call = read(request).await?;
        let call = self.state().behaviour.quirks.understood(call);
        // Before the request is in the log, so that a release by who has seen it there is not missed.
        let mut released = self.released.subscribe();
        let (entry, fault) = self.arrive(&call);
        match self.deliver(&call, entry, fault.as_ref(), &mut released).await {
            Delivery::Send(answer) => {
                self.note(entry, |request| request.status = Some(answer.status));
                Ok(answer.into_response())
            }
            Delivery::Close => Err(Gone),
        }
    }

    async fn deliver(
        &self,
        call: &Call,
        entry: usize,
        fault: Option<&Fault>,
        released: &mut watch::Receiver<u64>,
    ) -> Delivery {
        match fault {
            None => return Delivery::Send(self.process(call, entry)),
            Some(Fault::Hang {
                processed: false,
                millis,
            }) => {
                hold(released, *millis).await;
                return Delivery::Close;
            }
            Some(Fault::Gate) => hold(released, None).await,
            Some(fault) => {
                if let Some(answer) = fault.instead(entry) {
                    return Delivery::Send(answer);
                }
            }
        }
        let answer = self.process(call, entry);
        match fault {
            Some(Fault::Hang { millis, .. }) => hold(released, *millis).await,
            Some(Fault::SlowAnswer(millis)) => tokio::time::sleep(Duration::from_millis(*millis)).await,
            _ => {}
        }
        fault.map_or(Delivery::Send(answer.clone()), |fault| fault.spoil(answer))
    }

    /// Writes the request down and picks the fault it will suffer.
    fn arrive(&self, call: &Call) -> (usize, Option<Fault>) {
        let now = self.clock.now();
        let kind = kind(call);
        let mut state = self.state();
        let fault = endpoint(kind, call).and_then(|endpoint| state.fault(endpoint));
        let (client, auth) = client::claimed(call);
        let name = if kind == Kind::Revoke {
            "token"
        } else {
            "refresh_token"
        };
        let token = call.get(name).and_then(|token| state.grants.refresh.get(token));
        let request = Request {
            at: now,
            kind,
            client,
            auth,
            scope: call.get("scope").map(str::to_owned),
            refresh_token_generation: token.map(|token| token.generation),
            family: token.map(|token| token.family),
            was_replaced: token.is_some_and(|token| token.replaced_at.is_some()),
            fault: fault.clone(),
            processed: false,
            status: None,
            method: call.method.clone(),
            path: call.path.clone(),
            headers: call.headers.clone(),
            parameters: call.parameters.clone(),
        };
        state.log.push(request);
        let entry = state.log.len() - 1;
        drop(state);
        self.changed.notify_all();
        (entry, fault)
    }

    fn process(&self, call: &Call, entry: usize) -> Answer {
        let now = self.clock.now();
        let random = self.random.as_ref();
        let mut state = self.state();
        let state_ref = &mut *state;
        let answer = match kind(call) {
            Kind::Authorize => authorize::answer(state_ref, call, &self.issuer, now, random),
            Kind::Device => device::answer(state_ref, call, &self.issuer, random),
            Kind::Code | Kind::Refresh | Kind::ClientCredentials | Kind::Exchange | Kind::DeviceCode => {
                token::answer(state_ref, call, &self.issuer, now, random)
            }
            Kind::Userinfo => resource::userinfo(state_ref, call, now),
            Kind::Revoke => resource::revoke(state_ref, call, now),
            Kind::Introspection => resource::introspect(state_ref, call, now),
            Kind::LongLived => token::long_lived(state_ref, call, now, random),
            Kind::Metadata => resource::metadata(state_ref, &self.issuer),
            Kind::Other if call::endpoint(&call.path) == "token" => {
                token::answer(state_ref, call, &self.issuer, now, random)
            }
            Kind::Other if call::endpoint(&call.path) == "register" => {
                resource::register(state_ref, call, &self.issuer)
            }
            Kind::Other => Answer::html(404, "there is nothing here"),
        };
        drop(state);
        self.note(entry, |request| request.processed = true);
        answer
    }

    fn note(&self, entry: usize, change: impl FnOnce(&mut Request)) {
        if let Some(request) = self.state().log.get_mut(entry) {
            change(request);
        }
        self.changed.notify_all();
    }
}

impl State {
    /// The next queued fault, else the standing one.
    fn fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let standing = match endpoint {
            Endpoint::Token => &self.behaviour.token_fault,
            Endpoint::Revocation => &self.behaviour.revocation_fault,
            Endpoint::Userinfo => &self.behaviour.userinfo_fault,
        };
        let queued = self.queued.get_mut(&endpoint).and_then(VecDeque::pop_front);
        queued.or_else(|| standing.clone())
    }
}

fn kind(call: &Call) -> Kind {
    match (call::endpoint(&call.path), call.get("grant_type")) {
        ("authorize", _) => Kind::Authorize,
        ("token", Some("authorization_code")) => Kind::Code,
        ("token", Some("refresh_token")) => Kind::Refresh,
        ("token", Some("client_credentials")) => Kind::ClientCredentials,
        ("token", Some(token::EXCHANGE)) => Kind::Exchange,
        ("token", Some(device::GRANT_TYPE)) => Kind::DeviceCode,
        ("device", _) => Kind::Device,
        ("long-lived", _) => Kind::LongLived,
        ("userinfo", _) => Kind::Userinfo,
        ("introspect", _) => Kind::Introspection,
        ("revoke", _) => Kind::Revoke,
        ("oauth-authorization-server" | "openid-configuration", _) => Kind::Metadata,
        _ => Kind::Other,
    }
}

fn endpoint(kind: Kind, call: &Call) -> Option<Endpoint> {
    match kind {
        Kind::Userinfo => Some(Endpoint::Userinfo),
        Kind::Revoke => Some(Endpoint::Revocation),
        _ => (call::endpoint(&call.path) == "token").then_some(Endpoint::Token),
    }
}

/// Waits so many milliseconds, or for a release, whichever is first.
async fn hold(released: &mut watch::Receiver<u64>, millis: Option<u64>) {
    match millis {
        // A server that is gone releases everybody.
        None => drop(released.changed().await),
        Some(millis) => drop(tokio::time::timeout(Duration::from_millis(millis), released.changed()).await),
    }
}

async fn read(request: hyper::Request<hyper::body::Incoming>) -> Result<Call, Gone> {
    let (head, body) = request.into_parts();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let body = Limited::new(body, 1024 * 1024)
        .collect()
        .await
        .map_err(|_| Gone)?
        .to_bytes();
    Ok(Call::new(
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        headers,
        &body,
    ))
}
