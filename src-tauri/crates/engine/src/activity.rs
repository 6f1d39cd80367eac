use crate::{Engine, engine::blocking, ledger::Ledger};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokenry_core::{
    App, AppId, Connection, ConnectionId, Credential, CredentialId, Event, Grant, GrantId, Timestamp,
};
use tokio::sync::Notify;

/// Hand-outs are written in batches this late at most, so that a token costs no fsync.
const LATE: Duration = Duration::from_millis(90);
/// "Last used" is written once in this many milliseconds for each connection, credential, app and grant.
const USED_EVERY: i64 = 60_000;
/// Above this many unwritten lines the oldest go: the disk has been full for long.
const KEPT: usize = 10_000;

/// Lines of the activity log that are not on disk yet.
#[derive(Default)]
pub(crate) struct Activity {
    buffer: Mutex<Buffer>,
    filled: Notify,
}

#[derive(Default)]
struct Buffer {
    events: Vec<Event>,
    used: HashMap<ConnectionId, Timestamp>,
    used_credentials: HashMap<CredentialId, Timestamp>,
    used_grants: HashMap<GrantId, (AppId, Timestamp)>,
}

impl Activity {
    pub(crate) fn push(&self, event: Event) {
        self.buffer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .events
            .push(event);
        self.filled.notify_one();
    }

    /// A hand-out: the line, and when the connection was used.
    pub(crate) fn used(&self, connection: ConnectionId, event: Event) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.used.insert(connection, event.at);
        buffer.events.push(event);
        drop(buffer);
        self.filled.notify_one();
    }

    /// The same for the values of a credential.
    pub(crate) fn used_credential(&self, credential: CredentialId, event: Event) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.used_credentials.insert(credential, event.at);
        buffer.events.push(event);
        drop(buffer);
        self.filled.notify_one();
    }

    /// An app did something by a grant of its.
    pub(crate) fn used_grant(&self, app: AppId, grant: GrantId, at: Timestamp) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.used_grants.insert(grant, (app, at));
        drop(buffer);
        self.filled.notify_one();
    }

    fn take(&self) -> Buffer {
        mem::take(&mut *self.buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, mut events: Vec<Event>) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        events.append(&mut buffer.events);
        let surplus = events.len().saturating_sub(KEPT);
        events.drain(..surplus);
        buffer.events = events;
    }
}

/// Writes what has come together, for as long as the engine lives.
pub(crate) async fn run(engine: Engine) {
    loop {
        engine.inner.activity.filled.notified().await;
        tokio::time::sleep(LATE).await;
        engine.flush_activity().await;
    }
}

impl Engine {
    /// Writes everything that is waiting to be written, in one transaction.
    pub(crate) async fn flush_activity(&self) {
        if let Ok(ledger) = self.ledger() {
            self.write_activity(ledger).await;
        }
    }

    pub(crate) async fn write_activity(&self, ledger: Arc<Ledger>) {
        let Buffer {
            events,
            used,
            used_credentials,
            mut used_grants,
        } = self.inner.activity.take();
        {
            // Of what is known without a look at the disk, so that a use alone is written once a minute too.
            let index = ledger.index();
            used_grants.retain(|id, (app, at)| {
                let grant = index.grants_of(*app).find(|grant| grant.id == *id);
                grant.is_some_and(|grant| is_due(grant.last_used_at, *at))
            });
        }
        if (events.is_empty() && used_grants.is_empty()) || ledger.read_only().is_some() {
            return;
        }
        let (now, events) = (self.now(), Arc::new(events));
        let kept = events.clone();
        let written = blocking(move || {
            ledger.change(now, |transaction| {
                events.iter().try_for_each(|event| transaction.event(event))?;
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
        })
        .await;
        if let Err(error) = written {
            tracing::warn!("the activity log could not be written and is kept in memory: {error}");
            self.inner.activity.put_back(Arc::unwrap_or_clone(kept));
        }
    }
}

/// Whether "last used" is written once more.
fn is_due(before: Option<Timestamp>, at: Timestamp) -> bool {
    before.is_none_or(|before| at.as_millisecond() - before.as_millisecond() >= USED_EVERY)
}
