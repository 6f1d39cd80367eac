use crate::ErrorCode;
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
    pub credential_id: Option<Uuid>,
    /// The app that asked, or that it is about.
    pub app_id: Option<Uuid>,
    pub outcome: Outcome,
    /// By which rule it was let through or refused.
    pub rule: Option<Rule>,
    /// The grant, when that was the rule.
    pub grant_id: Option<Uuid>,
    pub detail: Option<String>,
    /// Of what was refused or failed: the `request_id` of the error that the caller got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// How often it happened. Repeats of what was refused or failed are one line, for each caller, kind, target and rule;
    /// a line that grew keeps its `id`.
    #[serde(default = "once")]
    pub count: u64,
    /// When it happened first, if more than once; `at` is the last time then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub first_at: Option<Timestamp>,
}

fn once() -> u64 {
    1
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// A refresh brought fewer scopes than the connection held.
    ScopesLost,
    /// It was renamed, paused or resumed.
    ConnectionChanged,
    Disconnected,
    Revoked,
    Locked,
    Unlocked,
    OlderAccepted,
    RedirectRefused,
    ConsentAsked,
    ConsentDecided,
    AppAdded,
    AppRemoved,
    AppAuthorized,
    GrantGiven,
    GrantRemoved,
    CredentialAdded,
    CredentialChanged,
    CredentialRemoved,
    CredentialHandedOut,
    SettingsChanged,
    /// A token or secret of an app was wrong.
    AppRefused,
    /// Lines of the log are missing or cannot be read.
    LogDamaged,
    /// An engine without a window ended, or was to end, for one that has one.
    HandedOver,
}

/// By which rule something was let through or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The person did it in the window.
    Window,
    /// Tokenry's own work.
    Engine,
    /// Any program of this user may.
    SameUser,
    /// The app has a grant.
    Grant,
    /// The person allowed it for the session.
    Session,
    /// The person allowed it, this once.
    Once,
    /// The engine was started with `--approve all`.
    ApproveAll,
    /// The person said no.
    Denied,
    /// The person said no a moment ago, and was not asked again.
    DeniedBefore,
    /// Nobody answered.
    Unanswered,
    /// Nobody could be asked.
    CannotAsk,
    /// The app has no grant for it.
    NoGrant,
    /// No caller of this kind may.
    NotForThisCaller,
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
    /// An app, proved by a token of its own.
    App,
    /// The window that asks for consent.
    Consent,
    /// Tokenry itself.
    Engine,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Only what this app did, or what is about it: its id or name.
    #[serde(default)]
    pub app: Option<String>,
    /// Only what is about this connection: its id or name.
    #[serde(default)]
    pub connection: Option<String>,
    /// Only what ended like this.
    #[serde(default)]
    pub outcome: Option<Outcome>,
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
    #[serde(rename = "apps.changed")]
    Apps,
    #[serde(rename = "prompts.changed")]
    Prompts,
    /// A link of ours was opened and belongs to no open sign-in.
    #[serde(rename = "link.refused")]
    LinkRefused { code: ErrorCode, message: String },
    /// Only the window hears this: something about itself.
    #[serde(rename = "window.notice")]
    Window { notice: WindowNotice },
    /// A new line in the activity log.
    #[serde(rename = "activity")]
    Activity { event: Box<Event> },
}

/// What the window is told about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WindowNotice {
    /// The process that draws it ended, and it was loaded anew.
    Reloaded,
    /// The user closes it, and no tray shows an icon to open it again: end the engine, or go on without a window?
    ClosingWithoutTray,
}
