use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One line of the activity log. Never a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub id: Uuid,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    pub kind: EventKind,
    pub caller: CallerKind,
    /// The path of the program that asked: a label, not a proof.
    pub program: Option<String>,
    pub pid: Option<u32>,
    pub provider_id: Option<Uuid>,
    pub connection_id: Option<Uuid>,
    pub outcome: Outcome,
    pub detail: Option<String>,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
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

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// The person, in the window.
    Ui,
    /// A program, on the socket.
    Program,
    /// Tokenry itself.
    Engine,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Refused,
    Failed,
}

/// Which part of the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Only events before this page mark.
    #[serde(default)]
    pub before: Option<i64>,
    /// At most this many, 1 to 500; 100 when not given.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    pub events: Vec<Event>,
    /// The page mark for what is older, if there is any.
    pub next: Option<i64>,
}

/// What the live stream sends: something changed, look again. Never a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type")]
pub enum Change {
    #[serde(rename = "provider.changed")]
    Provider { id: Uuid },
    #[serde(rename = "credential.changed")]
    Credential { id: Uuid },
    #[serde(rename = "flow.changed")]
    Flow { id: Uuid },
    #[serde(rename = "engine.changed")]
    Engine,
    /// A new line in the activity log.
    #[serde(rename = "activity")]
    Activity { event: Event },
}
