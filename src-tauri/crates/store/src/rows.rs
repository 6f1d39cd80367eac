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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tokenry_core::Timestamp;

    const ROWS: i64 = 120;

    /// A page in the middle of a table cannot be read any more: the rows on both sides of it are found.
    #[test]
    fn the_rows_on_both_sides_of_a_damaged_page_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store
            .write(Timestamp::UNIX_EPOCH, |writer| {
                (1..=ROWS).try_for_each(|id| {
                    let mark = format!("<row {id:04}>{}", "x".repeat(900));
                    writer.insert(Table::Providers, id, 1, Some(&[id as u8; 16]), mark.as_bytes())
                })
            })
            .unwrap();
        store.trust().unwrap();
        store.checkpoint().unwrap();
        drop(store);
        let file = folder.path().join("tokenry.db");
        let mut bytes = fs::read(&file).unwrap();
        let mark = format!("<row {:04}>", ROWS / 2);
        let at = bytes
            .windows(mark.len())
            .position(|window| window == mark.as_bytes())
            .unwrap();
        let page = at / 4096 * 4096;
        bytes[page..page + 8].fill(0xff);
        fs::write(&file, bytes).unwrap();

        let store = Store::open(folder.path()).unwrap();
        let (ids, error) = store
            .read(|reader| Ok::<_, Error>(reader.row_ids(Table::Providers)))
            .unwrap();
        assert!(error.is_some());
        assert!(!store.faults(20).unwrap_or_default().is_empty() || store.check().is_err());
        let readable = |id: &i64| store.get(Table::Providers, *id).is_ok_and(|row| row.is_some());
        let found: Vec<i64> = ids.into_iter().filter(readable).collect();
        assert!(found.contains(&1) && found.contains(&ROWS), "{found:?}");
        assert!(
            found.len() as i64 > ROWS - 10,
            "only those of one page are lost: {found:?}"
        );
        let lookup = store
            .read(|reader| reader.lookup_of(Table::Providers, ROWS))
            .unwrap();
        assert_eq!(lookup, Some([ROWS as u8; 16]));
    }

    #[test]
    fn all_rows_of_a_whole_table_are_found_without_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store
            .write(Timestamp::UNIX_EPOCH, |writer| {
                [7, -3, 5]
                    .iter()
                    .try_for_each(|id| writer.insert(Table::Tokens, *id, 1, None, b"sealed"))
            })
            .unwrap();
        let (ids, error) = store
            .read(|reader| Ok::<_, Error>(reader.row_ids(Table::Tokens)))
            .unwrap();
        assert_eq!((ids, error.is_none()), (vec![-3, 5, 7], true));
        assert!(store.faults(20).unwrap().is_empty());
        let lookup: Result<_, Error> = store.read(|reader| reader.lookup_of(Table::Tokens, 5));
        assert_eq!(lookup.unwrap(), None);
    }
}
