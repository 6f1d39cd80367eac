use crate::{
    Change, Engine, Error, FlowState, FlowView, SchemeState,
    engine::blocking,
    loopback::{Listener, Page, Serving},
    policy::Operation,
    resolve,
};
use std::{sync::PoisonError, time::Duration};
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, EventKind, Flow, FlowId, GrantType, Outcome,
    Provider, RedirectPreference, Scopes, Secret, Timestamp,
};
use tokenry_oauth::{authorization_code, redirect};
use tokenry_store::Table;
use tokio::sync::watch;
use url::Url;

/// How long a person has for a sign-in.
const FLOW_LIFE: Duration = Duration::from_secs(600);

/// How a flow is to be started.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The label of the new connection.
    pub label: Option<String>,
    /// Instead of the provider's default scopes.
    pub scopes: Option<Scopes>,
    /// Instead of the provider's own choice.
    pub redirect: Option<RedirectPreference>,
    /// The connection to renew, by id or name.
    pub renew: Option<String>,
    /// Whether the engine opens the browser.
    pub open_browser: bool,
}

/// A flow that waits for the browser.
#[derive(Debug, Clone)]
pub struct StartedFlow {
    /// What to open: with a loopback redirect our own `/begin` address, else the provider's.
    pub authorization_url: Url,
    /// The flow's `state`.
    pub state: Secret,
    /// Its id.
    pub flow: FlowId,
    /// The connection it makes or renews.
    pub connection: ConnectionId,
    /// How the answer comes back.
    pub redirect: RedirectPreference,
    /// Where.
    pub redirect_uri: String,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What of a flow is only in memory.
pub(crate) struct LiveFlow {
    pub(crate) state: watch::Sender<FlowState>,
    pub(crate) connection: ConnectionId,
    pub(crate) expires_at: Timestamp,
    /// Closes the listener when the flow ends.
    pub(crate) serving: Option<Serving>,
    pub(crate) open_url: Url,
}

impl Engine {
    /// Starts a consent flow. It is recorded, sealed, before anybody hears of it.
    ///
    /// # Errors
    /// When the redirect cannot be caught, the label is taken, or a scope cannot be one.
    pub async fn connect(
        &self,
        caller: &Caller,
        provider: &str,
        how: ConnectOptions,
    ) -> Result<StartedFlow, Error> {
        self.allow(caller, Operation::Connect)?;
        let provider = self.provider_record(provider)?;
        if provider.grant_type != GrantType::AuthorizationCode {
            return Err(Error::Conflict(format!(
                "{} uses client credentials: there is no browser in it; connect it without one",
                provider.name
            )));
        }
        let renewed = self.renewed(&provider, how.renew.as_deref())?;
        let label = self.free_label(&provider, how.label, renewed.as_ref())?;
        let scopes = wanted_scopes(&provider, how.scopes)?;
        let preference = how.redirect.unwrap_or(provider.redirect);
        let (listener, redirect_uri) = self.redirect_for(&provider, preference).await?;
        let started = authorization_code::begin(&provider, &redirect_uri, &scopes, &[], &*self.inner.random)
            .map_err(|error| Error::field("authorization_endpoint", error.to_string()))?;
        let flow = self.record(
            &provider,
            label,
            renewed,
            scopes,
            preference,
            redirect_uri,
            started,
        )?;
        self.keep_flow(caller, &flow).await?;
        let serving = listener.map(|listener| self.listen(listener, &provider, &flow));
        let open_url = serving
            .as_ref()
            .map_or_else(|| flow.authorization_url.clone(), |s| s.begin_url.clone());
        self.watch_flow(&flow, serving, open_url.clone());
        if how.open_browser
            && let Err(error) = self.inner.host.open_browser(&open_url)
        {
            tracing::warn!("{error}");
        }
        Ok(StartedFlow {
            authorization_url: open_url,
            state: flow.state,
            flow: flow.id,
            connection: flow.connection,
            redirect: flow.redirect,
            redirect_uri: flow.redirect_uri,
            expires_at: flow.expires_at,
        })
    }

