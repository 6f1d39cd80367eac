//! The two operations of another service's connections interface, with its paths and its names.

use crate::{
    convert,
    credentials::STATE_COOKIE,
    error::ApiError,
    extract::{Body, PathIds, Requester},
    openapi::{
        Answering, Starting,
        examples::{AUTHORIZATION_URL, BROWSER_URL, CONNECTION, words},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
};
use std::collections::BTreeMap;
use tokenry_contract::{
    InitialiseAnswer, InitialiseCredential, InitialiseRequest, OAuth2CallbackQuery, RedactedCredential,
    RedactedType,
};
use tokenry_core::Operation;
use tokenry_engine::Engine;

/// The path of `initialise` in the reference.
pub(crate) const PLAIN_INITIALISE: &str = "/embed/{hub_id}/connector/{connector_id}/oauth2/initialise";

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(initialise)).routes(routes!(oauth2_callback))
}

/// Start a sign-in with every option
///
/// The client secret comes from a stored credential of the same project, and goes to the registered provider only. An
/// app needs `auth:write` or `auth:write:own`, and `credentials:read` for that credential.
#[utoipa::path(
    post,
    path = "/v1/embed/{hub_id}/connector/{connector_id}/oauth2/initialise",
    tag = "flows",
    params(
        ("hub_id" = String, Path, description = "The project."),
        ("connector_id" = String, Path, description = "The provider's id or name."),
    ),
    request_body = InitialiseRequest,
    responses((status = 200, description = "Where to send the user.", body = InitialiseAnswer), Starting)
)]
pub(crate) async fn initialise(
    requester: Requester,
    State(engine): State<Engine>,
    PathIds(project, provider): PathIds,
    Body(body): Body<InitialiseRequest>,
) -> Result<Json<InitialiseAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let request = convert::initialise(project, provider, body);
    let started = engine.initialise(&caller, request).await?;
    Ok(Json(InitialiseAnswer {
        url: started.authorization_url.into(),
        browser_url: started.browser_url.into(),
    }))
}

operation!(
    initialise,
    Callers::Policy(&[Operation::StartFlow, Operation::ReadCredential]),
    InitialiseRequest {
        authorize_url: "https://github.example/oauth/authorize".to_owned(),
        client_id: "tokenry-example".to_owned(),
        credential: InitialiseCredential {
            id: "github-secret".to_owned(),
            organisation_id: "default".to_owned(),
        },
        additional_params: Some("access_type=offline".to_owned()),
        disable_offline_access: Some(true),
        prompt: Some("consent".to_owned()),
        scopes: Some(words(&["read"])),
    },
    InitialiseAnswer {
        url: AUTHORIZATION_URL.to_owned(),
        browser_url: BROWSER_URL.to_owned(),
    }
);

/// Submit the redirect of a sign-in
///
/// The query of the redirect URI, unchanged, sent by the caller that started the sign-in. A refusal by the provider is
/// returned as an error. With a cookie of `oauth/start`, the cookie must belong to this sign-in.
#[utoipa::path(
    get,
    path = "/v1alpha1/connections/oauth2/callback",
    tag = "flows",
    params(OAuth2CallbackQuery),
    responses((status = 201, description = "Connected.", body = RedactedCredential), Answering)
)]
async fn oauth2_callback(
    requester: Requester,
    State(engine): State<Engine>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<RedactedCredential>), ApiError> {
    let caller = requester.unlocked(&engine).await?;
    // The engine gets it unparsed: a parser would hide what is wrong with it.
    let query = uri.query().unwrap_or_default();
    let made = engine
        .answered(&caller, query, cookie(&headers).as_deref())
        .await?;
    Ok((StatusCode::CREATED, Json(convert::redacted(made))))
}

operation!(
    oauth2_callback,
    Callers::Policy(&[Operation::FinishFlow]),
    RedactedCredential {
        id: CONNECTION,
        organisation_id: "default".to_owned(),
        name: "github".to_owned(),
        data: BTreeMap::new(),
        kind: RedactedType::OAuth2Refresh,
        redact_fields: Vec::new(),
        expires_at: None,
    }
);

/// The cookie of `oauth/start`. Two of them count as a wrong one.
fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let all = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut ours = all.filter_map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?.trim();
        let (name, value) = pair.split_once('=')?;
        (name == STATE_COOKIE).then(|| value.to_owned())
    });
    match (ours.next(), ours.next()) {
        (Some(one), None) => Some(one),
        (Some(_), Some(_)) => Some(String::new()),
        (None, _) => None,
    }
}
