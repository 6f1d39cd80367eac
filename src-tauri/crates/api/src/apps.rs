//! Operations on apps and grants.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, PathId, Requester},
    openapi::{
        Guarded, Listing,
        examples::{APP, APP_ADDRESS, CONNECTION, GRANT, at, words},
    },
    operations::{Callers, Operations, operation, routes},
    token_response::CreatedAppResponse,
};
use axum::{Json, extract::State};
use tokenry_contract::{App, CreateApp, CreateGrant, CreatedApp, Grant, Success};
use tokenry_core::Operation;
use tokenry_engine::{AppView, Engine};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_apps, create_app))
        .routes(routes!(delete_app))
        .routes(routes!(list_grants, create_grant))
        .routes(routes!(delete_grant))
}

/// List the apps
///
/// With their grants.
#[utoipa::path(
    get,
    path = "/v1/apps",
    tag = "apps",
    responses((status = 200, description = "All of them, by name.", body = [App]), Listing)
)]
async fn list_apps(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<App>>, ApiError> {
    let views = engine.apps(&caller).await?;
    Ok(Json(views.into_iter().map(convert::app).collect()))
}

operation!(list_apps, Callers::Policy(&[Operation::ReadApps]), example_app());

/// Register an app
///
/// The response holds the app's own token, which is shown only once. The window does not get it: there it goes to the
/// clipboard.
#[utoipa::path(
    post,
    path = "/v1/apps",
    tag = "apps",
    request_body = CreateApp,
    responses((status = 200, description = "The app.", body = CreatedApp), Guarded)
)]
async fn create_app(
    requester: Requester,
    State(engine): State<Engine>,
    Body(body): Body<CreateApp>,
) -> Result<CreatedAppResponse, ApiError> {
    requester.not_the_window(ApiError::TokenForTheWindow)?;
    let caller = requester.unlocked(&engine).await?;
    let (app, token) = engine
        .register_app(&caller, &body.name, body.redirect_uris, body.public)
        .await?;
    let grants = Vec::new();
    Ok(CreatedAppResponse(convert::app(AppView { app, grants }), token))
}

operation!(
    create_app,
    Callers::Policy(&[Operation::WriteApps]),
    CreateApp {
        name: "backup".to_owned(),
        redirect_uris: vec![APP_ADDRESS.to_owned()],
        public: false,
    },
    CreatedApp {
        app: App {
            grants: Vec::new(),
            last_used_at: None,
            ..example_app()
        },
        token: Some("tokenry_app_example".to_owned()),
    }
);

/// Remove an app
///
/// Its grants are revoked with it, so its next request fails.
#[utoipa::path(
    delete,
    path = "/v1/apps/{id}",
    tag = "apps",
    params(("id" = String, Path, description = "The app's id or name.")),
    responses((status = 200, description = "Removed.", body = Success), Guarded)
)]
async fn delete_app(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Success>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    engine.remove_app(&caller, &id).await?;
    Ok(Json(Success { success: true }))
}

operation!(delete_app, Callers::Policy(&[Operation::DeleteApp]));

/// List the grants
///
/// Those that have not ended, newest first.
#[utoipa::path(
    get,
    path = "/v1/grants",
    tag = "apps",
    responses((status = 200, description = "All of them.", body = [Grant]), Listing)
)]
async fn list_grants(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<Grant>>, ApiError> {
    let grants = engine.grants(&caller).await?;
    let named = |grant: tokenry_core::Grant| {
        let name = engine.app_name(grant.app).unwrap_or_default();
        convert::grant(grant, &name)
    };
    Ok(Json(grants.into_iter().map(named).collect()))
}

operation!(
    list_grants,
    Callers::Policy(&[Operation::ReadApps]),
    example_grant()
);

/// Give an app a grant
///
/// The user is prompted first, except in the window.
#[utoipa::path(
    post,
    path = "/v1/grants",
    tag = "apps",
    request_body = CreateGrant,
    responses((status = 200, description = "The grant.", body = Grant), Guarded)
)]
async fn create_grant(
    requester: Requester,
    State(engine): State<Engine>,
    Body(body): Body<CreateGrant>,
) -> Result<Json<Grant>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let grant = engine.give_grant(&caller, convert::new_grant(body)?).await?;
    let name = engine.app_name(grant.app).unwrap_or_default();
    Ok(Json(convert::grant(grant, &name)))
}

operation!(
    create_grant,
    Callers::Policy(&[Operation::WriteApps]),
    CreateGrant {
        app: "backup".to_owned(),
        scopes: words(&["connections:read", "tokens:read"]),
        connections: words(&["github"]),
        credentials: Vec::new(),
        token_scopes: Some(words(&["read"])),
        while_locked: true,
        expires_at: Some(at("2099-12-31T00:00:00Z")),
    }
);

/// Revoke a grant
///
/// The app's next request fails.
#[utoipa::path(
    delete,
    path = "/v1/grants/{id}",
    tag = "apps",
    params(("id" = uuid::Uuid, Path, description = "Its id.")),
    responses((status = 200, description = "Removed.", body = Success), Guarded)
)]
async fn delete_grant(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Success>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let id = id
        .parse()
        .map_err(|_| ApiError::field("id", "must be a grant's id"))?;
    engine.remove_grant(&caller, id).await?;
    Ok(Json(Success { success: true }))
}

operation!(delete_grant, Callers::Policy(&[Operation::WriteApps]));

fn example_app() -> App {
    App {
        id: APP,
        name: "backup".to_owned(),
        redirect_uris: vec![APP_ADDRESS.to_owned()],
        public: false,
        grants: vec![example_grant()],
        created_at: at("2027-01-01T08:03:00Z"),
        last_used_at: Some(at("2027-01-15T08:03:00Z")),
    }
}

fn example_grant() -> Grant {
    Grant {
        id: GRANT,
        app_id: APP,
        app_name: "backup".to_owned(),
        scopes: words(&["connections:read", "tokens:read"]),
        connections: vec![CONNECTION],
        credentials: Vec::new(),
        token_scopes: Some(words(&["read"])),
        while_locked: false,
        expires_at: None,
        created_at: at("2027-01-01T08:04:00Z"),
        last_used_at: Some(at("2027-01-15T08:03:00Z")),
    }
}