    /// A flow as it stands, at once or when it has ended, after `wait` at the latest.
    ///
    /// # Errors
    /// When there is none, or it ended more than ten minutes ago.
    pub async fn flow(&self, caller: &Caller, id: FlowId, wait: Duration) -> Result<FlowView, Error> {
        self.allow(caller, Operation::Read)?;
        let watched = self.live(|flows| flows.get(&id).map(|live| live.state.subscribe()));
        if let Some(mut state) = watched {
            let _ = tokio::time::timeout(wait, state.wait_for(|state| *state != FlowState::Waiting)).await;
            let view = self.live(|flows| {
                flows.get(&id).map(|live| FlowView {
                    id,
                    connection: live.connection,
                    state: live.state.borrow().clone(),
                    authorization_url: (*live.state.borrow() == FlowState::Waiting)
                        .then(|| live.open_url.clone()),
                    expires_at: live.expires_at,
                })
            });
            return view.ok_or(Error::FlowExpired);
        }
        // A flow from before a restart: its deep link or its pasted address still counts.
        let flow = self
            .ledger()?
            .get::<Flow>(id.row())?
            .filter(|flow| flow.id == id)
            .ok_or(Error::FlowExpired)?;
        let state = if flow.expires_at <= self.now() {
            FlowState::Expired
        } else {
            FlowState::Waiting
        };
        Ok(FlowView {
            id,
            connection: flow.connection,
            state,
            authorization_url: Some(flow.authorization_url),
            expires_at: flow.expires_at,
        })
    }

    /// Calls a flow off.
    ///
    /// # Errors
    /// When it is over already.
    pub async fn cancel_flow(&self, caller: &Caller, id: FlowId) -> Result<(), Error> {
        self.allow(caller, Operation::Connect)?;
        let flow = self.ledger()?.get::<Flow>(id.row())?.ok_or(Error::FlowExpired)?;
        self.end_flow(caller, &flow, FlowState::Cancelled).await
    }

