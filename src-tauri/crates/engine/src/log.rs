//! Reading the activity log: newest first, page by page, and checked on the way.
//!
//! A line is sealed for its number, and the manifest knows how many there are, so that none can be moved, made up or
//! taken out. What is left is a line of the same number from a copy of this vault that went another way. Against
//! that each line holds the value that the hash chain had before it, and whoever reads it sees whether the line
//! before leads there; the newest one has to lead to the value in the manifest. That costs nothing at opening and one
//! step of the chain for each line that is looked at.

use crate::{Engine, Error, engine::blocking, ledger::Ledger, policy::Operation, record, resolve};
use tokenry_core::{AppId, Caller, ConnectionId, Event, Outcome};
use tokenry_vault::Place;

/// How many lines are opened for one request at most: a filter that matches nothing must not read a million.
const MOST: usize = 20_000;
/// How many are read at a time while they are filtered.
const AT_A_TIME: u32 = 500;
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
}

/// The same, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Only {
    app: Option<AppId>,
    connection: Option<ConnectionId>,
    outcome: Option<Outcome>,
}

impl Only {
    fn admits(&self, event: &Event) -> bool {
        let of_app = |app| event.caller.app() == Some(app) || event.app == Some(app);
        self.app.is_none_or(of_app)
            && self.connection.is_none_or(|id| event.connection == Some(id))
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
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
        let ledger = self.ledger()?;
        let only = {
            let index = ledger.index();
            let app = filter.app.as_deref().map(|app| resolve::app(&index, app));
            let connection = filter.connection.as_deref();
            let connection = connection.map(|reference| resolve::connection(&index, reference, |_| true));
            Only {
                app: app.transpose()?.map(|app| app.id),
                connection: connection.transpose()?.map(|connection| connection.id),
                outcome: filter.outcome,
            }
        };
        let (mut events, next) =
            blocking(move || ledger.events(only, before, limit.clamp(1, 500), MOST)).await?;
        // Hand-outs are written a moment late, after what was written at once meanwhile.
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        Ok((events, next))
    }
}

impl Ledger {
    /// Events before `before`, newest first, and the mark of the next page; `most` lines are opened for it.
    fn events(
        &self,
        only: Only,
        before: Option<i64>,
        limit: u32,
        most: usize,
    ) -> Result<(Vec<Event>, Option<i64>), Error> {
        let (mut mark, mut leads_to) = self.start(before)?;
        let at_a_time = if only == Only::default() { limit } else { AT_A_TIME };
        let (mut found, mut opened) = (Vec::new(), 0);
        while mark > 1 {
            let rows = self.store().events_before(Some(mark), at_a_time)?;
            if rows.is_empty() {
                return Err(damaged("lines are missing"));
            }
            for (seq, sealed) in rows {
                if seq + 1 != mark {
                    return Err(damaged("lines are missing"));
                }
                let (chain, event) = self.line(seq, &sealed)?;
                if let (Some(chain), Some(leads_to)) = (chain, leads_to)
                    && self.vault().chain(&chain, &sealed) != leads_to
                {
                    return Err(damaged("a line is not the one that was written there"));
                }
                (mark, leads_to) = (seq, chain);
                opened += 1;
                if only.admits(&event) {
                    found.push(event);
                }
                if found.len() == limit as usize || opened == most {
                    return Ok((found, (mark > 1).then_some(mark)));
                }
            }
        }
        Ok((found, None))
    }

    /// The mark to begin at, and what the chain's value is there.
    fn start(&self, before: Option<i64>) -> Result<(i64, Option<[u8; 32]>), Error> {
        let (next, end) = match self.read_only() {
            None => self.log_end(),
            // Its end may be missing, and is said to be. What is there is shown.
            Some(_) => (self.store().last_event()?.map_or(1, |(seq, _)| seq + 1), None),
        };
        let Some(before) = before.filter(|before| *before < next) else {
            return Ok((next, end));
        };
        let rows = self.store().events_before(before.checked_add(1), 1)?;
        match rows.first() {
            Some((seq, sealed)) if *seq == before => Ok((before, self.line(*seq, sealed)?.0)),
            _ if before < 1 => Ok((1, None)),
            _ => Err(damaged("lines are missing")),
        }
    }

    fn line(&self, seq: i64, sealed: &[u8]) -> Result<(Option<[u8; 32]>, Event), Error> {
        let plain = self.vault().open(place(seq), sealed)?;
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
    Error::ReadOnly(format!(
        "the activity log was changed by something else than Tokenry: {what}; put a copy of the profile folder back"
    ))
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
