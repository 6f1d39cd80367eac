//! Operations on sign-ins.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Optional, PathFlowId, PathId, Query, Requester},
    openapi::{
        Flowing, Starting, StartingOnDevice, Talking,
        examples::{AUTHORIZATION_URL, BROWSER_URL, CODE, CONNECTION, FLOW, STATE, at, device_code, words},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use std::time::Duration;
use tokenry_contract::{
    AuthorizeAnswer, AuthorizeQuery, AuthorizeRequest, CallbackAnswer, CallbackRequest, DeviceAnswer,
    DeviceRequest, ExchangeRequest, Flow, FlowQuery, FlowStatus, Redirect, Success,
};
use tokenry_core::{Operation, Secret};
use tokenry_engine::{Engine, Error};

/// The longest time that a caller may wait for a sign-in.
const MAX_WAIT_SECONDS: u32 = 60;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(authorize, start_flow))
        .routes(routes!(start_device_flow))
        .routes(routes!(exchange))
        .routes(routes!(show_flow, cancel_flow))
        .routes(routes!(open_flow))
        .routes(routes!(callback))
}

/// Start a sign-in
///
/// Creates a connection that is `pending` until the sign-in is complete.
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}/authorize",
    tag = "flows",
    params(("id" = String, Path, description = "The provider's id or name."), AuthorizeQuery),
    responses((status = 200, description = "Where to send the browser.", body = AuthorizeAnswer), Starting)
)]
async fn authorize(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Query(query): Query<AuthorizeQuery>,
) -> Result<Json<AuthorizeAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    Ok(Json(convert::started(
        engine
            .connect(&caller, &id, convert::connect_query(query))
            .await?,
    )))
}

operation!(authorize, Callers::Policy(&[Operation::StartFlow]));

/// Start a sign-in, with options
///
/// Label, scopes, redirect method, and a connection to renew.
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/{id}/authorize",
    tag = "flows",
    params(("id" = String, Path, description = "The provider's id or name.")),
    request_body = Option<AuthorizeRequest>,
    responses((status = 200, description = "Where to send the browser.", body = AuthorizeAnswer), Starting)
)]
async fn start_flow(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Optional(body): Optional<AuthorizeRequest>,
) -> Result<Json<AuthorizeAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    Ok(Json(convert::started(
        engine
            .connect(&caller, &id, convert::connect_options(body))
            .await?,
    )))
}

operation!(
    start_flow,
    Callers::Policy(&[Operation::StartFlow]),
    AuthorizeRequest {
        label: Some("work".to_owned()),
        scopes: Some(words(&["read"])),
        redirect: Some(Redirect::Paste),
        connection: None,
        allow_further: false,
        allow_unknown_account: false,
    },
    AuthorizeAnswer {
        authorization_url: AUTHORIZATION_URL.to_owned(),
        browser_url: BROWSER_URL.to_owned(),
        state: STATE.to_owned(),
        flow_id: FLOW,
        connection_id: CONNECTION,
        redirect: Redirect::Paste,
        redirect_uri: "http://127.0.0.1:28101/cb/github".to_owned(),
        expires_at: at("2027-01-15T08:10:00Z"),
    }
);

/// Start a sign-in on another device
///
/// The user types a code on a page of the provider (RFC 8628). Tokenry asks the provider until they did; follow the
/// sign-in as any other one.
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/{id}/device",
    tag = "flows",
    params(("id" = String, Path, description = "The provider's id or name.")),
    request_body = Option<DeviceRequest>,
    responses((status = 200, description = "The code and the page for it.", body = DeviceAnswer), StartingOnDevice)
)]
async fn start_device_flow(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Optional(body): Optional<DeviceRequest>,
) -> Result<Json<DeviceAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let started = engine
        .connect(&caller, &id, convert::device_options(body))
        .await?;
    let missing = || Error::Internal("the sign-in has no device code".to_owned());
    Ok(Json(convert::started_on_device(started).ok_or_else(missing)?))
}

operation!(
    start_device_flow,
    Callers::Policy(&[Operation::StartFlow]),
    DeviceRequest {
        label: Some("phone".to_owned()),
        scopes: Some(words(&["read"])),
        connection: None,
        allow_further: false,
        allow_unknown_account: false,
    },
    DeviceAnswer {
        device: device_code(),
        flow_id: FLOW,
        connection_id: CONNECTION,
        expires_at: at("2027-01-15T08:15:00Z"),
    }
);

