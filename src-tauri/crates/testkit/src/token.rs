//! The token endpoint.

use crate::answer::Answer;
use crate::behaviour::Client;
use crate::call::Call;
use crate::client;
use crate::device;
use crate::grants::{Ended, Issued};
use crate::refresh;
use crate::service::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokenry_core::{Random, Timestamp};

/// RFC 8693 §2.1.
pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// How long a code is good, in seconds.
const CODE_LIFE: u64 = 60;

/// The token endpoint (RFC 6749 §3.2).
pub(crate) fn answer(
    state: &mut State,
    call: &Call,
    issuer: &str,
    now: Timestamp,
    random: &dyn Random,
) -> Answer {
    if call.method != "POST" || call.repeats_a_parameter() || !state.behaviour.quirks.accepts(call) {
        return Answer::error(400, "invalid_request");
    }
    let client = match client::authenticate(&state.behaviour.clients, call) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let issued = match call.get("grant_type") {
        Some("authorization_code") => code(state, call, &client, now, random),
        Some("refresh_token") => refresh::refresh(state, call, &client, now, random),
        Some("client_credentials") => client_credentials(state, call, &client, now, random),
        Some(device::GRANT_TYPE) => device::tokens(state, call, &client, now, random),
        Some(EXCHANGE) if state.behaviour.narrowing.exchanges => exchange(state, call, &client, now, random),
        _ => Err("unsupported_grant_type".to_owned()),
    };
    match issued {
        Ok(issued) => {
            let mut answer = success(&issued);
            answer.member("id_token", id_token(state, call, issuer).map(Value::String));
            state.behaviour.quirks.written(answer)
        }
        Err(error) => Answer::error(400, &error),
    }
}

/// An id token for a code of a request with `openid` (OpenID Connect Core §3.1.3.3). Its signature is none.
fn id_token(state: &State, call: &Call, issuer: &str) -> Option<String> {
    let changed = state.behaviour.id_tokens.as_ref()?;
    let code = state.grants.codes.get(call.get("code")?)?;
    if !code.scope.split(' ').any(|scope| scope == "openid") {
        return None;
    }
    let mut claims = json!({
        "iss": issuer,
        "sub": code.account.sub,
        "aud": code.client,
        "exp": 4_102_444_800_u64,
        "nonce": code.nonce,
        "name": code.account.name,
        "email": code.account.email,
    });
    for (name, value) in changed {
        claims[name] = value.clone();
    }
    let claims = claims.as_object()?.iter().filter(|(_, value)| !value.is_null());
    let claims: Map<String, Value> = claims
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "RS256"});
    Some(format!(
        "{}.{}.c2ln",
        part(header.to_string()),
        part(Value::Object(claims).to_string())
    ))
}

/// RFC 6749 §5.1.
fn success(issued: &Issued) -> Answer {
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": issued.scope,
    });
    if let Some(token) = &issued.refresh_token {
        body["refresh_token"] = token.as_str().into();
    }
    Answer::json(200, body)
}

fn code(
    state: &mut State,
    call: &Call,
    client: &Client,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Issued, String> {
    let text = call.get("code").ok_or("invalid_request")?.to_owned();
    let code = state.grants.codes.get(&text).ok_or("invalid_grant")?;
    if let Some(family) = code.family {
        state.grants.end(family, Ended::CodeReplay);
        return Err("invalid_grant".to_owned());
    }
    let fresh = now < tokenry_core::later(code.made_at, Duration::from_secs(CODE_LIFE));
    let same_place = call.get("redirect_uri") == Some(&code.redirect_uri);
    let proven = proves(code.challenge.as_deref(), call.get("code_verifier"));
    if code.client != client.id || !fresh || !same_place || !proven {
        return Err("invalid_grant".to_owned());
    }
    let (account, scope) = (code.account.clone(), code.scope.clone());
    let family = state.grants.start_family(&client.id, account, &scope);
    if let Some(code) = state.grants.codes.get_mut(&text) {
        code.family = Some(family);
    }
    Ok(first_tokens(state, family, scope, now, random))
}

/// RFC 7636 §4.6, S256 only.
fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge,
        _ => false,
    }
}

/// The first tokens of a family.
pub(crate) fn first_tokens(
    state: &mut State,
    family: usize,
    scope: String,
    now: Timestamp,
    random: &dyn Random,
) -> Issued {
    let expires_in = state.behaviour.token_life;
    let access_token = state.grants.access_token(
        Some(family),
        tokenry_core::later(now, Duration::from_secs(expires_in)),
        random,
    );
    let refresh_token = state
        .behaviour
        .refresh_tokens
        .then(|| state.grants.refresh_token(family, 0, random));
    Issued {
        access_token,
        refresh_token,
        expires_in,
        scope,
    }
}

fn client_credentials(
    state: &mut State,
    call: &Call,
    client: &Client,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Issued, String> {
    if client.secret.is_none() {
        return Err("unauthorized_client".to_owned());
    }
    let expires_in = state.behaviour.token_life;
    let access_token = state.grants.access_token(
        None,
        tokenry_core::later(now, Duration::from_secs(expires_in)),
        random,
    );
    let scope = call.get("scope").unwrap_or_default().to_owned();
    Ok(Issued {
        access_token,
        refresh_token: None,
        expires_in,
        scope,
    })
}

/// A long-lived access token for one that ends soon, as Facebook gives it.
pub(crate) fn long_lived(state: &mut State, call: &Call, now: Timestamp, random: &dyn Random) -> Answer {
    let short = call.get("short").unwrap_or_default().to_owned();
    let family = state.grants.access.get(&short).and_then(|token| token.family);
    let Some(family) = family.filter(|_| state.grants.accepts(&short, now)) else {
        return Answer::error(400, "invalid_request");
    };
    let expires_in = 60 * 24 * 3600;
    let until = tokenry_core::later(now, Duration::from_secs(expires_in));
    let access_token = state.grants.access_token(Some(family), until, random);
    Answer::json(
        200,
        json!({"access_token": access_token, "expires_in": expires_in}),
    )
}

/// RFC 8693: another access token of the same family, with the limits asked for. No refresh token is involved.
fn exchange(
    state: &mut State,
    call: &Call,
    client: &Client,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Issued, String> {
    let subject = call.get("subject_token").ok_or("invalid_request")?;
    let is_access_token =
        call.get("subject_token_type") == Some("urn:ietf:params:oauth:token-type:access_token");
    let alive = state.grants.accepts(subject, now);
    let family = state.grants.access.get(subject).and_then(|token| token.family);
    let family = family
        .filter(|_| is_access_token && alive)
        .ok_or("invalid_request")?;
    if state.grants.families[family].client != client.id {
        return Err("invalid_request".to_owned());
    }
    let scope = refresh::limited(state, call, family)?;
    let expires_in = state.behaviour.token_life;
    let access_token = state.grants.access_token(
        Some(family),
        tokenry_core::later(now, Duration::from_secs(expires_in)),
        random,
    );
    Ok(Issued {
        access_token,
        refresh_token: None,
        expires_in,
        scope,
    })
}
