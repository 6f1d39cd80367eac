//! Opens, reads and writes the database of a profile.

use crate::{Error, Reader, Writer, connect, create, damage, pool::Pool, private, reserve, schema};
use rusqlite::{Connection, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokenry_core::Timestamp;

/// The database of one profile. Its opener holds the [`ProfileLock`](crate::ProfileLock).
///
/// It is synchronous: a read takes microseconds, a write waits for the disk. Several threads may use it at once.
pub struct Store {
    folder: PathBuf,
    file: PathBuf,
    readers: Pool,
    writer: Mutex<Connection>,
    #[cfg(any(test, feature = "faults"))]
    pub(crate) faults: crate::faults::Faults,
}

impl Store {
    /// Opens the profile in `folder`, and makes it when there is none: the folder with mode 0700, in it
    /// `tokenry.db` and the reserve for a full disk with mode 0600.
    ///
    /// # Errors
    /// Distinct ones for a profile that is newer, another program's, another user's, damaged or not to be written;
    /// in none of these cases is the file changed. A full disk is no error here unless the profile is new.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        connect::is_new_enough(rusqlite::version_number())?;
        let folder = private::folder(folder)?;
        let file = folder.join("tokenry.db");
        if !private::make_sure(&file)? {
            create::database(&folder, &file)?;
        }
        for beside in ["db-wal", "db-shm"] {
            private::make_sure(&file.with_extension(beside))?;
        }
        schema::judge_header(&file)?;
        let mut writer = connect::writer(&file)?;
        let format = schema::judge_database(&writer, &file)?;
        connect::ready_to_write(&writer, &file)?;
        schema::bring_up_to_date(&mut writer, &file, format)?;
        let readers = Pool::new(file.clone())?;
        // Without the reserve a full disk costs more, but what is there can be read all the same.
        let _ = reserve::take(&folder);
        Ok(Self {
            folder,
            file,
            readers,
            writer: Mutex::new(writer),
            #[cfg(any(test, feature = "faults"))]
            faults: crate::faults::Faults::default(),
        })
    }

    /// Whether there is a database in `folder`, of whatever kind. Nothing is made.
    pub fn is_in(folder: &Path) -> bool {
        std::fs::symlink_metadata(folder.join("tokenry.db")).is_ok()
    }

    /// Says that what is in the write-ahead log belongs to this database: from now on it is brought in when the
    /// database is closed. Until then the file stays as it was found.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn trust(&self) -> Result<(), Error> {
        connect::may_bring_in_the_log(&self.writer()).map_err(|e| damage::sqlite(&self.file, e))
    }

    /// Reads several things in one consistent state of the file.
    ///
    /// # Errors
    /// What `read` says, or [`Error`] when the file cannot be read.
    pub fn read<T, E: From<Error>>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        self.readers.lend(|connection| {
            let snapshot = connection
                .unchecked_transaction()
                .map_err(|e| damage::sqlite(&self.file, e))?;
            read(&Reader {
                connection: &snapshot,
                file: &self.file,
            })
        })
    }

    /// One transaction: all of `change`, on the disk before this returns, or nothing of it. Nothing when `change`
    /// fails or panics. One at a time; `change` must not call `write` itself, and may read.
    ///
    /// `now` becomes the rows' time of change, in milliseconds UTC.
    ///
    /// # Errors
    /// What `change` says; or [`Error::DiskFull`], [`Error::ReadOnly`], [`Error::Busy`], [`Error::Damaged`],
    /// [`Error::Io`] when it cannot be committed.
    pub fn write<T, E: From<Error>>(
        &self,
        now: Timestamp,
        change: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let failed = |e| damage::sqlite(&self.file, e);
        let mut connection = self.writer();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let reader = Reader {
            connection: &transaction,
            file: &self.file,
        };
        let result = change(&Writer::new(reader, now))?;
        if transaction.is_autocommit() {
            return Err(Error::Undone.into());
        }
        #[cfg(any(test, feature = "faults"))]
        self.faults.may_commit()?;
        transaction.commit().map_err(failed)?;
        Ok(result)
    }

    /// Brings the write-ahead log into the database and empties it; for idle times. `false` when a reader was in
    /// the way. Takes the reserve again, if it was released and there is room.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn checkpoint(&self) -> Result<bool, Error> {
        let busy: i64 = self
            .writer()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| damage::sqlite(&self.file, e))?;
        let _ = reserve::take(&self.folder);
        Ok(busy == 0)
    }

    /// Reads every page and compares every index with its table. Takes as long as reading the file.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the first thing that is wrong; otherwise as [`Reader::get`].
    pub fn check(&self) -> Result<(), Error> {
        self.once(|reader| {
            let said: String = reader
                .connection
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
                .map_err(|e| reader.failed(e))?;
            if said == "ok" {
                Ok(())
            } else {
                Err(reader.damaged(&said))
            }
        })
    }

    /// Gives 1 MiB back to a full disk, so that a commit can be tried again. `false` when it was given before.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Io`].
    pub fn release_reserve(&self) -> Result<bool, Error> {
        reserve::release(&self.folder)
    }

    /// The profile's folder, with no links in its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// One statement is a transaction of its own already.
    pub(crate) fn once<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.readers.lend(|connection| {
            read(&Reader {
                connection,
                file: &self.file,
            })
        })
    }

    // A panic in a transaction rolled it back on its way out, so the connection behind the poison is sound.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
