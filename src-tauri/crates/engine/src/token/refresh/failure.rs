//! After a failure: what it means for the grant. With one exception nothing.

use super::{RefreshRequest, RefusedLimits};
use crate::{
    Engine, Error,
    engine::blocking,
    records::{
        journal::{JournalEntry, JournalState, Verdict, verdict},
        sealed_store::SealedStore,
        transaction::Transaction,
    },
    token::{apply_response::TOMBSTONE_KEPT, refresh_timing, refresh_token_life},
};
use std::{sync::Arc, time::Duration};
use tokenry_core::{
    Caller, Connection, ConnectionStatus, EventKind, LastFailure, Outcome, ReauthReason, RepeatedRefusal,
    ReplacedToken, Rotation, Timestamp, Tokens,
};
use tokenry_oauth::Failure;

impl Engine {
    pub(super) async fn keep_failure(
        &self,
        store: Arc<SealedStore>,
        request: RefreshRequest,
        failure: Failure,
    ) -> Result<(), Error> {
        let (engine, id, limits) = (self.clone(), request.connection.id, request.limits.clone());
        let is_refused = is_about_the_wish(&request, &failure);
        let judged = blocking(move || engine.judge_failure(&store, &request, &failure)).await;
        match (judged, limits) {
            (Err(error), Some(limits)) if is_refused => {
                let (at, error) = (self.now(), Arc::new(error));
                let kept = error.clone();
                self.inner
                    .refreshes
                    .refuse(id, RefusedLimits { limits, at, error });
                Err(Error::Shared(kept))
            }
            (judged, _) => judged,
        }
    }

    fn judge_failure(
        &self,
        store: &SealedStore,
        request: &RefreshRequest,
        failure: &Failure,
    ) -> Result<(), Error> {
        let (now, id) = (self.now(), request.connection.id);
        let mut detail = failure.to_string();
        if let Some(to) = &request.limits {
            detail = format!("{} ({})", detail, to.words());
        }
        let event = self
            .event(&Caller::Engine, EventKind::RefreshFailed, Outcome::Failed)
            .about(&request.connection)
            .with_detail(&detail);
        let error = store.change_surely(now, |transaction| {
            let (Some(mut connection), Some(tokens)) = (
                transaction.get::<Connection>(id.row())?,
                transaction.get::<Tokens>(id.row())?,
            ) else {
                return Ok(None);
            };
            if tokens.fence != request.fence {
                // Newer tokens came while this one was asked about: what is said of it is of the past.
                return Ok(None);
            }
            if connection.status == ConnectionStatus::NeedsReauth(ReauthReason::CutOff) {
                // Its tokens are about to be revoked, whatever is said of them.
                return Ok(None);
            }
            let verdict = note(transaction, request, &connection, failure, now)?;
            connection.updated_at = now;
            let name = || store.index().name_of(&request.connection);
            let error = match final_reason(request, failure, verdict) {
                Some(reason) => {
                    if reason == ReauthReason::Revoked {
                        refresh_token_life::note_end(&mut connection, now);
                    }
                    end(transaction, &mut connection, tokens, failure, reason, now)?;
                    Error::needs_reauth(name(), reason, &connection)
                }
                // The connection stands as it did.
                None if is_about_the_wish(request, failure) => {
                    transaction.event(&event)?;
                    return Ok(Some(limits_refused(request, failure)));
                }
                None if self.is_refused_for_good(&mut connection, failure, verdict, now) => {
                    Error::needs_reauth(name(), ReauthReason::Refused, &connection)
                }
                None => self.go_on(&mut connection, failure, verdict, now),
            };
            transaction.put(id.row(), &connection)?;
            transaction.event(&event)?;
            Ok(Some(error))
        })?;
        error.map_or(Ok(()), Err)
    }

    /// Whether the access token has ended and the provider itself has refused twice with the same words. Then the user
    /// has to connect again; the refresh token stays, and is tried every hour.
    fn is_refused_for_good(
        &self,
        connection: &mut Connection,
        failure: &Failure,
        verdict: Verdict,
        now: Timestamp,
    ) -> bool {
        let is_refused = connection.status == ConnectionStatus::NeedsReauth(ReauthReason::Refused);
        if connection.status != ConnectionStatus::Active && !is_refused {
            return false;
        }
        let trouble = self.trouble(connection, failure, verdict, now);
        let is_repeated = failure.refusal().is_some() && is_repeated(trouble.refusal.as_ref());
        let is_new = is_repeated && has_ended(connection, now);
        if !is_refused && !is_new {
            return false;
        }
        connection.status = ConnectionStatus::NeedsReauth(ReauthReason::Refused);
        if let Some(refusal) = failure.refusal() {
            connection.provider_words = Some(refusal.words);
        }
        connection.trouble = Some(LastFailure {
            next_try_at: Some(tokenry_core::later(now, refresh_timing::REFUSED_RETRY_INTERVAL)),
            ..trouble
        });
        true
    }

