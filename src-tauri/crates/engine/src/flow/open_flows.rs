//! The sign-ins that are open: waiting for them, ending them, and their expiry.

mod browser;
mod limits;

pub(crate) use limits::{FlowLimits, FlowPermit};

use crate::{
    Change, Engine, Error, FlowState, FlowView, Refusal, StartedFlow,
    access::policy::Operation,
    flow::{
        owner::{finishing, owner_note},
        start::FLOW_LIFETIME,
    },
    locks,
    records::sealed_store::SealedStore,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, DeviceSignIn, EventKind, Flow, FlowId, Origin,
    Outcome, Secret, Timestamp,
};
use tokenry_redirect::Serving;
use tokenry_store::Table;
use tokio::sync::watch;
use url::Url;

/// So many refusals of one flow are told. Any web page can send a browser to the listener.
const MAX_REFUSALS: u32 = 50;

/// How a flow stands, for those who wait for it.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    state: FlowState,
    refusals: u32,
    refused: Option<Refusal>,
}

impl Standing {
    pub(super) fn is_over(&self) -> bool {
        self.state != FlowState::Waiting
    }

    fn is_news(&self, refusals_seen: Option<u32>) -> bool {
        self.state != FlowState::Waiting || refusals_seen.is_some_and(|seen| self.refusals > seen)
    }
}

/// What of a flow is only in memory.
pub(crate) struct LiveFlow {
    standing: watch::Sender<Standing>,
    connection: ConnectionId,
    expires_at: Timestamp,
    /// Closes the listener when the flow ends.
    serving: Option<Serving>,
    /// Held while it is open.
    place: Option<FlowPermit>,
    browser_url: Url,
    /// As it was recorded, without what may have changed since, and without the secrets that only its exchange needs:
    /// this is there while the vault is locked.
    flow: Flow,
}

impl LiveFlow {
    fn is_waiting(&self) -> bool {
        self.standing.borrow().state == FlowState::Waiting
    }
}

type Live = HashMap<FlowId, LiveFlow>;

impl Engine {
    /// A flow as it stands, at once or when it has ended, after `wait` at the latest.
    ///
    /// # Errors
    /// When there is none, or it ended more than ten minutes ago.
    pub async fn flow(&self, caller: &Caller, id: FlowId, wait: Duration) -> Result<FlowView, Error> {
        self.flow_news(caller, id, wait, None).await
    }

    /// The same, and also when more answers to it were refused than the caller has seen.
    ///
    /// # Errors
    /// As [`Engine::flow`].
    pub async fn flow_news(
        &self,
        caller: &Caller,
        id: FlowId,
        wait: Duration,
        refusals_seen: Option<u32>,
    ) -> Result<FlowView, Error> {
        let (mut standing, flow) = self
            .live(|flows| {
                flows
                    .get(&id)
                    .map(|live| (live.standing.subscribe(), live.flow.clone()))
            })
            .ok_or(Error::FlowExpired)?;
        let wanted = finishing(caller, &flow);
        let is_own = matches!(caller, Caller::Ui | Caller::Engine | Caller::App(_)) || wanted.target.is_own;
        match caller {
            // That one is open is no secret.
            Caller::Program(_) => self.allow(caller, Operation::ReadConnections)?,
            _ => self.allow_on(caller, &wanted)?,
        }
        let news = standing.wait_for(|standing| standing.is_news(refusals_seen));
        let _ = tokio::time::timeout(wait, news).await;
        let view = self.live(|flows| {
            flows.get(&id).map(|live| {
                let standing = live.standing.borrow().clone();
                // With its address, which holds its `state`, another program could bring an answer of its own.
                let shows = is_own && live.is_waiting();
                FlowView {
                    id,
                    connection: live.connection,
                    state: standing.state,
                    refusals: standing.refusals,
                    refused: standing.refused.filter(|_| shows),
                    authorization_url: shows.then(|| live.flow.authorization_url.clone()),
                    browser_url: shows.then(|| live.browser_url.clone()),
                    redirect_uri: shows
                        .then(|| live.flow.redirect_uri.clone())
                        .filter(|uri| !uri.is_empty()),
                    device: live.flow.device.clone().filter(|_| shows),
                    expires_at: live.expires_at,
                }
            })
        });
        view.ok_or(Error::FlowExpired)
    }

    /// Calls a flow off.
    ///
    /// # Errors
    /// When it is over already, or its answer has come.
    pub async fn cancel_flow(&self, caller: &Caller, id: FlowId) -> Result<(), Error> {
        let store = self.store()?;
        let flow = store.get::<Flow>(id.row())?.ok_or(Error::FlowExpired)?;
        let wanted = finishing(caller, &flow).note(owner_note(&flow, "It calls off"));
        self.permit(caller, wanted).await?;
        self.end_flow(&store, caller, &flow, FlowState::Cancelled).await
    }

