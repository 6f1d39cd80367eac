//! Prompts and their answers.

use crate::Operation;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A permission request that waits for the user's answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prompt {
    pub id: Uuid,
    /// Proves one answer; only the consent window gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    pub operation: Operation,
    pub pid: Option<u32>,
    /// The path of the requesting program: a label, not a proof.
    pub program: Option<String>,
    /// Its command line.
    pub arguments: Option<String>,
    /// Its parent process.
    pub parent: Option<String>,
    /// The command of `tokenry` that it runs to get this: `git-credential`, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<String>,
    pub terminal: Option<String>,
    /// The app that it claims to be.
    pub app: Option<String>,
    /// Whether it is authenticated by the app's own token.
    pub app_proved: bool,
    pub provider: Option<String>,
    pub connection: Option<String>,
    pub account: Option<String>,
    pub credential: Option<String>,
    /// The scopes to request at the provider.
    pub requested_scopes: Vec<String>,
    /// The scopes that the token has there.
    pub token_scopes: Vec<String>,
    /// What the user should know before allowing it.
    pub notes: Vec<String>,
    /// What changes, field by field.
    pub changes: Vec<PromptChange>,
    /// The scopes of this API that the app requests.
    pub api_scopes: Vec<ScopeWords>,
    /// The connections that the user can choose for the app.
    pub choices: Vec<PromptChoice>,
    /// The same for credentials, if a scope concerns them.
    pub credential_choices: Vec<PromptCredentialChoice>,
    /// Where the authorization code of the app is sent.
    pub redirect_uri: Option<String>,
    /// Whether the user can allow it for the session.
    pub for_session: bool,
    /// Whether allowing it needs the passphrase, as the settings say.
    pub needs_passphrase: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub asked_at: Timestamp,
    /// Whether it is shown now. One prompt is shown at a time.
    pub is_shown: bool,
    /// When it is denied without an answer. The time runs from when it is shown; before that, this is when it ends
    /// unseen.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub ends_at: Timestamp,
    /// How many connections are disconnected when the provider is deleted.
    pub disconnects: u32,
    /// The names of the first of them, and how many more there are.
    pub disconnecting: Vec<String>,
    /// How many prompts are before it.
    pub ahead: u32,
    /// How many prompts are after it.
    pub waiting: u32,
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// A field that changes. Texts are sanitized and cut at 200 characters; a secret has no values here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptChange {
    /// Its name in this API.
    pub field: String,
    pub change: PromptChangeKind,
    /// Its value before; absent if it had none, and for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its value after; absent if it has none, and for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// How a field changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptChangeKind {
    /// It had no value.
    Set,
    /// It has another value.
    Changed,
    /// It has no value anymore.
    Removed,
}

/// A scope of this API, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScopeWords {
    pub scope: String,
    pub description: String,
    /// Whether a grant of it lists connections.
    pub concerns_connections: bool,
    /// Whether a grant of it lists credentials.
    pub concerns_credentials: bool,
}

/// A connection that can be granted to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptChoice {
    pub connection_id: Uuid,
    pub name: String,
    pub account: Option<String>,
}

/// A credential that can be granted to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptCredentialChoice {
    pub credential_id: Uuid,
    pub name: String,
}

/// The user's answer, with the proof that it is the user's.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerPrompt {
    pub decision: PromptDecision,
    /// From the consent window: the number of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// From a terminal: the code that `tokenry serve` printed at its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The passphrase, if the prompt needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// To authorize an app: the connections that it may use, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Uuid>,
    /// The same for credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Uuid>,
    /// Until when an app is authorized; without it, until the user revokes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Timestamp>,
}

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptDecision {
    Deny,
    /// Once.
    Once,
    /// For this session, without another prompt.
    Session,
    /// Authorize the app.
    Authorize,
}
