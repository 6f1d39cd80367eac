//! A write transaction.

use crate::{Error, Reader, Table, damage};
use rusqlite::{Params, params};
use std::ops::Deref;
use tokenry_core::Timestamp;

/// A transaction that is under way. What it reads, through [`Reader`], includes its own changes.
pub struct Writer<'a> {
    reader: Reader<'a>,
    now: Timestamp,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(reader: Reader<'a>, now: Timestamp) -> Self {
        Self { reader, now }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a row of the table has this id or this lookup; otherwise as
    /// [`Store::write`](crate::Store::write).
    pub fn insert(
        &self,
        table: Table,
        id: i64,
        version: u64,
        lookup: Option<&[u8; 16]>,
        sealed: &[u8],
    ) -> Result<(), Error> {
        let values = params![
            id,
            number(table, version)?,
            self.millis(),
            lookup.map(|l| &l[..]),
            sealed
        ];
        self.execute(table.sql().insert, values, conflict(table))
            .map(drop)
    }

    /// Replaces a row of exactly the version `from_version`.
    ///
    /// # Errors
    /// [`Error::Stale`] when the row has another version or is gone, [`Error::Conflict`] when another row has
    /// this lookup; otherwise as [`Store::write`](crate::Store::write).
    pub fn update(
        &self,
        table: Table,
        id: i64,
        from_version: u64,
        to_version: u64,
        lookup: Option<&[u8; 16]>,
        sealed: &[u8],
    ) -> Result<(), Error> {
        let (from, to) = (number(table, from_version)?, number(table, to_version)?);
        let values = params![id, from, to, self.millis(), lookup.map(|l| &l[..]), sealed];
        hit(table, self.execute(table.sql().update, values, conflict(table))?)
    }

    /// Removes a row of exactly this version.
    ///
    /// # Errors
    /// [`Error::Stale`] when the row has another version or is gone; otherwise as
    /// [`Store::write`](crate::Store::write).
    pub fn delete(&self, table: Table, id: i64, version: u64) -> Result<(), Error> {
        let values = params![id, number(table, version)?];
        hit(table, self.execute(table.sql().delete, values, conflict(table))?)
    }

    /// Runs a statement and gives the number of rows it changed; `duplicate` is what a broken uniqueness means.
    pub(crate) fn execute(
        &self,
        sql: &str,
        values: impl Params,
        duplicate: impl FnOnce() -> Error,
    ) -> Result<usize, Error> {
        // SQLite itself ends a transaction on some errors. A caller that continues would commit each
        // statement on its own.
        if self.connection.is_autocommit() {
            return Err(Error::Undone);
        }
        self.prepare(sql)?.execute(values).map_err(|error| match error {
            error if damage::is_duplicate(&error) => duplicate(),
            error => self.failed(error),
        })
    }

    fn millis(&self) -> i64 {
        self.now.as_millisecond()
    }
}

impl<'a> Deref for Writer<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

fn conflict(table: Table) -> impl FnOnce() -> Error {
    move || Error::Conflict { table: table.name() }
}

fn hit(table: Table, rows: usize) -> Result<(), Error> {
    if rows == 0 {
        return Err(Error::Stale { table: table.name() });
    }
    Ok(())
}

fn number(table: Table, version: u64) -> Result<i64, Error> {
    version
        .try_into()
        .map_err(|_| Error::TooLarge { table: table.name() })
}
