//! Connections for readers.

use crate::{Error, connect};
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// Connections that stay open while idle. More are opened on demand, so no reader waits for one.
const IDLE: usize = 3;

/// The connections that only read. In the write-ahead log they never wait for the writer.
pub(crate) struct Pool {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(file: PathBuf) -> Result<Self, Error> {
        let first = connect::reader(&file)?;
        Ok(Self {
            file,
            idle: Mutex::new(vec![first]),
        })
    }

    /// Lends a connection. One whose borrower panicked is not taken back.
    pub(crate) fn lend<T, E: From<Error>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect::reader(&self.file)?,
        };
        let result = read(&connection);
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
