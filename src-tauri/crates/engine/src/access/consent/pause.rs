//! The growing pause after a denial.

use super::session::Who;
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};
use tokenry_core::Timestamp;
use tokenry_peer::Process;

/// How long no prompt appears after a first denial, and the longest that grows to.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);
/// After this long without another no, all is forgotten; and a yes counts for as long.
const DENIAL_KEPT: Duration = Duration::from_secs(60 * 60);
/// So many no's in this time are enough: until one of them is older, only programs that had a yes are asked about.
const MAX_RECENT_DENIALS: usize = 5;
const RECENT_APPROVAL: Duration = Duration::from_secs(10 * 60);

/// Who asks: the program in its session, and the processes that it comes from. A copy of the program, and a session of
/// its own, change the first and not the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requester {
    pub(super) who: Option<Who>,
    pub(super) lineage: Vec<Process>,
}

impl Requester {
    /// Whether both are one program, or come from one that asks for both.
    pub(super) fn is_kin(&self, other: &Self) -> bool {
        self.who == other.who || self.lineage.iter().any(|process| other.lineage.contains(process))
    }
}

/// Who was told no, and how long they are not to come again.
#[derive(Default)]
pub(super) struct Pauses {
    of: HashMap<Key, Pause>,
    /// When a program last had a yes.
    welcome: HashMap<Who, Timestamp>,
    /// The last denials, of all callers.
    noes: VecDeque<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Who(Option<Who>),
    Process(Process),
}

#[derive(Clone, Copy)]
struct Pause {
    since: Timestamp,
    length: Duration,
}

impl Pauses {
    /// A no: each makes the pause three times as long, for the program and for what started it.
    pub(super) fn denied(&mut self, requester: &Requester, now: Timestamp) {
        let is_fresh = |since: Timestamp| now.duration_since(since).unsigned_abs() < DENIAL_KEPT;
        self.of.retain(|_, pause| is_fresh(pause.since));
        for key in keys(requester) {
            let length = self
                .of
                .get(&key)
                .map_or(FIRST_PAUSE, |before| (before.length * 3).min(MAX_PAUSE));
            self.of.insert(key, Pause { since: now, length });
        }
        if let Some(who) = &requester.who {
            self.welcome.remove(who);
        }
        self.noes.push_back(now);
        if self.noes.len() > MAX_RECENT_DENIALS {
            self.noes.pop_front();
        }
    }

    /// A yes: the person wants it after all.
    pub(super) fn allowed(&mut self, requester: &Requester, now: Timestamp) {
        for key in keys(requester) {
            self.of.remove(&key);
        }
        self.welcome
            .retain(|_, since| age(*since, now).is_some_and(|age| age < DENIAL_KEPT));
        if let Some(who) = requester.who.clone() {
            self.welcome.insert(who, now);
        }
    }

    /// Whether it had a yes lately, and no no since.
    pub(super) fn is_welcome(&self, requester: &Requester, now: Timestamp) -> bool {
        let since = requester.who.as_ref().and_then(|who| self.welcome.get(who));
        since.is_some_and(|since| age(*since, now).is_some_and(|age| age < DENIAL_KEPT))
    }

    /// How long there is still to wait. A caller that was allowed something lately is held back by its own denial alone: a program must
    /// not keep others from requester.
    pub(super) fn left(&self, requester: &Requester, now: Timestamp) -> Option<Duration> {
        if self.is_welcome(requester, now) {
            return self.left_of(&Key::Who(requester.who.clone()), now);
        }
        let own = keys(requester).filter_map(|key| self.left_of(&key, now));
        own.chain(self.left_of_all(now)).max()
    }

    fn left_of(&self, key: &Key, now: Timestamp) -> Option<Duration> {
        let pause = self.of.get(key)?;
        let left = pause.length.checked_sub(age(pause.since, now)?)?;
        (!left.is_zero()).then_some(left)
    }

    /// Until the first of the last no's is old enough.
    fn left_of_all(&self, now: Timestamp) -> Option<Duration> {
        let first = self
            .noes
            .front()
            .filter(|_| self.noes.len() == MAX_RECENT_DENIALS)?;
        let left = RECENT_APPROVAL.checked_sub(age(*first, now)?)?;
        (!left.is_zero()).then_some(left)
    }
}

fn keys(requester: &Requester) -> impl Iterator<Item = Key> {
    let processes = requester.lineage.iter().copied().map(Key::Process);
    std::iter::once(Key::Who(requester.who.clone())).chain(processes)
}

/// `None` when a clock was set back: that must not make a pause last for ever.
fn age(since: Timestamp, now: Timestamp) -> Option<Duration> {
    let age = now.duration_since(since);
    (!age.is_negative()).then(|| age.unsigned_abs())
}
