//! Before a refresh token is sent: the row is read again, and the journal says what is about to happen.

use super::{RefreshRequest, RefreshTrigger};
use crate::{
    Engine, Error,
    fault_points::{Step, reached},
    records::{
        journal::{JournalEntry, JournalState, Verdict, verdict},
        sealed_store::SealedStore,
    },
    token::{
        narrowing::{self, Way, way},
        rejected::Fingerprint,
        request::is_fresh,
        scheduler::due_at,
    },
};
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, EventKind, GrantType, LastFailure, Outcome, Provider,
    ReauthReason, Secret, Timestamp, Tokens,
};

impl Engine {
    /// Decides whether to send, and says so in the journal before anything is sent. `None` when there is no need.
    pub(super) fn prepare(
        &self,
        store: &SealedStore,
        id: ConnectionId,
        why: RefreshTrigger,
    ) -> Result<Option<RefreshRequest>, Error> {
        let now = self.now();
        if let Some(why) = store.read_only() {
            return Err(Error::ReadOnly(why));
        }
        let (Some(connection), Some(tokens)) =
            (store.get::<Connection>(id.row())?, store.get::<Tokens>(id.row())?)
        else {
            return Err(crate::access::resolve::gone(&id.to_string()));
        };
        may_refresh(store, &connection, &why)?;
        let needless = match &why {
            RefreshTrigger::Due(min_valid) => {
                !connection.doubtful && is_fresh(tokens.obtained_at, tokens.expires_at, *min_valid, now)
            }
            // A refresh before ours may have learnt that the provider cannot do it.
            RefreshTrigger::Narrowed(to, _) if !to.has_audience() && connection.narrows == Some(false) => {
                true
            }
            RefreshTrigger::Narrowed(to, min_valid) => {
                narrowing::of(&tokens, to).is_some_and(|kept| narrowing::is_fresh(kept, *min_valid, now))
            }
            // A caller may have been quicker than the schedule.
            RefreshTrigger::Scheduled => due_at(&connection).is_none_or(|due| due > now),
            // Another refresh may have replaced it meanwhile.
            RefreshTrigger::Rejected(token) => Fingerprint::of(&tokens.access_token) != *token,
            RefreshTrigger::Asked => false,
        };
        if needless {
            return Ok(None);
        }
        let provider = store
            .get::<Provider>(connection.provider.row())?
            .ok_or_else(|| Error::Internal("a connection has no provider".to_owned()))?;
        // The key stays for the life of the connection (RFC 9449 §5).
        let provider = Provider {
            dpop_key: tokens.dpop_key.clone(),
            ..provider
        };
        let mut request = RefreshRequest {
            fence: tokens.fence,
            provider,
            connection,
            refresh_token: None,
            subject: None,
            unresolved: None,
            limits: why.limits().cloned(),
            resource: None,
        };
        if request.provider.settings.grant_type == GrantType::ClientCredentials {
            return Ok(Some(request));
        }
        if request.limits.is_some() {
            // As it is now: a refresh ahead of us in the line may have shown that refresh tokens rotate.
            match way(&store.index(), &request.provider, &request.connection) {
                Way::Unavailable(_) => return Ok(None),
                Way::Exchange => {
                    request.subject = Some(tokens.access_token);
                    return Ok(Some(request));
                }
                Way::Refresh { .. } | Way::Client => {}
            }
        }
        let Some(refresh_token) = tokens.refresh_token else {
            return Err(needs_reauth(store, &request.connection));
        };
        request.unresolved = self.journal(store, &request, &refresh_token, &why, now)?;
        request.refresh_token = Some(refresh_token);
        let resource = request.connection.resource.clone();
        request.resource = resource.filter(|_| request.provider.settings.resource_on_refresh);
        Ok(Some(request))
    }

    /// Writes down that this token is about to be sent, if it may be. Gives the unresolved attempt that an earlier time left.
    fn journal(
        &self,
        store: &SealedStore,
        request: &RefreshRequest,
        refresh_token: &Secret,
        why: &RefreshTrigger,
        now: Timestamp,
    ) -> Result<Option<JournalState>, Error> {
        let RefreshRequest {
            connection, provider, ..
        } = request;
        let fingerprint = store.vault().fingerprint(refresh_token);
        let before = store
            .get::<JournalEntry>(connection.id.row())?
            .filter(|entry| entry.fence == request.fence && entry.fingerprint == fingerprint);
        // A person may try what we would not.
        if *why != RefreshTrigger::Asked {
            match verdict(
                before.as_ref(),
                provider.settings.rotation,
                connection.expires_at,
                now,
            ) {
                Verdict::Send(_) => {}
                Verdict::Hold(end) => {
                    let was_limited = before.is_some_and(|entry| entry.state == JournalState::LimitRefused);
                    return Err(self.hold(store, connection, end, was_limited, now)?);
                }
                Verdict::Lost => return Err(self.lose(store, connection, now)?),
            }
        }
        let attempt = before.as_ref().map_or(1, |entry| entry.attempt.saturating_add(1));
        let open = before.filter(|entry| entry.state.is_unresolved());
        let entry = JournalEntry {
            fingerprint,
            fence: request.fence,
            attempt,
            first_sent_at: open.as_ref().map_or(now, |entry| entry.first_sent_at),
            state: JournalState::Sent,
        };
        reached(Step::BeforeJournal);
        let is_first_limited = request.limits.is_some() && !connection.narrowed;
        store.change(now, |transaction| {
            if is_first_limited
                && let Some(mut connection) = transaction.get::<Connection>(connection.id.row())?
            {
                connection.narrowed = true;
                transaction.put(connection.id.row(), &connection)?;
            }
            transaction.put(connection.id.row(), &entry)
        })?;
        Ok(open.map(|entry| entry.state))
    }

