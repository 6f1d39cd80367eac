//! Reading the activity log: newest first, page by page, and checked on the way.
//!
//! A line is sealed for its number, and the manifest knows how many there are, so that none can be moved, made up or
//! taken out. What is left is a line of the same number from a copy of this vault that went another way. Against
//! that each line holds the value that the hash chain had before it, and a reader sees whether the line
//! before leads there; the newest one has to lead to the value in the manifest. That costs nothing at opening and one
//! step of the chain for each line that is looked at.
//!
//! What is damaged or missing is shown in its place, with its number, and the lines around it are read. The log is
//! bounded: its oldest lines go a segment at a time, and the manifest says where it begins.

use crate::{
    Engine, Error,
    access::{policy::Operation, resolve},
    activity::fold::Seen,
    engine::blocking,
    records::{record, sealed_store::SealedStore},
};
use tokenry_core::{AppId, Caller, ConnectionId, Event, EventKind, Outcome, Rule, Timestamp};
use tokenry_vault::{Place, Vault};

/// How many lines are opened for one request at most: a filter that matches nothing must not read a million.
const MAX_LINES_SEARCHED: usize = 20_000;
/// How many are read at a time while they are filtered.
const BATCH_LINES: u32 = 500;
/// How many lines are kept at least, and how many of the oldest are removed at a time: some 150 MiB in all.
pub(crate) const KEPT: i64 = 262_144;
pub(crate) const SEGMENT: i64 = 4_096;
/// The first byte of a line that holds the chain's value before it. Lines without are older than that; they begin
/// with the `{` of their JSON.
const CHAINED: u8 = 1;

/// Which part of the log is wanted. Everything, when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only what this app did, or what is about it: its id or name.
    pub app: Option<String>,
    /// Only what is about this connection: its id or name.
    pub connection: Option<String>,
    /// Only what ended like this.
    pub outcome: Option<Outcome>,
    /// Only what happened from this time on.
    pub since: Option<Timestamp>,
}

/// The same, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Only {
    app: Option<AppId>,
    connection: Option<ConnectionId>,
    outcome: Option<Outcome>,
    since: Option<Timestamp>,
}

impl Only {
    fn admits(&self, event: &Event) -> bool {
        let of_app = |app| event.caller.app() == Some(app) || event.app == Some(app);
        self.app.is_none_or(of_app)
            && self.connection.is_none_or(|id| event.connection == Some(id))
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self.since.is_none_or(|since| event.at >= since)
    }
}

impl Engine {
    /// The activity log, newest first, and the mark of the next page.
    ///
    /// # Errors
    /// While locked, or when the log cannot be read.
    pub async fn events(
        &self,
        caller: &Caller,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<Event>, Option<i64>), Error> {
        self.search_events(caller, &EventFilter::default(), before, limit)
            .await
    }

    /// The part of it that is wanted. A page may hold fewer than `limit`, and even none, and still have a next one:
    /// only so many lines are opened for one page.
    ///
    /// # Errors
    /// As [`Engine::events`]; and when there is no such app or connection.
    pub async fn search_events(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<Event>, Option<i64>), Error> {
        self.allow(caller, Operation::ReadActivity)?;
        self.flush_activity().await;
        let store = self.store()?;
        let only = {
            let index = store.index();
            let app = filter.app.as_deref().map(|app| resolve::app(&index, app));
            let connection = filter.connection.as_deref();
            let connection = connection.map(|reference| resolve::connection(&index, reference, |_| true));
            Only {
                app: app.transpose()?.map(|app| app.id),
                connection: connection.transpose()?.map(|connection| connection.id),
                outcome: filter.outcome,
                since: filter.since,
            }
        };
        let unwritten = Unwritten {
            // Only the first page has what is newest.
            counts: if before.is_none() {
                self.inner.activity.counts()
            } else {
                Vec::new()
            },
            now: self.now(),
        };
        let (mut events, next) =
            blocking(move || store.events(only, before, limit.clamp(1, 500), MAX_LINES_SEARCHED, unwritten))
                .await?;
        // Hand-outs are written a moment late, after what was written at once meanwhile.
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        Ok((events, next))
    }
}

/// What is in front of the log: counts that are not written yet, and the time at which it is read.
pub(super) struct Unwritten {
    pub(super) counts: Vec<Event>,
    pub(super) now: Timestamp,
}

