//! The user's decision on an authorization request.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body},
    openapi::{
        Consenting,
        examples::{APP_ADDRESS, CONNECTION, STATE},
    },
    operations::{Callers, operation},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use tokenry_contract::{OAuthConsentRequest, OAuthDecision, Success};
use tokenry_core::{Caller, Operation, Secret};
use tokenry_engine::{ConsentDecision, Engine};

/// Decide on an app's request
///
/// Only the consent window may. After that the browser that waits at `/oauth/authorize` is redirected to the app.
#[utoipa::path(
    post,
    path = "/oauth/consent",
    tag = "oauth",
    request_body = OAuthConsentRequest,
    responses((status = 200, description = "Decided.", body = Success), Consenting)
)]
pub(super) async fn oauth_consent(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    request: Request,
) -> Result<Json<Success>, ApiError> {
    // Checked before the body is read: a program may not decide whatever it sends.
    engine.may_consent(&caller)?;
    let body = Body::<OAuthConsentRequest>::from_request(request, &()).await;
    let decided = async { decide(&engine, &caller, body?.0).await };
    decided.await.map_err(ApiError::into_bad_request)?;
    Ok(Json(Success { success: true }))
}

operation!(
    oauth_consent,
    Callers::Policy(&[Operation::Answer]),
    OAuthConsentRequest {
        client_id: "backup".to_owned(),
        redirect_uri: APP_ADDRESS.to_owned(),
        scope: "connections:read tokens:read".to_owned(),
        state: Some(STATE.to_owned()),
        code_challenge: "example-challenge-of-forty-three-letters-xx".to_owned(),
        code_challenge_method: "S256".to_owned(),
        decision: OAuthDecision::Approve,
        number: "example-number".to_owned(),
        connections: vec![CONNECTION],
        credentials: Vec::new(),
        until: None,
    }
);

async fn decide(engine: &Engine, caller: &Caller, body: OAuthConsentRequest) -> Result<(), ApiError> {
    if body.code_challenge_method != "S256" {
        return Err(ApiError::field("code_challenge_method", "must be S256"));
    }
    let decision = ConsentDecision {
        client_id: body.client_id,
        redirect_uri: body.redirect_uri,
        scope: body.scope,
        state: body.state,
        code_challenge: body.code_challenge,
        number: Secret::new(body.number),
        approve: body.decision == OAuthDecision::Approve,
        connections: body.connections.into_iter().map(Into::into).collect(),
        credentials: body.credentials.into_iter().map(Into::into).collect(),
        until: body.until,
    };
    Ok(engine.consent(caller, decision).await?)
}
