//! The refresh_token grant.

use crate::behaviour::{Client, Rotation};
use crate::call::Call;
use crate::grants::{Ended, Issued};
use crate::service::State;
use std::time::Duration;
use tokenry_core::{Random, Scopes, Timestamp};

/// The refresh grant (RFC 6749 §6) under the rotation policy of the moment.
pub(crate) fn refresh(
    state: &mut State,
    call: &Call,
    client: &Client,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Issued, String> {
    let presented = call.get("refresh_token").ok_or("invalid_request")?;
    let token = state.grants.refresh.get(presented).ok_or("invalid_grant")?;
    let (family, generation, replaced_at) = (token.family, token.generation, token.replaced_at);
    let grant = &state.grants.families[family];
    if grant.client != client.id || grant.ended.is_some() {
        return Err("invalid_grant".to_owned());
    }
    let limited = limited(state, call, family);
    if !state.behaviour.narrowing.consumes_first {
        limited.clone()?;
    }
    if replaced_at.is_some_and(|at| !still_taken(state.behaviour.rotation, at, now)) {
        state.grants.end(family, Ended::Replay);
        return Err("invalid_grant".to_owned());
    }
    let refresh_token = match state.behaviour.rotation {
        Rotation::None => None,
        Rotation::Grace(_) | Rotation::Strict => {
            if let Some(token) = state.grants.refresh.get_mut(presented) {
                token.replaced_at.get_or_insert(now);
            }
            Some(state.grants.refresh_token(family, generation + 1, random))
        }
    };
    let scope = limited?;
    if state.behaviour.narrowing.for_good {
        state.grants.families[family].scope.clone_from(&scope);
    }
    if state.behaviour.narrowing.revokes_access_tokens {
        state.grants.revoke_access_tokens(family);
    }
    let expires_in = state.behaviour.token_life;
    let access_token = state.grants.access_token(
        Some(family),
        tokenry_core::later(now, Duration::from_secs(expires_in)),
        random,
    );
    Ok(Issued {
        access_token,
        refresh_token,
        expires_in,
        scope,
    })
}

/// Whether a token that was replaced at `at` is taken again.
fn still_taken(rotation: Rotation, at: Timestamp, now: Timestamp) -> bool {
    match rotation {
        Rotation::None => true,
        Rotation::Grace(seconds) => now < tokenry_core::later(at, Duration::from_secs(seconds)),
        Rotation::Strict => false,
    }
}

/// The scope of the answer to a request with these limits, or its refusal.
pub(crate) fn limited(state: &State, call: &Call, family: usize) -> Result<String, String> {
    let narrowing = &state.behaviour.narrowing;
    let targets: Vec<_> = ["resource", "audience"]
        .into_iter()
        .filter_map(|name| call.get(name))
        .collect();
    if let Some(error) = &narrowing.refuses_with
        && (call.get("scope").is_some() || !targets.is_empty())
    {
        return Err(error.clone());
    }
    let is_known = |target: &&str| {
        let known = narrowing.targets.as_ref();
        known.is_none_or(|known| known.iter().any(|known| known == target))
    };
    if !targets.iter().all(is_known) {
        return Err("invalid_target".to_owned());
    }
    let granted = &state.grants.families[family].scope;
    let Some(asked) = call.get("scope") else {
        return Ok(granted.clone());
    };
    // Less than the grant may be asked for, and never more.
    let surplus = Scopes::parse(asked).missing_from(&Scopes::parse(granted));
    if surplus.is_empty() {
        Ok(asked.to_owned())
    } else {
        Err("invalid_scope".to_owned())
    }
}
