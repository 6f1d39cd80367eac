//! Events of the activity log, and changes for the stream.

use crate::ErrorCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One entry of the activity log. Never a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub id: Uuid,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    pub kind: EventKind,
    pub caller: CallerKind,
    /// The path of the program that made the request: a label, not a proof.
    pub program: Option<String>,
    pub pid: Option<u32>,
    pub provider_id: Option<Uuid>,
    pub connection_id: Option<Uuid>,
    pub credential_id: Option<Uuid>,
    /// The app that made the request, or that the event is about.
    pub app_id: Option<Uuid>,
    pub outcome: Outcome,
    /// The rule that allowed or denied it.
    pub rule: Option<Rule>,
    /// The grant, when the rule is `grant`.
    pub grant_id: Option<Uuid>,
    pub detail: Option<String>,
    /// For a hand-out of a token: when that token ends, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub token_expires_at: Option<Timestamp>,
    /// For a hand-out of a token: what that token can do, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_scope: Option<String>,
    /// For a refusal or failure: the `request_id` of the error that the caller got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// How often it happened. Repeated refusals and failures are one entry for each caller, kind, target and rule;
    /// the entry keeps its `id`.
    #[serde(default = "once")]
    pub count: u64,
    /// When it happened first, if more than once; then `at` is the last time.
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
    /// A resource rejected an access token, as a caller reported.
    TokenRejected,
    Refreshed,
    RefreshFailed,
    /// A refresh returned fewer scopes than the connection had.
    ScopesLost,
    /// It was labelled, paused or resumed.
    ConnectionChanged,
    Disconnected,
    Revoked,
    Locked,
    Unlocked,
    OlderAccepted,
    /// A way to unlock the vault was added, changed or removed.
    UnlockingChanged,
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
    /// Entries of the log are missing or damaged.
    LogDamaged,
    /// An engine without a window ended, or was asked to end, for one with a window.
    HandedOver,
    /// A backup was written.
    BackedUp,
    /// A backup was restored.
    Restored,
    /// Grants, permissions and tokens of an app, of a connection or of everything were ended at once.
    CutOff,
    /// Every record of the vault was checked.
    VaultChecked,
    /// What still opened of a vault was copied into a new one.
    Salvaged,
}

/// The rule that allowed or denied something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The user did it in the window.
    Window,
    /// Tokenry did it in the background.
    Engine,
    /// Every program of this user may.
    SameUser,
    /// The app has a grant.
    Grant,
    /// The user allowed it for the session.
    Session,
    /// The user allowed it once.
    Once,
    /// The engine was started with `--approve all`.
    ApproveAll,
    /// The user denied it.
    Denied,
    /// The user denied it a moment ago, and was not prompted again.
    DeniedBefore,
    /// The user did not answer in time.
    Unanswered,
    /// The user could not be prompted.
    CannotAsk,
    /// The app has no grant for it.
    NoGrant,
    /// Callers of this kind may not do it.
    NotForThisCaller,
}

/// The kind of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// The user, in the window.
    Ui,
    /// A program, at the socket.
    Program,
    /// An app, authenticated by its own token.
    App,
    /// The consent window.
    Consent,
    /// Tokenry itself, in the background.
    Engine,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Refused,
    Failed,
}

/// Which part of the log to read.
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
    /// Only events of this app or about it; its id or name.
    #[serde(default)]
    pub app: Option<String>,
    /// Only events about this connection; its id or name.
    #[serde(default)]
    pub connection: Option<String>,
    /// Only events with this outcome.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Only events from this time on (RFC 3339).
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    pub since: Option<Timestamp>,
}

/// Events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    pub events: Vec<Event>,
    /// The page mark of the next older page, if there is one.
    pub next: Option<i64>,
}

/// What the stream of changes sends: something changed, load it again. Never a secret.
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
    /// A deep link was opened that belongs to no open sign-in.
    #[serde(rename = "link.refused")]
    LinkRefused { code: ErrorCode, message: String },
    /// About the window itself; sent to the window only.
    #[serde(rename = "window.notice")]
    Window { notice: WindowNotice },
    /// A new entry of the activity log.
    #[serde(rename = "activity")]
    Activity { event: Box<Event> },
}

/// A notice to the window about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WindowNotice {
    /// The process that renders it ended, and the page was reloaded.
    Reloaded,
    /// The user closes it, and no tray icon can open it again: end the engine, or keep it running without a window?
    ClosingWithoutTray,
}
