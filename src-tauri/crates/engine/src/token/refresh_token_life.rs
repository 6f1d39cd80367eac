//! How long refresh tokens live, as far as it is known: from a response, the provider's settings, or what was seen.

use crate::{records::index::Index, token::refresh_timing};
use std::time::Duration;
use tokenry_core::{
    Connection, EndedLife, GrantType, Provider, ProviderId, Random, RefreshTokenLife, Timestamp,
};
use tokenry_oauth::{Answer, Lifetime};

/// How many ended refresh tokens are remembered for one connection.
const MAX_ENDED: usize = 4;
/// The user is told this long before the end, in seconds, or 10 % of the lifetime before it, if that is shorter.
const MAX_WARNING_SECONDS: i64 = 3 * 24 * 3600;
/// An access token that nothing refreshes is warned of if it lives at least this long, in seconds.
const MIN_ACCESS_SECONDS: i64 = 24 * 3600;
/// Two ends that differ by less are one, in seconds: responses tell whole seconds, and take time.
const SLACK_SECONDS: i64 = 60;

/// Notes what an answer says of the refresh token that counts from now on. `is_new` says that one came with it.
pub(super) fn note(
    connection: &mut Connection,
    answer: &Answer,
    is_new: bool,
    provider: &Provider,
    now: Timestamp,
) {
    let settings = &provider.settings;
    let before = connection.refresh_token_life.take();
    if settings.grant_type == GrantType::ClientCredentials {
        return;
    }
    let told = answer.refresh_token_life.and_then(|told| end_of(told, now));
    let set = settings.refresh_token_expires_in.filter(|seconds| *seconds > 0);
    connection.refresh_token_life = match (told, set, before) {
        (Some(ends_at), _, before) => Some(told_life(
            connection,
            settings.refresh_token_renews,
            before,
            ends_at,
            now,
        )),
        (None, Some(_), Some(before)) if !settings.refresh_token_renews && !before.observed => Some(before),
        (None, Some(seconds), _) => Some(RefreshTokenLife {
            starts_at: now,
            ends_at: tokenry_core::later(now, Duration::from_secs(seconds.into())),
            renews: Some(settings.refresh_token_renews),
            observed: false,
        }),
        // A new one may live longer than the one before it.
        (None, None, before) => before.filter(|before| before.observed || !is_new),
    };
}

/// Where responses tell an end each time, two of them show whether a refresh moves it.
fn told_life(
    connection: &Connection,
    is_set_to_renew: bool,
    before: Option<RefreshTokenLife>,
    ends_at: Timestamp,
    now: Timestamp,
) -> RefreshTokenLife {
    let before = before.filter(|before| !before.observed);
    let moved = before
        .as_ref()
        .map(|before| ends_at.as_second() - before.ends_at.as_second());
    let since = connection
        .last_refreshed_at
        .map_or(0, |at| now.as_second() - at.as_second());
    let renews = match moved {
        _ if is_set_to_renew => Some(true),
        Some(moved) if moved > SLACK_SECONDS => Some(true),
        Some(_) if since > 2 * SLACK_SECONDS => Some(false),
        _ => before.as_ref().and_then(|before| before.renews),
    };
    let is_the_same = moved.is_some_and(|moved| moved.abs() <= SLACK_SECONDS);
    let starts_at = before
        .filter(|_| is_the_same)
        .map_or(now, |before| before.starts_at);
    RefreshTokenLife {
        starts_at,
        ends_at,
        renews,
        observed: false,
    }
}

/// No server gives a refresh token that has ended: some send 0 when it never does.
fn end_of(told: Lifetime, now: Timestamp) -> Option<Timestamp> {
    match told {
        Lifetime::Seconds(0) => None,
        Lifetime::Seconds(seconds) => now.checked_add(Duration::from_secs(seconds)).ok(),
        Lifetime::Until(end) => Some(end).filter(|end| *end > now),
    }
}

