use std::time::Duration;
use tokenry_core::{
    Connection, ConnectionStatus, GrantType, NarrowedToken, Narrowing, Provider, Random, ReplacedToken,
    Scopes, Secret, Timestamp, Tokens,
};
use tokenry_oauth::Answer;

use crate::{narrowing, schedule};

/// How long a refresh token that was replaced is kept sealed: long enough to help by hand after a provider's fault.
const REPLACED_KEPT: Duration = Duration::from_secs(600);
/// How long one is kept that ended a grant.
pub(crate) const TOMBSTONE_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Lays a provider's good answer on a connection: what the tokens are now, and what everybody may know of them.
pub(crate) fn settle(
    connection: &mut Connection,
    old: Option<Tokens>,
    answer: Answer,
    provider: &Provider,
    now: Timestamp,
    random: &dyn Random,
) -> Tokens {
    let expires_at = end_of(&answer, now);
    let scopes = answer.scope.unwrap_or_else(|| match &old {
        Some(old) => old.scopes.clone(),
        None => connection.requested_scopes.clone(),
    });
    let fence = old.as_ref().map_or(1, |old| old.fence + 1);
    let (before, mut narrowed) = old.map_or_else(Default::default, |old| (old.refresh_token, old.narrowed));
    narrowed.retain(|kept| kept.expires_at.is_none_or(|end| end > now));
    let (refresh_token, replaced) = rotated(answer.refresh_token, before, now);
    connection.refreshable = refresh_token.is_some() || provider.grant_type == GrantType::ClientCredentials;
    connection.status = ConnectionStatus::Active;
    connection.granted_scopes = scopes.clone();
    connection.expires_at = expires_at;
    connection.refresh_at = match expires_at {
        Some(end) if connection.refreshable => Some(schedule::refresh_at(now, end, random)),
        _ => None,
    };
    connection.last_refreshed_at = Some(now);
    connection.trouble = None;
    connection.updated_at = now;
    Tokens {
        access_token: answer.access_token,
        token_type: answer.token_type,
        expires_at,
        scopes,
        refresh_token,
        replaced,
        obtained_at: now,
        fence,
        narrowed,
    }
}

/// Lays the answer to a request for less on a connection. Whatever it is, the refresh token that came with it is the
/// one that counts from now on; the connection's own access token stays, unless the answer is the whole grant.
pub(crate) fn settle_narrowed(
    connection: &mut Connection,
    old: Tokens,
    answer: Answer,
    to: &Narrowing,
    provider: &Provider,
    now: Timestamp,
    random: &dyn Random,
) -> Tokens {
    // An answer that does not say what the token can do (RFC 6749 §5.1 lets it) proves nothing.
    let told = |most: &Scopes| answer.scope.as_ref().is_some_and(|told| told.is_within(most));
    let narrows = to.scopes.as_ref().map(told);
    let is_whole = answer
        .scope
        .as_ref()
        .is_some_and(|told| old.scopes.is_within(told));
    connection.narrows = narrows.or(connection.narrows);
    if narrows == Some(false) && is_whole && !to.has_audience() {
        return settle(connection, Some(old), answer, provider, now, random);
    }
    connection.status = ConnectionStatus::Active;
    connection.trouble = None;
    connection.updated_at = now;
    let expires_at = end_of(&answer, now);
    let mut tokens = old;
    if narrows != Some(false) || to.has_audience() {
        let token = NarrowedToken {
            of: to.clone(),
            access_token: answer.access_token,
            token_type: answer.token_type,
            expires_at,
            scopes: answer.scope.unwrap_or_else(|| tokens.scopes.clone()),
            obtained_at: now,
        };
        narrowing::keep(&mut tokens.narrowed, token, now);
    }
    let (refresh_token, replaced) = rotated(answer.refresh_token, tokens.refresh_token, now);
    Tokens {
        refresh_token,
        replaced,
        fence: tokens.fence + 1,
        ..tokens
    }
}

/// Nobody gives out a token that has ended: 0 is how some say that they do not say.
fn end_of(answer: &Answer, now: Timestamp) -> Option<Timestamp> {
    answer
        .expires_in
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| now.checked_add(Duration::from_secs(seconds)).ok())
}

/// RFC 6749 §6: a new refresh token replaces the old one; none means the old one stays.
fn rotated(
    new: Option<Secret>,
    old: Option<Secret>,
    now: Timestamp,
) -> (Option<Secret>, Option<ReplacedToken>) {
    match (new, old) {
        (Some(new), Some(old)) if new.expose() != old.expose() => {
            let replaced = ReplacedToken {
                refresh_token: old,
                until: now + REPLACED_KEPT,
            };
            (Some(new), Some(replaced))
        }
        (Some(new), _) => (Some(new), None),
        (None, old) => (old, None),
    }
}
