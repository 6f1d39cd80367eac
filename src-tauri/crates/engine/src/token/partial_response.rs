//! Answers of a token endpoint that are good in part (security.md, "Refresh", 8a). The refresh token is kept first;
//! what is wrong with the rest is shown beside the status.

use crate::{Engine, Error, records::sealed_store::SealedStore, token::refresh_timing};
use std::time::Duration;
use tokenry_core::{
    Account, AsideTokens, Connection, ConnectionId, ConnectionStatus, GrantType, LastFailure, Provider,
    Random, ReauthReason, Secret, Timestamp, Tokens, clean,
};
use tokenry_oauth::{Answer, Failure};

/// How long tokens of another account are kept sealed: long enough to find out how they came.
const ASIDE_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is wrong with an answer, in words, and whether another refresh may help.
fn complaint(answer: &Answer) -> Option<(String, bool)> {
    match (&answer.complaint, &answer.objection) {
        (Some(complaint), _) if answer.access_token.is_none() => {
            let message = format!("{} Its new refresh token is kept.", complaint.message);
            Some((clean(&message), true))
        }
        (Some(complaint), _) => Some((complaint.message.clone(), complaint.retry)),
        (None, Some(wrong)) => {
            let message = format!("New tokens came and are kept, but with a wrong id token. {wrong}");
            Some((clean(&message), false))
        }
        (None, None) => None,
    }
}

/// The words for the activity log.
pub(super) fn words(answer: &Answer) -> Option<String> {
    complaint(answer).map(|(message, _)| message)
}

/// What stands beside the status of a connection after an answer; `next` is when its next refresh is due anyway.
pub(super) fn trouble(
    connection: &Connection,
    answer: &Answer,
    next: Option<Timestamp>,
    now: Timestamp,
    random: &dyn Random,
) -> Option<LastFailure> {
    let (message, retry) = complaint(answer)?;
    let attempts = connection
        .trouble
        .as_ref()
        .map_or(0, |trouble| trouble.attempts)
        .saturating_add(1);
    let next_try_at = if retry {
        Some(tokenry_core::later(
            now,
            refresh_timing::backoff(attempts, None, random),
        ))
    } else {
        next
    };
    Some(LastFailure {
        at: now,
        message,
        attempts,
        next_try_at,
        asked_by_provider: false,
        provider_error: None,
        refusal: None,
    })
}

/// Lays an answer without a usable access token on a connection: its refresh token is the one that is sent next, and
/// the access token at hand is used until it ends.
pub(super) fn keep_refresh_token(
    connection: &mut Connection,
    old: Option<Tokens>,
    answer: Answer,
    now: Timestamp,
    random: &dyn Random,
) -> Tokens {
    connection.trouble = trouble(connection, &answer, Some(now), now, random);
    connection.status = ConnectionStatus::Active;
    connection.refreshable = true;
    connection.updated_at = now;
    let Some(old) = old else {
        // A first sign-in: there is nothing to hand out until the first refresh.
        let scopes = answer
            .scope
            .unwrap_or_else(|| connection.requested_scopes.clone());
        connection.granted_scopes = scopes.clone();
        connection.expires_at = Some(now);
        connection.refresh_at = Some(now);
        return Tokens {
            access_token: Secret::new(String::new()),
            token_type: answer.token_type,
            expires_at: Some(now),
            scopes,
            refresh_token: answer.refresh_token,
            replaced: None,
            obtained_at: now,
            fence: 1,
            narrowed: Vec::new(),
            id_token: None,
            dpop_key: None,
            aside: None,
        };
    };
    let (refresh_token, replaced) =
        crate::token::apply_response::rotated(answer.refresh_token, old.refresh_token, now);
    Tokens {
        refresh_token,
        replaced,
        fence: old.fence + 1,
        ..old
    }
}

/// The account that an answer to a refresh is about, when it is not the connection's (OpenID Connect Core §12.2).
pub(super) fn another_account<'a>(connection: &Connection, answer: &'a Answer) -> Option<&'a Account> {
    let known = connection.account.as_ref()?;
    answer
        .account
        .as_ref()
        .filter(|found| found.subject != known.subject)
}

