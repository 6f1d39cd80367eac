//! Steps at which the process may die. A test ends it there for real.

use std::fmt::Debug;

/// A step that was just reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A refresh, before the journal says that a request will be sent.
    BeforeJournal,
    /// The journal says so; nothing was sent.
    Journalled,
    /// The provider answered; nothing of it is on disk.
    Answered,
    /// Inside the transaction that keeps the answer.
    Committing,
    /// It is committed, and no caller was told.
    Committed,
    /// A way to unlock is changed: its slot is made, and the keyring has its item; nothing of it is on disk.
    SlotMade,
    /// Inside the transaction that keeps the slot.
    SlotCommitting,
    /// It is committed, and no caller was told.
    SlotCommitted,
}

/// Ends the process here when `TOKENRY_FAULT` names the step: as `kill -9` would, with no goodbye.
#[cfg(feature = "fault-injection")]
pub(crate) fn reached(step: impl Debug) {
    if std::env::var("TOKENRY_FAULT").is_ok_and(|wanted| wanted == format!("{step:?}")) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Nothing, in a program that was not built for tests.
#[cfg(not(feature = "fault-injection"))]
pub(crate) fn reached(_step: impl Debug) {}
