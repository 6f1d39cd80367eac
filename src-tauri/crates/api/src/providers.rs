//! The operations on providers.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, PathId, Query, Requester},
    openapi::{
        Guarded, Listing, Probing, Reading, Talking,
        examples::{PROVIDER, at, words},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Map, Value};
use tokenry_contract::{
    CheckReport, CheckedItem, CreateProvider, DeleteProviderQuery, DisconnectAnswer, Jwk, JwkSet, Members,
    OAuthProvider, OAuthProviderAuthStatus, ProviderSettings, ProviderSettingsPatch, Rotation, Success,
    UpdateProvider,
};
use tokenry_core::{Operation, ProviderPatch};
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_providers, create_provider))
        .routes(routes!(show_provider, update_provider, delete_provider))
        .routes(routes!(provider_status))
        .routes(routes!(check_provider))
        .routes(routes!(provider_jwks))
        .routes(routes!(disconnect_provider))
}

/// List the providers
///
/// By project and name. Without client secrets.
#[utoipa::path(
    get,
    path = "/v1/oauth-providers",
    tag = "providers",
    responses((status = 200, description = "All of them.", body = [OAuthProvider]), Listing)
)]
async fn list_providers(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<OAuthProvider>>, ApiError> {
    let providers = engine.providers(&caller).await?;
    Ok(Json(providers.iter().map(convert::provider).collect()))
}

operation!(list_providers, Callers::Policy(&[Operation::ReadProviders]));

/// Add a provider
#[utoipa::path(
    post,
    path = "/v1/oauth-providers",
    tag = "providers",
    request_body = CreateProvider,
    responses((status = 201, description = "Added.", body = OAuthProvider), Guarded)
)]
async fn create_provider(
    requester: Requester,
    State(engine): State<Engine>,
    Body(members): Body<Members>,
) -> Result<(StatusCode, Json<OAuthProvider>), ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let new = ProviderPatch::from(Map::from(members));
    let provider = engine.add_provider(&caller, new).await?;
    Ok((StatusCode::CREATED, Json(convert::provider(&provider))))
}

operation!(
    create_provider,
    Callers::Policy(&[Operation::WriteProviders]),
    CreateProvider {
        name: "gitlab".to_owned(),
        project: None,
        client_secret: Some("example-client-secret".to_owned()),
        preset: None,
        settings: ProviderSettings {
            display_name: "GitLab".to_owned(),
            client_id: "tokenry-example".to_owned(),
            issuer: Some("https://gitlab.example".to_owned()),
            authorization_endpoint: Some("https://gitlab.example/oauth/authorize".to_owned()),
            token_endpoint: Some("https://gitlab.example/oauth/token".to_owned()),
            default_scopes: words(&["read"]),
            ..ProviderSettings::default()
        },
    }
);

/// Show a provider
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    responses((status = 200, description = "The provider.", body = OAuthProvider), Reading)
)]
async fn show_provider(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<OAuthProvider>, ApiError> {
    Ok(Json(convert::provider(&engine.provider(&caller, &id).await?)))
}

operation!(
    show_provider,
    Callers::Policy(&[Operation::ReadProviders]),
    OAuthProvider {
        id: PROVIDER,
        name: "github".to_owned(),
        project: "default".to_owned(),
        settings: ProviderSettings {
            display_name: "GitHub".to_owned(),
            issuer: Some("https://github.example".to_owned()),
            authorization_endpoint: Some("https://github.example/oauth/authorize".to_owned()),
            token_endpoint: Some("https://github.example/oauth/token".to_owned()),
            revocation_endpoint: Some("https://github.example/oauth/revoke".to_owned()),
            userinfo_endpoint: Some("https://github.example/userinfo".to_owned()),
            client_id: "tokenry-example".to_owned(),
            default_scopes: words(&["read", "write"]),
            authorization_response_iss_parameter_supported: true,
            rotation: Rotation::Grace { seconds: 30 },
            ..ProviderSettings::default()
        },
        has_client_secret: true,
        self_registered: false,
        redirect_uris: words(&["http://127.0.0.1/cb/github", "io.github.tokenry:/cb/github"]),
        preset: None,
        created_at: at("2027-01-01T08:00:00Z"),
        updated_at: at("2027-01-01T08:00:00Z"),
    }
);

/// Change a provider
///
/// A JSON merge patch (RFC 7396): only the members given change, and `null` sets one back to its default. An empty string
/// clears an optional text, too. The user is asked about what decides where
/// secrets go or how they are protected: endpoints, the client and its authentication, PKCE, the issuer, parameters,
/// the redirect, rotation and narrowing; also where an app may change providers.
#[utoipa::path(
    put,
    path = "/v1/oauth-providers/{id}",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    request_body = UpdateProvider,
    responses((status = 200, description = "After the change.", body = OAuthProvider), Guarded)
)]
async fn update_provider(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(members): Body<Members>,
) -> Result<Json<OAuthProvider>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let patch = ProviderPatch::from(Map::from(members));
    let provider = engine.change_provider(&caller, &id, patch).await?;
    Ok(Json(convert::provider(&provider)))
}

