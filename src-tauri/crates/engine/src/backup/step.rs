//! The steps of a backup and of a restore where the process may die. A test ends it there for real.

/// A step that was just reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The draft exists, and nothing is in it.
    BackupBegun,
    /// Half of the entries are written.
    BackupHalfWritten,
    /// All of it is written, and not synced.
    BackupWritten,
    /// It is on the disk.
    BackupSynced,
    /// It was opened again and compared.
    BackupCompared,
    /// It has its name.
    BackupRenamed,
    /// Its name is on the disk.
    BackupDone,
    /// The file was read; nothing is changed.
    RestoreRead,
    /// Inside the transaction: half of it is written.
    RestoreHalfWritten,
    /// Inside the transaction: all of it is written.
    RestoreCommitting,
    /// It is committed, and no caller was told.
    RestoreCommitted,
}

/// Ends the process here when a test wants that.
pub(super) fn reached(step: Step) {
    crate::fault_points::reached(step);
}
