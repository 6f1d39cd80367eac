//! Backups: written, read and restored.
//!
//! What must never be true of it: that a backup holds an access token, a grant or an app; that a file is called a backup
//! before it was opened again and compared; that a living connection is replaced without the user's yes; that a restore is
//! done in part.

mod apply;
mod collect;
mod contents;
mod daily;
mod file;
mod job;
mod make;
mod plan;
mod read;
mod restore;
mod step;

pub use apply::Restored;
pub(crate) use daily::Daily;
pub use daily::{DailyBackup, DailyBackupChange, DailyFailure};
pub use file::TargetError;
pub(crate) use job::Jobs;
pub use job::{JobEnd, JobKind, JobResult, JobView};
pub use make::{BackupMade, BackupSeal, NewBackup};
pub use plan::{RestoreItem, RestoreKind, RestoreState};
pub(crate) use read::Restores;
pub use read::{BackupKey, RestorePreview};
pub use tokenry_backup::Counts as BackupCounts;
