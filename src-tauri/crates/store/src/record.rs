//! One sealed record.

use crate::{Error, Reader, Store, Table};
use std::ops::ControlFlow;

/// One sealed record.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Its integer key.
    pub id: i64,
    /// Goes up with every change.
    pub version: u64,
    /// Everything else, sealed.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Row({} v{}, {} bytes)",
            self.id,
            self.version,
            self.sealed.len()
        )
    }
}

impl Reader<'_> {
    /// The row of this id.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the file is not what we wrote; [`Error::Io`], [`Error::Busy`].
    pub fn get(&self, table: Table, id: i64) -> Result<Option<Row>, Error> {
        self.with(table, id, |version, sealed| Row {
            id,
            version,
            sealed: sealed.to_vec(),
        })
    }

    /// Shows the version and the sealed bytes of this id's row to `read`, without a copy.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn with<T>(
        &self,
        table: Table,
        id: i64,
        read: impl FnOnce(u64, &[u8]) -> T,
    ) -> Result<Option<T>, Error> {
        let mut statement = self.prepare(table.sql().get)?;
        let mut rows = statement.query([id]).map_err(|e| self.failed(e))?;
        let Some(row) = rows.next().map_err(|e| self.failed(e))? else {
            return Ok(None);
        };
        Ok(Some(read(
            self.version(row.get_ref(0))?,
            self.bytes(row.get_ref(1))?,
        )))
    }

    /// The row that is found by this keyed hash.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn find(&self, table: Table, lookup: &[u8; 16]) -> Result<Option<Row>, Error> {
        let mut statement = self.prepare(table.sql().find)?;
        let mut rows = statement.query([&lookup[..]]).map_err(|e| self.failed(e))?;
        let Some(row) = rows.next().map_err(|e| self.failed(e))? else {
            return Ok(None);
        };
        // The answer came out of an index; the row itself has the last word.
        if self.bytes(row.get_ref(2))? != lookup {
            return Err(self.damaged("an index does not agree with its table"));
        }
        Ok(Some(Row {
            id: self.integer(row.get_ref(0))?,
            version: self.version(row.get_ref(1))?,
            sealed: self.bytes(row.get_ref(3))?.to_vec(),
        }))
    }

    /// Shows id, version and sealed bytes of every row, in the order of the ids, until `each` says stop.
    ///
    /// # Errors
    /// As [`Reader::get`]; rows before the damage have been shown.
    pub fn scan(
        &self,
        table: Table,
        mut each: impl FnMut(i64, u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut statement = self.prepare(table.sql().scan)?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            let (id, version) = (self.integer(row.get_ref(0))?, self.version(row.get_ref(1))?);
            if each(id, version, self.bytes(row.get_ref(2))?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Shows id and version of every row, in the order of the ids.
    ///
    /// # Errors
    /// As [`Reader::scan`].
    pub fn versions(&self, table: Table, mut each: impl FnMut(i64, u64)) -> Result<(), Error> {
        let mut statement = self.prepare(table.sql().versions)?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            each(self.integer(row.get_ref(0))?, self.version(row.get_ref(1))?);
        }
        Ok(())
    }
}

impl Store {
    /// [`Reader::get`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn get(&self, table: Table, id: i64) -> Result<Option<Row>, Error> {
        self.once(|reader| reader.get(table, id))
    }

    /// [`Reader::with`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn with<T>(
        &self,
        table: Table,
        id: i64,
        read: impl FnOnce(u64, &[u8]) -> T,
    ) -> Result<Option<T>, Error> {
        self.once(|reader| reader.with(table, id, read))
    }

    /// [`Reader::find`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn find(&self, table: Table, lookup: &[u8; 16]) -> Result<Option<Row>, Error> {
        self.once(|reader| reader.find(table, lookup))
    }

    /// [`Reader::scan`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn scan(
        &self,
        table: Table,
        each: impl FnMut(i64, u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.once(|reader| reader.scan(table, each))
    }

    /// [`Reader::versions`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn versions(&self, table: Table, each: impl FnMut(i64, u64)) -> Result<(), Error> {
        self.once(|reader| reader.versions(table, each))
    }
}
