//! The audit: who got what, counted from the activity log; and whether the log is whole.

use crate::{CallerKind, Rule};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which part of the log is counted. Everything when nothing is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only requests of this program: its path, or its file name.
    #[serde(default)]
    pub program: Option<String>,
    /// Only requests of this app; its id or name. The id of a removed app is accepted, too.
    #[serde(default)]
    pub app: Option<String>,
    /// Only this connection; its id or name. The id of a removed connection is accepted, too.
    #[serde(default)]
    pub connection: Option<String>,
    /// Only this static credential; its id or name. The id of a removed credential is accepted, too.
    #[serde(default)]
    pub credential: Option<String>,
    /// Only requests from this time on (RFC 3339).
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    pub since: Option<Timestamp>,
}

/// Who got what. The requester of the newest request comes first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Audit {
    pub entries: Vec<AuditEntry>,
    /// When the oldest event was written that was read. The log is bounded, so older requests may be missing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub from: Option<Timestamp>,
    /// The number of requests that no entry counts, because there are too many different requesters.
    pub left_out: u64,
    /// The number of lines of the log that are missing or damaged. What they said is not counted.
    pub damaged_lines: u64,
}

/// The requests of one program or app for the tokens of one connection, or for the values of one credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub caller: CallerKind,
    /// The path of the program: a label, not a proof.
    pub program: Option<String>,
    pub app_id: Option<Uuid>,
    /// The name of the app, if it still exists.
    pub app: Option<String>,
    pub provider_id: Option<Uuid>,
    pub connection_id: Option<Uuid>,
    /// The name of the connection, if it still exists.
    pub connection: Option<String>,
    pub credential_id: Option<Uuid>,
    /// The name of the credential, if it still exists.
    pub credential: Option<String>,
    /// How many times a token or the values were handed out.
    pub handed_out: u64,
    pub refused: u64,
    pub failed: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub first: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub last: Timestamp,
    /// What the tokens could do that were handed out, as far as the log says.
    pub scopes: Vec<String>,
    /// By which rules.
    pub rules: Vec<AuditRule>,
    /// When the last token ends that may still be valid. Tokens that the provider revoked are not counted.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub valid_until: Option<Timestamp>,
    /// How many times a token was handed out whose end is not known, and which may still be valid.
    pub unknown_end: u64,
}

impl AuditEntry {
    /// Whether something that was handed out may still be valid: a token that has not ended, or values, which do not
    /// end by themselves.
    pub fn may_be_valid(&self) -> bool {
        self.valid_until.is_some()
            || self.unknown_end > 0
            || (self.credential_id.is_some() && self.handed_out > 0)
    }
}

/// A rule, and how many requests it allowed or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRule {
    pub rule: Rule,
    /// The grant, when the rule is `grant`.
    pub grant_id: Option<Uuid>,
    pub count: u64,
}

/// Whether the activity log is as it was written: every line, and the hash chain over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogCheck {
    pub whole: bool,
    /// The number of lines that are as they were written.
    pub lines: u64,
    /// The number of the oldest line that is kept, and of the newest.
    pub first_line: i64,
    pub last_line: i64,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub first_at: Option<Timestamp>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_at: Option<Timestamp>,
    /// What is wrong, the oldest first; at most 100.
    pub problems: Vec<LogProblem>,
    /// How many more problems there are.
    pub more_problems: u64,
}

/// Lines of the log that are not as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogProblem {
    pub first_line: i64,
    pub last_line: i64,
    pub kind: LogProblemKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogProblemKind {
    /// It is not there.
    Missing,
    /// It does not open: it was changed, or moved from another place.
    Damaged,
    /// It opens, and is not the line that was written there: it comes from another copy of this profile.
    Replaced,
    /// It is outside of the log: the log does not reach there.
    Surplus,
}

impl LogProblem {
    /// The problem as a sentence without its end.
    pub fn text(&self) -> String {
        let (verb, which) = if self.first_line == self.last_line {
            ("is", format!("line {}", self.first_line))
        } else {
            ("are", format!("lines {} to {}", self.first_line, self.last_line))
        };
        let what = match self.kind {
            LogProblemKind::Missing => "missing",
            LogProblemKind::Damaged => "damaged",
            LogProblemKind::Replaced => "not the one that was written there",
            LogProblemKind::Surplus => "outside of the log",
        };
        format!("{which} {verb} {what}")
    }
}
