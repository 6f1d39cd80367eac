//! Reads within one consistent state.

use crate::{Error, damage};
use rusqlite::{CachedStatement, Connection, types::ValueRef};
use std::path::Path;

/// Reads one consistent state of the file: that of [`Store::read`](crate::Store::read), without later commits, or that
/// of a [`Writer`](crate::Writer), with its own changes.
pub struct Reader<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) file: &'a Path,
}

impl Reader<'_> {
    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        self.connection.prepare_cached(sql).map_err(|e| self.failed(e))
    }

    pub(crate) fn failed(&self, error: rusqlite::Error) -> Error {
        damage::sqlite(self.file, error)
    }

    pub(crate) fn damaged(&self, detail: &str) -> Error {
        damage::damaged(self.file, detail)
    }

    /// A column that has to be bytes. SQLite types values and not columns, so a damaged file can hold anything.
    pub(crate) fn bytes<'r>(&self, value: rusqlite::Result<ValueRef<'r>>) -> Result<&'r [u8], Error> {
        match value.map_err(|e| self.failed(e))? {
            ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(self.damaged("a value has the wrong type")),
        }
    }

    /// A column that has to be a whole number.
    pub(crate) fn integer(&self, value: rusqlite::Result<ValueRef<'_>>) -> Result<i64, Error> {
        match value.map_err(|e| self.failed(e))? {
            ValueRef::Integer(number) => Ok(number),
            _ => Err(self.damaged("a value has the wrong type")),
        }
    }

    /// A column that has to be a version.
    pub(crate) fn version(&self, value: rusqlite::Result<ValueRef<'_>>) -> Result<u64, Error> {
        self.integer(value)?
            .try_into()
            .map_err(|_| self.damaged("a version is negative"))
    }
}
