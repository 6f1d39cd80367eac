//! How a token response changes a connection and its tokens.

use std::time::Duration;
use tokenry_core::{
    Connection, ConnectionStatus, GrantType, LostScopes, NarrowedToken, Narrowing, Provider, Random,
    ReplacedToken, Scopes, Secret, Timestamp, Tokens,
};
use tokenry_oauth::Answer;

use crate::token::{narrowing, partial_response, refresh_timing, refresh_token_life};

/// How long a refresh token that was replaced is kept sealed: long enough to help by hand after a provider's fault.
const REPLACED_KEPT: Duration = Duration::from_secs(600);
/// How long one is kept that ended a grant.
pub(super) const TOMBSTONE_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Lays a provider's good answer on a connection: what the tokens are now, and what everybody may know of them.
pub(crate) fn apply_token_response(
    connection: &mut Connection,
    old: Option<Tokens>,
    answer: Answer,
    provider: &Provider,
    now: Timestamp,
    random: &dyn Random,
) -> Tokens {
    let Some(access_token) = answer.access_token.clone() else {
        return partial_response::keep_refresh_token(connection, old, answer, now, random);
    };
    // A server may move an account. A value that does not fit any more is not taken: the one at hand stays.
    connection.captured = provider.fitting(&connection.captured, answer.captured.clone());
    let expires_at = end_of(&answer, now);
    let refreshable = answer.refresh_token.is_some()
        || old.as_ref().is_some_and(|old| old.refresh_token.is_some())
        || provider.settings.grant_type == GrantType::ClientCredentials;
    connection.refreshable = refreshable;
    let sent = old.as_ref().and_then(|old| old.refresh_token.as_ref());
    let is_new = is_another(answer.refresh_token.as_ref(), sent);
    refresh_token_life::note(connection, &answer, is_new, provider, now);
    let leeway = provider.settings.refresh_leeway;
    let access = expires_at.map(|end| refresh_timing::refresh_at(now, end, leeway, random));
    let keep_alive = refresh_token_life::keep_alive_at(connection, now, random);
    let due = [access, keep_alive].into_iter().flatten().min();
    connection.refresh_at = due.filter(|_| refreshable);
    connection.trouble = partial_response::trouble(connection, &answer, connection.refresh_at, now, random);
    let scopes = answer.scope.unwrap_or_else(|| match &old {
        Some(old) => old.scopes.clone(),
        None => connection.requested_scopes.clone(),
    });
    let is_same = |old: &Tokens| old.access_token.expose() == access_token.expose();
    if !old.as_ref().is_some_and(is_same) {
        connection.rejected_at = None;
    }
    let fence = old.as_ref().map_or(1, |old| old.fence + 1);
    let dpop_key = old.as_ref().and_then(|old| old.dpop_key.clone());
    let id_token = old.as_ref().and_then(|old| old.id_token.clone());
    let (before, mut narrowed) = old.map_or_else(Default::default, |old| (old.refresh_token, old.narrowed));
    narrowed.retain(|kept| kept.expires_at.is_none_or(|end| end > now));
    let (refresh_token, replaced) = rotated(answer.refresh_token, before, now);
    connection.status = ConnectionStatus::Active;
    connection.granted_scopes = scopes.clone();
    connection.expires_at = expires_at;
    connection.last_refreshed_at = Some(now);
    connection.provider_words = None;
    connection.doubtful = false;
    connection.updated_at = now;
    Tokens {
        access_token,
        token_type: answer.token_type,
        expires_at,
        scopes,
        refresh_token,
        replaced,
        obtained_at: now,
        fence,
        narrowed,
        id_token,
        dpop_key,
        aside: None,
    }
}

/// Lays the answer to a plain refresh on a connection, and notes what it shows of the provider: whether refresh tokens
/// rotate there, and whether scopes were lost since.
pub(super) fn apply_refresh_response(
    connection: &mut Connection,
    old: Tokens,
    answer: Answer,
    provider: &Provider,
    now: Timestamp,
    random: &dyn Random,
) -> Tokens {
    let held = old.scopes.clone();
    if let Some(sent) = &old.refresh_token {
        let rotated = is_another(answer.refresh_token.as_ref(), Some(sent));
        // One that came is proof; one that did not come may come at the next refresh of a server that showed it can.
        connection.rotates = Some(rotated || connection.rotates == Some(true));
    }
    let tokens = apply_token_response(connection, Some(old), answer, provider, now, random);
    note_lost(connection, &held, now);
    connection.narrowed = false;
    tokens
}

/// Scopes that only ask for an id token or a refresh token; an answer to a refresh often leaves them out.
const NOT_LOST: [&str; 2] = ["offline_access", "openid"];

