//! Operations on connections and their tokens.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Optional, PathId, Requester},
    openapi::{
        Guarded, Listing, Reading, Talking,
        examples::{CONNECTION, PROVIDER, at, words},
    },
    operations::{Callers, Operations, operation, routes},
    token_response::TokenResponse,
};
use axum::{Json, extract::State};
use std::time::Duration;
use tokenry_contract::{
    Account, Challenge, ChallengeError, ConnectRequest, Connection, ConnectionStatus, DisconnectAnswer,
    DpopProof, DpopRequest, PatchConnection, RejectedAnswer, RejectedOutcome, RejectedToken, Revoked,
    Success, TokenAnswer, TokenRequest,
};
use tokenry_core::Operation;
use tokenry_engine::{Engine, Fingerprint};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_connections))
        .routes(routes!(show_connection, patch_connection, disconnect))
        .routes(routes!(connection_token))
        .routes(routes!(provider_token))
        .routes(routes!(token_rejected))
        .routes(routes!(dpop_proof))
        .routes(routes!(refresh))
        .routes(routes!(connect_client))
}

/// List the connections
#[utoipa::path(
    get,
    path = "/v1/connections",
    tag = "connections",
    responses((status = 200, description = "All of them: those that need a sign-in, those that will soon, the others.", body = [Connection]), Listing)
)]
async fn list_connections(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<Connection>>, ApiError> {
    let views = engine.connections(&caller).await?;
    Ok(Json(views.into_iter().map(convert::connection).collect()))
}

operation!(list_connections, Callers::Policy(&[Operation::ReadConnections]));

/// Show a connection
#[utoipa::path(
    get,
    path = "/v1/connections/{id}",
    tag = "connections",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    responses((status = 200, description = "The connection.", body = Connection), Reading)
)]
async fn show_connection(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Connection>, ApiError> {
    Ok(Json(convert::connection(engine.connection(&caller, &id).await?)))
}

operation!(
    show_connection,
    Callers::Policy(&[Operation::ReadConnections]),
    Connection {
        id: CONNECTION,
        name: "github".to_owned(),
        provider_id: PROVIDER,
        provider_name: "github".to_owned(),
        label: None,
        account: Some(Account {
            display_name: "ada@example.com".to_owned(),
            subject: "1815".to_owned(),
            name: Some("Ada".to_owned()),
            email: Some("ada@example.com".to_owned()),
            picture: None,
        }),
        status: ConnectionStatus::Active,
        reason: None,
        trouble: None,
        scopes: words(&["read", "write"]),
        requested_scopes: words(&["read", "write"]),
        missing_scopes: Vec::new(),
        captured: Vec::new(),
        bindings: words(&["https://github.com/acme"]),
        notice: None,
        expires_at: Some(at("2027-01-15T09:00:00Z")),
        refresh_at: Some(at("2027-01-15T08:52:00Z")),
        refreshable: true,
        sign_in_again_before: None,
        last_refreshed_at: Some(at("2027-01-15T08:00:00Z")),
        last_used_at: Some(at("2027-01-15T08:03:00Z")),
        flow_id: None,
        created_at: at("2027-01-01T08:01:00Z"),
        updated_at: at("2027-01-15T08:00:00Z"),
    }
);

/// Label, pause or resume a connection
#[utoipa::path(
    patch,
    path = "/v1/connections/{id}",
    tag = "connections",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    request_body = PatchConnection,
    responses((status = 200, description = "After the change.", body = Connection), Guarded)
)]
async fn patch_connection(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(body): Body<PatchConnection>,
) -> Result<Json<Connection>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let view = engine
        .change_connection(&caller, &id, convert::connection_change(body))
        .await?;
    Ok(Json(convert::connection(view)))
}

operation!(
    patch_connection,
    Callers::Policy(&[Operation::WriteConnection]),
    PatchConnection {
        label: Some("work".to_owned()),
        paused: Some(false),
        bindings: Some(words(&["https://github.com/acme"])),
    }
);

