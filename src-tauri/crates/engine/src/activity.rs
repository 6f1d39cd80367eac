use crate::{Engine, engine::blocking, ledger::Ledger};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokenry_core::{Connection, ConnectionId, Credential, CredentialId, Event, Timestamp};
use tokio::sync::Notify;

/// Hand-outs are written in batches this late at most, so that a token costs no fsync.
const LATE: Duration = Duration::from_millis(90);
/// "Last used" is written once in this many milliseconds for each connection.
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
        } = self.inner.activity.take();
        if events.is_empty() || ledger.read_only().is_some() {
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
