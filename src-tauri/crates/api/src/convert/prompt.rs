//! Prompts and answers.

use tokenry_contract as contract;
use tokenry_core::{ApiScope, ConnectionId, CredentialId, Secret};
use tokenry_engine::{FieldChange, Prompt, PromptAnswer, Proof};

/// A prompt, with its number only for the consent window.
pub(crate) fn prompt(prompt: Prompt, numbered: bool) -> contract::Prompt {
    contract::Prompt {
        id: prompt.id.uuid(),
        number: numbered.then(|| prompt.number.expose().to_owned()),
        operation: prompt.operation,
        pid: prompt.pid,
        program: prompt.program,
        arguments: prompt.arguments,
        parent: prompt.parent,
        helper: prompt.helper,
        terminal: prompt.terminal,
        app: prompt.app,
        app_proved: prompt.app_proved,
        provider: prompt.provider,
        connection: prompt.connection,
        account: prompt.account,
        credential: prompt.credential,
        requested_scopes: prompt.requested_scopes,
        token_scopes: prompt.token_scopes,
        notes: prompt.notes,
        changes: prompt.changes.into_iter().map(change).collect(),
        api_scopes: prompt.api_scopes.into_iter().map(scope_words).collect(),
        choices: prompt
            .choices
            .into_iter()
            .map(|choice| contract::PromptChoice {
                connection_id: choice.connection.uuid(),
                name: choice.name,
                account: choice.account,
            })
            .collect(),
        credential_choices: prompt
            .credential_choices
            .into_iter()
            .map(|choice| contract::PromptCredentialChoice {
                credential_id: choice.credential.uuid(),
                name: choice.name,
            })
            .collect(),
        redirect_uri: prompt.authorization.map(|request| request.redirect_uri),
        for_session: prompt.for_session,
        needs_passphrase: prompt.passphrase,
        asked_at: prompt.asked_at,
        is_shown: prompt.is_shown,
        ends_at: prompt.ends_at,
        disconnects: u32::try_from(prompt.disconnects).unwrap_or(u32::MAX),
        disconnecting: prompt.disconnecting,
        ahead: u32::try_from(prompt.ahead).unwrap_or(u32::MAX),
        waiting: u32::try_from(prompt.waiting).unwrap_or(u32::MAX),
    }
}

pub(super) fn change(change: FieldChange) -> contract::PromptChange {
    contract::PromptChange {
        field: change.field,
        change: change.kind,
        from: change.from,
        to: change.to,
    }
}

/// A scope of our own API with its description.
pub(crate) fn scope_words(scope: ApiScope) -> contract::ScopeWords {
    contract::ScopeWords {
        scope: scope.as_str().to_owned(),
        description: scope.words().to_owned(),
        concerns_connections: scope.concerns_connections(),
        concerns_credentials: scope.concerns_credentials(),
    }
}

/// The proof that the answer is the user's: exactly one of the two.
pub(crate) fn proof(body: &contract::AnswerPrompt) -> Option<Proof> {
    match (&body.number, &body.code) {
        (Some(number), None) => Some(Proof::Number(Secret::new(number.clone()))),
        (None, Some(code)) => Some(Proof::Code(Secret::new(code.clone()))),
        _ => None,
    }
}

/// The user's answer.
pub(crate) fn answer(body: &contract::AnswerPrompt) -> PromptAnswer {
    match body.decision {
        contract::PromptDecision::Deny => PromptAnswer::Deny,
        contract::PromptDecision::Once => PromptAnswer::Once,
        contract::PromptDecision::Session => PromptAnswer::Session,
        contract::PromptDecision::Authorize => PromptAnswer::App {
            connections: body
                .connections
                .iter()
                .map(|id| ConnectionId::from(*id))
                .collect(),
            credentials: body
                .credentials
                .iter()
                .map(|id| CredentialId::from(*id))
                .collect(),
            until: body.until,
        },
    }
}