    /// Uses a flow up, so that no second answer can come for it.
    pub(super) async fn consume_flow(&self, store: &Arc<SealedStore>, flow: &Flow) -> Result<(), Error> {
        let row = flow.id.row();
        self.commit(store, move |transaction| {
            transaction.get::<Flow>(row)?.ok_or(Error::FlowExpired)?;
            transaction.delete(Table::Flows, row)
        })
        .await
    }

    /// Ends a flow that no answer has come for.
    pub(crate) async fn end_flow(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        state: FlowState,
    ) -> Result<(), Error> {
        self.give_up(store, caller, flow, state, true).await
    }

    /// Ends a flow whose answer led to nothing.
    pub(super) async fn fail_flow(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        state: FlowState,
    ) -> Result<(), Error> {
        self.give_up(store, caller, flow, state, false).await
    }

    /// What the flow would have made is gone, what it would have renewed is as it was.
    async fn give_up(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        state: FlowState,
        has_to_wait: bool,
    ) -> Result<(), Error> {
        let (outcome, detail) = match &state {
            FlowState::Failed { message, .. } => (Outcome::Failed, message.clone()),
            FlowState::Cancelled => (Outcome::Refused, "cancelled".to_owned()),
            _ if flow.device.is_some() => (Outcome::Failed, "its code expired".to_owned()),
            _ => (Outcome::Failed, "its ten minutes went by".to_owned()),
        };
        let event = self
            .event(caller, EventKind::FlowEnded, outcome)
            .with_provider(flow.provider)
            .with_connection(flow.connection)
            .with_detail(&detail);
        let ended = flow.clone();
        self.commit(store, move |transaction| {
            if has_to_wait && transaction.get::<Flow>(ended.id.row())?.is_none() {
                return Err(Error::FlowExpired);
            }
            transaction.delete(Table::Flows, ended.id.row())?;
            let pending = transaction.get::<Connection>(ended.connection.row())?;
            if pending.is_some_and(|c| c.status == ConnectionStatus::Pending) {
                transaction.delete_connection(ended.connection)?;
            }
            transaction.event(&event)
        })
        .await?;
        self.tell_flow(flow.id, flow.connection, state);
        Ok(())
    }

    /// Tells everybody who waits how a flow ended, and closes its listener.
    pub(super) fn tell_flow(&self, id: FlowId, connection: ConnectionId, state: FlowState) {
        let serving = self.live(|flows| {
            flows.get_mut(&id).and_then(|live| {
                live.connection = connection;
                live.standing.send_modify(|standing| standing.state = state);
                live.place = None;
                live.serving.take()
            })
        });
        // Dropped outside the lock: it lets an answer that is being written be finished.
        drop(serving);
        let _ = self.inner.changes.send(Change::Flow(id));
    }

    /// Tells everybody who waits for a flow why an answer to it was not taken. The flow goes on waiting.
    pub(super) fn tell_refusal(&self, id: FlowId, error: &Error) {
        let refusal = Refusal {
            code: error.code(),
            message: error.to_string(),
        };
        let is_new = self.live(|flows| {
            let live = flows.get(&id).filter(|live| live.is_waiting());
            live.is_some_and(|live| {
                live.standing.send_if_modified(|standing| {
                    let is_new =
                        standing.refusals < MAX_REFUSALS && standing.refused.as_ref() != Some(&refusal);
                    if is_new {
                        standing.refusals += 1;
                        standing.refused = Some(refusal);
                    }
                    is_new
                })
            })
        });
        if is_new {
            let _ = self.inner.changes.send(Change::Flow(id));
        }
    }

    /// The flow that waits for an answer with this `state`.
    pub(super) fn flow_awaiting(&self, state: &Secret) -> Option<FlowId> {
        self.live(|flows| {
            let mut waiting = flows.iter().filter(|(_, live)| live.is_waiting());
            let found = waiting.find(|(_, live)| tokenry_core::same_secret(&live.flow.state, state));
            found.map(|(id, _)| *id)
        })
    }

    pub(crate) fn open_flow_of(&self, connection: ConnectionId) -> Option<FlowId> {
        self.live(|flows| {
            flows
                .iter()
                .find(|(_, live)| live.connection == connection && live.is_waiting())
                .map(|(id, _)| *id)
        })
    }

    /// The flow that this connection waits for.
    pub(super) fn flow_waiting_for(&self, connection: ConnectionId) -> Option<Flow> {
        self.live(|flows| {
            let mut waiting = flows.values().filter(|live| live.is_waiting());
            let found = waiting.find(|live| live.connection == connection);
            found.map(|live| live.flow.clone())
        })
    }

