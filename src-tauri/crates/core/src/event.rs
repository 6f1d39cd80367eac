use crate::{ConnectionId, EventId, ProviderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of the activity log: who asked for what, what was decided, what happened. Never a value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Its id; ids sort by time.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub kind: EventKind,
    /// Who asked.
    pub caller: Caller,
    /// The provider concerned.
    pub provider: Option<ProviderId>,
    /// The connection concerned.
    pub connection: Option<ConnectionId>,
    /// How it ended.
    pub outcome: Outcome,
    /// More in words, cleaned; never a value.
    pub detail: Option<String>,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EventKind {
    ProviderAdded,
    ProviderChanged,
    ProviderRemoved,
    FlowStarted,
    FlowEnded,
    Connected,
    TokenHandedOut,
    Refreshed,
    RefreshFailed,
    Disconnected,
    Revoked,
    Locked,
    Unlocked,
    RedirectRefused,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
    /// It was tried and failed.
    Failed,
}

/// Who asks the engine for something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Caller {
    /// The person, in our own window.
    Ui,
    /// A program of this machine, on the socket.
    Program(Peer),
    /// The engine's own scheduler.
    Engine,
}

/// What the operating system says of the program on the other end of a socket. The path is a label, not a proof.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its process id when it connected.
    pub pid: u32,
    /// When that process began, in clock ticks since boot: a pid alone may be reused.
    pub started: u64,
    /// The path of its program, cleaned.
    pub program: Option<String>,
    /// The terminal session it belongs to.
    pub session: Option<u32>,
}