/// Disconnect
///
/// Deletes the tokens here and revokes them at the provider, if it supports that.
#[utoipa::path(
    delete,
    path = "/v1/connections/{id}",
    tag = "connections",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    responses((status = 200, description = "Disconnected.", body = DisconnectAnswer), Talking)
)]
async fn disconnect(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<DisconnectAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    Ok(Json(convert::disconnected(
        engine.disconnect_and_tell(&caller, &id).await?,
    )))
}

operation!(
    disconnect,
    Callers::Policy(&[Operation::Disconnect]),
    DisconnectAnswer {
        success: true,
        revoked: Revoked::Yes,
        detail: None,
    }
);

/// Get an access token
///
/// A token that expires soon is refreshed first. With `scope`, `audience` or `resource` the token is limited to them,
/// where the provider can narrow a token without harm to the grant. Not for the window.
#[utoipa::path(
    post,
    path = "/v1/connections/{id}/token",
    tag = "connections",
    params(("id" = String, Path, description = "The connection's id or name; write a `/` in the name as %2F.")),
    request_body = Option<TokenRequest>,
    responses((status = 200, description = "A valid access token.", body = TokenAnswer), Talking)
)]
async fn connection_token(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Optional(body): Optional<TokenRequest>,
) -> Result<TokenResponse, ApiError> {
    requester.not_the_window(ApiError::TokenForTheWindow)?;
    let request = wish(body);
    if let Some(token) = requester.token_while_locked(&engine, &id, &request) {
        return Ok(TokenResponse(token));
    }
    let caller = requester.unlocked(&engine).await?;
    Ok(TokenResponse(engine.token(&caller, &id, request).await?))
}

operation!(
    connection_token,
    Callers::Policy(&[Operation::Token]),
    TokenRequest {
        min_valid_seconds: Some(300),
        scope: Some("read".to_owned()),
        audience: None,
        resource: None,
        allow_unknown_target: None,
        id_token: None,
    },
    TokenAnswer {
        access_token: "example-access-token".to_owned(),
        token_type: "Bearer".to_owned(),
        expires_at: Some(at("2027-01-15T09:00:00Z")),
        scope: Some("read write".to_owned()),
        id_token: None,
    }
);

/// Prove the possession of a token's key
///
/// For one request with a token whose `token_type` is `DPoP` (RFC 9449). The same consent as for a token. Not for the
/// window.
#[utoipa::path(
    post,
    path = "/v1/connections/{id}/dpop",
    tag = "connections",
    params(("id" = String, Path, description = "The connection's id or name; write a `/` in the name as %2F.")),
    request_body = DpopRequest,
    responses((status = 200, description = "A proof for this request.", body = DpopProof), Guarded)
)]
async fn dpop_proof(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(body): Body<DpopRequest>,
) -> Result<Json<DpopProof>, ApiError> {
    requester.not_the_window(ApiError::TokenForTheWindow)?;
    let caller = requester.unlocked(&engine).await?;
    let request = tokenry_engine::ProofRequest {
        method: body.method,
        url: body.url,
        nonce: body.nonce,
        ath: body.ath,
    };
    let proof = engine.dpop_proof(&caller, &id, request).await?;
    Ok(Json(DpopProof { proof }))
}

operation!(
    dpop_proof,
    Callers::Policy(&[Operation::Token]),
    DpopRequest {
        method: "GET".to_owned(),
        url: "https://api.example.com/me".to_owned(),
        nonce: None,
        ath: None,
    },
    DpopProof {
        proof: "example.of-a.proof".to_owned(),
    }
);

