//! The rows of a database that may be damaged, found in every way there is.

use crate::{Error, Reader, Store, Table};
use std::{collections::BTreeSet, ops::ControlFlow};

impl Reader<'_> {
    /// The ids of all rows that can be found: in the table from both of its ends, and in its index. Where a part of the
    /// table cannot be read, also the first error.
    pub fn row_ids(&self, table: Table) -> (Vec<i64>, Option<Error>) {
        let name = table.name();
        let mut ids = BTreeSet::new();
        let forwards = self.ids(
            &format!("SELECT id FROM {name} NOT INDEXED ORDER BY id"),
            &mut ids,
        );
        let Err(error) = forwards else {
            return (ids.into_iter().collect(), None);
        };
        // What of these cannot be read is told already.
        let _ = self.ids(
            &format!("SELECT id FROM {name} NOT INDEXED ORDER BY id DESC"),
            &mut ids,
        );
        let index = format!("SELECT id FROM {name} INDEXED BY sqlite_autoindex_{name}_1");
        let _ = self.ids(&index, &mut ids);
        (ids.into_iter().collect(), Some(error))
    }

    fn ids(&self, sql: &str, ids: &mut BTreeSet<i64>) -> Result<(), Error> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            ids.insert(self.integer(row.get_ref(0))?);
        }
        Ok(())
    }

    /// The keyed hash that a row is found by, as the row holds it.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn lookup_of(&self, table: Table, id: i64) -> Result<Option<[u8; 16]>, Error> {
        let sql = format!("SELECT lookup FROM {} WHERE id = ?1", table.name());
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query([id]).map_err(|e| self.failed(e))?;
        let Some(row) = rows.next().map_err(|e| self.failed(e))? else {
            return Ok(None);
        };
        let found: Option<Vec<u8>> = row.get(0).map_err(|e| self.failed(e))?;
        let wrong = |_| self.damaged("a lookup has the wrong length");
        found.map(|bytes| bytes.try_into().map_err(wrong)).transpose()
    }

    /// Shows number and sealed bytes of every event that can be read, the oldest first where all can; and gives the
    /// first error where some cannot.
    pub fn readable_events(&self, mut each: impl FnMut(i64, &[u8])) -> Option<Error> {
        let mut last = i64::MIN;
        let forwards = self.events_from(i64::MIN, |seq, sealed| {
            last = seq;
            each(seq, sealed);
            ControlFlow::Continue(())
        });
        let error = forwards.err()?;
        // From the other end, as far as that goes. There are few of them, or they are not reached.
        let mut rest = Vec::new();
        let mut before = None;
        while let Ok(rows) = self.events_before(before, 1) {
            let Some((seq, sealed)) = rows.into_iter().next().filter(|(seq, _)| *seq > last) else {
                break;
            };
            before = Some(seq);
            rest.push((seq, sealed));
        }
        rest.iter().rev().for_each(|(seq, sealed)| each(*seq, sealed));
        Some(error)
    }
}

impl Store {
    /// Reads every page and compares every index with its table: what is wrong, `most` sentences of SQLite at most.
    ///
    /// # Errors
    /// As [`Store::check`].
    pub fn faults(&self, most: u32) -> Result<Vec<String>, Error> {
        self.once(|reader| {
            let sql = format!("PRAGMA integrity_check({most})");
            let mut statement = reader.connection.prepare(&sql).map_err(|e| reader.failed(e))?;
            let mut rows = statement.query([]).map_err(|e| reader.failed(e))?;
            let mut faults = Vec::new();
            while let Some(row) = rows.next().map_err(|e| reader.failed(e))? {
                let said: String = row.get(0).map_err(|e| reader.failed(e))?;
                faults.extend(said.lines().filter(|line| *line != "ok").map(tokenry_core::clean));
            }
            Ok(faults)
        })
    }
}
