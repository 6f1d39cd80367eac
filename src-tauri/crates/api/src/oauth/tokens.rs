//! The token, revocation and introspection endpoints.

use super::{
    form::ClientRequest,
    response::{OAuthErrorResponse, OAuthTokenResponse, scope},
};
use crate::{
    openapi::{
        Clients,
        examples::{APP, APP_ADDRESS, CODE},
    },
    operations::{Callers, operation},
};
use axum::{Json, extract::State};
use tokenry_contract::{OAuthIntrospection, OAuthTokenAnswer, OAuthTokenForm, OAuthTokenRequest, Success};
use tokenry_engine::{Engine, Introspection, OAuthError};

/// Exchange a code or a refresh token for an access token of this API
///
/// The client authenticates itself by HTTP Basic or by `client_secret` in the form. Its secret is the app's own token.
/// A public client sends only its `client_id`. An access token is valid for an hour, a refresh token for one use.
#[utoipa::path(
    post,
    path = "/oauth/token",
    tag = "oauth",
    request_body(content = OAuthTokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The tokens.", body = OAuthTokenAnswer), Clients)
)]
pub(super) async fn oauth_token(
    State(engine): State<Engine>,
    client: ClientRequest,
) -> Result<OAuthTokenResponse, OAuthErrorResponse> {
    let authorization = client.authorization.as_ref().map(|text| text.as_str());
    let given = engine.issue_tokens(authorization, &client.form).await;
    Ok(OAuthTokenResponse(log_refusal(&engine, &client, given)?))
}

operation!(
    oauth_token,
    Callers::Client,
    OAuthTokenRequest {
        grant_type: "authorization_code".to_owned(),
        code: Some(CODE.to_owned()),
        redirect_uri: Some(APP_ADDRESS.to_owned()),
        code_verifier: Some("example-code-verifier-of-forty-three-letters".to_owned()),
        refresh_token: None,
        scope: None,
        client_id: Some("backup".to_owned()),
        client_secret: Some("tokenry_app_example".to_owned()),
    },
    OAuthTokenAnswer {
        access_token: "example-access-token".to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: 3600,
        refresh_token: "example-refresh-token".to_owned(),
        scope: "connections:read tokens:read".to_owned(),
    }
);

/// Revoke a token
///
/// RFC 7009. A refresh token ends with all tokens of the same consent. An unknown token is not an error.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    tag = "oauth",
    request_body(content = OAuthTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Revoked.", body = Success), Clients)
)]
pub(super) async fn oauth_revoke(
    State(engine): State<Engine>,
    client: ClientRequest,
) -> Result<Json<Success>, OAuthErrorResponse> {
    let authorization = client.authorization.as_ref().map(|text| text.as_str());
    let revoked = engine.revoke_issued(authorization, &client.form).await;
    log_refusal(&engine, &client, revoked)?;
    Ok(Json(Success { success: true }))
}

operation!(
    oauth_revoke,
    Callers::Client,
    OAuthTokenForm {
        token: "example-access-token".to_owned(),
        token_type_hint: None,
        client_id: Some("backup".to_owned()),
        client_secret: Some("tokenry_app_example".to_owned()),
    }
);

/// Introspect a token
///
/// RFC 7662. For a token of another client, and for one that has ended, the response only says that it is not active.
/// Not for public clients.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    tag = "oauth",
    request_body(content = OAuthTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The state of the token.", body = OAuthIntrospection), Clients)
)]
pub(super) async fn oauth_introspect(
    State(engine): State<Engine>,
    client: ClientRequest,
) -> Result<Json<OAuthIntrospection>, OAuthErrorResponse> {
    let authorization = client.authorization.as_ref().map(|text| text.as_str());
    let found = engine.introspect_issued(authorization, &client.form).await;
    let found = log_refusal(&engine, &client, found)?;
    Ok(Json(found.map(introspection).unwrap_or_default()))
}

operation!(
    oauth_introspect,
    Callers::ConfidentialClient,
    OAuthIntrospection {
        active: true,
        scope: Some("connections:read tokens:read".to_owned()),
        client_id: Some(APP),
        token_type: Some("Bearer".to_owned()),
        iat: Some(1_800_000_000),
        exp: Some(1_800_003_600),
    }
);

/// Logs a client that is not authenticated or sent an unknown token.
fn log_refusal<T>(
    engine: &Engine,
    client: &ClientRequest,
    done: Result<T, OAuthError>,
) -> Result<T, OAuthError> {
    done.inspect_err(|error| {
        if let Some(caller) = &client.caller {
            engine.note_oauth_refused(caller, error);
        }
    })
}

fn introspection(found: Introspection) -> OAuthIntrospection {
    OAuthIntrospection {
        active: true,
        scope: Some(scope(&found.scopes)),
        client_id: Some(found.app.uuid()),
        token_type: found.is_access.then(|| "Bearer".to_owned()),
        iat: Some(found.issued_at.as_second()),
        exp: Some(found.expires_at.as_second()),
    }
}