    /// Whether this program started the flow that has just made this connection.
    pub(super) fn was_made_by(&self, connection: ConnectionId, origin: &Origin) -> bool {
        let made = |live: &LiveFlow| {
            let flow = &live.flow;
            let is_made = live.connection == connection && !flow.renews && flow.started_by.is_none();
            is_made && flow.started_from.as_ref() == Some(origin)
        };
        self.live(|flows| flows.values().any(made))
    }

    /// The flows that can still come to something, and the connections that wait for them.
    pub(crate) fn waiting_flows(&self) -> (HashSet<FlowId>, HashSet<ConnectionId>) {
        self.live(|flows| {
            let waiting = flows.iter().filter(|(_, live)| live.is_waiting());
            waiting.map(|(id, live)| (*id, live.connection)).unzip()
        })
    }

    /// A flow that waits for a browser's answer, as it was when it was started.
    pub(crate) fn started(&self, id: FlowId) -> Option<StartedFlow> {
        self.live(|flows| {
            flows
                .get(&id)
                .filter(|live| live.is_waiting() && live.flow.device.is_none())
                .map(|live| StartedFlow {
                    authorization_url: live.flow.authorization_url.clone(),
                    browser_url: live.browser_url.clone(),
                    state: live.flow.state.clone(),
                    flow: id,
                    connection: live.connection,
                    redirect: live.flow.redirect,
                    redirect_uri: live.flow.redirect_uri.clone(),
                    device: None,
                    expires_at: live.expires_at,
                })
        })
    }

    /// Keeps what is only in memory, and gives the address to open. The scheduler ends the flow when its time is up.
    pub(super) fn watch_flow(&self, flow: &Flow, serving: Option<Serving>, place: Option<FlowPermit>) -> Url {
        let browser_url = serving
            .as_ref()
            .map_or_else(|| flow.authorization_url.clone(), |s| s.begin_url.clone());
        let standing = watch::Sender::new(Standing {
            state: FlowState::Waiting,
            refusals: 0,
            refused: None,
        });
        if let Some(device) = &flow.device {
            self.poll_for(flow.id, device, standing.subscribe());
        }
        let live = LiveFlow {
            standing,
            connection: flow.connection,
            expires_at: flow.expires_at,
            serving,
            place,
            browser_url: browser_url.clone(),
            flow: Flow {
                verifier: None,
                nonce: None,
                dpop_key: None,
                device: flow.device.clone().map(|device| DeviceSignIn {
                    device_code: Secret::new(String::new()),
                    ..device
                }),
                ..flow.clone()
            },
        };
        self.live(|flows| flows.insert(flow.id, live));
        // Only now does the connection show its flow: who looked when it was written did not see one.
        let _ = self.inner.changes.send(Change::Connection(flow.connection));
        self.inner.due.notify_one();
        browser_url
    }

    /// Flows that outlived a restart end when their time is up, as if nothing had happened.
    pub(crate) fn watch_surviving_flows(&self, store: &SealedStore) -> Result<(), Error> {
        for flow in store.all::<Flow>()? {
            if !self.live(|flows| flows.contains_key(&flow.id)) {
                self.watch_flow(&flow, None, None);
            }
        }
        Ok(())
    }

    /// Ends flows whose time is up, forgets those that ended long ago, and says when the next one will be due.
    pub(crate) fn look_after_flows(&self, now: Timestamp) -> Option<Timestamp> {
        let mut over = Vec::new();
        let next = self.live(|flows| {
            // A late caller still hears how it ended.
            flows.retain(|_, live| {
                live.is_waiting() || tokenry_core::later(live.expires_at, FLOW_LIFETIME) > now
            });
            let mut next: Option<Timestamp> = None;
            for live in flows.values().filter(|live| live.is_waiting()) {
                if live.expires_at <= now {
                    over.push(live.flow.clone());
                } else {
                    next = Some(next.map_or(live.expires_at, |next| next.min(live.expires_at)));
                }
            }
            next
        });
        for flow in over {
            let engine = self.clone();
            tokio::spawn(async move { engine.expire(&flow).await });
        }
        next
    }

    pub(crate) async fn expire(&self, flow: &Flow) {
        let ended = match self.store() {
            Ok(store) => {
                self.end_flow(&store, &Caller::Engine, flow, FlowState::Expired)
                    .await
            }
            Err(error) => Err(error),
        };
        match ended {
            // Its answer came in the last moment, and what becomes of that is said when it is known.
            Ok(()) | Err(Error::FlowExpired) => {}
            // Its record goes when the vault is opened next.
            Err(_) => self.tell_flow(flow.id, flow.connection, FlowState::Expired),
        }
    }

    /// Closes every listener: the engine ends.
    pub(crate) fn end_listeners(&self) {
        let closed = self.live(std::mem::take);
        drop(closed);
    }

    fn live<T>(&self, look: impl FnOnce(&mut Live) -> T) -> T {
        look(&mut locks::lock(&self.inner.flows))
    }
}