    /// Opens the browser for a waiting flow once more.
    ///
    /// # Errors
    /// When the flow is over, or no browser can be started.
    pub async fn open_flow(&self, caller: &Caller, id: FlowId) -> Result<(), Error> {
        self.allow(caller, Operation::Connect)?;
        let url = self
            .flow(caller, id, Duration::ZERO)
            .await?
            .authorization_url
            .ok_or(Error::FlowExpired)?;
        self.inner
            .host
            .open_browser(&url)
            .map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Uses a flow up, so that no second answer can come for it. Says whether it was still there.
    pub(crate) async fn consume_flow(&self, flow: &Flow) -> Result<(), Error> {
        let (ledger, now, row) = (self.ledger()?, self.now(), flow.id.row());
        blocking(move || {
            ledger.change(now, |transaction| {
                transaction.get::<Flow>(row)?.ok_or(Error::FlowExpired)?;
                transaction.delete(Table::Flows, row)
            })
        })
        .await
    }

    /// Ends a flow without a connection: what it would have made is gone, what it would have renewed is as it was.
    pub(crate) async fn end_flow(&self, caller: &Caller, flow: &Flow, state: FlowState) -> Result<(), Error> {
        let (ledger, now) = (self.ledger()?, self.now());
        let (outcome, detail) = match &state {
            FlowState::Failed { message, .. } => (Outcome::Failed, message.clone()),
            FlowState::Cancelled => (Outcome::Refused, "cancelled".to_owned()),
            _ => (Outcome::Failed, "its ten minutes went by".to_owned()),
        };
        let event = self.event(
            caller,
            EventKind::FlowEnded,
            Some(flow.provider),
            Some(flow.connection),
            outcome,
            Some(&detail),
        );
        let ended = flow.clone();
        blocking(move || {
            ledger.change(now, |transaction| {
                transaction.delete(Table::Flows, ended.id.row())?;
                let pending = transaction.get::<Connection>(ended.connection.row())?;
                if pending.is_some_and(|c| c.status == ConnectionStatus::Pending) {
                    transaction.delete_connection(ended.connection)?;
                }
                transaction.event(&event)
            })
        })
        .await?;
        self.tell_flow(flow.id, flow.connection, state);
        Ok(())
    }

    /// Tells everybody who waits how a flow ended, and closes its listener.
    pub(crate) fn tell_flow(&self, id: FlowId, connection: ConnectionId, state: FlowState) {
        let serving = self.live(|flows| {
            flows.get_mut(&id).and_then(|live| {
                live.connection = connection;
                live.state.send_replace(state);
                live.serving.take()
            })
        });
        // Dropped outside the lock: it lets an answer that is being written be finished.
        drop(serving);
        let _ = self.inner.changes.send(Change::Flow(id));
    }

    pub(crate) fn open_flow_of(&self, connection: ConnectionId) -> Option<FlowId> {
        self.live(|flows| {
            let waiting = |live: &&LiveFlow| {
                live.connection == connection && *live.state.borrow() == FlowState::Waiting
            };
            flows.iter().find(|(_, live)| waiting(live)).map(|(id, _)| *id)
        })
    }

    fn live<T>(&self, look: impl FnOnce(&mut std::collections::HashMap<FlowId, LiveFlow>) -> T) -> T {
        look(&mut self.inner.flows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn renewed(&self, provider: &Provider, reference: Option<&str>) -> Result<Option<Connection>, Error> {
        let Some(reference) = reference else {
            return Ok(None);
        };
        let ledger = self.ledger()?;
        let connection = resolve::connection(&ledger.index(), reference)?.clone();
        if connection.provider == provider.id {
            return Ok(Some(connection));
        }
        Err(Error::field(
            "connection",
            format!("belongs to another provider than {}", provider.name),
        ))
    }

    /// A label that can be typed and that no other connection of this provider has.
    pub(crate) fn free_label(
        &self,
        provider: &Provider,
        label: Option<String>,
        own: Option<&Connection>,
    ) -> Result<Option<String>, Error> {
        let Some(label) = label
            .map(|label| label.trim().to_owned())
            .filter(|label| !label.is_empty())
        else {
            return Ok(own.and_then(|own| own.label.clone()));
        };
        let fits =
            label.chars().count() <= 64 && tokenry_core::clean(&label) == label && !label.contains('/');
        if !fits {
            return Err(Error::field(
                "label",
                "must be at most 64 characters, without / and control characters",
            ));
        }
        let ledger = self.ledger()?;
        let index = ledger.index();
        let taken = index
            .of_provider(provider.id)
            .any(|c| c.label.as_ref() == Some(&label) && Some(c.id) != own.map(|own| own.id));
        if taken {
            return Err(Error::Conflict(format!(
                "{} already has a connection labelled {label}; choose another label, or renew that connection",
                provider.name
            )));
        }
        Ok(Some(label))
    }

    async fn redirect_for(
        &self,
        provider: &Provider,
        preference: RedirectPreference,
    ) -> Result<(Option<Listener>, String), Error> {
        match preference {
            RedirectPreference::Loopback => {
                let listener = Listener::bind()
                    .await
                    .map_err(|error| Error::Unavailable(error.to_string()))?;
                let uri = redirect::loopback_uri(listener.port(), &provider.name);
                Ok((Some(listener), uri))
            }
            RedirectPreference::DeepLink => {
                let host = self.inner.host.clone();
                match blocking(move || Ok(host.scheme_is_ours())).await? {
                    SchemeState::Ours | SchemeState::Unknown => {
                        Ok((None, redirect::deep_link_uri(&provider.name)))
                    }
                    SchemeState::Others(handler) => Err(Error::Unavailable(format!(
                        "links that begin with {}: are opened by {handler} on this machine; use the loopback redirect, or make Tokenry their handler again",
                        redirect::SCHEME
                    ))),
                    SchemeState::NotRegistered => Err(Error::Unavailable(format!(
                        "nothing on this machine opens links that begin with {}:; start the desktop app once, or use the loopback or paste redirect",
                        redirect::SCHEME
                    ))),
                }
            }
            // Nobody listens there: the browser ends at an address that the person copies. A random port, so that
            // no program can wait for it.
            RedirectPreference::Paste => {
                let mut bytes = [0; 2];
                self.inner.random.fill(&mut bytes);
                let port = 49_152 + u16::from_le_bytes(bytes) % 16_384;
                Ok((None, redirect::loopback_uri(port, &provider.name)))
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each of them ends up in the record")]
    fn record(
        &self,
        provider: &Provider,
        label: Option<String>,
        renewed: Option<Connection>,
        scopes: Scopes,
        preference: RedirectPreference,
        redirect_uri: String,
        started: authorization_code::Started,
    ) -> Result<Flow, Error> {
        let token_endpoint = provider
            .token_endpoint
            .clone()
            .ok_or_else(|| Error::field("token_endpoint", "is needed before connecting"))?;
        let (clock, random) = (&*self.inner.clock, &*self.inner.random);
        Ok(Flow {
            id: FlowId::new(clock, random),
            connection: renewed
                .as_ref()
                .map_or_else(|| ConnectionId::new(clock, random), |c| c.id),
            renews: renewed.is_some(),
            provider: provider.id,
            label,
            issuer: provider.issuer.clone(),
            token_endpoint,
            redirect_uri,
            redirect: preference,
            scopes,
            state: started.state,
            verifier: started.verifier,
            authorization_url: started.authorization_url,
            expires_at: self.now() + FLOW_LIFE,
        })
    }

    /// The flow and the connection that waits for it, in one transaction.
    async fn keep_flow(&self, caller: &Caller, flow: &Flow) -> Result<(), Error> {
        let (ledger, now, flow) = (self.ledger()?, self.now(), flow.clone());
        let event = self.event(
            caller,
            EventKind::FlowStarted,
            Some(flow.provider),
            Some(flow.connection),
            Outcome::Done,
            None,
        );
        blocking(move || {
            ledger.change(now, |transaction| {
                transaction.put(flow.id.row(), &flow)?;
                if !flow.renews {
                    let (label, scopes) = (flow.label.clone(), flow.scopes.clone());
                    let pending = Connection::pending(flow.connection, flow.provider, label, scopes, now);
                    transaction.put(flow.connection.row(), &pending)?;
                }
                transaction.event(&event)
            })
        })
        .await
    }

    fn listen(&self, listener: Listener, provider: &Provider, flow: &Flow) -> Serving {
        let engine = self.clone();
        let deliver = move |redirected| {
            let engine = engine.clone();
            let answer: std::pin::Pin<Box<dyn Future<Output = Page> + Send>> =
                Box::pin(async move { engine.answered_on_loopback(redirected).await });
            answer
        };
        listener.serve(
            &provider.name,
            flow.authorization_url.clone(),
            &*self.inner.random,
            deliver,
        )
    }

    /// Keeps what is only in memory, and ends the flow when its time is up.
    pub(crate) fn watch_flow(&self, flow: &Flow, serving: Option<Serving>, open_url: Url) {
        let (state, mut ended) = watch::channel(FlowState::Waiting);
        let (connection, expires_at) = (flow.connection, flow.expires_at);
        self.live(|flows| {
            flows.insert(
                flow.id,
                LiveFlow {
                    state,
                    connection,
                    expires_at,
                    serving,
                    open_url,
                },
            )
        });
        let (engine, flow) = (self.clone(), flow.clone());
        tokio::spawn(async move {
            let life = flow.expires_at.duration_since(engine.now()).unsigned_abs();
            let over = tokio::time::timeout(life, ended.wait_for(|state| *state != FlowState::Waiting))
                .await
                .is_err();
            if over
                && engine
                    .end_flow(&Caller::Engine, &flow, FlowState::Expired)
                    .await
                    .is_err()
            {
                engine.tell_flow(flow.id, flow.connection, FlowState::Expired);
            }
            // Whoever asks late still hears how it ended.
            tokio::time::sleep(FLOW_LIFE).await;
            engine.live(|flows| flows.remove(&flow.id));
        });
    }
}

fn wanted_scopes(provider: &Provider, asked: Option<Scopes>) -> Result<Scopes, Error> {
    let scopes = asked
        .filter(|scopes| !scopes.is_empty())
        .unwrap_or_else(|| provider.default_scopes.clone());
    if let Some(bad) = scopes.iter().find(|scope| !Scopes::is_token(scope)) {
        return Err(Error::field(
            "scopes",
            format!("{:?} cannot be a scope", tokenry_core::clean(bad)),
        ));
    }
    Ok(scopes)
}
