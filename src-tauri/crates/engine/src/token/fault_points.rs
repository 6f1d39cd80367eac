//! The places of a refresh where the process may die. A test ends it there for real.

/// A step that was just reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Before the journal says that a request will be sent.
    BeforeJournal,
    /// The journal says so; nothing was sent.
    Journalled,
    /// The provider answered; nothing of it is on disk.
    Answered,
    /// Inside the transaction that keeps the answer.
    Committing,
    /// It is committed, and no caller was told.
    Committed,
}

/// Ends the process here when `TOKENRY_FAULT` names the step: as `kill -9` would, with no goodbye.
#[cfg(feature = "fault-injection")]
pub(super) fn reached(step: Step) {
    if std::env::var("TOKENRY_FAULT").is_ok_and(|wanted| wanted == format!("{step:?}")) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Nothing, in a program that was not built for tests.
#[cfg(not(feature = "fault-injection"))]
pub(super) fn reached(_step: Step) {}
