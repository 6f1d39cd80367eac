//! Credentials that delete themselves: by the schedule, and at opening of the vault before anything can read them.

use super::is_alive;
use crate::{
    Engine, Error,
    engine::blocking,
    locks,
    records::{sealed_store::SealedStore, transaction::Transaction},
};
use std::{sync::Mutex, time::Duration};
use tokenry_core::{Caller, Credential, CredentialId, EventKind, Timestamp};

/// After a disk that did not take the deletion, the schedule waits this long.
const PAUSE: Duration = Duration::from_secs(30);

/// One deletion at a time, and not before this time since boot.
#[derive(Default)]
pub(crate) struct Expiring(Mutex<State>);

#[derive(Default)]
struct State {
    running: bool,
    not_before: Option<Duration>,
}

impl Expiring {
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut locks::lock(&self.0))
    }
}

/// Before the vault is shown to anybody.
pub(crate) fn expired_at_opening(engine: &Engine, store: &SealedStore, now: Timestamp) -> Result<(), Error> {
    engine.delete_expired(store, &expired(store, now), now)
}

fn expired(store: &SealedStore, now: Timestamp) -> Vec<CredentialId> {
    let index = store.index();
    let over = index.credentials().filter(|(_, known)| !known.is_alive(now));
    over.map(|(id, _)| id).collect()
}

impl Engine {
    /// Starts the deletion of what has expired, and says when the next one does.
    pub(crate) fn look_after_credentials(&self, store: &SealedStore, now: Timestamp) -> Option<Timestamp> {
        let (mut next, mut over): (Option<Timestamp>, bool) = (None, false);
        for (_, known) in store.index().credentials() {
            match known.expires_at {
                Some(end) if end <= now => over = true,
                Some(end) => next = Some(next.map_or(end, |next| next.min(end))),
                None => {}
            }
        }
        if !over {
            return next;
        }
        let boottime = self.inner.clock.boottime();
        let wait = self
            .inner
            .scheduler
            .expiring
            .with(|state| match state.not_before {
                _ if state.running => None,
                Some(then) if then > boottime => Some(then - boottime),
                _ => {
                    state.running = true;
                    let engine = self.clone();
                    tokio::spawn(async move { engine.expire_credentials().await });
                    None
                }
            });
        let again = wait.map(|wait| tokenry_core::later(now, wait));
        [next, again].into_iter().flatten().min()
    }

    async fn expire_credentials(&self) {
        let (engine, now) = (self.clone(), self.now());
        let done = match self.store() {
            Ok(store) => blocking(move || engine.delete_expired(&store, &expired(&store, now), now)).await,
            Err(error) => Err(error),
        };
        let not_before = match &done {
            Ok(()) => None,
            Err(error) => {
                tracing::warn!("an expired credential could not be deleted and is not handed out: {error}");
                Some(self.inner.clock.boottime() + PAUSE)
            }
        };
        self.inner.scheduler.expiring.with(|state| {
            state.running = false;
            state.not_before = not_before;
        });
        if done.is_ok() {
            self.raise_floor();
        }
        self.inner.due.notify_one();
    }

    fn delete_expired(&self, store: &SealedStore, ids: &[CredentialId], now: Timestamp) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        store.change_surely(now, |transaction| {
            self.drop_expired(transaction, ids.iter().copied())
        })
    }

    /// Deletes those of them that have expired, with a line in the log for each.
    pub(super) fn drop_expired(
        &self,
        transaction: &mut Transaction<'_>,
        ids: impl IntoIterator<Item = CredentialId>,
    ) -> Result<(), Error> {
        for id in ids {
            // As it is inside the transaction: its end may have been moved.
            let Some(credential) = transaction.get::<Credential>(id.row())? else {
                continue;
            };
            if is_alive(&credential, transaction.store.latest.seen(self.now())) {
                continue;
            }
            let kind = EventKind::CredentialRemoved;
            let event = self.credential_event(&Caller::Engine, kind, &credential, Some("expired"));
            transaction.delete_credential(id)?;
            transaction.event(&event)?;
        }
        Ok(())
    }
}