    /// The grant stands; when it is tried again is shown beside the status.
    fn go_on(
        &self,
        connection: &mut Connection,
        failure: &Failure,
        verdict: Verdict,
        now: Timestamp,
    ) -> Error {
        let mut next_try_at = None;
        if connection.status == ConnectionStatus::Active {
            let trouble = self.trouble(connection, failure, verdict, now);
            next_try_at = trouble.next_try_at;
            connection.trouble = Some(trouble);
        }
        Error::Provider {
            failure: failure.clone(),
            next_try_at,
            wait: next_try_at.map(|next| next.duration_since(now).unsigned_abs()),
        }
    }

    fn trouble(
        &self,
        connection: &Connection,
        failure: &Failure,
        verdict: Verdict,
        now: Timestamp,
    ) -> LastFailure {
        let attempts = connection
            .trouble
            .as_ref()
            .map_or(0, |trouble| trouble.attempts)
            .saturating_add(1);
        let retry_after = failure.retry_after();
        let backoff = tokenry_core::later(
            now,
            refresh_timing::backoff(attempts, retry_after, &*self.inner.random),
        );
        let refusal = refusal(connection, failure);
        let next_try_at = match (failure, verdict) {
            (_, Verdict::Hold(end)) => end,
            // Trying again soon changes nothing; at the end of the access token it matters.
            (Failure::Rejected { .. }, _) if is_repeated(refusal.as_ref()) => {
                let hour = tokenry_core::later(now, refresh_timing::REFUSED_RETRY_INTERVAL);
                let end = connection.expires_at.filter(|end| *end > now);
                Some(end.map_or(hour, |end| end.min(hour)))
            }
            // Within the grace, and with a second to spare.
            (_, Verdict::Send(Some(limit))) if retry_after.is_none() => {
                Some(backoff.min((limit - Duration::from_secs(1)).max(now)))
            }
            _ => Some(backoff),
        };
        LastFailure {
            at: now,
            message: tokenry_core::clean(&failure.to_string()),
            attempts,
            next_try_at,
            asked_by_provider: retry_after.is_some() || matches!(verdict, Verdict::Hold(_)),
            provider_error: failure.refusal().and(failure.provider_error()).map(str::to_owned),
            refusal,
        }
    }
}

/// Whether no access token is left that can be handed out.
fn has_ended(connection: &Connection, now: Timestamp) -> bool {
    connection.doubtful || connection.expires_at.is_some_and(|end| end <= now)
}

/// The refusal that is remembered: this one, or the one before where this failure is none.
fn refusal(connection: &Connection, failure: &Failure) -> Option<RepeatedRefusal> {
    let before = connection
        .trouble
        .as_ref()
        .and_then(|trouble| trouble.refusal.clone());
    let Some(refusal) = failure.refusal() else {
        return before;
    };
    let before = before.filter(|before| before.key == refusal.key);
    Some(RepeatedRefusal {
        times: before.map_or(1, |before| before.times.saturating_add(1)),
        key: refusal.key,
    })
}

fn is_repeated(refusal: Option<&RepeatedRefusal>) -> bool {
    refusal.is_some_and(|refusal| refusal.times >= 2)
}

/// What the caller hears who wanted less.
fn limits_refused(request: &RefreshRequest, failure: &Failure) -> Error {
    match (failure.refusal(), &request.limits) {
        (Some(refusal), Some(to)) => Error::LimitsRefused {
            limits: to.words(),
            words: refusal.words,
            provider_error: failure.provider_error().unwrap_or_default().to_owned(),
        },
        _ => Error::Provider {
            failure: failure.clone(),
            next_try_at: None,
            wait: None,
        },
    }
}

/// Writes into the journal what this end says of the token, and judges what may be done with it now.
fn note(
    transaction: &mut Transaction<'_>,
    request: &RefreshRequest,
    connection: &Connection,
    failure: &Failure,
    now: Timestamp,
) -> Result<Verdict, Error> {
    let entry = transaction.get::<JournalEntry>(connection.id.row())?;
    let Some(mut entry) = entry.filter(|_| request.refresh_token.is_some()) else {
        return Ok(Verdict::Send(None));
    };
    entry.state = after(request, failure);
    transaction.put(connection.id.row(), &entry)?;
    let rotation = request.provider.settings.rotation;
    Ok(verdict(Some(&entry), rotation, connection.expires_at, now))
}

