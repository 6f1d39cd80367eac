//! The device authorization endpoint, and device codes at the token endpoint (RFC 8628).

use crate::answer::Answer;
use crate::behaviour::{Client, DeviceAnswer};
use crate::call::Call;
use crate::client;
use crate::grants::Issued;
use crate::service::State;
use crate::token::first_tokens;
use serde_json::json;
use tokenry_core::{Random, Timestamp};

pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device code for any client that proves who it is. It does not end, and may be asked about each second.
pub(crate) fn answer(state: &mut State, call: &Call, issuer: &str, random: &dyn Random) -> Answer {
    let client = match client::authenticate(&state.behaviour.clients, call) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let scope = call.get("scope").unwrap_or_default().to_owned();
    let code = state.grants.mint("dc", random);
    state.grants.devices.insert(code.clone(), (client.id, scope));
    Answer::json(
        200,
        json!({
            "device_code": code,
            "user_code": "WDJB-MJHT",
            "verification_uri": format!("{issuer}/activate"),
            "verification_uri_complete": format!("{issuer}/activate?user_code=WDJB-MJHT"),
            "expires_in": 900,
            "interval": 1,
        }),
    )
}

/// The tokens for a device code, once.
pub(crate) fn tokens(
    state: &mut State,
    call: &Call,
    client: &Client,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Issued, String> {
    let code = call.get("device_code").ok_or("invalid_request")?;
    let (owner, scope) = state.grants.devices.get(code).ok_or("invalid_grant")?.clone();
    if owner != client.id {
        return Err("invalid_grant".to_owned());
    }
    match &state.behaviour.device {
        DeviceAnswer::Pending => Err("authorization_pending".to_owned()),
        DeviceAnswer::Error(error) => Err(error.clone()),
        DeviceAnswer::Grant => {
            state.grants.devices.remove(code);
            let account = state.behaviour.accounts[state.behaviour.signed_in].clone();
            let family = state.grants.start_family(&client.id, account, &scope);
            Ok(first_tokens(state, family, scope, now, random))
        }
    }
}
