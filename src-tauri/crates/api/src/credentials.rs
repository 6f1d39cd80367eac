//! Operations on credentials.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, PathId, Query, Requester},
    openapi::{
        Guarded, Listing, Starting,
        examples::{AUTHORIZATION_URL, BASE64, BROWSER_URL, CREDENTIAL, at, words},
    },
    operations::{Callers, Operations, operation, routes},
    token_response::CredentialResponse,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::collections::BTreeMap;
use tokenry_contract::{
    ConnectionStatus, CreateCredential, Credential, CredentialQuery, CredentialType, StartAnswer, Success,
    UpdateCredential,
};
use tokenry_core::{Operation, Secret};
use tokenry_engine::Engine;

/// The cookie that ties a sign-in to the browser it was started in.
pub(crate) const STATE_COOKIE: &str = "tokenry_oauth_state";

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_credentials, create_credential))
        .routes(routes!(show_credential, update_credential, delete_credential))
        .routes(routes!(start_oauth))
}

/// List the credentials
///
/// Connections are included, as `oauth2_refresh`. Without values.
#[utoipa::path(
    get,
    path = "/v1/credentials",
    tag = "credentials",
    responses((status = 200, description = "All of them, by name.", body = [Credential]), Listing)
)]
async fn list_credentials(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<Credential>>, ApiError> {
    let all = engine.credentials(&caller).await?;
    Ok(Json(all.into_iter().map(convert::credential).collect()))
}

operation!(
    list_credentials,
    Callers::Policy(&[Operation::ListCredentials]),
    Credential {
        id: CREDENTIAL,
        project: "default".to_owned(),
        name: "mail".to_owned(),
        kind: CredentialType::BasicAuth,
        fields: words(&["password", "username"]),
        data: BTreeMap::new(),
        redact_fields: Vec::new(),
        expires_at: None,
        status: ConnectionStatus::Active,
        created_at: at("2027-01-01T08:02:00Z"),
        updated_at: at("2027-01-01T08:02:00Z"),
        last_used_at: None,
    }
);

/// Add a credential
#[utoipa::path(
    post,
    path = "/v1/credentials",
    tag = "credentials",
    request_body = CreateCredential,
    responses((status = 201, description = "Added, without its values.", body = Credential), Guarded)
)]
async fn create_credential(
    requester: Requester,
    State(engine): State<Engine>,
    Body(body): Body<CreateCredential>,
) -> Result<(StatusCode, Json<Credential>), ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let new = convert::new_credential(body)?;
    let view = engine.add_credential(&caller, new).await?;
    Ok((StatusCode::CREATED, Json(convert::entered(view))))
}

operation!(
    create_credential,
    Callers::Policy(&[Operation::WriteCredentials]),
    CreateCredential {
        name: "weather".to_owned(),
        project: None,
        kind: CredentialType::Raw,
        data: BTreeMap::from([("value".to_owned(), BASE64.to_owned())]),
        redact_fields: Vec::new(),
        expires_at: Some("2099-12-31T00:00:00Z".to_owned()),
    }
);

/// Show a credential
///
/// With its values, except write-only ones, for a program that may have them. Not for the window.
#[utoipa::path(
    get,
    path = "/v1/credentials/{id}",
    tag = "credentials",
    params(
        ("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F."),
        CredentialQuery,
    ),
    responses((status = 200, description = "The credential.", body = Credential), Guarded)
)]
async fn show_credential(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Query(query): Query<CredentialQuery>,
) -> Result<CredentialResponse, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let found = match query.field {
        Some(field) => engine.credential_field(&caller, &id, &field).await?,
        None => engine.credential(&caller, &id).await?,
    };
    Ok(CredentialResponse(convert::credential(found)))
}

operation!(show_credential, Callers::Policy(&[Operation::ReadCredential]));

/// Change a credential
///
/// Only the given fields change; null removes a field or the expiry.
#[utoipa::path(
    put,
    path = "/v1/credentials/{id}",
    tag = "credentials",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    request_body = UpdateCredential,
    responses((status = 200, description = "After the change, without its values.", body = Credential), Guarded)
)]
async fn update_credential(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(body): Body<UpdateCredential>,
) -> Result<Json<Credential>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let change = convert::credential_change(body)?;
    let view = engine.change_credential(&caller, &id, change).await?;
    Ok(Json(convert::entered(view)))
}

operation!(
    update_credential,
    Callers::Policy(&[Operation::WriteCredentials]),
    UpdateCredential {
        name: None,
        data: BTreeMap::from([("password".to_owned(), Some(BASE64.to_owned()))]),
        redact_fields: Vec::new(),
        expires_at: Some(None),
    }
);

/// Delete a credential
///
/// A conflict for a connection: disconnect it instead.
#[utoipa::path(
    delete,
    path = "/v1/credentials/{id}",
    tag = "credentials",
    params(("id" = String, Path, description = "Its id or name; write a `/` in the name as %2F.")),
    responses((status = 200, description = "Removed.", body = Success), Guarded)
)]
async fn delete_credential(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Success>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    engine.remove_credential(&caller, &id).await?;
    Ok(Json(Success { success: true }))
}

operation!(delete_credential, Callers::Policy(&[Operation::DeleteCredential]));

/// Start the sign-in of a credential
///
/// For a connection, to renew it or to continue its sign-in; or for a provider, to make a new connection, which is
/// `pending` until the sign-in is complete. The response also sets a cookie that ties the sign-in to this browser.
#[utoipa::path(
    post,
    path = "/v1/credentials/{name}/oauth/start",
    tag = "credentials",
    params(("name" = String, Path, description = "A connection's id or name, or a provider's name; write a `/` in it as %2F.")),
    responses(
        (status = 200, description = "Where to send the browser.", body = StartAnswer,
            headers(("Set-Cookie" = String, description = "Ties the flow to this browser; to be sent with the callback."))),
        Starting
    )
)]
async fn start_oauth(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(name): PathId,
) -> Result<Response, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let started = engine.start_oauth(&caller, &name).await?;
    let cookie = state_cookie(&engine.state_cookie(&started.state)?)?;
    let answer = StartAnswer {
        auth_url: started.authorization_url.into(),
        browser_url: started.browser_url.into(),
    };
    let mut response = Json(answer).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

operation!(
    start_oauth,
    Callers::Policy(&[Operation::StartFlow]),
    StartAnswer {
        auth_url: AUTHORIZATION_URL.to_owned(),
        browser_url: BROWSER_URL.to_owned(),
    }
);

/// Valid for ten minutes, as long as the sign-in. Scripts cannot read it, and a browser sends it to us from another site only
/// with a navigation, as a redirect is one.
fn state_cookie(value: &Secret) -> Result<HeaderValue, ApiError> {
    let text = format!(
        "{STATE_COOKIE}={}; HttpOnly; SameSite=Lax; Path=/; Max-Age=600",
        value.expose()
    );
    let mut cookie = HeaderValue::try_from(text)
        .map_err(|_| tokenry_engine::Error::Internal("a cookie cannot be written".to_owned()))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}