/// Get an access token of a provider's only connection
///
/// The only one that the caller may use; several are a conflict that names them. Not for the window.
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/{id}/token",
    tag = "connections",
    params(("id" = String, Path, description = "The provider's id or name.")),
    request_body = Option<TokenRequest>,
    responses((status = 200, description = "A valid access token.", body = TokenAnswer), Talking)
)]
async fn provider_token(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Optional(body): Optional<TokenRequest>,
) -> Result<TokenResponse, ApiError> {
    requester.not_the_window(ApiError::TokenForTheWindow)?;
    let request = wish(body);
    if let Some(token) = requester.token_while_locked(&engine, &id, &request) {
        return Ok(TokenResponse(token));
    }
    let caller = requester.unlocked(&engine).await?;
    let connection = engine
        .connection_for(&caller, &id, Operation::Token)
        .await?
        .ok_or_else(|| ApiError::no_connection(&id))?;
    Ok(TokenResponse(
        engine.token(&caller, &connection.to_string(), request).await?,
    ))
}

operation!(provider_token, Callers::Policy(&[Operation::Token]));

/// Report a rejected access token
///
/// For a token that a resource rejects although it should be valid. If it is the current one, it is refreshed: once for
/// each token, and for three tokens of a connection in ten minutes. Without a refresh token the answer is `needs_reauth`.
/// With `challenge` the user is asked to sign in again with more scopes, or in another way: once for each connection,
/// resource and challenge.
#[utoipa::path(
    post,
    path = "/v1/connections/{id}/rejected",
    tag = "connections",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    request_body = RejectedToken,
    responses((status = 200, description = "What to do.", body = RejectedAnswer), Talking)
)]
async fn token_rejected(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(body): Body<RejectedToken>,
) -> Result<Json<RejectedAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let token = Fingerprint::parse(&body.fingerprint)?;
    let Some(challenge) = body.challenge else {
        let outcome = engine.token_rejected(&caller, &id, token).await?;
        return Ok(Json(convert::rejected(outcome)));
    };
    let outcome = engine
        .step_up(&caller, &id, token, convert::challenge(challenge)?)
        .await?;
    Ok(Json(convert::step_up(outcome)))
}

operation!(
    token_rejected,
    Callers::Policy(&[Operation::Token]),
    RejectedToken {
        fingerprint: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
        challenge: None,
    },
    RejectedAnswer {
        outcome: RejectedOutcome::Newer,
        flow_id: None,
        browser_opened: false,
    },
    Challenge {
        error: ChallengeError::InsufficientScope,
        scope: Some("files.write".to_owned()),
        acr_values: None,
        max_age: None,
        resource: Some("https://mcp.example.com/mcp".to_owned()),
    }
);

/// Refresh a connection now
///
/// Whether or not its token is about to expire.
#[utoipa::path(
    post,
    path = "/v1/connections/{id}/refresh",
    tag = "connections",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    responses((status = 200, description = "After the change.", body = Connection), Talking)
)]
async fn refresh(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Connection>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    Ok(Json(convert::connection(engine.refresh(&caller, &id).await?)))
}

operation!(refresh, Callers::Policy(&[Operation::Refresh]));

/// Connect with client credentials
///
/// Gets a token with the provider's client ID and secret, and stores it.
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/{id}/connect",
    tag = "connections",
    params(("id" = String, Path, description = "The provider's id or name.")),
    request_body = Option<ConnectRequest>,
    responses((status = 200, description = "Connected.", body = Success), Talking)
)]
async fn connect_client(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Optional(body): Optional<ConnectRequest>,
) -> Result<Json<Success>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let label = body.label.filter(|label| !label.is_empty());
    engine.connect_client_credentials(&caller, &id, label).await?;
    Ok(Json(Success { success: true }))
}

operation!(
    connect_client,
    Callers::Policy(&[Operation::StartFlow]),
    ConnectRequest {
        label: Some("nightly".to_owned()),
    }
);

fn wish(body: TokenRequest) -> tokenry_engine::TokenRequest {
    let scopes = |text: String| {
        text.split(' ')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect()
    };
    tokenry_engine::TokenRequest {
        min_valid: Duration::from_secs(body.min_valid_seconds.unwrap_or(0).into()),
        scopes: body.scope.map(scopes),
        audience: body.audience,
        resource: body.resource,
        allow_unknown_target: body.allow_unknown_target.unwrap_or(false),
        id_token: body.id_token.unwrap_or(false),
        renew: false,
    }
}