/// Exchange a code that was received elsewhere
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/exchange",
    tag = "flows",
    request_body = ExchangeRequest,
    responses((status = 200, description = "Connected.", body = Success), Talking)
)]
async fn exchange(
    requester: Requester,
    State(engine): State<Engine>,
    Body(body): Body<ExchangeRequest>,
) -> Result<Json<Success>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    engine
        .exchange(&caller, Secret::new(body.code), Secret::new(body.state), body.iss)
        .await?;
    Ok(Json(Success { success: true }))
}

operation!(
    exchange,
    Callers::Policy(&[Operation::FinishFlow]),
    ExchangeRequest {
        code: CODE.to_owned(),
        state: STATE.to_owned(),
        iss: Some("https://github.example".to_owned()),
    }
);

/// Follow a sign-in
///
/// Responds at once, or when the sign-in has ended or another response of the browser was rejected, or after
/// `wait_seconds`.
#[utoipa::path(
    get,
    path = "/v1/flows/{id}",
    tag = "flows",
    params(("id" = uuid::Uuid, Path, description = "Its id."), FlowQuery),
    responses((status = 200, description = "Its state.", body = Flow), Flowing)
)]
async fn show_flow(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathFlowId(id): PathFlowId,
    Query(query): Query<FlowQuery>,
) -> Result<Json<Flow>, ApiError> {
    let wait = query.wait_seconds.unwrap_or(0).min(MAX_WAIT_SECONDS);
    let wait = Duration::from_secs(wait.into());
    let view = engine.flow_news(&caller, id, wait, query.refusals_seen).await?;
    Ok(Json(convert::flow(view)))
}

operation!(
    show_flow,
    Callers::Policy(&[Operation::FinishFlow]),
    Flow {
        id: FLOW,
        connection_id: CONNECTION,
        status: FlowStatus::Waiting,
        refusals: 0,
        code: None,
        message: None,
        authorization_url: Some(AUTHORIZATION_URL.to_owned()),
        browser_url: Some(BROWSER_URL.to_owned()),
        redirect_uri: Some("http://127.0.0.1:28101/cb/github".to_owned()),
        device: None,
        expires_at: at("2027-01-15T08:10:00Z"),
    }
);

/// Cancel a sign-in
#[utoipa::path(
    delete,
    path = "/v1/flows/{id}",
    tag = "flows",
    params(("id" = uuid::Uuid, Path, description = "Its id.")),
    responses((status = 200, description = "Cancelled.", body = Success), Flowing)
)]
async fn cancel_flow(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathFlowId(id): PathFlowId,
) -> Result<Json<Success>, ApiError> {
    engine.cancel_flow(&caller, id).await?;
    Ok(Json(Success { success: true }))
}

operation!(cancel_flow, Callers::Policy(&[Operation::FinishFlow]));

/// Open the browser for a sign-in again
#[utoipa::path(
    post,
    path = "/v1/flows/{id}/open",
    tag = "flows",
    params(("id" = uuid::Uuid, Path, description = "Its id.")),
    responses((status = 200, description = "The browser was opened.", body = Success), Flowing)
)]
async fn open_flow(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathFlowId(id): PathFlowId,
) -> Result<Json<Success>, ApiError> {
    engine.open_flow(&caller, id).await?;
    Ok(Json(Success { success: true }))
}

operation!(open_flow, Callers::Policy(&[Operation::FinishFlow]));

/// Submit a redirect that was caught elsewhere
///
/// A deep link that reached another process, or a URL that the user pasted.
#[utoipa::path(
    post,
    path = "/v1/callback",
    tag = "flows",
    request_body = CallbackRequest,
    responses((status = 200, description = "Connected.", body = CallbackAnswer), Talking)
)]
async fn callback(
    requester: Requester,
    State(engine): State<Engine>,
    Body(body): Body<CallbackRequest>,
) -> Result<Json<CallbackAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let view = engine.callback(&caller, &body.url).await?;
    Ok(Json(CallbackAnswer {
        success: true,
        connection_id: view.connection.id.uuid(),
    }))
}

operation!(
    callback,
    Callers::Policy(&[Operation::FinishFlow]),
    CallbackRequest {
        url: "http://127.0.0.1:28101/cb/github?code=example-code&state=example-state".to_owned(),
    },
    CallbackAnswer {
        success: true,
        connection_id: CONNECTION,
    }
);
