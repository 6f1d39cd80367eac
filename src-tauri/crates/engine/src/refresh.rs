//! Refresh: nobody loses a grant. The rules are those of SECURITY.md, in their order.

use crate::{
    Engine, Error,
    engine::blocking,
    journal::{JournalEntry, JournalState, Verdict, verdict},
    ledger::Ledger,
    schedule,
    settle::{TOMBSTONE_KEPT, settle},
    steps::{Step, reached},
    token::is_fresh,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, EventKind, GrantType, Outcome, Provider,
    ReauthReason, ReplacedToken, Rotation, Secret, Timestamp, Tokens, Trouble,
};
use tokenry_oauth::{Answer, Failure, client_credentials, refresh};
use tokenry_store::Table;
use tokio::sync::watch;

/// Why a refresh is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The token does not live that long any more.
    Due(Duration),
    /// The scheduler finds that it is time, however long the token still lives.
    Scheduled,
    /// The person, or a program that was told so by a resource, wants it now.
    Asked,
}

type Ended = Option<Result<(), Arc<Error>>>;

/// The refreshes under way: one for each connection at most, each owned by the engine.
#[derive(Default)]
pub(crate) struct Refreshes {
    running: Mutex<HashMap<ConnectionId, watch::Receiver<Ended>>>,
}

impl Refreshes {
    pub(crate) fn is_running(&self, id: ConnectionId) -> bool {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&id)
    }

    fn all(&self) -> Vec<watch::Receiver<Ended>> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    fn get(&self, id: ConnectionId) -> Option<watch::Receiver<Ended>> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn end(&self, id: ConnectionId) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}

/// Everything that one request to a provider needs, read in one go.
struct Request {
    provider: Provider,
    connection: Connection,
    /// Nothing for client credentials: there the client itself is the grant.
    refresh_token: Option<Secret>,
    fence: u64,
    /// Whether an earlier request with this very token had an open end.
    open_end_before: bool,
}

impl Engine {
    /// Refreshes now, whatever the expiry.
    ///
    /// # Errors
    /// When there is no such connection, nothing to refresh it with, or the provider does not give.
    pub async fn refresh(&self, caller: &Caller, reference: &str) -> Result<crate::ConnectionView, Error> {
        self.allow(caller, crate::Operation::Refresh)?;
        let (id, name, connection) = {
            let ledger = self.ledger()?;
            let index = ledger.index();
            let connection = crate::resolve::connection(&index, reference)?;
            (connection.id, index.name_of(connection), connection.clone())
        };
        match connection.status {
            ConnectionStatus::Paused => return Err(Error::Paused(name)),
            ConnectionStatus::Pending => {
                return Err(Error::Conflict(format!(
                    "{name} still waits for its sign-in; finish it in the browser"
                )));
            }
            _ if !connection.refreshable => {
                let reason = match connection.status {
                    ConnectionStatus::NeedsReauth(reason) => reason,
                    _ => ReauthReason::Expired,
                };
                return Err(Error::NeedsReauth { name, reason });
            }
            _ => {}
        }
        self.refreshed(id, Why::Asked).await?;
        self.view(id)
    }

    /// Waits for the one refresh of this connection, and starts it when none is under way. The caller may go away:
    /// that cancels nothing.
    pub(crate) async fn refreshed(&self, id: ConnectionId, why: Why) -> Result<(), Error> {
        let mut ended = {
            let mut running = self
                .inner
                .refreshes
                .running
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match running.get(&id) {
                Some(ended) => ended.clone(),
                None => {
                    let (tell, ended) = watch::channel(None);
                    running.insert(id, ended.clone());
                    tokio::spawn(self.clone().own_refresh(id, why, tell));
                    ended
                }
            }
        };
        let _ = self.inner.changes.send(crate::Change::Connection(id));
        match ended.wait_for(Option::is_some).await.map(|ended| ended.clone()) {
            Ok(Some(Ok(()))) => Ok(()),
            Ok(Some(Err(error))) => Err(Error::Shared(error)),
            Ok(None) | Err(_) => Err(Error::Internal("a refresh ended early".to_owned())),
        }
    }

