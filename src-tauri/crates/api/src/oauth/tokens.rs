use super::{
    answer::{Given, Wrong, scope},
    form::FromClient,
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

/// Exchange a code, or a refresh token, for an access token to this API
///
/// The client proves itself by HTTP Basic or by `client_secret` in the form, with the app's own token as its secret; a
/// public client sends its `client_id` only. An access token lives an hour, a refresh token works once.
#[utoipa::path(
    post,
    path = "/oauth/token",
    tag = "oauth",
    request_body(content = OAuthTokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The tokens.", body = OAuthTokenAnswer), Clients)
)]
pub(super) async fn oauth_token(State(engine): State<Engine>, client: FromClient) -> Result<Given, Wrong> {
    let authorization = client.authorization.as_ref().map(|text| text.as_str());
    let given = engine.issue_tokens(authorization, &client.form).await;
    Ok(Given(noted(&engine, &client, given)?))
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

/// End a token
///
/// RFC 7009. With a refresh token, everything that came from the same consent ends. A token that is not known is no
/// error.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    tag = "oauth",
    request_body(content = OAuthTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is good for nothing any more.", body = Success), Clients)
)]
pub(super) async fn oauth_revoke(
    State(engine): State<Engine>,
    client: FromClient,
) -> Result<Json<Success>, Wrong> {
    let authorization = client.authorization.as_ref().map(|text| text.as_str());
    let revoked = engine.revoke_issued(authorization, &client.form).await;
    noted(&engine, &client, revoked)?;
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

/// Tell a client what a token of its own is
///
/// RFC 7662. Of a token of another client, and of one that has ended, only that it is not active. A public client
/// cannot ask.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    tag = "oauth",
    request_body(content = OAuthTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What it is.", body = OAuthIntrospection), Clients)
)]
pub(super) async fn oauth_introspect(
    State(engine): State<Engine>,
    client: FromClient,
) -> Result<Json<OAuthIntrospection>, Wrong> {
    let authorization = client.authorization.as_ref().map(|text| text.as_str());
    let found = engine.introspect_issued(authorization, &client.form).await;
    let found = noted(&engine, &client, found)?;
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

/// A client that did not prove itself, or brought what we do not know, is in the log.
fn noted<T>(engine: &Engine, client: &FromClient, done: Result<T, OAuthError>) -> Result<T, OAuthError> {
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
