//! What SQLite and the operating system say, in our words.

use crate::Error;
use rusqlite::{Error as Sqlite, ErrorCode, ffi};
use std::{io, path::Path};

pub(crate) fn damaged(file: &Path, detail: &str) -> Error {
    Error::Damaged {
        path: file.to_owned(),
        detail: tokenry_core::clean(detail),
    }
}

/// Every statement is a constant of ours: when SQLite cannot make sense of one, the file is at fault.
pub(crate) fn sqlite(file: &Path, error: Sqlite) -> Error {
    let Sqlite::SqliteFailure(failure, text) = &error else {
        return damaged(file, &error.to_string());
    };
    let said = text.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::DiskFull => Error::DiskFull,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Error::Busy
        }
        ErrorCode::ReadOnly if failure.extended_code == ffi::SQLITE_READONLY_DBMOVED => Error::Io {
            path: file.to_owned(),
            detail: "it was moved or deleted while in use".to_owned(),
        },
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Error::ReadOnly {
            path: file.to_owned(),
        },
        ErrorCode::SystemIoFailure if is_rubbish(failure.extended_code) => damaged(file, &said),
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::NoLargeFileSupport => Error::Io {
            path: file.to_owned(),
            detail: tokenry_core::clean(&said),
        },
        _ => damaged(file, &said),
    }
}

fn is_rubbish(extended: i32) -> bool {
    matches!(
        extended,
        ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS
    )
}

/// Whether a unique value or an id was there before.
pub(crate) fn is_duplicate(error: &Sqlite) -> bool {
    let Sqlite::SqliteFailure(failure, _) = error else {
        return false;
    };
    matches!(
        failure.extended_code,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID
    )
}

/// For `map_err`: what the system said about `path`.
pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly {
            path: path.to_owned(),
        },
        _ => Error::Io {
            path: path.to_owned(),
            detail: error.to_string(),
        },
    }
}