    /// Waits until no refresh of this connection is under way.
    pub(crate) async fn refresh_done(&self, id: ConnectionId) {
        if let Some(mut ended) = self.inner.refreshes.get(id) {
            let _ = ended.wait_for(Option::is_some).await;
        }
    }

    /// Waits until no refresh at all is under way.
    pub(crate) async fn refreshes_done(&self) {
        for mut ended in self.inner.refreshes.all() {
            let _ = ended.wait_for(Option::is_some).await;
        }
    }

    async fn own_refresh(self, id: ConnectionId, why: Why, tell: watch::Sender<Ended>) {
        let engine = self.clone();
        // A task of its own, so that even a panic in it ends the wait of those who wait.
        let result = tokio::spawn(async move { engine.refresh_once(id, why).await }).await;
        let result =
            result.unwrap_or_else(|error| Err(Error::Internal(format!("a refresh broke off ({error})"))));
        self.inner.refreshes.end(id);
        tell.send_replace(Some(result.map_err(Arc::new)));
        let _ = self.inner.changes.send(crate::Change::Connection(id));
        self.inner.due.notify_one();
    }

    async fn refresh_once(&self, id: ConnectionId, why: Why) -> Result<(), Error> {
        // Held until the end: a lock in the meantime does not lose what the provider answers.
        let ledger = self.ledger()?;
        let (engine, held) = (self.clone(), ledger.clone());
        let Some(request) = blocking(move || engine.prepare(&held, id, why)).await? else {
            return Ok(());
        };
        reached(Step::Journalled);
        let http = &self.inner.http;
        let answer = match &request.refresh_token {
            Some(token) => refresh::refresh(http, &request.provider, token).await,
            None => {
                client_credentials::fetch(http, &request.provider, &request.connection.requested_scopes).await
            }
        };
        reached(Step::Answered);
        match answer {
            Ok(answer) => self.keep_answer(ledger, request, answer).await,
            Err(failure) => self.keep_failure(ledger, request, failure).await,
        }
    }

