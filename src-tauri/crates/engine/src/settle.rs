use std::time::Duration;
use tokenry_core::{
    Connection, ConnectionStatus, GrantType, Provider, Random, ReplacedToken, Timestamp, Tokens,
};
use tokenry_oauth::Answer;

use crate::schedule;

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
    // Nobody gives out a token that has ended: 0 is how some say that they do not say.
    let expires_at = answer
        .expires_in
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| now.checked_add(Duration::from_secs(seconds)).ok());
    let scopes = answer.scope.unwrap_or_else(|| match &old {
        Some(old) => old.scopes.clone(),
        None => connection.requested_scopes.clone(),
    });
    let fence = old.as_ref().map_or(1, |old| old.fence + 1);
    let before = old.and_then(|old| old.refresh_token);
    // RFC 6749 §6: a new refresh token replaces the old one; none means the old one stays.
    let (refresh_token, replaced) = match (answer.refresh_token, before) {
        (Some(new), Some(old)) if new.expose() != old.expose() => {
            let replaced = ReplacedToken {
                refresh_token: old,
                until: now + REPLACED_KEPT,
            };
            (Some(new), Some(replaced))
        }
        (Some(new), _) => (Some(new), None),
        (None, old) => (old, None),
    };
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
    }
}
