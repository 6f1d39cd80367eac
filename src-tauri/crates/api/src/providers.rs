use crate::{
    convert,
    error::Refused,
    extract::{At, Body, By, Query},
    openapi::{Guarded, Listing, Reading, Talking},
    operations::{Operations, routes},
};
use axum::{Json, extract::State, http::StatusCode};
use tokenry_contract::{
    CreateProvider, DeleteProviderQuery, DisconnectAnswer, OAuthProvider, OAuthProviderAuthStatus, Success,
    UpdateProvider,
};
use tokenry_engine::{Engine, Operation};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_providers, create_provider))
        .routes(routes!(show_provider, update_provider, delete_provider))
        .routes(routes!(provider_status))
        .routes(routes!(disconnect_provider))
}

/// List the providers
///
/// By project and name. Never a client secret.
#[utoipa::path(
    get,
    path = "/v1/oauth-providers",
    tag = "providers",
    responses((status = 200, description = "All of them.", body = [OAuthProvider]), Listing)
)]
async fn list_providers(
    By(caller): By,
    State(engine): State<Engine>,
) -> Result<Json<Vec<OAuthProvider>>, Refused> {
    let providers = engine.providers(&caller).await?;
    Ok(Json(providers.iter().map(convert::provider).collect()))
}

/// Add a provider
#[utoipa::path(
    post,
    path = "/v1/oauth-providers",
    tag = "providers",
    request_body = CreateProvider,
    responses((status = 201, description = "It is there.", body = OAuthProvider), Guarded)
)]
async fn create_provider(
    By(caller): By,
    State(engine): State<Engine>,
    Body(body): Body<CreateProvider>,
) -> Result<(StatusCode, Json<OAuthProvider>), Refused> {
    let provider = engine.add_provider(&caller, convert::new_provider(body)?).await?;
    Ok((StatusCode::CREATED, Json(convert::provider(&provider))))
}

/// Show a provider
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    responses((status = 200, description = "The provider.", body = OAuthProvider), Reading)
)]
async fn show_provider(
    By(caller): By,
    State(engine): State<Engine>,
    At(id): At,
) -> Result<Json<OAuthProvider>, Refused> {
    Ok(Json(convert::provider(&engine.provider(&caller, &id).await?)))
}

/// Change a provider
///
/// Only the fields given change; an empty string clears an optional one. The user is asked about what decides where
/// secrets go or how they are protected: endpoints, the client and its authentication, PKCE, the issuer, parameters,
/// the redirect, rotation and narrowing; also where an app may change providers.
#[utoipa::path(
    put,
    path = "/v1/oauth-providers/{id}",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    request_body = UpdateProvider,
    responses((status = 200, description = "As it is now.", body = OAuthProvider), Guarded)
)]
async fn update_provider(
    By(caller): By,
    State(engine): State<Engine>,
    At(id): At,
    Body(body): Body<UpdateProvider>,
) -> Result<Json<OAuthProvider>, Refused> {
    let change = convert::provider_change(body, engine.provider(&caller, &id)).await?;
    Ok(Json(convert::provider(
        &engine.change_provider(&caller, &id, change).await?,
    )))
}

/// Remove a provider
///
/// A conflict while it has connections, unless they are to be disconnected with it: an app needs `auth:write` or
/// `auth:write:own` for each of them, too. The user is asked, and told which connections go.
#[utoipa::path(
    delete,
    path = "/v1/oauth-providers/{id}",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name."), DeleteProviderQuery),
    responses((status = 200, description = "It is gone.", body = Success), Guarded)
)]
async fn delete_provider(
    By(caller): By,
    State(engine): State<Engine>,
    At(id): At,
    Query(query): Query<DeleteProviderQuery>,
) -> Result<Json<Success>, Refused> {
    engine.remove_provider(&caller, &id, query.disconnect).await?;
    Ok(Json(Success { success: true }))
}

/// Tell whether there are good tokens at a provider
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}/status",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    responses((status = 200, description = "Of the connection that lasts longest.", body = OAuthProviderAuthStatus), Reading)
)]
async fn provider_status(
    By(caller): By,
    State(engine): State<Engine>,
    At(id): At,
) -> Result<Json<OAuthProviderAuthStatus>, Refused> {
    let (provider, connections) = engine.provider_connections(&caller, &id).await?;
    Ok(Json(convert::auth_status(&provider, connections)))
}

/// Disconnect a provider's only connection
///
/// Of the only one that the caller may disconnect. Its tokens are deleted here and revoked at the provider, when it
/// can. A conflict when there are several.
#[utoipa::path(
    delete,
    path = "/v1/oauth-providers/{id}/disconnect",
    tag = "providers",
    params(("id" = String, Path, description = "The provider's id or name.")),
    responses((status = 200, description = "The tokens are gone.", body = DisconnectAnswer), Talking)
)]
async fn disconnect_provider(
    By(caller): By,
    State(engine): State<Engine>,
    At(id): At,
) -> Result<Json<DisconnectAnswer>, Refused> {
    let connection = engine
        .connection_for(&caller, &id, Operation::Disconnect)
        .await?
        .ok_or_else(|| Refused::no_connection(&id))?;
    let revoked = engine
        .disconnect_and_tell(&caller, &connection.to_string())
        .await?;
    Ok(Json(convert::disconnected(revoked)))
}
