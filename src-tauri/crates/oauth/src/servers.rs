//! What is known of servers while the engine runs: their nonces, their clocks and their keys. Nothing of it is stored.

use crate::dpop::{NONCE_HEADER, is_nonce};
use crate::jwks::KeySets;
use crate::response::http_date;
use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokenry_core::{Clock, OsRandom, Random, SystemClock};
use url::Url;

/// How many servers are remembered.
const MAX_SERVERS: usize = 64;
/// Clocks that differ less are taken as the same, in seconds.
const SAME_CLOCK_SECONDS: i64 = 5;

/// What is known of servers, and the time and randomness that proofs are made with.
pub(crate) struct Servers {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    seen: Mutex<HashMap<String, Seen>>,
    pub(crate) key_sets: KeySets,
}

#[derive(Default)]
struct Seen {
    nonce: Option<String>,
    /// How far the server's clock is ahead of ours, in seconds.
    ahead: i64,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Servers")
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(OsRandom))
    }
}

impl Servers {
    pub(crate) fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            clock,
            random,
            seen: Mutex::default(),
            key_sets: KeySets::default(),
        }
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.random
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The time as this server has it: it refuses proofs from the future and from the past.
    pub(crate) fn now_at(&self, url: &Url) -> Timestamp {
        let ahead = self.seen().get(&origin(url)).map_or(0, |seen| seen.ahead);
        let now = self.clock.now();
        Timestamp::from_second(now.as_second().saturating_add(ahead)).unwrap_or(now)
    }

    /// The nonce that this server gave last (RFC 9449 §8.2).
    pub(crate) fn nonce_of(&self, url: &Url) -> Option<String> {
        self.seen().get(&origin(url)).and_then(|seen| seen.nonce.clone())
    }

    /// Takes the nonce and the time of a response, whatever its status. Gives whether it brought a nonce.
    pub(crate) fn note(&self, url: &Url, headers: &HeaderMap) -> bool {
        let mut nonces = headers.get_all(NONCE_HEADER).iter();
        let nonce = match (nonces.next(), nonces.next()) {
            (Some(nonce), None) => nonce.to_str().ok().filter(|nonce| is_nonce(nonce)),
            _ => None,
        };
        let date = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?));
        let ahead = date.map_or(0, |date| date.as_second() - self.clock.now().as_second());
        let ahead = if ahead.abs() > SAME_CLOCK_SECONDS {
            ahead
        } else {
            0
        };
        let mut seen = self.seen();
        let origin = origin(url);
        if nonce.is_none() && ahead == 0 && !seen.contains_key(&origin) {
            return false;
        }
        if seen.len() >= MAX_SERVERS && !seen.contains_key(&origin) {
            // A nonce that is forgotten costs one more request.
            seen.clear();
        }
        let entry = seen.entry(origin).or_default();
        entry.ahead = ahead;
        if let Some(nonce) = nonce {
            entry.nonce = Some(nonce.to_owned());
        }
        nonce.is_some()
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