    /// Reads the row again, decides whether to send, and says so in the journal before anything is sent.
    fn prepare(&self, ledger: &Ledger, id: ConnectionId, why: Why) -> Result<Option<Request>, Error> {
        let now = self.now();
        let (Some(connection), Some(tokens)) = (
            ledger.get::<Connection>(id.row())?,
            ledger.get::<Tokens>(id.row())?,
        ) else {
            return Err(Error::not_found(
                "connection",
                &id.to_string(),
                "it was disconnected",
            ));
        };
        let fresh = match why {
            Why::Due(min_valid) => is_fresh(&tokens, min_valid, now),
            // A caller may have been quicker than the schedule.
            Why::Scheduled => {
                connection.refresh_at.is_none_or(|due| due > now) && connection.trouble.is_none()
            }
            Why::Asked => false,
        };
        if fresh {
            return Ok(None);
        }
        let provider = ledger
            .get::<Provider>(connection.provider.row())?
            .ok_or_else(|| Error::Internal("a connection has no provider".to_owned()))?;
        if provider.grant_type == GrantType::ClientCredentials {
            let fence = tokens.fence;
            return Ok(Some(Request {
                provider,
                connection,
                refresh_token: None,
                fence,
                open_end_before: false,
            }));
        }
        let Some(refresh_token) = tokens.refresh_token.clone() else {
            let name = ledger.index().name_of(&connection);
            let reason = match connection.status {
                ConnectionStatus::NeedsReauth(reason) => reason,
                _ => ReauthReason::Expired,
            };
            return Err(Error::NeedsReauth { name, reason });
        };
        self.journal(ledger, provider, connection, tokens, refresh_token, why, now)
            .map(Some)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all of it was read in one go and belongs together"
    )]
    fn journal(
        &self,
        ledger: &Ledger,
        provider: Provider,
        connection: Connection,
        tokens: Tokens,
        refresh_token: Secret,
        why: Why,
        now: Timestamp,
    ) -> Result<Request, Error> {
        let fingerprint = ledger.vault().fingerprint(&refresh_token);
        let before = ledger.get::<JournalEntry>(connection.id.row())?;
        let before = before.filter(|entry| entry.fence == tokens.fence && entry.fingerprint == fingerprint);
        let asked = why == Why::Asked;
        match verdict(
            before.as_ref(),
            &fingerprint,
            &provider,
            &connection,
            &tokens,
            asked,
            now,
        ) {
            Verdict::Send => {}
            Verdict::HoldUntil(end) => return Err(self.hold(ledger, &connection, end, now)?),
            Verdict::Lost => return Err(self.lose(ledger, &connection, now)?),
        }
        let open_end_before = before
            .as_ref()
            .is_some_and(|entry| matches!(entry.state, JournalState::Sent | JournalState::Unanswered));
        let entry = JournalEntry {
            fingerprint,
            fence: tokens.fence,
            attempt: before.as_ref().map_or(1, |entry| entry.attempt + 1),
            first_sent_at: before
                .filter(|_| open_end_before)
                .map_or(now, |entry| entry.first_sent_at),
            state: JournalState::Sent,
        };
        reached(Step::BeforeJournal);
        ledger.change(now, |transaction| transaction.put(connection.id.row(), &entry))?;
        let fence = tokens.fence;
        Ok(Request {
            provider,
            connection,
            refresh_token: Some(refresh_token),
            fence,
            open_end_before,
        })
    }

    /// The last answer was lost and nobody knows what the provider does with a token it saw twice: the access token
    /// is used up first, since a second try could end it.
    fn hold(
        &self,
        ledger: &Ledger,
        connection: &Connection,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<Error, Error> {
        let message = "The answer to the last refresh was lost. The token at hand is used up before the next try, \
                       since asking twice could end it.";
        let id = connection.id;
        ledger.change(now, |transaction| {
            let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                return Ok(());
            };
            let attempts = connection.trouble.as_ref().map_or(1, |trouble| trouble.attempts);
            connection.trouble = Some(Trouble {
                at: now,
                message: message.to_owned(),
                attempts,
                next_try_at: Some(end),
                asked_by_provider: true,
            });
            transaction.put(id.row(), &connection)
        })?;
        let wait = Some(end.duration_since(now).unsigned_abs());
        Ok(Error::Unreachable {
            message: message.to_owned(),
            wait,
        })
    }

    /// The provider takes a refresh token once, it has taken this one, and its answer is lost.
    fn lose(&self, ledger: &Ledger, connection: &Connection, now: Timestamp) -> Result<Error, Error> {
        let (name, id) = (ledger.index().name_of(connection), connection.id);
        let reason = ReauthReason::LostResponse;
        let detail = crate::error::reason_text(reason);
        let event = self.connection_event(
            &Caller::Engine,
            EventKind::RefreshFailed,
            connection,
            Outcome::Failed,
            Some(detail),
        );
        ledger.change(now, |transaction| {
            let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                return Ok(());
            };
            connection.status = ConnectionStatus::NeedsReauth(reason);
            connection.trouble = None;
            connection.updated_at = now;
            transaction.put(id.row(), &connection)?;
            transaction.event(&event)
        })?;
        Ok(Error::NeedsReauth { name, reason })
    }

    /// One transaction holds all of the answer; only then is anybody told. When the disk does not take it: the
    /// reserve, then a sealed file beside the database, then memory, until it does.
    async fn keep_answer(&self, ledger: Arc<Ledger>, request: Request, answer: Answer) -> Result<(), Error> {
        let request = Arc::new(request);
        let (engine, held, kept, first) = (self.clone(), ledger.clone(), request.clone(), answer.clone());
        let error = match blocking(move || engine.commit_or_spill(&held, &kept, first)).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        tracing::error!("a refreshed token could not be written and is kept in memory: {error}");
        let mut wait = Duration::from_secs(1);
        loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(30));
            let (engine, held, kept, again) = (self.clone(), ledger.clone(), request.clone(), answer.clone());
            if blocking(move || engine.commit_or_spill(&held, &kept, again))
                .await
                .is_ok()
            {
                return Ok(());
            }
        }
    }

    fn commit_or_spill(&self, ledger: &Ledger, request: &Request, answer: Answer) -> Result<(), Error> {
        if self.commit(ledger, request, answer.clone()).is_ok() {
            return Ok(());
        }
        // The first failure may be a full disk: there is a reserve for exactly this.
        let _ = ledger.store().release_reserve();
        self.commit(ledger, request, answer.clone())
            .or_else(|error| self.spill(ledger, request, answer).map_err(|_| error))
    }

    fn commit(&self, ledger: &Ledger, request: &Request, answer: Answer) -> Result<(), Error> {
        let (now, id) = (self.now(), request.connection.id);
        let event = self.connection_event(
            &Caller::Engine,
            EventKind::Refreshed,
            &request.connection,
            Outcome::Done,
            None,
        );
        ledger.change(now, |transaction| {
            let (Some(mut connection), Some(old)) = (
                transaction.get::<Connection>(id.row())?,
                transaction.get::<Tokens>(id.row())?,
            ) else {
                return Ok(());
            };
            if old.fence != request.fence {
                // Newer tokens are there: this answer is of the past.
                return Ok(());
            }
            let paused = connection.status == ConnectionStatus::Paused;
            let random = &*self.inner.random;
            let tokens = settle(&mut connection, Some(old), answer, &request.provider, now, random);
            if paused {
                connection.status = ConnectionStatus::Paused;
            }
            transaction.put(id.row(), &connection)?;
            transaction.put(id.row(), &tokens)?;
            transaction.delete(Table::Journal, id.row())?;
            transaction.event(&event)?;
            reached(Step::Committing);
            Ok(())
        })?;
        reached(Step::Committed);
        Ok(())
    }

    fn spill(&self, ledger: &Ledger, request: &Request, answer: Answer) -> Result<(), Error> {
        let Some(old) = ledger.get::<Tokens>(request.connection.id.row())? else {
            return Ok(());
        };
        let mut connection = request.connection.clone();
        let (now, random) = (self.now(), &*self.inner.random);
        let tokens = settle(&mut connection, Some(old), answer, &request.provider, now, random);
        crate::recover::spill(&self.inner.folder, ledger, &connection, &tokens)?;
        tracing::error!("the database takes no writes: a refreshed token was sealed into a file beside it");
        Ok(())
    }

    async fn keep_failure(
        &self,
        ledger: Arc<Ledger>,
        request: Request,
        failure: Failure,
    ) -> Result<(), Error> {
        let engine = self.clone();
        blocking(move || engine.judge_failure(&ledger, &request, failure)).await
    }

    /// What a failure means for the grant: with one exception nothing.
    fn judge_failure(&self, ledger: &Ledger, request: &Request, failure: Failure) -> Result<(), Error> {
        let (now, id) = (self.now(), request.connection.id);
        let detail = failure.to_string();
        let event = self.connection_event(
            &Caller::Engine,
            EventKind::RefreshFailed,
            &request.connection,
            Outcome::Failed,
            Some(&detail),
        );
        let reason = self.final_reason(request, &failure);
        let error = ledger.change(now, |transaction| {
            let (Some(mut connection), Some(mut tokens)) = (
                transaction.get::<Connection>(id.row())?,
                transaction.get::<Tokens>(id.row())?,
            ) else {
                return Ok(None);
            };
            if tokens.fence != request.fence {
                // Newer tokens came while this one was asked about: what is said of it is of the past.
                return Ok(None);
            }
            if let Some(mut entry) = transaction.get::<JournalEntry>(id.row())? {
                entry.state = after(&failure);
                transaction.put(id.row(), &entry)?;
            }
            connection.updated_at = now;
            let name = ledger.index().name_of(&connection);
            let error = if let Some(reason) = reason {
                connection.status = ConnectionStatus::NeedsReauth(reason);
                connection.trouble = None;
                connection.refresh_at = None;
                if matches!(failure, Failure::InvalidGrant { .. }) {
                    bury(&mut connection, &mut tokens, now);
                    transaction.put(id.row(), &tokens)?;
                }
                Error::NeedsReauth { name, reason }
            } else {
                let trouble = self.trouble(&connection, request, &failure, now);
                let next_try_at = trouble.next_try_at;
                connection.trouble = Some(trouble);
                let wait = next_try_at.map(|next| next.duration_since(now).unsigned_abs());
                Error::Provider {
                    failure,
                    next_try_at,
                    wait,
                }
            };
            transaction.put(id.row(), &connection)?;
            transaction.event(&event)?;
            Ok(Some(error))
        })?;
        error.map_or(Ok(()), Err)
    }

    /// Whether this failure is one that only the person can mend.
    fn final_reason(&self, request: &Request, failure: &Failure) -> Option<ReauthReason> {
        match failure {
            Failure::InvalidGrant { .. } if request.refresh_token.is_none() => {
                Some(ReauthReason::ClientRejected)
            }
            Failure::InvalidGrant { .. } if request.open_end_before => Some(ReauthReason::LostResponse),
            Failure::InvalidGrant { .. } => Some(ReauthReason::Revoked),
            Failure::Rejected { error, .. }
                if matches!(error.as_str(), "invalid_client" | "unauthorized_client") =>
            {
                Some(ReauthReason::ClientRejected)
            }
            Failure::Unanswered { .. } | Failure::Unusable { .. }
                if request.refresh_token.is_some() && request.provider.rotation == Rotation::Strict =>
            {
                Some(ReauthReason::LostResponse)
            }
            _ => None,
        }
    }

    fn trouble(
        &self,
        connection: &Connection,
        request: &Request,
        failure: &Failure,
        now: Timestamp,
    ) -> Trouble {
        let attempts = connection.trouble.as_ref().map_or(0, |trouble| trouble.attempts) + 1;
        let retry_after = failure.retry_after();
        let unknown = request.provider.rotation == Rotation::Unknown && request.refresh_token.is_some();
        let unanswered = matches!(failure, Failure::Unanswered { .. } | Failure::Unusable { .. });
        let living = connection.expires_at.filter(|end| *end > now);
        let next_try_at = match failure {
            // A fault in the settings: trying again by itself changes nothing.
            Failure::Rejected { .. } => None,
            _ if unknown && unanswered && living.is_some() => living,
            _ => Some(now + schedule::backoff(attempts, retry_after, &*self.inner.random)),
        };
        let message = tokenry_core::clean(&failure.to_string());
        Trouble {
            at: now,
            message,
            attempts,
            next_try_at,
            asked_by_provider: retry_after.is_some(),
        }
    }
}

/// What a failure says about the request.
fn after(failure: &Failure) -> JournalState {
    match failure {
        Failure::Unanswered { .. } | Failure::Unusable { .. } => JournalState::Unanswered,
        Failure::NotSent { .. }
        | Failure::Interfered { .. }
        | Failure::InvalidGrant { .. }
        | Failure::Rejected { .. } => JournalState::Free,
    }
}

/// The token of a grant that ended stays sealed for a while, as a tombstone.
fn bury(connection: &mut Connection, tokens: &mut Tokens, now: Timestamp) {
    connection.refreshable = false;
    if let Some(refresh_token) = tokens.refresh_token.take() {
        tokens.replaced = Some(ReplacedToken {
            refresh_token,
            until: now + TOMBSTONE_KEPT,
        });
    }
}
