//! Who may try a passphrase, and in which order. Each try takes the time and the memory of a key derivation, and they
//! are made one after the other: a guessing program must not delay the user.

use crate::{Engine, Error, locks};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokenry_core::{Caller, Peer};
use tokio::sync::OwnedMutexGuard;

/// How many passphrases of programs may wait at a time. The window's own does not count.
const MAX_WAITING: usize = 3;
/// How long to wait before another try.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(1);

/// The passphrases that are being tried.
#[derive(Default)]
pub(crate) struct Guesses {
    waiting: Mutex<Vec<Peer>>,
    /// At most one of those without a terminal stands in the queue that the user stands in, too.
    without_a_terminal: Arc<tokio::sync::Mutex<()>>,
}

impl Guesses {
    fn waiting(&self) -> MutexGuard<'_, Vec<Peer>> {
        locks::lock(&self.waiting)
    }
}

/// A passphrase may be tried, until this is dropped.
pub(crate) struct Turn {
    engine: Engine,
    peer: Peer,
    _order: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut waiting = self.engine.inner.guesses.waiting();
        if let Some(at) = waiting.iter().position(|peer| *peer == self.peer) {
            waiting.swap_remove(at);
        }
    }
}

impl Engine {
    /// Waits until a caller may try a passphrase: the user in the window at once, a program only behind those with
    /// a terminal.
    ///
    /// # Errors
    /// When this program or its session is trying one already, or too many are.
    pub(crate) async fn turn_to_guess(&self, caller: &Caller) -> Result<Option<Turn>, Error> {
        let Some(peer) = caller.peer() else {
            return Ok(None);
        };
        let guesses = &self.inner.guesses;
        let mut turn = {
            let mut waiting = guesses.waiting();
            let is_same = |other: &Peer| {
                (other.pid, other.started) == (peer.pid, peer.started)
                    || (other.session.is_some() && other.session == peer.session)
            };
            if waiting.iter().any(is_same) {
                return Err(busy(
                    "a passphrase from this program or its session is being tried already",
                ));
            }
            if waiting.len() >= MAX_WAITING {
                return Err(busy("several programs are trying passphrases already"));
            }
            waiting.push(peer.clone());
            Turn {
                engine: self.clone(),
                peer: peer.clone(),
                _order: None,
            }
        };
        if tokenry_peer::surroundings(peer).terminal.is_none() {
            turn._order = Some(guesses.without_a_terminal.clone().lock_owned().await);
        }
        Ok(Some(turn))
    }
}

fn busy(what: &str) -> Error {
    let message = format!("{what}; try again in a moment, or unlock in the window");
    Error::Busy(message, Some(QUEUE_TIMEOUT))
}