operation!(
    update_provider,
    Callers::Policy(&[Operation::WriteProviders]),
    UpdateProvider {
        settings: ProviderSettingsPatch(Map::from_iter([
            ("display_name".to_owned(), "GitHub".into()),
            ("default_scopes".to_owned(), words(&["read", "write"]).into()),
            ("revocation_endpoint".to_owned(), Value::Null),
        ])),
        ..UpdateProvider::default()
    }
);

/// Remove a provider
///
/// A conflict while it has connections, except with `disconnect`. Then an app also needs `auth:write` or
/// `auth:write:own` for each of them. The prompt names the connections.
#[utoipa::path(
    delete,
    path = "/v1/oauth-providers/{id}",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name."), DeleteProviderQuery),
    responses((status = 200, description = "Removed.", body = Success), Guarded)
)]
async fn delete_provider(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Query(query): Query<DeleteProviderQuery>,
) -> Result<Json<Success>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    engine.remove_provider(&caller, &id, query.disconnect).await?;
    Ok(Json(Success { success: true }))
}

operation!(delete_provider, Callers::Policy(&[Operation::DeleteProvider]));

/// Tell whether a provider has a valid token
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}/status",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    responses((status = 200, description = "Of the connection that expires last.", body = OAuthProviderAuthStatus), Reading)
)]
async fn provider_status(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<OAuthProviderAuthStatus>, ApiError> {
    let (provider, connections) = engine.provider_connections(&caller, &id).await?;
    Ok(Json(convert::auth_status(&provider, connections)))
}

operation!(
    provider_status,
    Callers::Policy(&[Operation::ReadConnections]),
    OAuthProviderAuthStatus {
        oauth_provider_id: PROVIDER,
        oauth_provider_name: "github".to_owned(),
        authenticated: true,
        expires_at: Some(at("2027-01-15T09:00:00Z")),
        scope: Some("read write".to_owned()),
    }
);

/// Check a provider without a sign-in
///
/// Sends one request to each endpoint, with a code and tokens that are made up, and judges the answers. That the provider
/// does not work is no error: the response says what is wrong and what to do. A provider can be checked 6 times a minute.
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/{id}/check",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    responses((status = 200, description = "What was found.", body = CheckReport), Probing)
)]
async fn check_provider(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<CheckReport>, ApiError> {
    Ok(Json(engine.check_provider(&caller, &id).await?))
}

operation!(
    check_provider,
    Callers::Policy(&[Operation::CheckProvider]),
    CheckReport::from(vec![
        CheckedItem::ok("token_endpoint", "github.example answers."),
        CheckedItem::problem(
            "clock",
            "This computer's clock is 300 s behind the provider's.",
            "Set the clock: `timedatectl set-ntp true`.",
        ),
    ])
);

/// Show the public key of a provider's client
///
/// To register at the provider, for client authentication by `private_key_jwt`. Without that setting, which makes the key,
/// the set is empty; the private part of a key never leaves the vault.
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}/jwks",
    tag = "providers",
    params(("id" = String, Path, description = "Its id or name.")),
    responses((status = 200, description = "A JWK set.", body = JwkSet), Reading)
)]
async fn provider_jwks(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<JwkSet>, ApiError> {
    let keys = serde_json::from_value(engine.provider_jwks(&caller, &id).await?);
    let unreadable = |_| tokenry_engine::Error::Internal("a key cannot be shown".to_owned());
    Ok(Json(keys.map_err(unreadable)?))
}

operation!(
    provider_jwks,
    Callers::Policy(&[Operation::ReadProviders]),
    JwkSet {
        keys: vec![Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x: "example-xF1Bg8vub9tL".to_owned(),
            y: "example-m36HLN_tue65".to_owned(),
            kid: "example-pTVTyxMQ3bwI".to_owned(),
            alg: "ES256".to_owned(),
            r#use: "sig".to_owned(),
        }],
    }
);

/// Disconnect a provider's only connection
///
/// The only one that the caller may disconnect; several are a conflict. Deletes the tokens here and revokes them at the
/// provider, if it supports that.
#[utoipa::path(
    delete,
    path = "/v1/oauth-providers/{id}/disconnect",
    tag = "providers",
    params(("id" = String, Path, description = "The provider's id or name.")),
    responses((status = 200, description = "Disconnected.", body = DisconnectAnswer), Talking)
)]
async fn disconnect_provider(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<DisconnectAnswer>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let connection = engine
        .connection_for(&caller, &id, Operation::Disconnect)
        .await?
        .ok_or_else(|| ApiError::no_connection(&id))?;
    let revoked = engine
        .disconnect_and_tell(&caller, &connection.to_string())
        .await?;
    Ok(Json(convert::disconnected(revoked)))
}

operation!(disconnect_provider, Callers::Policy(&[Operation::Disconnect]));
