//! Operations on prompts.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, PathId},
    openapi::{
        Always, Writing,
        examples::{PROMPT, at, words},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{AnswerPrompt, Prompt, PromptDecision, Success};
use tokenry_core::{Caller, Operation, Secret};
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_prompts)).routes(routes!(answer_prompt))
}

/// List the open prompts
///
/// In the order in which they are to be answered.
#[utoipa::path(
    get,
    path = "/v1/prompts",
    tag = "prompts",
    responses((status = 200, description = "All of them.", body = [Prompt]), Always)
)]
async fn list_prompts(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<Prompt>>, ApiError> {
    let numbered = caller == Caller::Consent;
    let prompts = engine.prompts(&caller)?;
    Ok(Json(
        prompts
            .into_iter()
            .map(|prompt| convert::prompt(prompt, numbered))
            .collect(),
    ))
}

operation!(
    list_prompts,
    Callers::Policy(&[Operation::ReadPrompts]),
    Prompt {
        id: PROMPT,
        number: None,
        operation: Operation::Token,
        pid: Some(4713),
        program: Some("/usr/bin/curl".to_owned()),
        arguments: Some("curl https://api.github.example/user".to_owned()),
        parent: Some("/usr/bin/bash".to_owned()),
        helper: None,
        terminal: Some("/dev/pts/3".to_owned()),
        app: None,
        app_proved: false,
        provider: Some("github".to_owned()),
        connection: Some("github".to_owned()),
        account: Some("ada@example.com".to_owned()),
        credential: None,
        requested_scopes: Vec::new(),
        token_scopes: words(&["read", "write"]),
        notes: Vec::new(),
        changes: Vec::new(),
        api_scopes: Vec::new(),
        choices: Vec::new(),
        credential_choices: Vec::new(),
        redirect_uri: None,
        for_session: true,
        needs_passphrase: false,
        asked_at: at("2027-01-15T08:05:00Z"),
        is_shown: true,
        ends_at: at("2027-01-15T08:06:00Z"),
        disconnects: 0,
        disconnecting: Vec::new(),
        ahead: 0,
        waiting: 0,
    }
);

/// Answer a prompt
///
/// Only the consent window may, with the prompt's number. With an engine without a window, a program may that sends the
/// code that `tokenry serve` printed at its start.
#[utoipa::path(
    post,
    path = "/v1/prompts/{id}/answer",
    tag = "prompts",
    params(("id" = uuid::Uuid, Path, description = "The prompt's id.")),
    request_body = AnswerPrompt,
    responses((status = 200, description = "Answered, and recorded in the activity log.", body = Success), Writing)
)]
async fn answer_prompt(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(body): Body<AnswerPrompt>,
) -> Result<Json<Success>, ApiError> {
    let id = id
        .parse()
        .map_err(|_| ApiError::field("id", "must be a prompt's id"))?;
    let proof = convert::proof(&body)
        .ok_or_else(|| ApiError::field("number", "or `code` must be given: one of the two, and not both"))?;
    let answer = convert::answer(&body);
    let passphrase = body.passphrase.map(Secret::new);
    engine
        .answer_with(&caller, id, &proof, answer, passphrase)
        .await?;
    Ok(Json(Success { success: true }))
}

operation!(
    answer_prompt,
    Callers::PolicyOrCode(Operation::Answer),
    AnswerPrompt {
        decision: PromptDecision::Once,
        number: None,
        code: Some("EXAMPLE7".to_owned()),
        passphrase: None,
        connections: Vec::new(),
        credentials: Vec::new(),
        until: None,
    }
);