impl SealedStore {
    /// Events before `before`, newest first, and the mark of the next page; `most` lines are opened for it. What is
    /// damaged or missing is shown as that, and hides nothing else.
    fn events(
        &self,
        only: Only,
        before: Option<i64>,
        limit: u32,
        most: usize,
        unwritten: Unwritten,
    ) -> Result<(Vec<Event>, Option<i64>), Error> {
        let (first, limit) = (self.log_start(), limit as usize);
        let (mut mark, mut leads_to) = self.start(first, before)?;
        let is_all = only == Only::default();
        let at_a_time = if is_all {
            u32::try_from(limit).unwrap_or(BATCH_LINES)
        } else {
            BATCH_LINES
        };
        let (mut seen, mut opened, mut at) = (Seen::default(), 0, unwritten.now);
        let newest = unwritten
            .counts
            .into_iter()
            .filter(|line| only.admits(line) && seen.is_newest(line));
        let mut found: Vec<_> = newest.take(limit).collect();
        while mark > first {
            let rows = self.database().events_before(Some(mark), at_a_time)?;
            // What is missing up to the beginning ends there.
            let begin = rows
                .last()
                .filter(|(seq, _)| *seq >= first)
                .is_none()
                .then_some((first - 1, Vec::new()));
            for (seq, sealed) in rows.into_iter().filter(|(seq, _)| *seq >= first).chain(begin) {
                if found.len() >= limit || opened == most {
                    return Ok((found, Some(mark)));
                }
                if seq + 1 != mark {
                    found.push(damaged_line(seq + 1, mark - 1, "missing", at)?);
                    (mark, leads_to) = (seq + 1, None);
                    if found.len() >= limit {
                        return Ok((found, (mark > first).then_some(mark)));
                    }
                }
                if seq < first {
                    break;
                }
                opened += 1;
                let fits =
                    |chain: &[u8; 32]| leads_to.is_none_or(|end| self.vault().chain(chain, &sealed) == end);
                match self.line(seq, &sealed) {
                    Ok((chain, event)) if chain.as_ref().is_none_or(fits) => {
                        (leads_to, at) = (chain, event.at);
                        if only.admits(&event) && seen.is_newest(&event) {
                            found.push(event);
                        }
                    }
                    Ok(_) => {
                        found.push(damaged_line(seq, seq, "not the one that was written there", at)?);
                        leads_to = None;
                    }
                    Err(_) => {
                        found.push(damaged_line(seq, seq, "damaged", at)?);
                        leads_to = None;
                    }
                }
                mark = seq;
            }
        }
        Ok((found, None))
    }

    /// The mark to begin at, and what the chain's value is there.
    fn start(&self, first: i64, before: Option<i64>) -> Result<(i64, Option<[u8; 32]>), Error> {
        let (next, end) = match self.read_only() {
            None => self.log_end(),
            // Its end may be missing, and is said to be. What is there is shown.
            Some(_) => (self.database().last_event()?.map_or(1, |(seq, _)| seq + 1), None),
        };
        let Some(before) = before.filter(|before| *before < next) else {
            return Ok((next, end));
        };
        if before < first {
            return Ok((first, None));
        }
        let rows = self.database().events_before(before.checked_add(1), 1)?;
        let there = rows.first().filter(|(seq, _)| *seq == before);
        let line = there.and_then(|(seq, sealed)| self.line(*seq, sealed).ok());
        Ok((before, line.and_then(|(chain, _)| chain)))
    }

    fn line(&self, seq: i64, sealed: &[u8]) -> Result<(Option<[u8; 32]>, Event), Error> {
        open_line(self.vault(), seq, sealed)
    }
}

/// The chain's value before a line, where the line holds it, and the line itself.
pub(crate) fn open_line(vault: &Vault, seq: i64, sealed: &[u8]) -> Result<(Option<[u8; 32]>, Event), Error> {
    let plain = vault.open(place(seq), sealed)?;
    let (chain, json) = match plain.split_first() {
        Some((&CHAINED, rest)) => match rest.split_first_chunk::<32>() {
            Some((chain, json)) => (Some(*chain), json),
            None => return Err(damaged("a line cannot be read")),
        },
        _ => (None, &plain[..]),
    };
    let event = serde_json::from_slice(json).map_err(|_| damaged("a line cannot be read"))?;
    Ok((chain, event))
}

/// What is sealed of an event: the chain's value before it, and itself.
pub(crate) fn written(chain: &[u8; 32], event: &Event) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::with_capacity(512);
    plain.push(CHAINED);
    plain.extend_from_slice(chain);
    serde_json::to_writer(&mut plain, event).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(plain)
}

pub(crate) fn place(seq: i64) -> Place<'static> {
    Place {
        table: "events",
        row: seq,
        version: 0,
        schema: record::FORMAT,
    }
}

fn damaged(what: &str) -> Error {
    Error::ReadOnly(format!("{what}; put a copy of the profile folder back"))
}

/// What is shown in the place of lines that are not as they were written.
pub(crate) fn damaged_line(first: i64, last: i64, what: &str, at: Timestamp) -> Result<Event, Error> {
    let which = if first == last {
        format!("line {first} is {what}")
    } else {
        format!("lines {first} to {last} are {what}")
    };
    let id = format!("00000000-0000-8000-8000-{:012x}", last & 0xffff_ffff_ffff);
    Ok(Event {
        id: id.parse().map_err(|_| damaged("a line has no number"))?,
        at,
        kind: EventKind::LogDamaged,
        caller: Caller::Engine,
        provider: None,
        connection: None,
        credential: None,
        app: None,
        outcome: Outcome::Failed,
        rule: Some(Rule::Engine),
        detail: Some(format!(
            "{which}: something else than Tokenry changed the log; a copy of the profile folder may still have it"
        )),
        token_expires_at: None,
        token_scopes: None,
        request_id: None,
        count: 1,
        first_at: None,
    })
}

#[cfg(test)]
mod tests;