/// When a refresh token is used for its own sake, so that it does not end unused: like an access token, long before its
/// end. `None` where that is not known to help, or nothing is known.
pub(super) fn keep_alive_at(
    connection: &Connection,
    now: Timestamp,
    random: &dyn Random,
) -> Option<Timestamp> {
    let life = connection.refresh_token_life.as_ref()?;
    let may_renew = life.renews != Some(false) && life.ends_at > now;
    may_renew.then(|| refresh_timing::refresh_at(now, life.ends_at, None, random))
}

/// When a sign-in ends that only the user can renew, as far as it is known; and from when on that is said.
pub(crate) fn end_of_sign_in(connection: &Connection) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = match (&connection.refresh_token_life, connection.refreshable) {
        (Some(life), true) => (life.starts_at, life.ends_at),
        (None, true) => return None,
        (_, false) => {
            let (start, end) = (connection.last_refreshed_at?, connection.expires_at?);
            (end.as_second() - start.as_second() >= MIN_ACCESS_SECONDS).then_some((start, end))?
        }
    };
    let lifetime = (end.as_second() - start.as_second()).max(0);
    let warning = MAX_WARNING_SECONDS.min(lifetime / 10);
    let warns_at = Timestamp::from_second(end.as_second() - warning).unwrap_or(start);
    Some((warns_at, end))
}

/// When the user has to sign in again at the latest. Where Tokenry renews it in time that is nothing to say, unless it
/// did not.
pub(crate) fn sign_in_again_before(connection: &Connection, now: Timestamp) -> Option<Timestamp> {
    let (warns_at, end) = end_of_sign_in(connection)?;
    let renews = connection
        .refresh_token_life
        .as_ref()
        .and_then(|life| life.renews);
    let is_renewed = connection.refreshable && renews != Some(false);
    (!is_renewed || warns_at <= now).then_some(end)
}

/// Remembers how old a sign-in was whose refresh token the provider ended.
pub(super) fn note_end(connection: &mut Connection, now: Timestamp) {
    let (Some(since), Some(last)) = (connection.signed_in_at, connection.last_refreshed_at) else {
        return;
    };
    let seconds = |at: Timestamp| u64::try_from(at.as_second() - since.as_second()).unwrap_or(0);
    connection.ended_lives.push(EndedLife {
        alive_after: seconds(last),
        ended_after: seconds(now),
    });
    let surplus = connection.ended_lives.len().saturating_sub(MAX_ENDED);
    connection.ended_lives.drain(..surplus);
}

/// The lifetime that ended refresh tokens of a provider have shown: at least two ended at the same age, and none is
/// older. An end that was noticed late, as when the machine was off, shows nothing.
pub(crate) fn observed(index: &Index, provider: ProviderId) -> Option<Duration> {
    let ended = index
        .of_provider(provider)
        .flat_map(|connection| &connection.ended_lives);
    let mut ends: Vec<&EndedLife> = ended
        .filter(|end| end.ended_after > 3600 && end.ended_after - end.alive_after <= end.ended_after / 10)
        .collect();
    ends.sort_by_key(|end| end.alive_after);
    let pair = ends
        .windows(2)
        .rfind(|pair| pair[1].alive_after < pair[0].ended_after)?;
    let (least, most) = (pair[1].alive_after, pair[0].ended_after.min(pair[1].ended_after));
    let is_older = |connection: &Connection| {
        let (Some(since), Some(last)) = (connection.signed_in_at, connection.last_refreshed_at) else {
            return false;
        };
        u64::try_from(last.as_second() - since.as_second()).is_ok_and(|age| age > most)
    };
    let is_wrong = index.of_provider(provider).any(is_older);
    (!is_wrong).then(|| Duration::from_secs(least))
}

/// The life of a first refresh token at a provider where others have ended.
pub(crate) fn observed_life(index: &Index, provider: ProviderId, now: Timestamp) -> Option<RefreshTokenLife> {
    let lifetime = observed(index, provider)?;
    Some(RefreshTokenLife {
        starts_at: now,
        ends_at: tokenry_core::later(now, lifetime),
        renews: Some(false),
        observed: true,
    })
}
