//! The scheduler: refreshes, revocations and expiries when they are due.

use crate::{
    Change, Engine, Error,
    connections::status_at,
    credentials::Expiring,
    locks,
    records::sealed_store::SealedStore,
    token::{refresh::RefreshTrigger, refresh_token_life::end_of_sign_in},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokenry_core::{Connection, ConnectionId, ConnectionStatus, Provider, ReauthReason, Timestamp};
use tokio::sync::Semaphore;
use url::Url;

/// Timers stand still while the machine sleeps, so the wall clock is looked at this often when anything is due. The
/// runtime wakes up to three times for one such timer, and twice a minute is what an idle engine may.
const MAX_SLEEP: Duration = Duration::from_secs(100);
/// Refreshes of the schedule's own at a time.
const MAX_REFRESHES: usize = 4;
/// And of those, to one host.
const MAX_REFRESHES_PER_HOST: usize = 2;

/// After something that failed without a word about when to try again, the schedule waits this long.
const RETRY_PAUSE: Duration = Duration::from_secs(30);
/// How often the keyring hears how old a copy of this vault may be.
const FLOOR_INTERVAL_SECONDS: i64 = 24 * 3600;

/// Places for what the schedule does by itself, so that a resume does not become a flood. Callers who wait do not
/// stand in this line.
pub(crate) struct SchedulerState {
    all: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// The schedule leaves these alone.
    taken: Mutex<HashSet<ConnectionId>>,
    /// Not before this time since boot.
    paused: Mutex<HashMap<ConnectionId, Duration>>,
    floor_raised_at: Mutex<Option<Timestamp>>,
    /// The connections that were last announced with another status than their record says.
    ended: Mutex<HashSet<ConnectionId>>,
    pub(crate) expiring: Expiring,
    /// What had ended before the clock was set back is being deleted.
    ending: AtomicBool,
}

impl Default for SchedulerState {
    fn default() -> Self {
        Self {
            all: Semaphore::new(MAX_REFRESHES),
            hosts: Mutex::default(),
            taken: Mutex::default(),
            paused: Mutex::default(),
            floor_raised_at: Mutex::default(),
            ended: Mutex::default(),
            expiring: Expiring::default(),
            ending: AtomicBool::new(false),
        }
    }
}

impl SchedulerState {
    fn host(&self, host: &str) -> Arc<Semaphore> {
        locks::lock(&self.hosts)
            .entry(host.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(MAX_REFRESHES_PER_HOST)))
            .clone()
    }

    pub(crate) fn floor_raised(&self, at: Timestamp) {
        *locks::lock(&self.floor_raised_at) = Some(at);
    }
}

/// See [`Engine::reserve`].
pub(crate) struct Reserved(Engine, ConnectionId);

impl Drop for Reserved {
    fn drop(&mut self) {
        locks::lock(&self.0.inner.scheduler.taken).remove(&self.1);
    }
}

