use crate::{Engine, refresh::Why};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokenry_core::{Connection, ConnectionId, ConnectionStatus, Provider, Timestamp};
use tokio::sync::Semaphore;

/// Timers stand still while the machine sleeps, so the wall clock is looked at this often when anything is due.
const LOOK: Duration = Duration::from_secs(60);
/// Refreshes of the schedule's own at a time.
const AT_ONCE: usize = 4;
/// And of those, to one host.
const AT_ONCE_PER_HOST: usize = 2;

/// Places for what the schedule does by itself, so that a resume does not become a flood. Callers who wait do not
/// stand in this line.
pub(crate) struct Places {
    all: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    queued: Mutex<HashSet<ConnectionId>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            hosts: Mutex::default(),
            queued: Mutex::default(),
        }
    }
}

impl Places {
    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts
            .entry(host.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_PER_HOST)))
            .clone()
    }

    fn enqueue(&self, id: ConnectionId) -> bool {
        self.queued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id)
    }

    fn dequeue(&self, id: ConnectionId) {
        self.queued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}

/// Does what is due, for as long as the engine lives. Sleeps for good when nothing will be.
pub(crate) async fn run(engine: Engine) {
    loop {
        match engine.start_what_is_due() {
            Some(wait) => {
                tokio::select! {
                    () = tokio::time::sleep(wait.min(LOOK)) => {}
                    () = engine.inner.due.notified() => {}
                }
            }
            None => engine.inner.due.notified().await,
        }
    }
}

impl Engine {
    /// Starts what is due, and says how long until the next thing is; `None` when nothing will be.
    fn start_what_is_due(&self) -> Option<Duration> {
        let ledger = self.ledger().ok().filter(|ledger| ledger.read_only().is_none())?;
        let now = self.now();
        let mut next: Option<Timestamp> = None;
        let mut due = Vec::new();
        for connection in ledger.index().connections() {
            match due_at(connection) {
                Some(at) if at <= now => due.push((connection.id, connection.status)),
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        for (id, status) in due {
            if self.inner.places.enqueue(id) {
                let engine = self.clone();
                tokio::spawn(async move {
                    engine.do_what_is_due(id, status).await;
                    engine.inner.places.dequeue(id);
                });
            }
        }
        next.map(|next| next.duration_since(now).unsigned_abs())
    }

    async fn do_what_is_due(&self, id: ConnectionId, status: ConnectionStatus) {
        let Some(host) = self.host_of(id) else { return };
        let host = self.inner.places.host(&host);
        let (Ok(_place), Ok(_place_at_host)) = (self.inner.places.all.acquire().await, host.acquire().await)
        else {
            return;
        };
        let done = match status {
            ConnectionStatus::Disconnecting => self.try_revoking(id).await.map(|_| ()),
            _ => self.refreshed(id, Why::Scheduled).await,
        };
        if let Err(error) = done {
            tracing::info!(connection = %id, "what was due did not work: {error}");
        }
    }

    fn host_of(&self, id: ConnectionId) -> Option<String> {
        let ledger = self.ledger().ok()?;
        let provider = ledger.index().connection(id)?.provider;
        let provider = ledger.get::<Provider>(provider.row()).ok()??;
        Some(provider.refresh_target()?.host_str()?.to_owned())
    }
}

/// When something has to be done for a connection without anybody asking.
fn due_at(connection: &Connection) -> Option<Timestamp> {
    match (connection.status, &connection.trouble) {
        (ConnectionStatus::Disconnecting, None) => Some(connection.updated_at),
        (ConnectionStatus::Active | ConnectionStatus::Disconnecting, Some(trouble)) => trouble.next_try_at,
        (ConnectionStatus::Active, None) if connection.refreshable => connection.refresh_at,
        _ => None,
    }
}
