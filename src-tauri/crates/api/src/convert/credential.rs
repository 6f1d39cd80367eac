//! Credentials.

use crate::error::{ApiError, Fields};
use std::collections::BTreeMap;
use tokenry_contract as contract;
use tokenry_core::{CredentialType, Name, Secret, Timestamp};
use tokenry_engine::{AnyCredential, CredentialChange, CredentialView, Initialise, NewCredential};

/// A credential of any of the four types.
pub(crate) fn credential(any: AnyCredential) -> contract::Credential {
    match any {
        AnyCredential::Entered(view) => entered(view),
        AnyCredential::Connection { view, project } => {
            let c = view.connection;
            contract::Credential {
                id: c.id.uuid(),
                project: project.to_string(),
                name: view.name,
                kind: CredentialType::OAuth2Refresh,
                fields: Vec::new(),
                data: BTreeMap::new(),
                redact_fields: Vec::new(),
                expires_at: None,
                status: c.status.word(),
                created_at: c.created_at,
                updated_at: c.updated_at,
                last_used_at: c.last_used_at,
            }
        }
    }
}

/// A credential that the user entered, with the values that this caller may have.
pub(crate) fn entered(view: CredentialView) -> contract::Credential {
    let value = |(field, value): (String, Secret)| (field, value.expose().to_owned());
    contract::Credential {
        id: view.id.uuid(),
        project: view.project.to_string(),
        name: view.name.to_string(),
        kind: view.kind,
        fields: view.fields,
        data: view.data.into_iter().map(value).collect(),
        redact_fields: view.redact_fields.into_iter().collect(),
        expires_at: view.expires_at,
        status: contract::ConnectionStatus::Active,
        created_at: view.created_at,
        updated_at: view.updated_at,
        last_used_at: view.last_used_at,
    }
}

/// A connection in the format of the callback.
pub(crate) fn redacted(any: AnyCredential) -> contract::RedactedCredential {
    let shown = credential(any);
    contract::RedactedCredential {
        id: shown.id,
        organisation_id: shown.project,
        name: shown.name,
        data: BTreeMap::new(),
        kind: contract::RedactedType::OAuth2Refresh,
        redact_fields: Vec::new(),
        expires_at: None,
    }
}

/// A new credential, or all fields that cannot be parsed.
pub(crate) fn new_credential(body: contract::CreateCredential) -> Result<NewCredential, ApiError> {
    let mut wrong = Fields::new();
    let name = name(&mut wrong, "name", &body.name);
    let project = body.project.filter(|project| !project.is_empty());
    let project = project.and_then(|project| self::name(&mut wrong, "project", &project));
    if body.kind == CredentialType::OAuth2Refresh {
        let text = "must not be oauth2_refresh: a connection is made by a consent flow, with POST /v1/oauth-providers/{id}/authorize or `tokenry connect`";
        wrong.insert("type".to_owned(), text.to_owned());
    }
    let expires_at = body.expires_at.and_then(|text| time(&mut wrong, &text));
    let (Some(name), true) = (name, wrong.is_empty()) else {
        return Err(ApiError::Fields(wrong));
    };
    let value = |(field, value): (String, String)| (field, Secret::new(value));
    Ok(NewCredential {
        name,
        project,
        kind: body.kind,
        data: body.data.into_iter().map(value).collect(),
        redact_fields: body.redact_fields.into_iter().collect(),
        expires_at,
    })
}

/// The changes of a credential, or all fields that cannot be parsed.
pub(crate) fn credential_change(body: contract::UpdateCredential) -> Result<CredentialChange, ApiError> {
    let mut wrong = Fields::new();
    let name = body.name.and_then(|text| name(&mut wrong, "name", &text));
    let expires_at = body
        .expires_at
        .map(|text| text.and_then(|text| time(&mut wrong, &text)));
    if !wrong.is_empty() {
        return Err(ApiError::Fields(wrong));
    }
    let value = |(field, value): (String, Option<String>)| (field, value.map(Secret::new));
    Ok(CredentialChange {
        name,
        data: body.data.into_iter().map(value).collect(),
        redact_fields: body.redact_fields.into_iter().collect(),
        expires_at,
    })
}

/// A sign-in with every option.
pub(crate) fn initialise(project: String, provider: String, body: contract::InitialiseRequest) -> Initialise {
    Initialise {
        project,
        provider,
        authorize_url: body.authorize_url,
        client_id: tokenry_core::trimmed(&body.client_id).to_owned(),
        credential: body.credential.id,
        organisation: body.credential.organisation_id,
        additional_parameters: body.additional_params.unwrap_or_default(),
        disable_offline_access: body.disable_offline_access.unwrap_or_default(),
        prompt: body.prompt.unwrap_or_default(),
        scopes: body.scopes,
    }
}

fn name(wrong: &mut Fields, field: &str, text: &str) -> Option<Name> {
    let parsed = text.parse();
    parsed
        .map_err(|error: tokenry_core::InvalidName| wrong.insert(field.to_owned(), error.to_string()))
        .ok()
}

fn time(wrong: &mut Fields, text: &str) -> Option<Timestamp> {
    let parsed = text.parse();
    if parsed.is_err() {
        let text = "must be a time like 2030-01-31T12:00:00Z (RFC 3339)";
        wrong.insert("expires_at".to_owned(), text.to_owned());
    }
    parsed.ok()
}
