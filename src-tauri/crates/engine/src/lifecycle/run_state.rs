//! How far an engine is between its start and its end.

/// How far the attempt to open the vault at the start has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Opening,
    /// The OS keyring was asked and has not answered yet.
    Waiting,
    /// It has ended, with an open vault or without.
    Tried,
}

/// Whether the engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunState {
    Running,
    /// Nothing new is begun; what is under way is finished.
    Ending,
    Ended,
}
