use crate::{
    error::Refused,
    extract::{Body, By},
    openapi::Consenting,
};
use axum::{Json, extract::State};
use tokenry_contract::{OAuthConsentRequest, OAuthDecision, Success};
use tokenry_core::Secret;
use tokenry_engine::{ConsentDecision, Engine};

/// Decide on an app's request
///
/// Only the window that asks for consent may. The browser that waits at `/oauth/authorize` is sent on then.
#[utoipa::path(
    post,
    path = "/oauth/consent",
    tag = "oauth",
    request_body = OAuthConsentRequest,
    responses((status = 200, description = "It is decided.", body = Success), Consenting)
)]
pub(super) async fn oauth_consent(
    By(caller): By,
    State(engine): State<Engine>,
    Body(body): Body<OAuthConsentRequest>,
) -> Result<Json<Success>, Refused> {
    if body.code_challenge_method != "S256" {
        return Err(Refused::field("code_challenge_method", "must be S256"));
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
    engine.consent(&caller, decision).await?;
    Ok(Json(Success { success: true }))
}