/// What a failure says about the token. One that says nothing does not close the unresolved attempt of an earlier time.
fn after(request: &RefreshRequest, failure: &Failure) -> JournalState {
    use JournalState::{Ambiguous, LimitRefused, Retryable, Sent, Unanswered};
    let now = match failure {
        _ if is_about_the_wish(request, failure) && may_be_consumed(request, failure) => LimitRefused,
        _ if is_about_the_resource(request, failure) && rotates(request) => LimitRefused,
        Failure::Unanswered { .. } | Failure::Unusable { .. } => Unanswered,
        // 503 says that nothing was done. The others may have come after the token was replaced.
        Failure::Interfered { status, .. } if *status >= 500 && *status != 503 => Ambiguous,
        _ => Retryable,
    };
    match (now, request.unresolved) {
        (Unanswered, _) | (_, Some(Unanswered | Sent)) => Unanswered,
        (Ambiguous, _) | (_, Some(Ambiguous)) => Ambiguous,
        (LimitRefused, _) | (_, Some(LimitRefused)) => LimitRefused,
        _ => Retryable,
    }
}

/// Whether the refresh token may be used up although the provider only refused the limits. Some servers replace it
/// before they look at the resource; scopes are compared with the grant first.
fn may_be_consumed(request: &RefreshRequest, failure: &Failure) -> bool {
    let has_target = request.parameters().has_audience();
    rotates(request) && (has_target || failure.provider_error() != Some("invalid_scope"))
}

fn rotates(request: &RefreshRequest) -> bool {
    request.provider.settings.rotation != Rotation::None && request.connection.rotates != Some(false)
}

/// Whether a provider refused the resource of the sign-in (RFC 8707 §2). That says nothing about the grant.
fn is_about_the_resource(request: &RefreshRequest, failure: &Failure) -> bool {
    request.resource.is_some() && failure.provider_error() == Some("invalid_target")
}

/// Whether a provider refused a request with limits: in whatever words, `invalid_grant` included, that says nothing
/// about the grant. Only a plain refresh does.
fn is_about_the_wish(request: &RefreshRequest, failure: &Failure) -> bool {
    let is_refusal = matches!(failure, Failure::InvalidGrant { .. } | Failure::Rejected { .. });
    request.limits.is_some() && (is_refusal || request.subject.is_some())
}

/// Whether this failure is one that only the person can mend.
fn final_reason(request: &RefreshRequest, failure: &Failure, verdict: Verdict) -> Option<ReauthReason> {
    let was_active = request.connection.status == ConnectionStatus::Active;
    let was_lost = request
        .unresolved
        .is_some_and(|state| state != JournalState::LimitRefused);
    match failure {
        _ if is_about_the_wish(request, failure) => None,
        Failure::InvalidGrant { .. } if request.refresh_token.is_none() => Some(ReauthReason::ClientRejected),
        Failure::InvalidGrant { .. } if was_lost => Some(ReauthReason::LostResponse),
        Failure::InvalidGrant { .. } => Some(ReauthReason::Revoked),
        Failure::Rejected { error, .. }
            if matches!(error.as_str(), "invalid_client" | "unauthorized_client") =>
        {
            Some(ReauthReason::ClientRejected)
        }
        Failure::Unanswered { .. } | Failure::Unusable { .. } if verdict == Verdict::Lost => {
            Some(ReauthReason::LostResponse)
        }
        _ if verdict == Verdict::Lost && was_active => Some(ReauthReason::LostResponse),
        _ => None,
    }
}

/// The person has to connect again. The token of a grant that ended stays sealed for a while, as a tombstone.
fn end(
    transaction: &mut Transaction<'_>,
    connection: &mut Connection,
    mut tokens: Tokens,
    failure: &Failure,
    reason: ReauthReason,
    now: Timestamp,
) -> Result<(), Error> {
    if connection.status != ConnectionStatus::Disconnecting {
        connection.status = ConnectionStatus::NeedsReauth(reason);
    }
    connection.trouble = None;
    connection.provider_words = failure.refusal().map(|refusal| refusal.words);
    connection.refresh_at = None;
    if !matches!(failure, Failure::InvalidGrant { .. }) {
        return Ok(());
    }
    connection.refreshable = false;
    if let Some(refresh_token) = tokens.refresh_token.take() {
        let until = tokenry_core::later(now, TOMBSTONE_KEPT);
        tokens.replaced = Some(ReplacedToken { refresh_token, until });
    }
    transaction.put(connection.id.row(), &tokens)
}
