//! The userinfo and revocation endpoints.

use crate::answer::{Answer, Content};
use crate::behaviour::{Client, Iss};
use crate::call::Call;
use crate::client;
use crate::grants::Ended;
use crate::quirks::{self, Revocation};
use crate::service::State;
use serde_json::{Map, Value, json};
use tokenry_core::Timestamp;

/// The client that registers itself.
const REGISTERED: &str = "registered";

/// OpenID Connect Core §5.3.
pub(crate) fn userinfo(state: &State, call: &Call, now: Timestamp) -> Answer {
    let quirks = &state.behaviour.quirks;
    let is_method = quirks
        .userinfo_method
        .as_ref()
        .is_none_or(|method| *method == call.method);
    if !is_method || !quirks.accepts_headers(call) {
        return Answer::error(400, "invalid_request");
    }
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
    let body = Value::Object(quirks::moved(body, &quirks.account_paths));
    if quirks.userinfo_is_jwt {
        return Answer {
            content: Content::Jwt("e30.e30.c2ln".to_owned()),
            ..Answer::empty(200)
        };
    }
    Answer::json(200, body)
}

/// RFC 7662, for the client that the token is of.
pub(crate) fn introspect(state: &State, call: &Call, now: Timestamp) -> Answer {
    if let Err(refused) = client::authenticate(&state.behaviour.clients, call) {
        return refused;
    }
    let family = call
        .get("token")
        .and_then(|token| state.grants.family_of(token, now));
    Answer::json(
        200,
        match family {
            Some(family) => {
                json!({"active": true, "sub": family.account.sub, "username": family.account.name})
            }
            None => json!({"active": false}),
        },
    )
}

/// RFC 7009: a refresh token ends its whole family, an access token ends alone, and an unknown token is a success
/// too.
pub(crate) fn revoke(state: &mut State, call: &Call, now: Timestamp) -> Answer {
    let bearer = call.bearer().map(str::to_owned);
    let token = match state.behaviour.quirks.revocation {
        Revocation::Rfc7009 => None,
        Revocation::Bearer if call.method == "POST" => Some(bearer),
        Revocation::Delete if call.method == "DELETE" && call.basic().is_some() => {
            Some(call.get("token").map(str::to_owned))
        }
        _ => return Answer::error(400, "invalid_request"),
    };
    if let Some(token) = token {
        let token = token.filter(|token| state.grants.accepts(token, now));
        let family = token.and_then(|token| state.grants.access.get(&token)?.family);
        return match family {
            Some(family) => {
                state.grants.end(family, Ended::Revoked);
                Answer::empty(204)
            }
            None => Answer::error(401, "not_authed"),
        };
    }
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

/// RFC 7591, for a public client that is always the same.
pub(crate) fn register(state: &mut State, call: &Call, issuer: &str) -> Answer {
    match call.method.as_str() {
        "DELETE" if call.bearer() == Some("testkit-registration") => {
            state.behaviour.clients.retain(|client| client.id != REGISTERED);
            Answer::empty(204)
        }
        "POST" => {
            state.behaviour.clients.push(Client::public(REGISTERED));
            Answer::json(
                201,
                json!({
                    "client_id": REGISTERED,
                    "token_endpoint_auth_method": "none",
                    "registration_client_uri": format!("{issuer}/register"),
                    "registration_access_token": "testkit-registration",
                }),
            )
        }
        _ => Answer::error(401, "invalid_token"),
    }
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
            "registration_endpoint": format!("{issuer}/register"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": state.behaviour.iss != Iss::Absent,
        }),
    )
}
