//! Rows of the activity log.

use crate::{Error, Reader, Store, Writer};
use rusqlite::params;
use std::ops::ControlFlow;

const NEWEST: &str = "SELECT seq, sealed FROM events ORDER BY seq DESC LIMIT ?1";
const BEFORE: &str = "SELECT seq, sealed FROM events WHERE seq < ?2 ORDER BY seq DESC LIMIT ?1";
const FROM: &str = "SELECT seq, sealed FROM events WHERE seq >= ?1 ORDER BY seq";
const IS_TAKEN: &str = "SELECT 1 FROM events WHERE seq >= ?1 LIMIT 1";
const PRUNE: &str = "DELETE FROM events WHERE seq < ?1";
// As one statement with the question above, each line would cost a table of its own in memory.
const APPEND: &str = "INSERT INTO events (seq, sealed) VALUES (?1, ?2)";

impl Reader<'_> {
    /// Up to `limit` events with a smaller number than `before`, the newest first.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn events_before(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        let mut statement = self.prepare(if before.is_some() { BEFORE } else { NEWEST })?;
        let rows = match before {
            Some(before) => statement.query(params![limit, before]),
            None => statement.query(params![limit]),
        };
        let mut rows = rows.map_err(|e| self.failed(e))?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            events.push((
                self.integer(row.get_ref(0))?,
                self.bytes(row.get_ref(1))?.to_vec(),
            ));
        }
        Ok(events)
    }

    /// Shows number and sealed bytes of every event from `first` on, the oldest first, until `each` says stop.
    ///
    /// # Errors
    /// As [`Reader::scan`].
    pub fn events_from(
        &self,
        first: i64,
        mut each: impl FnMut(i64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut statement = self.prepare(FROM)?;
        let mut rows = statement.query([first]).map_err(|e| self.failed(e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            if each(self.integer(row.get_ref(0))?, self.bytes(row.get_ref(1))?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The newest event.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn last_event(&self) -> Result<Option<(i64, Vec<u8>)>, Error> {
        self.events_before(None, 1).map(|mut events| events.pop())
    }
}

impl Writer<'_> {
    /// Adds an event. There is no way to change one, and none to remove one but from the beginning.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its number is not beyond the newest; otherwise as [`Store::write`].
    pub fn append_event(&self, seq: i64, sealed: &[u8]) -> Result<(), Error> {
        let taken = || Error::Conflict { table: "events" };
        if self
            .prepare(IS_TAKEN)?
            .exists([seq])
            .map_err(|e| self.failed(e))?
        {
            return Err(taken());
        }
        self.execute(APPEND, params![seq, sealed], taken).map(drop)
    }

    /// Removes every event before this number.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn prune_events(&self, first: i64) -> Result<(), Error> {
        self.execute(PRUNE, [first], || Error::Conflict { table: "events" })
            .map(drop)
    }
}

impl Store {
    /// [`Reader::events_before`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn events_before(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        self.once(|reader| reader.events_before(before, limit))
    }

    /// [`Reader::events_from`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn events_from(
        &self,
        first: i64,
        each: impl FnMut(i64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.once(|reader| reader.events_from(first, each))
    }

    /// [`Reader::last_event`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn last_event(&self) -> Result<Option<(i64, Vec<u8>)>, Error> {
        self.once(|reader| reader.last_event())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million events: a page is found by its number, and no page is sorted.
    #[test]
    fn a_page_is_found_without_reading_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let plan = |sql: &str| -> Result<String, Error> {
            store.once(|reader| {
                let mut statement = reader.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let holes = statement.parameter_count();
                let ones = rusqlite::params_from_iter(std::iter::repeat_n(1, holes));
                let mut rows = statement.query(ones).map_err(|e| reader.failed(e))?;
                let mut steps = String::new();
                while let Some(row) = rows.next().map_err(|e| reader.failed(e))? {
                    steps += &row.get::<_, String>(3).map_err(|e| reader.failed(e))?;
                    steps.push(';');
                }
                Ok(steps)
            })
        };
        for sql in [BEFORE, FROM] {
            let steps = plan(sql).unwrap();
            assert!(
                steps.starts_with("SEARCH events USING INTEGER PRIMARY KEY"),
                "{steps}"
            );
            assert!(!steps.contains("TEMP"), "{steps}");
        }
        // From the end of the table, as far as the limit.
        assert_eq!(plan(NEWEST).unwrap(), "SCAN events;");
    }
}
