//! Connections to the database file, and what each of them is told before it may do anything.

use crate::{Error, damage};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{path::Path, time::Duration};

/// The oldest SQLite that is free of a known way to damage a database with a write-ahead log.
pub(crate) const OLDEST: &str = "3.51.3";
const OLDEST_NUMBER: i32 = 3_051_003;

/// For a lock of another program. Our own never wait for each other.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn is_new_enough(number: i32) -> Result<(), Error> {
    if number < OLDEST_NUMBER {
        return Err(Error::OldSqlite {
            found: rusqlite::version(),
        });
    }
    Ok(())
}

/// A connection that can write, and has not yet looked at the file.
///
/// It leaves the write-ahead log alone when it is closed, until [`may_bring_in_the_log`] says that it is ours.
pub(crate) fn writer(file: &Path) -> Result<Connection, Error> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let harden = || -> rusqlite::Result<()> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        guard(&connection)
    };
    harden().map_err(|e| damage::sqlite(file, e))?;
    Ok(connection)
}

/// A connection that can only read.
pub(crate) fn reader(file: &Path) -> Result<Connection, Error> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let harden = || -> rusqlite::Result<()> {
        guard(&connection)?;
        connection.execute_batch("PRAGMA query_only = ON")
    };
    harden().map_err(|e| damage::sqlite(file, e))?;
    Ok(connection)
}

/// Turns the write-ahead log on and makes every commit reach the disk.
pub(crate) fn ready_to_write(connection: &Connection, file: &Path) -> Result<(), Error> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|e| damage::sqlite(file, e))?;
    if !mode.eq_ignore_ascii_case("wal") {
        let detail = "its file system cannot hold a write-ahead log".to_owned();
        return Err(Error::Io {
            path: file.to_owned(),
            detail,
        });
    }
    durable(connection).map_err(|e| damage::sqlite(file, e))
}

/// SQLite plays any well-formed log into the database: only once the vault has been opened is it known to be ours.
pub(crate) fn may_bring_in_the_log(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
}

/// Commits wait for the disk (on macOS for the disk's own cache too), what is deleted is overwritten, and the
/// log is kept at about 1 MiB.
pub(crate) fn durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA secure_delete = ON;",
    )?;
    for setting in [
        "PRAGMA wal_autocheckpoint = 256",
        "PRAGMA journal_size_limit = 1048576",
    ] {
        connection.query_row(setting, [], |_| Ok(()))?;
    }
    Ok(())
}

// The path has no links left in it (the folder was resolved), so any link in it was planted.
fn open(file: &Path, access: OpenFlags) -> Result<Connection, Error> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(file, flags).map_err(|e| damage::sqlite(file, e))
}

/// A file of another program must not make SQLite do anything but read tables. 256 KiB of cache are enough.
fn guard(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection
        .query_row("PRAGMA mmap_size = 0", [], |_| Ok(()))
        .or_else(no_row)?;
    connection
        .execute_batch("PRAGMA cache_size = -256; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")
}

fn no_row(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other),
    }
}
