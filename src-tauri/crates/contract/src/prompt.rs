use crate::Operation;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A question to the person that waits for an answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prompt {
    pub id: Uuid,
    /// Good for one answer; only the window that asks for consent is told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    pub operation: Operation,
    pub pid: Option<u32>,
    /// The path of the program that asks: a label, not a proof.
    pub program: Option<String>,
    /// What it was started with.
    pub arguments: Option<String>,
    /// The program that started it.
    pub parent: Option<String>,
    pub terminal: Option<String>,
    /// The app it says it is.
    pub app: Option<String>,
    /// Whether it proved that by the app's own token.
    pub app_proved: bool,
    pub provider: Option<String>,
    pub connection: Option<String>,
    pub account: Option<String>,
    pub credential: Option<String>,
    /// What was asked for at the provider.
    pub requested_scopes: Vec<String>,
    /// What the token can really do there.
    pub token_scopes: Vec<String>,
    /// More that has to be known before saying yes.
    pub notes: Vec<String>,
    /// What changes, field by field.
    pub changes: Vec<PromptChange>,
    /// The scopes of this API that the app wants.
    pub api_scopes: Vec<ScopeWords>,
    /// The connections that can be chosen for the app.
    pub choices: Vec<PromptChoice>,
    /// The credentials, where its scopes concern any.
    pub credential_choices: Vec<PromptCredentialChoice>,
    /// Where an authorized app's code is sent.
    pub redirect_uri: Option<String>,
    /// Whether it can be allowed for the session.
    pub for_session: bool,
    /// Whether it is allowed only with the passphrase, as the user chose in the settings.
    pub needs_passphrase: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub asked_at: Timestamp,
    /// Whether it is the one that is shown. One question is shown at a time.
    pub is_shown: bool,
    /// When it is denied because nobody has answered. The time runs from when it is shown; before that, this is when
    /// it is given up unseen.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub ends_at: Timestamp,
    /// How many connections are disconnected with the provider that is to be deleted.
    pub disconnects: u32,
    /// Which: the names of the first of them, and how many more there are.
    pub disconnecting: Vec<String>,
    /// How many are answered before it.
    pub ahead: u32,
    /// How many more wait behind it.
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

/// A field that changes. Texts are cleaned and cut at 200 characters; the value of a secret is never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptChange {
    /// As this API calls it.
    pub field: String,
    pub change: PromptChangeKind,
    /// Its value before, where it had one; absent for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its value after, where it has one; absent for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptChangeKind {
    /// It had no value.
    Set,
    /// It has another value.
    Changed,
    /// It has no value any more.
    Removed,
}

/// A scope of this API, and what it lets an app do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScopeWords {
    pub scope: String,
    pub description: String,
    /// Whether a grant of it says which connections.
    pub concerns_connections: bool,
    /// Whether a grant of it says which credentials.
    pub concerns_credentials: bool,
}

/// A connection that can be given to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptChoice {
    pub connection_id: Uuid,
    pub name: String,
    pub account: Option<String>,
}

/// A credential that can be given to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptCredentialChoice {
    pub credential_id: Uuid,
    pub name: String,
}

/// The person's answer, with the proof that it is theirs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerPrompt {
    pub decision: PromptDecision,
    /// From the window that asks for consent: the number of the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// From a terminal: the code that `tokenry serve` printed when it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The passphrase, where the question says that it takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// The connections that an app may use, by id, when it is to be authorized.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Uuid>,
    /// The credentials, in the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Uuid>,
    /// Until when an app is authorized; without it, until the person takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Timestamp>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptDecision {
    Deny,
    /// This once.
    Once,
    /// And not asked again for this session.
    Session,
    /// The app is authorized.
    Authorize,
}
