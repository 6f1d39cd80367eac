//! Writing the activity log, in batches.

use super::fold::Folds;
use crate::{Engine, locks, records::sealed_store::SealedStore};
use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokenry_core::{
    App, AppId, Caller, Connection, ConnectionId, Credential, CredentialId, Event, EventKind, Grant, GrantId,
    Outcome, Timestamp,
};
use tokio::{sync::Notify, time::Instant};

/// Hand-outs are written in batches this late at most, so that a token costs no fsync.
const BATCH_DELAY: Duration = Duration::from_millis(90);
/// "Last used" is written once in this many milliseconds for each connection, credential, app and grant.
const LAST_USED_INTERVAL_MS: i64 = 60_000;
/// Above this many unwritten lines the oldest go, a tenth of them at a time: the disk has been full for long. Nothing
/// is handed out any more when half of this is full and cannot be written.
const MAX_UNWRITTEN: usize = 10_000;

/// Lines of the activity log that are not on disk yet.
#[derive(Default)]
pub(crate) struct Activity {
    buffer: Mutex<Buffer>,
    filled: Notify,
    /// The last try to write failed.
    is_failing: AtomicBool,
}

#[derive(Default)]
struct Buffer {
    events: Vec<Event>,
    folds: Folds,
    /// How many lines had to go unwritten.
    lost: u64,
    used: HashMap<ConnectionId, Timestamp>,
    used_credentials: HashMap<CredentialId, Timestamp>,
    used_grants: HashMap<GrantId, (AppId, Timestamp)>,
}

impl Buffer {
    fn push(&mut self, event: Event) {
        self.events.push(event);
        if self.events.len() > MAX_UNWRITTEN {
            self.events.drain(..MAX_UNWRITTEN / 10);
            self.lost += (MAX_UNWRITTEN / 10) as u64;
        }
    }
}

/// What is to be written now.
struct Taken {
    events: Vec<Event>,
    counts: Vec<Event>,
    lost: u64,
    used: HashMap<ConnectionId, Timestamp>,
    used_credentials: HashMap<CredentialId, Timestamp>,
    used_grants: HashMap<GrantId, (AppId, Timestamp)>,
}

impl Activity {
    /// A line. What was refused or failed is counted when it repeats; everything else has a line of its own.
    pub(crate) fn push(&self, event: Event) {
        let mut buffer = self.buffer();
        let is_new = match event.outcome {
            Outcome::Done => {
                buffer.push(event);
                true
            }
            Outcome::Refused | Outcome::Failed => buffer.folds.add(event, Instant::now()),
        };
        drop(buffer);
        if is_new {
            self.filled.notify_one();
        }
    }

    /// A hand-out: the line, and when the connection was used.
    pub(crate) fn used(&self, connection: ConnectionId, event: Event) {
        let mut buffer = self.buffer();
        buffer.used.insert(connection, event.at);
        buffer.push(event);
        drop(buffer);
        self.filled.notify_one();
    }

    /// The same for the values of a credential.
    pub(crate) fn used_credential(&self, credential: CredentialId, event: Event) {
        let mut buffer = self.buffer();
        buffer.used_credentials.insert(credential, event.at);
        buffer.push(event);
        drop(buffer);
        self.filled.notify_one();
    }

    /// An app did something by a grant of its.
    pub(crate) fn used_grant(&self, app: AppId, grant: GrantId, at: Timestamp) {
        self.buffer().used_grants.insert(grant, (app, at));
        self.filled.notify_one();
    }

    /// Counts that are not written yet.
    pub(super) fn counts(&self) -> Vec<Event> {
        self.buffer().folds.unwritten()
    }

    /// Whether what is handed out now could not be written down: the disk is full, and so is the memory for it.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed) && self.buffer().events.len() >= MAX_UNWRITTEN / 2
    }

    /// When a count is to be written, if one is.
    fn due(&self) -> Option<Instant> {
        self.buffer().folds.due()
    }

    fn take(&self, all: bool) -> Taken {
        let mut buffer = self.buffer();
        Taken {
            events: mem::take(&mut buffer.events),
            counts: buffer.folds.take(all, Instant::now()),
            lost: mem::take(&mut buffer.lost),
            used: mem::take(&mut buffer.used),
            used_credentials: mem::take(&mut buffer.used_credentials),
            used_grants: mem::take(&mut buffer.used_grants),
        }
    }

    fn put_back(&self, mut events: Vec<Event>, counts: Vec<Event>, lost: u64) {
        let mut buffer = self.buffer();
        events.append(&mut buffer.events);
        let surplus = events.len().saturating_sub(MAX_UNWRITTEN);
        events.drain(..surplus);
        buffer.events = events;
        buffer.lost += lost + surplus as u64;
        buffer.folds.put_back(counts);
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        locks::lock(&self.buffer)
    }
}