fn note_lost(connection: &mut Connection, held: &Scopes, now: Timestamp) {
    let gone = held.missing_from(&connection.granted_scopes);
    let gone: Scopes = gone
        .iter()
        .filter(|scope| !NOT_LOST.contains(scope))
        .map(str::to_owned)
        .collect();
    let is_news = !gone.is_empty();
    let before = connection.lost.take();
    let all = before
        .iter()
        .flat_map(|lost| lost.scopes.iter())
        .chain(gone.iter());
    let all: Scopes = all.map(str::to_owned).collect();
    let scopes = all.missing_from(&connection.granted_scopes);
    if is_news && connection.narrowed {
        connection.loses_scopes = true;
    }
    let after_before = before.as_ref().is_some_and(|lost| lost.after_narrowing);
    let at = before.filter(|_| !is_news).map_or(now, |lost| lost.at);
    connection.lost = (!scopes.is_empty()).then_some(LostScopes {
        scopes,
        at,
        after_narrowing: after_before || (is_news && connection.narrowed),
    });
}

/// Lays the answer to a request for less on a connection. Whatever it is, the refresh token that came with it is the
/// one that counts from now on; the connection's own access token stays, unless the answer is the whole grant.
pub(super) fn apply_narrowed_response(
    connection: &mut Connection,
    old: Tokens,
    answer: Answer,
    to: &Narrowing,
    provider: &Provider,
    now: Timestamp,
    random: &dyn Random,
) -> Tokens {
    if answer.access_token.is_none() {
        return partial_response::keep_refresh_token(connection, Some(old), answer, now, random);
    }
    let narrows = narrows(&answer, to);
    let has_new_token = is_another(answer.refresh_token.as_ref(), old.refresh_token.as_ref());
    if has_new_token {
        connection.rotates = Some(true);
    }
    let is_whole = answer
        .scope
        .as_ref()
        .is_some_and(|told| old.scopes.is_within(told));
    connection.narrows = narrows.or(connection.narrows);
    connection.narrowed = true;
    if narrows == Some(false) && is_whole && !to.has_audience() {
        return apply_token_response(connection, Some(old), answer, provider, now, random);
    }
    // The new refresh token may hold less than the old one, and the access token may have gone with that.
    connection.doubtful |= has_new_token;
    if has_new_token {
        refresh_token_life::note(connection, &answer, true, provider, now);
    }
    connection.status = ConnectionStatus::Active;
    connection.trouble = None;
    connection.updated_at = now;
    let mut tokens = old;
    let new_token = answer.refresh_token.clone();
    keep_narrowed(connection, &mut tokens, answer, to, now);
    let (refresh_token, replaced) = rotated(new_token, tokens.refresh_token, now);
    Tokens {
        refresh_token,
        replaced,
        fence: tokens.fence + 1,
        ..tokens
    }
}

/// Keeps a token that was got by token exchange. The connection's own tokens stay as they are.
pub(super) fn apply_exchange_response(
    connection: &mut Connection,
    mut tokens: Tokens,
    answer: Answer,
    to: &Narrowing,
    now: Timestamp,
) -> Tokens {
    connection.narrows = narrows(&answer, to).or(connection.narrows);
    keep_narrowed(connection, &mut tokens, answer, to, now);
    tokens
}

/// Whether the token does no more than was asked. An answer that does not say what it can do (RFC 6749 §5.1 lets it)
/// proves nothing.
fn narrows(answer: &Answer, to: &Narrowing) -> Option<bool> {
    let told = |most: &Scopes| answer.scope.as_ref().is_some_and(|told| told.is_within(most));
    to.scopes.as_ref().map(told)
}

fn keep_narrowed(
    connection: &mut Connection,
    tokens: &mut Tokens,
    answer: Answer,
    to: &Narrowing,
    now: Timestamp,
) {
    connection.targets.add(to);
    if narrows(&answer, to) == Some(false) && !to.has_audience() {
        return;
    }
    let expires_at = end_of(&answer, now);
    let Some(access_token) = answer.access_token else {
        return;
    };
    let token = NarrowedToken {
        of: to.clone(),
        expires_at,
        access_token,
        token_type: answer.token_type,
        scopes: answer.scope.unwrap_or_else(|| tokens.scopes.clone()),
        obtained_at: now,
    };
    narrowing::keep(&mut tokens.narrowed, token, now);
}

/// Whether a refresh token came that is not the one at hand.
fn is_another(came: Option<&Secret>, at_hand: Option<&Secret>) -> bool {
    came.is_some_and(|came| at_hand.is_none_or(|old| old.expose() != came.expose()))
}

/// No server issues an expired token: some send 0 when they do not know.
fn end_of(answer: &Answer, now: Timestamp) -> Option<Timestamp> {
    let seconds = answer.expires_in.filter(|seconds| *seconds > 0);
    let told = answer.expires_at.filter(|end| *end > now);
    seconds
        .and_then(|seconds| now.checked_add(Duration::from_secs(seconds)).ok())
        .or(told)
}

/// RFC 6749 §6: a new refresh token replaces the old one; none means the old one stays.
pub(crate) fn rotated(
    new: Option<Secret>,
    old: Option<Secret>,
    now: Timestamp,
) -> (Option<Secret>, Option<ReplacedToken>) {
    match (new, old) {
        (Some(new), Some(old)) if new.expose() != old.expose() => {
            let replaced = ReplacedToken {
                refresh_token: old,
                until: tokenry_core::later(now, REPLACED_KEPT),
            };
            (Some(new), Some(replaced))
        }
        (Some(new), _) => (Some(new), None),
        (None, old) => (old, None),
    }
}
