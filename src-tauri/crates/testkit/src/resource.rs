//! The userinfo and revocation endpoints.

use crate::answer::Answer;
use crate::behaviour::Iss;
use crate::call::Call;
use crate::client;
use crate::grants::Ended;
use crate::service::State;
use serde_json::{Map, Value, json};
use tokenry_core::Timestamp;

/// OpenID Connect Core §5.3.
pub(crate) fn userinfo(state: &State, call: &Call, now: Timestamp) -> Answer {
    let Some(family) = call.bearer().and_then(|token| state.grants.family_of(token, now)) else {
        return Answer::error(401, "invalid_token")
            .header("www-authenticate", "Bearer error=\"invalid_token\"");
    };
    let account = &family.account;
    let mut body = Map::new();
    body.insert("sub".to_owned(), account.sub.as_str().into());
    for (name, value) in [("name", &account.name), ("email", &account.email)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.as_str().into());
        }
    }
    Answer::json(200, Value::Object(body))
}

/// RFC 7009: a refresh token ends its whole family, an access token ends alone, and an unknown token is a success
/// too.
pub(crate) fn revoke(state: &mut State, call: &Call) -> Answer {
    let client = match client::authenticate(&state.behaviour.clients, call) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let Some(token) = call.get("token") else {
        return Answer::error(400, "invalid_request");
    };
    let grants = &mut state.grants;
    if let Some(family) = grants.refresh.get(token).map(|token| token.family) {
        if grants.families[family].client != client.id {
            return Answer::error(400, "invalid_grant");
        }
        grants.end(family, Ended::Revoked);
    } else if let Some(token) = grants.access.get_mut(token) {
        token.revoked = true;
    }
    Answer::empty(200)
}

/// RFC 8414 §2.
pub(crate) fn metadata(state: &State, issuer: &str) -> Answer {
    Answer::json(
        200,
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": state.behaviour.iss != Iss::Absent,
        }),
    )
}
