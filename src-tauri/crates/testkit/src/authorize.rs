//! The authorization endpoint.

use crate::answer::Answer;
use crate::behaviour::{AuthorizeAnswer, Behaviour, Iss, StateAnswer};
use crate::call::Call;
use crate::grants::Code;
use crate::service::State;
use tokenry_core::{Random, Timestamp};

/// The authorization endpoint (RFC 6749 §3.1). There is no login: the signed-in account answers at once.
pub(crate) fn answer(
    state: &mut State,
    call: &Call,
    issuer: &str,
    now: Timestamp,
    random: &dyn Random,
) -> Answer {
    let known = |client: &&crate::Client| Some(client.id.as_str()) == call.get("client_id");
    let (Some(client), Some(redirect)) = (
        state.behaviour.clients.iter().find(known),
        call.get("redirect_uri"),
    ) else {
        return Answer::html(
            400,
            "unknown client, or no redirect_uri: never redirected (OAuth 2.1, 4.1.2.1)",
        );
    };
    let client = client.id.clone();
    let mut parameters = match verdict(&state.behaviour, call) {
        None => return Answer::html(200, "the person is looking at this page, and goes on doing so"),
        Some(Err((error, description))) => {
            let mut answer = vec![("error".to_owned(), error)];
            answer.extend(description.map(|text| ("error_description".to_owned(), text)));
            answer
        }
        Some(Ok(())) => vec![(
            state
                .behaviour
                .quirks
                .code_param
                .clone()
                .unwrap_or_else(|| "code".to_owned()),
            make_code(state, call, &client, redirect, now, random),
        )],
    };
    let behaviour = &state.behaviour;
    parameters.extend(state_of(behaviour, call).map(|value| ("state".to_owned(), value)));
    parameters.extend(iss_of(behaviour, issuer).map(|value| ("iss".to_owned(), value)));
    parameters.extend(behaviour.extra.iter().cloned());
    if let Some(twice) = parameters
        .iter()
        .find(|(name, _)| Some(name) == behaviour.repeat.as_ref())
    {
        parameters.push(twice.clone());
    }
    Answer::empty(302).header(
        "location",
        &location(redirect, &parameters, behaviour.rewrite_custom_scheme),
    )
}

/// A code, an error, or no answer at all.
fn verdict(behaviour: &Behaviour, call: &Call) -> Option<Result<(), (String, Option<String>)>> {
    let wrong = |error: &str| Some(Err((error.to_owned(), None)));
    let unchallenged =
        call.get("code_challenge").is_none() || call.get("code_challenge_method") != Some("S256");
    if call.repeats_a_parameter() || (behaviour.require_pkce && unchallenged) {
        return wrong("invalid_request");
    }
    if call.get("response_type") != Some("code") {
        return wrong("unsupported_response_type");
    }
    match &behaviour.authorize {
        AuthorizeAnswer::Grant if behaviour.accounts.get(behaviour.signed_in).is_none() => {
            wrong("login_required")
        }
        AuthorizeAnswer::Grant => Some(Ok(())),
        AuthorizeAnswer::Error { error, description } => Some(Err((error.clone(), description.clone()))),
        AuthorizeAnswer::Silence => None,
    }
}

fn make_code(
    state: &mut State,
    call: &Call,
    client: &str,
    redirect: &str,
    now: Timestamp,
    random: &dyn Random,
) -> String {
    let account = state.behaviour.accounts[state.behaviour.signed_in].clone();
    let code = state.grants.mint("code", random);
    state.grants.codes.insert(
        code.clone(),
        Code {
            client: client.to_owned(),
            redirect_uri: redirect.to_owned(),
            challenge: call.get("code_challenge").map(str::to_owned),
            scope: call.get("scope").unwrap_or_default().to_owned(),
            nonce: call.get("nonce").map(str::to_owned),
            account,
            made_at: now,
            family: None,
        },
    );
    code
}

fn state_of(behaviour: &Behaviour, call: &Call) -> Option<String> {
    match &behaviour.state {
        StateAnswer::Same => call.get("state").map(str::to_owned),
        StateAnswer::Absent => None,
        StateAnswer::Other(text) => Some(text.clone()),
    }
}

fn iss_of(behaviour: &Behaviour, issuer: &str) -> Option<String> {
    match &behaviour.iss {
        Iss::Right => Some(issuer.to_owned()),
        Iss::Absent | Iss::PromisedAndAbsent => None,
        Iss::Wrong(text) => Some(text.clone()),
    }
}

fn location(redirect: &str, parameters: &[(String, String)], rewrite: bool) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let joint = if redirect.contains('?') { '&' } else { '?' };
    let target = if rewrite && !redirect.contains("://") {
        redirect.replacen(":/", "://", 1)
    } else {
        redirect.to_owned()
    };
    format!("{target}{joint}{query}")
}
