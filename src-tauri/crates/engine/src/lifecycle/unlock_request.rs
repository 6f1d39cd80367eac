//! Requests that meet a locked vault: they bring up the window, and wait until the user has unlocked it there.
//!
//! What must never be true of it: that more than one window opens; that the window comes back although the user has
//! just dismissed it.

use crate::{Change, Engine, Error, VaultState, access::policy::Operation, locks};
use std::{sync::Mutex, time::Duration};
use tokenry_core::{Caller, Peer};
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::Instant,
};

/// How long a request waits, as long as a permission request is shown.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the window does not come up by itself after it was dismissed, and the longest that grows to.
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);
/// How many requests may wait. More get the error at once.
const MAX_WAITING: usize = 64;
/// How often it is looked whether the requester is still there and still the same program.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

const DISMISSED: &str = "the window to unlock it was closed, or the user did not unlock it in time; unlock it with \
                         `tokenry unlock` or in the window";

/// The requests that wait, and the pause after a dismissal.
pub(crate) struct UnlockRequests {
    state: Mutex<State>,
    /// Counts the dismissals.
    dismissals: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    next_id: u64,
    /// When the window may come up by itself again, by the time since boot; and how long that pause was.
    pause: Option<(Duration, Duration)>,
}

struct Waiting {
    id: u64,
    peer: Option<Peer>,
}

impl Default for UnlockRequests {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            dismissals: watch::channel(0).0,
        }
    }
}

impl UnlockRequests {
    pub(crate) fn count(&self) -> u64 {
        locks::lock(&self.state).waiting.len() as u64
    }

    /// The user has unlocked the vault: a next request may show the window again.
    pub(crate) fn unlocked(&self) {
        locks::lock(&self.state).pause = None;
    }
}

/// A request that waits, until this is dropped.
struct Waits<'a> {
    engine: &'a Engine,
    id: u64,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let requests = &self.engine.inner.unlock_requests;
        locks::lock(&requests.state)
            .waiting
            .retain(|waiting| waiting.id != self.id);
        let _ = self.engine.inner.changes.send(Change::Engine);
    }
}

/// What a request that meets a locked vault does.
enum Entry<'a> {
    /// It waits; the first of several shows the window.
    Waits(Waits<'a>, bool),
    /// There are too many.
    Full,
    /// The user dismissed the window a moment ago.
    Paused,
}

impl Engine {
    /// Waits until the vault is unlocked, when there is a window to unlock it in. Without one, and when the vault has
    /// a trouble that a passphrase does not solve, it returns at once; the request then fails as it does without a window.
    ///
    /// # Errors
    /// When the user dismisses the window or does not unlock the vault in time, and for some minutes after that.
    pub async fn wait_for_unlock(&self, peer: Option<&Peer>) -> Result<(), Error> {
        if peer.is_some_and(|peer| peer.remote.is_some()) {
            // No other host has the window come up.
            return Ok(());
        }
        if self.is_open() || !self.inner.window || self.status().vault.state != VaultState::Locked {
            return Ok(());
        }
        let (waits, is_first) = match self.enter(peer) {
            Entry::Waits(waits, is_first) => (waits, is_first),
            Entry::Full => return Ok(()),
            Entry::Paused => return Err(dismissed()),
        };
        let mut dismissals = self.inner.unlock_requests.dismissals.subscribe();
        let mut changes = self.changes();
        if is_first && let Err(error) = self.inner.host.show_window() {
            tracing::warn!("the window to unlock the vault could not be shown: {error}");
            return Ok(());
        }
        let _ = self.inner.changes.send(Change::Engine);
        let end = Instant::now() + UNLOCK_TIMEOUT;
        while !self.is_open() {
            tokio::select! {
                change = changes.recv() => if matches!(change, Err(RecvError::Closed)) {
                    return Err(Error::Locked);
                },
                _ = dismissals.changed() => return Err(dismissed()),
                () = tokio::time::sleep_until(end) => {
                    self.pause_unlock_requests();
                    return Err(dismissed());
                }
                () = tokio::time::sleep(POLL_INTERVAL) => {
                    if peer.is_some_and(|peer| !tokenry_peer::is_unchanged(peer)) {
                        return Err(Error::Denied("the program that asked is not the one that would be answered"));
                    }
                }
                () = self.ending() => return Err(Error::Locked),
            }
        }
        drop(waits);
        Ok(())
    }

    fn enter(&self, peer: Option<&Peer>) -> Entry<'_> {
        let mut state = locks::lock(&self.inner.unlock_requests.state);
        if state
            .pause
            .is_some_and(|(until, _)| self.inner.clock.boottime() < until)
        {
            return Entry::Paused;
        }
        if state.waiting.len() >= MAX_WAITING {
            return Entry::Full;
        }
        let (id, is_first) = (state.next_id, state.waiting.is_empty());
        state.next_id += 1;
        state.waiting.push(Waiting {
            id,
            peer: peer.cloned(),
        });
        Entry::Waits(Waits { engine: self, id }, is_first)
    }

    /// The programs whose requests wait for the vault to be unlocked.
    ///
    /// # Errors
    /// For anybody but the window.
    pub fn unlock_requests(&self, caller: &Caller) -> Result<Vec<Peer>, Error> {
        self.allow(caller, Operation::Settings)?;
        let state = locks::lock(&self.inner.unlock_requests.state);
        Ok(state
            .waiting
            .iter()
            .filter_map(|waiting| waiting.peer.clone())
            .collect())
    }

    /// The user does not unlock the vault now: the requests that wait fail, and the window does not come up by itself
    /// for some minutes. It does nothing while none waits.
    ///
    /// # Errors
    /// For anybody but the window.
    pub fn dismiss_unlock_requests(&self, caller: &Caller) -> Result<(), Error> {
        self.allow(caller, Operation::Settings)?;
        self.pause_unlock_requests();
        Ok(())
    }

    fn pause_unlock_requests(&self) {
        let requests = &self.inner.unlock_requests;
        let mut state = locks::lock(&requests.state);
        if state.waiting.is_empty() || self.is_open() {
            return;
        }
        let now = self.inner.clock.boottime();
        if state.pause.is_some_and(|(until, _)| now < until) {
            // Several that wait reach their end together.
            return;
        }
        let length = state
            .pause
            .map_or(FIRST_PAUSE, |(_, before)| (before * 2).min(MAX_PAUSE));
        state.pause = Some((now + length, length));
        drop(state);
        requests.dismissals.send_modify(|count| *count += 1);
    }
}

fn dismissed() -> Error {
    Error::StaysLocked(DISMISSED.to_owned())
}