    /// The last answer was lost, and it is unknown what the provider does with a token it saw twice: the access token
    /// is used up first, since a second try could end it.
    fn hold(
        &self,
        store: &SealedStore,
        connection: &Connection,
        end: Option<Timestamp>,
        was_limited: bool,
        now: Timestamp,
    ) -> Result<Error, Error> {
        let message = if was_limited {
            "The provider refused a request for a narrower token or for its resource, and may have used the refresh token up over \
             it. The access token is used until it ends; the next refresh then tells."
        } else {
            "The answer to the last refresh was lost. The token at hand is used up before the next try, since asking \
             twice could end it."
        };
        let id = connection.id;
        store.change(now, |transaction| {
            let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                return Ok(());
            };
            let attempts = connection.trouble.as_ref().map_or(1, |trouble| trouble.attempts);
            connection.trouble = Some(LastFailure {
                at: now,
                message: message.to_owned(),
                attempts,
                next_try_at: end,
                asked_by_provider: true,
                provider_error: None,
                refusal: connection
                    .trouble
                    .as_ref()
                    .and_then(|trouble| trouble.refusal.clone()),
            });
            transaction.put(id.row(), &connection)
        })?;
        Ok(Error::Unreachable {
            message: message.to_owned(),
            next_try_at: end,
            wait: end.map(|end| end.duration_since(now).unsigned_abs()),
        })
    }

    /// The provider takes a refresh token once, it has taken this one, and its answer is lost.
    fn lose(&self, store: &SealedStore, connection: &Connection, now: Timestamp) -> Result<Error, Error> {
        let (name, id) = (store.index().name_of(connection), connection.id);
        let reason = ReauthReason::LostResponse;
        let detail = crate::error::reason_text(reason);
        let event = self
            .event(&Caller::Engine, EventKind::RefreshFailed, Outcome::Failed)
            .about(connection)
            .with_detail(detail);
        store.change(now, |transaction| {
            let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                return Ok(());
            };
            connection.status = ConnectionStatus::NeedsReauth(reason);
            connection.trouble = None;
            connection.provider_words = None;
            connection.updated_at = now;
            transaction.put(id.row(), &connection)?;
            transaction.event(&event)
        })?;
        Ok(Error::NeedsReauth {
            name,
            reason,
            words: None,
        })
    }
}

/// Whether a connection that stands like this is refreshed at all: between a caller's look at it and this one, its
/// person may have paused it or given it up.
fn may_refresh(store: &SealedStore, connection: &Connection, why: &RefreshTrigger) -> Result<(), Error> {
    let name = || store.index().name_of(connection);
    match connection.status {
        ConnectionStatus::Active | ConnectionStatus::Refreshing | ConnectionStatus::Expiring => Ok(()),
        ConnectionStatus::NeedsReauth(ReauthReason::CutOff) => Err(needs_reauth(store, connection)),
        ConnectionStatus::NeedsReauth(_) if *why == RefreshTrigger::Asked => Ok(()),
        // Words that are not `invalid_grant` end nothing: the schedule goes on trying.
        ConnectionStatus::NeedsReauth(ReauthReason::Refused) if *why == RefreshTrigger::Scheduled => Ok(()),
        ConnectionStatus::NeedsReauth(_) => Err(needs_reauth(store, connection)),
        ConnectionStatus::Paused => Err(Error::Paused(name())),
        ConnectionStatus::Pending | ConnectionStatus::Disconnecting => {
            Err(crate::access::resolve::gone(&name()))
        }
    }
}

fn needs_reauth(store: &SealedStore, connection: &Connection) -> Error {
    let reason = match connection.status {
        ConnectionStatus::NeedsReauth(reason) => reason,
        _ => ReauthReason::Expired,
    };
    Error::needs_reauth(store.index().name_of(connection), reason, connection)
}
