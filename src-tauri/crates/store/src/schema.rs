//! The form of the file: whose it is, which version of it, and what may be in it.

use crate::{
    Error, Table, damage,
    private::{self, Access},
};
use rusqlite::{Connection, Transaction};
use std::{io::Read, path::Path};

/// The newest format of the file that we know; it stands in the file's `user_version`. Format 2 brought apps, grants,
/// credentials, what our authorization server issued, and settings.
pub const SCHEMA: u32 = 2;

/// Stands in the file's `application_id`: "tkny".
pub(crate) const APPLICATION_ID: u32 = 0x746b_6e79;

/// The size of a page in bytes, of every file that we make.
pub(crate) const PAGE: u64 = 4096;

const META: &str = "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), vault BLOB NOT NULL CHECK (length(vault) = 16)) STRICT";
const SLOTS: &str = "CREATE TABLE slots (id INTEGER PRIMARY KEY, slot BLOB NOT NULL) STRICT";
const MANIFEST: &str =
    "CREATE TABLE manifest (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT";
const EVENTS: &str = "CREATE TABLE events (seq INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT";

fn tables(format: u32) -> impl Iterator<Item = &'static str> {
    let known = if format == 1 {
        Table::IN_FORMAT_1
    } else {
        Table::ALL.len()
    };
    [META, SLOTS, MANIFEST, EVENTS]
        .into_iter()
        .chain(Table::ALL.into_iter().take(known).map(|table| table.sql().create))
}

/// Makes the newest format in an empty file.
pub(crate) fn lay_out(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    for create in tables(SCHEMA) {
        transaction.execute_batch(create)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)
}

/// Judges the first 100 bytes, before SQLite has a chance to change anything.
pub(crate) fn judge_header(file: &Path) -> Result<(), Error> {
    let mut header = [0; 100];
    let mut opened = private::open(file, Access::Write)?
        .ok_or_else(|| damage::io(file)(std::io::ErrorKind::NotFound.into()))?;
    opened
        .read_exact(&mut header)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => damage::damaged(file, "it is cut short"),
            _ => damage::io(file)(error),
        })?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(damage::damaged(file, "it does not begin as a database does"));
    }
    judge(file, number(&header, 68), number(&header, 60))?;
    if !private::holds_bytes(&file.with_extension("db-wal")) {
        judge_length(file, u64::from(number(&header, 28)))?;
    }
    Ok(())
}

/// SQLite takes what is missing of the last page for zeros. Only a log that is still to be played may mend that.
fn judge_length(file: &Path, pages: u64) -> Result<(), Error> {
    let length = std::fs::metadata(file).map_err(damage::io(file))?.len();
    if !length.is_multiple_of(PAGE) || length < pages * PAGE {
        return Err(damage::damaged(file, "it is cut short"));
    }
    Ok(())
}

/// Judges the file again as SQLite sees it, the write-ahead log included, and tells its format.
pub(crate) fn judge_database(connection: &Connection, file: &Path) -> Result<u32, Error> {
    let ask = |what: &str| {
        connection
            .query_row(what, [], |row| row.get::<_, i32>(0))
            .map(i32::cast_unsigned)
            .map_err(|e| damage::sqlite(file, e))
    };
    let format = ask("PRAGMA user_version")?;
    judge(file, ask("PRAGMA application_id")?, format)?;
    if !has_our_tables(connection, format).map_err(|e| damage::sqlite(file, e))? {
        return Err(damage::damaged(
            file,
            "its tables are not the ones of this format",
        ));
    }
    Ok(format)
}

/// Brings a file of an older format up to date, all of it or nothing.
pub(crate) fn bring_up_to_date(connection: &mut Connection, file: &Path, format: u32) -> Result<(), Error> {
    if format == SCHEMA {
        return Ok(());
    }
    let add = |connection: &mut Connection| -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        for create in tables(SCHEMA).skip(tables(format).count()) {
            transaction.execute_batch(create)?;
        }
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()
    };
    add(connection).map_err(|e| damage::sqlite(file, e))
}

fn judge(file: &Path, application: u32, format: u32) -> Result<(), Error> {
    if application != APPLICATION_ID {
        return Err(Error::NotOurs {
            path: file.to_owned(),
        });
    }
    if format > SCHEMA {
        return Err(Error::NewerProfile {
            found: format,
            known: SCHEMA,
        });
    }
    if format == 0 {
        return Err(damage::damaged(file, "its format number was never used"));
    }
    Ok(())
}

/// Word for word: a trigger, a view or a column with an expression would be a foreign program in our file.
fn has_our_tables(connection: &Connection, format: u32) -> rusqlite::Result<bool> {
    let mut missing: Vec<&str> = tables(format).collect();
    let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
        let Some(sql) = row.get::<_, Option<String>>(2)? else {
            if kind == "index" && name.starts_with("sqlite_autoindex_") {
                continue;
            }
            return Ok(false);
        };
        let Some(known) = missing.iter().position(|create| *create == sql) else {
            return Ok(false);
        };
        missing.swap_remove(known);
    }
    Ok(missing.is_empty())
}

fn number(header: &[u8; 100], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[at..at + 4]);
    u32::from_be_bytes(bytes)
}
