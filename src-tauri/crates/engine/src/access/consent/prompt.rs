//! A prompt, as the user sees it.

use super::difference::FieldChange;
use crate::access::policy::Operation;
use std::collections::BTreeSet;
use tokenry_core::{ApiScope, AppId, ConnectionId, CredentialId, PromptId, Secret, Timestamp};

/// A question to the person, with everything that belongs on it.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Its id.
    pub id: PromptId,
    /// Good for one answer; only the window that asks for consent is told it.
    pub number: Secret,
    /// What is wanted.
    pub operation: Operation,
    /// The process that asks.
    pub pid: Option<u32>,
    /// The path of its program: a label, not a proof.
    pub program: Option<String>,
    /// What it was started with.
    pub arguments: Option<String>,
    /// The program that started it.
    pub parent: Option<String>,
    /// The command of ours that it runs for this.
    pub helper: Option<String>,
    /// The terminal it runs in.
    pub terminal: Option<String>,
    /// The app it says it is, and proved to be where that is so.
    pub app: Option<String>,
    /// Whether the app proved that by its own token.
    pub app_proved: bool,
    /// The provider concerned.
    pub provider: Option<String>,
    /// The connection concerned.
    pub connection: Option<String>,
    /// Whose account that is.
    pub account: Option<String>,
    /// The credential concerned.
    pub credential: Option<String>,
    /// The scopes that were asked for at the provider.
    pub requested_scopes: Vec<String>,
    /// What the token can really do there.
    pub token_scopes: Vec<String>,
    /// More that has to be known before saying yes.
    pub notes: Vec<String>,
    /// What changes, field by field.
    pub changes: Vec<FieldChange>,
    /// The scopes of our own API that the app wants.
    pub api_scopes: Vec<ApiScope>,
    /// The connections that the person can choose from for the app.
    pub choices: Vec<Choice>,
    /// The credentials, where its scopes concern any.
    pub credential_choices: Vec<CredentialChoice>,
    /// The request of an app that wants to be authorized.
    pub authorization: Option<AuthorizationRequest>,
    /// Whether it can be allowed for the session.
    pub for_session: bool,
    /// Whether it is allowed only with the passphrase.
    pub passphrase: bool,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Whether it is, or was, the first: the one that is shown.
    pub is_shown: bool,
    /// When it is denied because it was not answered. The time runs from when it is shown; before that, this is when
    /// it is given up unseen.
    pub ends_at: Timestamp,
    /// How many connections are disconnected with the provider that is to be deleted.
    pub disconnects: usize,
    /// The names of the first of them, and how many more there are.
    pub disconnecting: Vec<String>,
    /// How many are answered before it.
    pub ahead: usize,
    /// How many more wait behind it.
    pub waiting: usize,
}

impl Prompt {
    /// The field of an answer that names something which is not offered.
    pub(super) fn lacks(
        &self,
        connections: &BTreeSet<ConnectionId>,
        credentials: &BTreeSet<CredentialId>,
    ) -> Option<&'static str> {
        let offers = |id: &ConnectionId| self.choices.iter().any(|choice| choice.connection == *id);
        let offers_credential = |id: &CredentialId| {
            let mut choices = self.credential_choices.iter();
            choices.any(|choice| choice.credential == *id)
        };
        if !connections.iter().all(offers) {
            return Some("connections");
        }
        (!credentials.iter().all(offers_credential)).then_some("credentials")
    }
}

/// A connection that can be given to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub connection: ConnectionId,
    /// What people call it.
    pub name: String,
    /// Whose account it is.
    pub account: Option<String>,
}

/// A credential that can be given to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialChoice {
    /// Its id.
    pub credential: CredentialId,
    /// Its name.
    pub name: String,
}

/// What an app sent to the authorization endpoint, as far as consent is bound to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The app.
    pub app: AppId,
    /// Where the code goes.
    pub redirect_uri: String,
    /// What it wants.
    pub scopes: BTreeSet<ApiScope>,
    /// Its own state, given back as it came.
    pub state: Option<String>,
    /// Its PKCE challenge, S256.
    pub code_challenge: String,
}
