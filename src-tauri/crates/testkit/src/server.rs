//! The server: starts, is changed, and is asked what it received.

use crate::behaviour::Behaviour;
use crate::grants::{Ended, Family, Grants, Issued};
use crate::service::{Shared, State};
use crate::{Endpoint, Fault, Kind, Request, token};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokenry_core::{Clock, OsRandom, Random, SystemClock};
use tokio::sync::{oneshot, watch};
use url::Url;

/// A running authorization server on a free port of 127.0.0.1, with a thread of its own. It ends when this is
/// dropped, and closes every connection then.
pub struct Server {
    shared: Arc<Shared>,
    url: Url,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server by the machine's clock.
    ///
    /// # Panics
    /// When the machine has no free loopback port or no thread to give: no test can go on then.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, SystemClock, OsRandom)
    }

    /// Starts a server by a clock of the test's own: token lives and periods of grace follow it.
    ///
    /// # Panics
    /// When the machine has no free loopback port or no thread to give: no test can go on then.
    #[expect(clippy::expect_used, reason = "a test without its server cannot go on")]
    pub fn start_with(
        behaviour: Behaviour,
        clock: impl Clock + 'static,
        random: impl Random + 'static,
    ) -> Self {
        Self::try_start(behaviour, Box::new(clock), Box::new(random)).expect("a loopback port and a thread")
    }

    fn try_start(behaviour: Behaviour, clock: Box<dyn Clock>, random: Box<dyn Random>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let url = Url::parse(&issuer).map_err(io::Error::other)?;
        let state = State {
            behaviour,
            queued: HashMap::new(),
            log: Vec::new(),
            grants: Grants::default(),
        };
        let shared = Arc::new(Shared {
            issuer,
            clock,
            random,
            state: Mutex::new(state),
            changed: Condvar::new(),
            released: watch::Sender::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serving = shared.clone();
        let thread = std::thread::Builder::new()
            .name("testkit".to_owned())
            .spawn(move || runtime.block_on(run(serving, listener, stopped)))?;
        Ok(Self {
            shared,
            url,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The server's address.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// The issuer identifier: the address without a slash at its end.
    pub fn issuer(&self) -> String {
        self.shared.issuer.clone()
    }

    /// RFC 6749 §3.1.
    pub fn authorization_endpoint(&self) -> Url {
        self.endpoint("/authorize")
    }

    /// RFC 6749 §3.2.
    pub fn token_endpoint(&self) -> Url {
        self.endpoint("/token")
    }

    /// RFC 8628 §3.1.
    pub fn device_authorization_endpoint(&self) -> Url {
        self.endpoint("/device")
    }

    /// RFC 7009.
    pub fn revocation_endpoint(&self) -> Url {
        self.endpoint("/revoke")
    }

    /// OpenID Connect Core §5.3.
    pub fn userinfo_endpoint(&self) -> Url {
        self.endpoint("/userinfo")
    }

    /// RFC 7662.
    pub fn introspection_endpoint(&self) -> Url {
        self.endpoint("/introspect")
    }

    /// Where a short-lived access token becomes a long-lived one: its parameter is `short`.
    pub fn long_lived_endpoint(&self) -> Url {
        self.endpoint("/long-lived")
    }

    fn endpoint(&self, path: &str) -> Url {
        let mut url = self.url();
        url.set_path(path);
        url
    }

    /// Changes what the server does, from the next request on.
    pub fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.state().behaviour);
    }

    /// What the server does now.
    pub fn behaviour(&self) -> Behaviour {
        self.shared.state().behaviour.clone()
    }

    /// Does this to the next request to the token endpoint that no earlier fault is waiting for.
    pub fn queue(&self, fault: Fault) {
        self.queue_at(Endpoint::Token, fault);
    }

    /// The same for any endpoint.
    pub fn queue_at(&self, endpoint: Endpoint, fault: Fault) {
        self.shared
            .state()
            .queued
            .entry(endpoint)
            .or_default()
            .push_back(fault);
    }

    /// Lets everything go on that [`Fault::Gate`] or [`Fault::Hang`] holds at this moment.
    pub fn release(&self) {
        self.shared.released.send_modify(|releases| *releases += 1);
    }

    /// Everything that was asked, in the order of its arrival.
    pub fn log(&self) -> Vec<Request> {
        self.shared.state().log.clone()
    }

    /// Forgets the log; what was given out stays good.
    pub fn clear_log(&self) {
        self.shared.state().log.clear();
    }

    /// Waits until the log satisfies `enough`, and says whether it did within `timeout`.
    pub fn wait_until(&self, timeout: Duration, enough: impl Fn(&[Request]) -> bool) -> bool {
        let end = Instant::now() + timeout;
        let mut state = self.shared.state();
        while !enough(&state.log) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let (guard, _) = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
        }
        true
    }

    /// How many requests of this kind came.
    pub fn count(&self, kind: Kind) -> usize {
        self.shared
            .state()
            .log
            .iter()
            .filter(|request| request.kind == kind)
            .count()
    }

    /// How many refresh requests came, answered or not.
    pub fn refreshes(&self) -> usize {
        self.count(Kind::Refresh)
    }

    /// How many revocation requests came, answered or not.
    pub fn revocations(&self) -> usize {
        self.count(Kind::Revoke)
    }

    /// How many refresh requests came with a token that had been replaced, whether it was taken or not.
    pub fn replays_of_replaced_tokens(&self) -> usize {
        let replay = |request: &&Request| request.kind == Kind::Refresh && request.was_replaced;
        self.shared.state().log.iter().filter(replay).count()
    }

    /// Every family of tokens, in the order of their consents.
    pub fn families(&self) -> Vec<Family> {
        self.shared.state().grants.families.clone()
    }

    /// Whether the newest family is alive; `false` when there is none.
    pub fn family_alive(&self) -> bool {
        self.shared
            .state()
            .grants
            .families
            .last()
            .is_some_and(|family| family.ended.is_none())
    }

    /// Whether a resource server would take this access token now.
    pub fn accepts(&self, access_token: &str) -> bool {
        let now = self.shared.clock.now();
        self.shared.state().grants.accepts(access_token, now)
    }

    /// Gives tokens to a client without any request, as if the signed-in account had agreed just now.
    ///
    /// # Panics
    /// When no account is signed in.
    pub fn grant(&self, client: &str, scope: &str) -> Issued {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        let account = state.behaviour.accounts[state.behaviour.signed_in].clone();
        let family = state.grants.start_family(client, account, scope);
        token::first_tokens(
            &mut state,
            family,
            scope.to_owned(),
            now,
            self.shared.random.as_ref(),
        )
    }

    /// Ends every family, as a person does on the provider's own page.
    pub fn withdraw(&self) {
        let mut state = self.shared.state();
        for family in 0..state.grants.families.len() {
            state.grants.end(family, Ended::Withdrawn);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the thread is over already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(shared: Arc<Shared>, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        let Ok((stream, _)) = stream else { continue };
        // An answer in two pieces must not wait for the first one's acknowledgement.
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        let service = service_fn(move |request| shared.clone().serve(request));
        // Its error is a connection that was closed, on purpose or by the client: the log has what matters.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