/// Does what is due, for as long as the engine lives. Sleeps for good when nothing will be.
pub(crate) async fn run(engine: Engine) {
    loop {
        match engine.start_what_is_due() {
            Some(wait) => {
                tokio::select! {
                    () = tokio::time::sleep(wait.min(MAX_SLEEP)) => {}
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
        let now = self.now();
        let mut next = self.look_after_flows(now);
        if let Ok(store) = self.store() {
            next = [next, self.announce_ends(&store, now)]
                .into_iter()
                .flatten()
                .min();
        }
        if let Some(store) = self.store().ok().filter(|store| store.read_only().is_none()) {
            let mut due = Vec::new();
            for connection in store.index().connections() {
                match due_at(connection) {
                    Some(at) if at <= now => due.push((connection.id, at)),
                    Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                    None => {}
                }
            }
            store.latest.seen(now);
            if store.latest.is_ahead_of(now) {
                self.end_later(&store, now);
            }
            let expiring = self.look_after_credentials(&store, now);
            let daily = self.look_after_daily_backup(&store, now);
            next = [next, expiring, daily].into_iter().flatten().min();
            drop(store);
            self.raise_floor_daily(now);
            for (id, since) in due {
                if let Some(at) = self.start_for(id, since, now) {
                    next = Some(next.map_or(at, |next| next.min(at)));
                }
            }
        }
        next.map(|next| next.duration_since(now).unsigned_abs())
    }

    /// Starts what is due now, and gives the connections that the schedule or a disconnect is at work on.
    #[cfg(test)]
    pub(crate) fn work_of_the_schedule(&self) -> HashSet<ConnectionId> {
        self.start_what_is_due();
        locks::lock(&self.inner.scheduler.taken).clone()
    }

    /// Whether the schedule leaves any connection alone for a while after a failure.
    #[cfg(test)]
    pub(super) fn has_paused(&self) -> bool {
        !locks::lock(&self.inner.scheduler.paused).is_empty()
    }

    /// See [`Engine::end_what_had_ended`]; once at a time, beside the schedule.
    fn end_later(&self, store: &Arc<SealedStore>, now: Timestamp) {
        if self.inner.scheduler.ending.swap(true, Ordering::AcqRel) {
            return;
        }
        let (engine, store) = (self.clone(), store.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = engine.end_what_had_ended(&store, now) {
                tracing::warn!("what had ended before the clock was set back could not be deleted: {error}");
            }
            engine.inner.scheduler.ending.store(false, Ordering::Release);
        });
    }

    /// Announces each connection whose status has changed by the time alone, and says when the
    /// next one will. A clock that was set back changes a status, too.
    fn announce_ends(&self, store: &SealedStore, now: Timestamp) -> Option<Timestamp> {
        let (mut next, mut ended): (Option<Timestamp>, _) = (None, HashSet::new());
        for connection in store.index().connections() {
            let status = status_at(connection, now);
            if status != connection.status {
                ended.insert(connection.id);
            }
            let warns_at = end_of_sign_in(connection).map(|(warns_at, _)| warns_at);
            let ends = [connection.expires_at, warns_at].into_iter().flatten();
            let coming = ends.filter(|end| *end > now && status_at(connection, *end) != status);
            next = next.into_iter().chain(coming).min();
        }
        let mut before = locks::lock(&self.inner.scheduler.ended);
        for id in before.symmetric_difference(&ended) {
            let _ = self.inner.changes.send(Change::Connection(*id));
        }
        *before = ended;
        next
    }

    /// Starts what is due for a connection; or says when that may be, if it just failed.
    fn start_for(&self, id: ConnectionId, due: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let boottime = self.inner.clock.boottime();
        let paused = locks::lock(&self.inner.scheduler.paused).get(&id).copied();
        if let Some(until) = paused.filter(|until| *until > boottime) {
            return Some(tokenry_core::later(now, until - boottime));
        }
        let reserved = self.reserve(id)?;
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.do_what_is_due(id).await {
                tracing::info!(connection = %id, "what was due did not work: {error}");
            }
            engine.pause_if_nothing_came_of_it(id, due);
            drop(reserved);
            // While it was reserved it was not looked at.
            engine.inner.due.notify_one();
        });
        None
    }

    /// Makes the schedule leave a connection alone, until what is returned goes. `None` when another task does.
    pub(crate) fn reserve(&self, id: ConnectionId) -> Option<Reserved> {
        locks::lock(&self.inner.scheduler.taken)
            .insert(id)
            .then(|| Reserved(self.clone(), id))
    }

    /// What failed without a word about when to try again (a full disk, a damaged record) would be tried at once.
    fn pause_if_nothing_came_of_it(&self, id: ConnectionId, before: Timestamp) {
        let due = self
            .store()
            .ok()
            .and_then(|store| store.index().connection(id).and_then(due_at));
        let mut paused = locks::lock(&self.inner.scheduler.paused);
        if due == Some(before) {
            paused.insert(id, self.inner.clock.boottime() + RETRY_PAUSE);
        } else {
            paused.remove(&id);
        }
    }

    async fn do_what_is_due(&self, id: ConnectionId) -> Result<(), Error> {
        let host = self.inner.scheduler.host(&self.host_of(id)?);
        // The host's place first: who waits for a slow host must not hold a place that others could use.
        let (Ok(_place_at_host), Ok(_place)) =
            (host.acquire().await, self.inner.scheduler.all.acquire().await)
        else {
            return Ok(());
        };
        // As it is now: there may have been a queue.
        let store = self.store()?;
        let status = store.index().connection(id).map(|connection| connection.status);
        match status {
            Some(ConnectionStatus::Disconnecting) => self.try_revoking(&store, id).await.map(drop),
            Some(_) => {
                drop(store);
                self.refreshed(id, RefreshTrigger::Scheduled).await
            }
            None => Ok(()),
        }
    }

    fn raise_floor_daily(&self, now: Timestamp) {
        let raised = *locks::lock(&self.inner.scheduler.floor_raised_at);
        if raised.is_some_and(|at| now.as_second() - at.as_second() >= FLOOR_INTERVAL_SECONDS) {
            self.raise_floor();
        }
    }

    fn host_of(&self, id: ConnectionId) -> Result<String, Error> {
        let store = self.store()?;
        let index = store.index();
        let Some(connection) = index.connection(id) else {
            return Ok(String::new());
        };
        let provider = store.get::<Provider>(connection.provider.row())?;
        let filled = provider.and_then(|provider| provider.filled_in(&connection.captured).ok());
        let target = filled.and_then(|provider| provider.refresh_target());
        let host = target.as_ref().and_then(Url::host_str);
        Ok(host.unwrap_or_default().to_owned())
    }
}

/// When something has to be done for a connection without anybody asking.
pub(super) fn due_at(connection: &Connection) -> Option<Timestamp> {
    match (connection.status, &connection.trouble) {
        (ConnectionStatus::Disconnecting, None) => Some(connection.updated_at),
        (
            ConnectionStatus::Active
            | ConnectionStatus::Disconnecting
            | ConnectionStatus::NeedsReauth(ReauthReason::Refused),
            Some(trouble),
        ) => trouble.next_try_at,
        (ConnectionStatus::Active, None) if connection.refreshable => connection.refresh_at,
        _ => None,
    }
}
