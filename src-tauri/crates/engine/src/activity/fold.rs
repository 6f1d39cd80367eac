//! What is refused or fails again and again is one line of the log with a count, for each caller, kind, target and
//! rule: a program that tries a thousand times a second neither fills the disk nor hides what others did.
//!
//! The first time is written like anything else. What repeats is counted in memory, and written as the same line (it
//! keeps its id) with the whole count: ten seconds later, then in longer and longer pauses, and at lock. What was
//! done, each hand-out above all, is never put together with anything.

use std::{collections::HashMap, time::Duration};
use tokenry_core::{
    AppId, Caller, ConnectionId, CredentialId, Event, EventId, EventKind, Outcome, Peer, ProviderId, Rule,
};
use tokio::time::Instant;

/// The first pause until a count is written, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);
/// What happens again after this long is a new line.
const SERIES_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How many lines are counted at a time.
const MAX_SERIES: usize = 256;
/// How many new lines programs can cause at once, and one more in each of these spans. What is beyond that is told in
/// one line of many programs.
const BURST: u32 = 128;
const ONE_MORE: Duration = Duration::from_secs(1);

/// What is told in one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    who: Who,
    kind: EventKind,
    outcome: Outcome,
    provider: Option<ProviderId>,
    connection: Option<ConnectionId>,
    credential: Option<CredentialId>,
    app: Option<AppId>,
    rule: Option<Rule>,
}

/// A caller as far as it counts here: a program that is started anew each time is the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Ui,
    Consent,
    Engine,
    Program(Option<String>),
    App(AppId, Option<String>),
    Many,
}

impl Key {
    fn of(event: &Event) -> Self {
        let who = match &event.caller {
            Caller::Ui => Who::Ui,
            Caller::Consent => Who::Consent,
            Caller::Engine => Who::Engine,
            Caller::Program(peer) => Who::Program(peer.program.clone()),
            Caller::App(app) => {
                let program = app.peer.as_ref().and_then(|peer| peer.program.clone());
                Who::App(app.app, program)
            }
        };
        Self {
            who,
            kind: event.kind,
            outcome: event.outcome,
            provider: event.provider,
            connection: event.connection,
            credential: event.credential,
            app: event.app,
            rule: event.rule,
        }
    }

    /// The line for what is too much to be told one by one.
    fn of_many(event: &Event) -> Self {
        Self {
            who: Who::Many,
            kind: event.kind,
            outcome: event.outcome,
            provider: None,
            connection: None,
            credential: None,
            app: None,
            rule: None,
        }
    }

    /// Whether it is something that programs cause.
    fn is_of_programs(&self) -> bool {
        matches!(self.who, Who::Program(_) | Who::App(..))
    }
}

/// One line that goes on.
struct Series {
    line: Event,
    /// The count that is on the disk; 0 before it was written.
    written: u64,
    /// When the count is written next.
    due: Instant,
    pause: Duration,
    last: Instant,
}

impl Series {
    fn is_unwritten(&self) -> bool {
        self.line.count > self.written
    }
}

/// What is counted at this moment.
pub(super) struct Folds {
    series: HashMap<Key, Series>,
    /// Of series that are over.
    left: Vec<Event>,
    /// How many new lines may still be made, as of when.
    budget: (u32, Option<Instant>),
}

impl Default for Folds {
    fn default() -> Self {
        Self {
            series: HashMap::new(),
            left: Vec::new(),
            budget: (BURST, None),
        }
    }
}

impl Folds {
    /// Counts it. `true` when there is something to write that there was not before.
    pub(super) fn add(&mut self, event: Event, now: Instant) -> bool {
        let mut key = Key::of(&event);
        if !self.goes_on(&key, now) && !self.may_begin(&key, now) {
            key = Key::of_many(&event);
        }
        if self.goes_on(&key, now)
            && let Some(series) = self.series.get_mut(&key)
        {
            let was_unwritten = series.is_unwritten();
            series.again(event, now);
            return !was_unwritten;
        }
        let mut line = event;
        if key.who == Who::Many {
            anonymous(&mut line);
        }
        let series = Series {
            line,
            written: 0,
            due: now,
            pause: FIRST_PAUSE,
            last: now,
        };
        if let Some(before) = self.series.insert(key, series).filter(Series::is_unwritten) {
            self.left.push(before.line);
        }
        true
    }

