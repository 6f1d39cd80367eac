//! What can go wrong with a profile's files.

use std::path::PathBuf;
use tokenry_core::Code;

/// What can go wrong with the files of a profile. Each says what happened, to what, and what to do next; none
/// holds a byte of a record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no room; nothing of the transaction was saved.
    #[error("the disk is full, so nothing was saved; free some space and try again")]
    DiskFull,
    /// The folder or a file in it cannot be written.
    #[error("{} cannot be written to; make it writable for you, or choose another folder with TOKENRY_HOME", path.display())]
    ReadOnly {
        /// What cannot be written.
        path: PathBuf,
    },
    /// The file is not what we wrote. It was not changed.
    #[error("{} is damaged ({detail}) and was left as it is; keep a copy of it and put a backup in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words.
        detail: String,
    },
    /// A newer version of Tokenry wrote the profile. It was not changed.
    #[error(
        "this profile has format {found} and this version of Tokenry knows formats up to {known}; use the newer version"
    )]
    NewerProfile {
        /// The format of the file.
        found: u32,
        /// The newest format we know.
        known: u32,
    },
    /// The file is a database of another program. It was not changed.
    #[error("{} belongs to another program and was left as it is; choose another folder with TOKENRY_HOME", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The folder or file is another user's.
    #[error("{} belongs to another user of this machine; choose a folder of your own with TOKENRY_HOME", path.display())]
    OtherUser {
        /// The file or folder of another user.
        path: PathBuf,
    },
    /// Others may enter the folder, and it holds more than ours, so it is not for us to close it.
    #[error("others may enter {} and it holds other things, so it was not closed to them; choose an empty folder with TOKENRY_HOME, or run chmod 700 on it", path.display())]
    SharedFolder {
        /// The folder.
        path: PathBuf,
    },
    /// Another program holds the file's lock for too long.
    #[error("another program is using the profile's database; close it and try again")]
    Busy,
    /// Another engine has this profile.
    #[error("the profile in {} is in use by {}; close that one first", path.display(), holder(*pid))]
    HeldBy {
        /// The profile's folder.
        path: PathBuf,
        /// The process that holds it, as far as it said so.
        pid: Option<u32>,
    },
    /// A row with this id or this name is there.
    #[error("there already is one of that id or name among the {table}; nothing was saved")]
    Conflict {
        /// The table.
        table: &'static str,
    },
    /// The row has another version than the caller saw, or is gone.
    #[error("something else changed one of the {table} in the meantime; read it again and repeat the change")]
    Stale {
        /// The table.
        table: &'static str,
    },
    /// A vault exists, and a second one is never made beside it.
    #[error("this profile already has a vault; nothing was changed")]
    VaultExists,
    /// The transaction failed before, and what comes after its failure is not written.
    #[error("the change was undone after an error, so nothing was saved; try it again")]
    Undone,
    /// A number that the file cannot hold.
    #[error(
        "a version among the {table} is too large to be kept; this is a fault of Tokenry, please report it"
    )]
    TooLarge {
        /// The table.
        table: &'static str,
    },
    /// A spill file's name has to be 1 to 64 of `a-z`, `0-9` and `-`.
    #[error("a spill file cannot have this name; this is a fault of Tokenry, please report it")]
    BadName,
    /// More bytes than a spill file may have: it could not be read again.
    #[error(
        "a token of {size} bytes is too large for a file beside the database; free some space on the disk"
    )]
    SpillTooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// A spilled record that cannot be read. It was not changed.
    #[error("{} may hold the newest tokens of a connection and is damaged ({detail}), so nothing is refreshed. Put the file back from a backup; or, to go on without it, move it out of the folder, then run `tokenry lock` and `tokenry unlock`", path.display())]
    SpillDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words.
        detail: String,
    },
    /// The database is gone, and what belongs to it is still there. Nothing was made in its place.
    #[error("{} is damaged: its database is gone, and {left} is still there. No new one was made; put a backup in its place, or choose another folder with TOKENRY_HOME", folder.display())]
    DatabaseGone {
        /// The profile's folder.
        folder: PathBuf,
        /// What is left.
        left: String,
    },
    /// The SQLite we were built with is too old to be trusted with the write-ahead log.
    #[error(
        "Tokenry was built with SQLite {found} and needs {} or newer; install a proper build",
        crate::connect::OLDEST
    )]
    OldSqlite {
        /// The version that was found.
        found: &'static str,
    },
    /// The operating system failed us.
    #[error("{} could not be used ({detail}); check the disk and try again", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl Error {
    /// Whether the files are at fault, and a backup mends them.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::SpillDamaged { .. } | Self::DatabaseGone { .. }
        )
    }

    /// The contract's word for it.
    pub fn code(&self) -> Code {
        match self {
            Self::Conflict { .. } | Self::Stale { .. } | Self::VaultExists | Self::HeldBy { .. } => {
                Code::Conflict
            }
            Self::DiskFull
            | Self::ReadOnly { .. }
            | Self::Damaged { .. }
            | Self::NewerProfile { .. }
            | Self::NotOurs { .. }
            | Self::OtherUser { .. }
            | Self::SharedFolder { .. }
            | Self::Busy
            | Self::Undone
            | Self::TooLarge { .. }
            | Self::BadName
            | Self::SpillTooLarge { .. }
            | Self::SpillDamaged { .. }
            | Self::DatabaseGone { .. }
            | Self::OldSqlite { .. }
            | Self::Io { .. } => Code::Internal,
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