/// Writes what has come together, for as long as the engine lives.
pub(crate) async fn run(engine: Engine) {
    let activity = &engine.inner.activity;
    loop {
        // While nothing can be written, nothing is due: what makes it possible again is a line itself.
        let writable = engine.store().is_ok_and(|store| store.read_only().is_none());
        let due = activity.due().filter(|_| writable);
        tokio::select! {
            () = activity.filled.notified() => tokio::time::sleep(BATCH_DELAY).await,
            () = reached(due) => {}
        }
        engine.flush_activity().await;
    }
}

/// Until then; for ever, when there is no time.
async fn reached(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Engine {
    /// Writes everything that is waiting to be written, in one transaction; counts only when they are due.
    pub(crate) async fn flush_activity(&self) {
        if let Ok(store) = self.store() {
            self.write_activity(store, false).await;
        }
    }

    /// The same, with all counts: nothing can be written for a while after it.
    pub(crate) async fn write_activity(&self, store: Arc<SealedStore>, all: bool) {
        if store.read_only().is_some() {
            // The lines wait in memory until the vault can be written.
            return;
        }
        let Taken {
            events,
            counts,
            lost,
            used,
            used_credentials,
            mut used_grants,
        } = self.inner.activity.take(all);
        {
            // Of what is known without a look at the disk, so that a use alone is written once a minute too.
            let index = store.index();
            used_grants.retain(|id, (app, at)| {
                let grant = index.grants_of(*app).find(|grant| grant.id == *id);
                grant.is_some_and(|grant| is_due(grant.last_used_at, *at))
            });
        }
        if events.is_empty() && counts.is_empty() && used_grants.is_empty() {
            return;
        }
        let gap = (lost > 0).then(|| self.lost_lines(lost));
        let written = Arc::new((events, counts));
        let kept = written.clone();
        let done = self
            .commit(&store, move |transaction| {
                let (events, counts) = &*kept;
                let mut lines: Vec<_> = gap.iter().chain(events).chain(counts).collect();
                lines.sort_by_key(|event| event.at);
                lines.iter().try_for_each(|event| transaction.event(event))?;
                for (id, at) in used {
                    let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                        continue;
                    };
                    if is_due(connection.last_used_at, at) {
                        connection.last_used_at = Some(at);
                        transaction.put(id.row(), &connection)?;
                    }
                }
                for (id, at) in used_credentials {
                    let Some(mut credential) = transaction.get::<Credential>(id.row())? else {
                        continue;
                    };
                    if is_due(credential.last_used_at, at) {
                        credential.last_used_at = Some(at);
                        transaction.put(id.row(), &credential)?;
                    }
                }
                for (id, (app, at)) in used_grants {
                    // Taken away meanwhile, with its app or alone.
                    let (Some(mut grant), Some(mut app)) = (
                        transaction.get::<Grant>(id.row())?,
                        transaction.get::<App>(app.row())?,
                    ) else {
                        continue;
                    };
                    grant.last_used_at = Some(at);
                    transaction.put(id.row(), &grant)?;
                    if is_due(app.last_used_at, at) {
                        app.last_used_at = Some(at);
                        transaction.put(app.id.row(), &app)?;
                    }
                }
                Ok(())
            })
            .await;
        self.inner
            .activity
            .is_failing
            .store(done.is_err(), Ordering::Relaxed);
        if let Err(error) = done {
            tracing::warn!("the activity log could not be written and is kept in memory: {error}");
            let (events, counts) = Arc::unwrap_or_clone(written);
            self.inner.activity.put_back(events, counts, lost);
        }
    }

    /// The line for those that could not be kept.
    fn lost_lines(&self, lost: u64) -> Event {
        let detail = format!("{lost} lines could not be written in time and are lost: the disk was full");
        let (kind, outcome) = (EventKind::LogDamaged, Outcome::Failed);
        self.event(&Caller::Engine, kind, outcome).with_detail(&detail)
    }
}

/// Whether "last used" is written once more.
fn is_due(before: Option<Timestamp>, at: Timestamp) -> bool {
    before.is_none_or(|before| at.as_millisecond() - before.as_millisecond() >= LAST_USED_INTERVAL_MS)
}