    fn goes_on(&self, key: &Key, now: Instant) -> bool {
        let series = self.series.get(key);
        series.is_some_and(|series| now.duration_since(series.last) < SERIES_TIMEOUT)
    }

    /// Whether there is room for a new line of its own.
    fn may_begin(&mut self, key: &Key, now: Instant) -> bool {
        if self.series.len() >= MAX_SERIES {
            let idle = self.series.iter().filter(|(_, series)| !series.is_unwritten());
            let oldest = idle.min_by_key(|(_, series)| series.last);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return false;
            };
            self.series.remove(&oldest);
        }
        if !key.is_of_programs() {
            return true;
        }
        let (left, since) = &mut self.budget;
        let since = since.get_or_insert(now);
        let more = now.duration_since(*since).as_millis() / ONE_MORE.as_millis();
        let more = u32::try_from(more).unwrap_or(BURST).min(BURST);
        if more > 0 {
            *left = (*left + more).min(BURST);
            *since = now;
        }
        let is_left = *left > 0;
        *left = left.saturating_sub(1);
        is_left
    }

    /// The lines to write now: new ones, and counts that are due, or all.
    pub(super) fn take(&mut self, all: bool, now: Instant) -> Vec<Event> {
        let mut lines = std::mem::take(&mut self.left);
        for series in self.series.values_mut().filter(|series| series.is_unwritten()) {
            if all || series.written == 0 || series.due <= now {
                series.written = series.line.count;
                series.due = now + series.pause;
                series.pause = (series.pause * 2).min(MAX_PAUSE);
                lines.push(series.line.clone());
            }
        }
        lines
    }

    /// These could not be written.
    pub(super) fn put_back(&mut self, lines: Vec<Event>) {
        for line in lines {
            match self.series.values_mut().find(|series| series.line.id == line.id) {
                Some(series) => series.written = 0,
                None if self.left.len() < MAX_SERIES => self.left.push(line),
                None => {}
            }
        }
    }

    /// Counts that are not written yet.
    pub(super) fn unwritten(&self) -> Vec<Event> {
        let series = self.series.values().filter(|series| series.is_unwritten());
        series
            .map(|series| series.line.clone())
            .chain(self.left.iter().cloned())
            .collect()
    }

    /// When the next count is to be written, if any is.
    pub(super) fn due(&self) -> Option<Instant> {
        let series = self.series.values();
        let waiting = series.filter(|series| series.written > 0 && series.is_unwritten());
        waiting.map(|series| series.due).min()
    }
}

impl Series {
    /// It happened once more. The words and the request are those of the last time.
    fn again(&mut self, event: Event, now: Instant) {
        let line = &mut self.line;
        line.first_at.get_or_insert(line.at);
        line.count += 1;
        line.at = event.at;
        line.detail = event.detail;
        line.request_id = event.request_id;
        if line.caller != event.caller {
            several(&mut line.caller);
        }
        self.last = now;
    }
}

/// Several processes of one program: which one is not said.
fn several(caller: &mut Caller) {
    let peer = match caller {
        Caller::Program(peer) => Some(peer),
        Caller::App(app) => app.peer.as_mut(),
        _ => None,
    };
    if let Some(peer) = peer {
        (peer.pid, peer.started, peer.session) = (0, 0, None);
    }
}

/// Many programs: none is named.
fn anonymous(line: &mut Event) {
    line.caller = Caller::Program(Peer {
        program: Some("many programs".to_owned()),
        ..tokenry_peer::unknown()
    });
    (line.provider, line.connection, line.credential) = (None, None, None);
    (line.app, line.rule) = (None, None);
}

/// Ids of lines that were seen, of which older states are not shown.
#[derive(Default)]
pub(super) struct Seen(std::collections::HashSet<EventId>);

impl Seen {
    /// Whether this is the newest state of its line; ask in the order newest first.
    pub(super) fn is_newest(&mut self, line: &Event) -> bool {
        if self.0.contains(&line.id) {
            return false;
        }
        if line.count > 1 {
            self.0.insert(line.id);
        }
        true
    }
}

#[cfg(test)]
mod tests;