/// Tokens of another account came in answer to a refresh. They are sealed and never handed out; the user has to sign
/// in again, since the refresh token that was sent may be used up.
pub(super) fn set_aside(connection: &mut Connection, old: Tokens, answer: &Answer, now: Timestamp) -> Tokens {
    if connection.status != ConnectionStatus::Disconnecting {
        connection.status = ConnectionStatus::NeedsReauth(ReauthReason::OtherAccount);
    }
    connection.trouble = None;
    connection.refresh_at = None;
    connection.updated_at = now;
    Tokens {
        aside: Some(AsideTokens {
            subject: answer
                .account
                .as_ref()
                .map_or_else(String::new, |account| account.subject.clone()),
            access_token: answer.access_token.clone(),
            refresh_token: answer.refresh_token.clone(),
            until: tokenry_core::later(now, ASIDE_KEPT),
        }),
        fence: old.fence + 1,
        ..old
    }
}

/// A first sign-in that brought an access token which ends, and nothing to renew it with: said at once, with what to
/// ask for.
pub(crate) fn no_refresh_token(
    connection: &Connection,
    provider: &Provider,
    now: Timestamp,
) -> Option<LastFailure> {
    let end = connection.expires_at?;
    if connection.refreshable || provider.settings.grant_type != GrantType::AuthorizationCode {
        return None;
    }
    let message = format!(
        "{} gave no refresh token, so this connection ends at {end:.0} and has to be connected again then. {}",
        clean(&provider.settings.display_name),
        what_to_ask_for(connection, provider)
    );
    Some(LastFailure {
        at: now,
        message: clean(&message),
        attempts: 1,
        next_try_at: None,
        asked_by_provider: false,
        provider_error: None,
        refusal: None,
    })
}

fn what_to_ask_for(connection: &Connection, provider: &Provider) -> String {
    let endpoint = provider.authorization_endpoint();
    let host = endpoint.as_ref().and_then(url::Url::host_str);
    let is_google = host.is_some_and(|host| host.ends_with("google.com"));
    let has = |name: &str, value: &str| {
        let values = provider.settings.authorize_params.get(name);
        values.is_some_and(|values| values.split(' ').any(|one| one == value))
    };
    let asked_offline = connection
        .requested_scopes
        .iter()
        .any(|scope| scope == "offline_access");
    let mut wanted = Vec::new();
    if !asked_offline && !is_google {
        wanted.push("the scope offline_access");
    }
    if is_google && !has("access_type", "offline") {
        wanted.push("access_type=offline");
    }
    if !has("prompt", "consent") {
        wanted.push("prompt=consent");
    }
    if !is_google && provider.settings.issuer.is_none() && !has("access_type", "offline") {
        wanted.push("access_type=offline");
    }
    match wanted.as_slice() {
        [] => "Allow refresh tokens for this client at the provider, then connect again.".to_owned(),
        [one] => format!("Ask for {one} in the provider's settings, then connect again."),
        [first @ .., last] => format!(
            "Ask for {} or {last} in the provider's settings, then connect again.",
            first.join(", ")
        ),
    }
}

/// Why the answer to a first sign-in makes no connection: an id token of another issuer or for another client, or a
/// type of token that no request would change.
pub(crate) fn useless(answer: &Answer) -> Option<Failure> {
    let complaint = answer.complaint.as_ref();
    let complaint = complaint.filter(|complaint| answer.access_token.is_none() && !complaint.retry);
    let unusable = complaint.map(|complaint| Failure::Unusable {
        message: complaint.message.clone(),
    });
    answer.objection.clone().or(unusable)
}

impl Engine {
    /// After an answer was kept: why those who wait for a new access token do not get one.
    pub(super) fn unusable(
        &self,
        store: &SealedStore,
        id: ConnectionId,
        answer: &Answer,
    ) -> Result<(), Error> {
        let index = store.index();
        let Some(connection) = index.connection(id) else {
            return Ok(());
        };
        if another_account(connection, answer).is_some() {
            let name = index.name_of(connection);
            let reason = ReauthReason::OtherAccount;
            return Err(Error::NeedsReauth {
                name,
                reason,
                words: None,
            });
        }
        if answer.access_token.is_some() {
            return Ok(());
        }
        let next_try_at = connection
            .trouble
            .as_ref()
            .and_then(|trouble| trouble.next_try_at);
        let now = self.now();
        Err(Error::Provider {
            failure: Failure::Unusable {
                message: words(answer).unwrap_or_default(),
            },
            next_try_at,
            wait: next_try_at.map(|next| next.duration_since(now).unsigned_abs()),
        })
    }
}
