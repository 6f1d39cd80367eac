//! The lowest epoch that is acceptable of this vault, in every place outside of the profile that can hold it. It is
//! raised only to what is committed already, and no caller waits for it.

use crate::{Engine, Error, engine::blocking, locks, records::sealed_store::SealedStore};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokenry_vault::VaultId;
use tokio::{sync::Notify, time::Instant};

/// How often the OS keyring is told at most while tokens are rotated.
const KEYRING_INTERVAL: Duration = Duration::from_secs(60);
/// How long an engine that ends waits for the OS keyring.
const KEYRING_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// What is to be written down outside of the profile.
#[derive(Default)]
pub(crate) struct Floors {
    /// A refresh token was committed.
    rotated: Notify,
    state: Mutex<State>,
    /// The OS keyring did not take the last one. It may have to ask for its password: not again for a rotation.
    keyring_fails: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The newest that was committed, and not told to the keyring yet.
    for_keyring: Option<(VaultId, u64)>,
    keyring_at: Option<Instant>,
}

impl Floors {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        locks::lock(&self.state)
    }

    /// A refresh token was committed in this epoch.
    pub(crate) fn rotated(&self, id: VaultId, epoch: u64) {
        self.state().for_keyring = Some((id, epoch));
        self.rotated.notify_one();
    }

    /// When the keyring is to be told of what is waiting; `None` when nothing is.
    fn keyring_due(&self, now: Instant) -> Option<Instant> {
        let state = self.state();
        let waits = state.for_keyring.is_some() && !self.keyring_fails.load(Ordering::Relaxed);
        waits.then(|| next(state.keyring_at, now))
    }
}

/// At once, or when the last time is long enough ago.
fn next(last: Option<Instant>, now: Instant) -> Instant {
    last.map_or(now, |last| (last + KEYRING_INTERVAL).max(now))
}

/// Raises after each rotation, for as long as the engine lives. Without a rotation it sleeps.
pub(crate) async fn run(engine: Engine) {
    let floors = &engine.inner.floors;
    loop {
        let due = floors.keyring_due(Instant::now());
        let due = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = floors.rotated.notified() => engine.raise_outside().await,
            () = due => drop(tokio::spawn(engine.keyring_told())),
        }
    }
}

impl Engine {
    /// Writes down outside of the profile how new this vault is; in the background, since a keyring can take its time.
    pub(crate) fn raise_floor(&self) {
        let Ok(store) = self.store() else { return };
        if store.read_only().is_some() {
            return;
        }
        self.inner.scheduler.floor_raised(self.now());
        self.inner.floors.state().for_keyring = Some((store.vault().id(), store.epoch()));
        let engine = self.clone();
        tokio::spawn(async move {
            engine.raise_outside().await;
            engine.keyring_told().await;
        });
    }

    /// The same when the engine ends, and then it is waited for; not long for a keyring.
    pub(super) async fn raise_at_the_end(&self, store: Option<&SealedStore>) {
        if let Some(store) = store.filter(|store| store.read_only().is_none()) {
            self.inner.floors.state().for_keyring = Some((store.vault().id(), store.epoch()));
            self.raise_state_folder(store).await;
        }
        let is_due = self.inner.floors.keyring_due(Instant::now()).is_some();
        if is_due
            && tokio::time::timeout(KEYRING_SHUTDOWN_TIMEOUT, self.keyring_told())
                .await
                .is_err()
        {
            tracing::warn!("the engine ends before the keyring took the new epoch floor");
        }
    }

    async fn raise_outside(&self) {
        if let Ok(store) = self.store()
            && store.read_only().is_none()
        {
            self.raise_state_folder(&store).await;
        }
    }

    async fn raise_state_folder(&self, store: &SealedStore) {
        let (engine, vault, epoch) = (self.clone(), store.vault().clone(), store.epoch());
        let raised = blocking(move || engine.inner.opener.raise_state_folder(&vault, epoch)).await;
        if let Err(error) = raised {
            tracing::warn!("the newest state could not be written down outside of the profile: {error}");
        }
    }

    /// Tells the keyring the newest epoch that it does not know. Needs no key of the vault, so it may come after a lock.
    fn keyring_told(&self) -> impl Future<Output = ()> + Send + 'static {
        let engine = self.clone();
        let waiting = {
            let mut state = engine.inner.floors.state();
            state.keyring_at = Some(Instant::now());
            state.for_keyring.take()
        };
        async move {
            let Some((id, epoch)) = waiting else { return };
            let teller = engine.clone();
            let told: Result<(), Error> = blocking(move || teller.inner.opener.raise_floor(id, epoch)).await;
            engine
                .inner
                .floors
                .keyring_fails
                .store(told.is_err(), Ordering::Relaxed);
            if let Err(error) = told {
                tracing::warn!("the keyring did not take the new epoch floor: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_keyring_is_told_at_once_and_then_once_a_minute() {
        let (floors, now) = (Floors::default(), Instant::now());
        assert_eq!(floors.keyring_due(now), None, "nothing wakes an idle engine");
        floors.rotated(VaultId([1; 16]), 7);
        assert_eq!(floors.keyring_due(now), Some(now));
        floors.state().keyring_at = Some(now);
        let soon = now + Duration::from_secs(10);
        assert_eq!(
            floors.keyring_due(soon),
            Some(now + KEYRING_INTERVAL),
            "the last one is told, too"
        );
        floors.state().for_keyring = None;
        assert_eq!(floors.keyring_due(soon), None);
    }

    #[tokio::test]
    async fn a_keyring_that_did_not_take_it_is_not_asked_again_for_a_rotation() {
        let floors = Floors::default();
        floors.rotated(VaultId([1; 16]), 7);
        floors.keyring_fails.store(true, Ordering::Relaxed);
        assert_eq!(floors.keyring_due(Instant::now()), None);
    }
}
