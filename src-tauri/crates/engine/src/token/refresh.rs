//! Refresh, so that no grant is lost. The rules are those of SECURITY.md, in their order.

mod decision;
mod failure;
mod store_narrowed_token;
mod store_tokens;

#[cfg(test)]
mod disk_tests;

use crate::{
    Engine, Error,
    access::consent::AccessRequest,
    engine::{blocking, detached},
    fault_points::{Step, reached},
    locks,
    records::journal::JournalState,
    token::{
        rejected::{Fingerprint, Reports},
        request::CALLER_RETRY_PAUSE_MS,
        step_up::Challenges,
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, Narrowing, Provider, ReauthReason, Secret, Timestamp,
};
use tokenry_oauth::{client_credentials, refresh, token_exchange};
use tokio::sync::watch;

/// Why a refresh is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RefreshTrigger {
    /// The token does not live that long any more.
    Due(Duration),
    /// The scheduler finds that it is time, however long the token still lives.
    Scheduled,
    /// The user wants it now.
    Asked,
    /// A resource rejected the access token with this fingerprint.
    Rejected(Fingerprint),
    /// There is no token with these limits that lives that long.
    Narrowed(Arc<Narrowing>, Duration),
}

impl RefreshTrigger {
    /// The limits of the token that is to be fetched, if it is not the connection's own.
    fn limits(&self) -> Option<&Arc<Narrowing>> {
        match self {
            Self::Narrowed(limits, _) => Some(limits),
            _ => None,
        }
    }
}

/// What came of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefreshOutcome {
    /// There are new tokens, or the provider had its say.
    Something,
    /// It was not needed any more.
    Nothing,
}

/// An error may come before the end: a token that waits for space on the disk makes no caller wait with it.
type Ended = Option<Result<RefreshOutcome, Arc<Error>>>;

/// The refreshes under way: one for each connection at most, each owned by the engine.
#[derive(Default)]
pub(crate) struct Refreshes {
    running: Mutex<HashMap<ConnectionId, Running>>,
    /// The wish of each connection that its provider refused last.
    refused: Mutex<HashMap<ConnectionId, RefusedLimits>>,
    /// The access tokens that were reported as rejected.
    pub(super) reports: Reports,
    pub(super) challenges: Challenges,
}

/// A refresh under way, and which token it is for.
#[derive(Clone)]
struct Running {
    limits: Option<Arc<Narrowing>>,
    /// Whether it is sent whatever is known of the last one.
    is_asked: bool,
    ended: watch::Receiver<Ended>,
}

/// That a provider does not give a token with these limits.
struct RefusedLimits {
    limits: Arc<Narrowing>,
    at: Timestamp,
    error: Arc<Error>,
}

impl Refreshes {
    pub(crate) fn is_running(&self, id: ConnectionId) -> bool {
        locks::lock(&self.running).contains_key(&id)
    }

    fn all(&self) -> Vec<watch::Receiver<Ended>> {
        locks::lock(&self.running)
            .values()
            .map(|running| running.ended.clone())
            .collect()
    }

    fn get(&self, id: ConnectionId) -> Option<watch::Receiver<Ended>> {
        locks::lock(&self.running)
            .get(&id)
            .map(|running| running.ended.clone())
    }

    /// Whether this very refresh is still under way, although those who wait were told how it ended.
    fn goes_on(&self, id: ConnectionId, ended: &watch::Receiver<Ended>) -> bool {
        self.get(id).is_some_and(|running| running.same_channel(ended))
    }

    /// A wish that was refused a moment ago is not sent again yet.
    fn refused(&self, id: ConnectionId, limits: &Narrowing, now: Timestamp) -> Option<Error> {
        let refused = locks::lock(&self.refused);
        let last = refused.get(&id).filter(|last| *last.limits == *limits)?;
        let since = now.as_millisecond() - last.at.as_millisecond();
        (0..CALLER_RETRY_PAUSE_MS)
            .contains(&since)
            .then(|| Error::Shared(last.error.clone()))
    }

    fn refuse(&self, id: ConnectionId, refused: RefusedLimits) {
        locks::lock(&self.refused).insert(id, refused);
    }

    fn end(&self, id: ConnectionId) {
        locks::lock(&self.running).remove(&id);
    }
}

/// Everything that one request to a provider needs, read in one go.
struct RefreshRequest {
    provider: Provider,
    connection: Connection,
    /// Nothing for client credentials: there the client itself is the grant.
    refresh_token: Option<Secret>,
    /// The access token that is exchanged for a narrower one; then no refresh token is sent.
    subject: Option<Secret>,
    fence: u64,
    /// The unresolved attempt that an earlier request with this very token left.
    unresolved: Option<JournalState>,
    /// What the token that is asked for is limited to; nothing for the connection's own.
    limits: Option<Arc<Narrowing>>,
    /// The resource of the sign-in, where a refresh repeats it (RFC 8707 §2.2).
    resource: Option<String>,
}

impl RefreshRequest {
    /// What is sent beside the refresh token. A token for another audience is for that one alone.
    fn parameters(&self) -> Narrowing {
        let mut to = self.limits.as_deref().cloned().unwrap_or_default();
        if !to.has_audience() {
            to.resource.clone_from(&self.resource);
        }
        to
    }
}

impl Engine {
    /// Refreshes now, whatever the expiry.
    ///
    /// # Errors
    /// When there is no such connection, nothing to refresh it with, or the provider does not give.
    pub async fn refresh(&self, caller: &Caller, reference: &str) -> Result<crate::ConnectionView, Error> {
        let connection = self.connection_meant(caller, crate::Operation::Refresh, reference)?;
        let id = connection.id;
        let name = self.store()?.index().name_of(&connection);
        let wanted = AccessRequest::new(crate::Operation::Refresh)
            .at(connection.provider)
            .of(id, connection.started_by);
        let check = async { can_be_refreshed(&connection, &name) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        can_be_refreshed(&connection, &name)?;
        self.refreshed(id, RefreshTrigger::Asked).await?;
        self.view(id)
    }

    /// Waits for the one refresh of this connection, and starts it when none is under way. The caller may go away:
    /// that cancels nothing. For a token with other limits than the one that is being fetched, it is that one's turn
    /// afterwards.
    pub(super) async fn refreshed(&self, id: ConnectionId, why: RefreshTrigger) -> Result<(), Error> {
        if let Some(limits) = why.limits()
            && let Some(refused) = self.inner.refreshes.refused(id, limits, self.now())
        {
            return Err(refused);
        }
        loop {
            let (running, is_ours) = self.join(id, &why);
            let _ = self.inner.changes.send(crate::Change::Connection(id));
            let is_for_us = is_ours || running.limits.as_ref() == why.limits();
            let is_held_back = why == RefreshTrigger::Asked && !running.is_asked;
            let mut ended = running.ended;
            let result = ended.wait_for(Option::is_some).await.map(|ended| ended.clone());
            // What came of another's wish is nothing to us; but a disk that is full is.
            if !is_for_us && !self.inner.refreshes.goes_on(id, &ended) {
                continue;
            }
            match result {
                // The other one wanted less than we do.
                Ok(Some(Ok(RefreshOutcome::Nothing))) if !is_ours => {}
                // The schedule may have held back what the user wants now.
                Ok(Some(Err(_))) if is_held_back && !self.inner.refreshes.goes_on(id, &ended) => {}
                Ok(Some(Ok(_))) => return Ok(()),
                Ok(Some(Err(error))) => return Err(Error::Shared(error)),
                Ok(None) | Err(_) => return Err(Error::Internal("a refresh ended early".to_owned())),
            }
        }
    }

    /// The refresh that is under way, or one that is begun now.
    fn join(&self, id: ConnectionId, why: &RefreshTrigger) -> (Running, bool) {
        let mut running = locks::lock(&self.inner.refreshes.running);
        if let Some(running) = running.get(&id) {
            return (running.clone(), false);
        }
        let (tell, ended) = watch::channel(None);
        let limits = why.limits().cloned();
        let is_asked = *why == RefreshTrigger::Asked;
        let ours = Running {
            limits,
            is_asked,
            ended,
        };
        running.insert(id, ours.clone());
        tokio::spawn(self.clone().own_refresh(id, why.clone(), tell));
        (ours, true)
    }

    /// Waits until no refresh of this connection is under way.
    pub(crate) async fn refresh_done(&self, id: ConnectionId) {
        // There may be a line of those who want different tokens.
        while let Some(mut ended) = self.inner.refreshes.get(id) {
            let _ = ended.wait_for(Option::is_some).await;
            if self.inner.refreshes.goes_on(id, &ended) {
                return;
            }
        }
    }

    /// Waits until no refresh at all is under way.
    pub(crate) async fn refreshes_done(&self) {
        for mut ended in self.inner.refreshes.all() {
            let _ = ended.wait_for(Option::is_some).await;
        }
    }

    async fn own_refresh(self, id: ConnectionId, why: RefreshTrigger, tell: watch::Sender<Ended>) {
        let (engine, tell) = (self.clone(), Arc::new(tell));
        let early = tell.clone();
        // A task of its own, so that even a panic in it ends the wait of those who wait.
        let result = detached(async move { engine.refresh_once(id, why, &early).await }).await;
        self.inner.refreshes.end(id);
        tell.send_replace(Some(result.map_err(Arc::new)));
        let _ = self.inner.changes.send(crate::Change::Connection(id));
        self.inner.due.notify_one();
    }

    async fn refresh_once(
        &self,
        id: ConnectionId,
        why: RefreshTrigger,
        tell: &watch::Sender<Ended>,
    ) -> Result<RefreshOutcome, Error> {
        // Held until the end: a lock in the meantime does not lose what the provider answers.
        let store = self.store()?;
        let (engine, held) = (self.clone(), store.clone());
        let Some(request) = blocking(move || engine.prepare(&held, id, why)).await? else {
            return Ok(RefreshOutcome::Nothing);
        };
        reached(Step::Journalled);
        let http = &self.inner.http;
        let client = self.client_of(&store, request.provider.clone(), &request.connection);
        let mut to = request.parameters();
        let mut answer = match (&client, &request.refresh_token, &request.subject) {
            (Err(failure), ..) => Err(failure.clone()),
            (Ok(client), _, Some(subject)) => token_exchange::narrowed(http, client, subject, &to).await,
            (Ok(client), Some(token), None) => refresh::narrowed(http, client, token, &to).await,
            (Ok(client), None, None) => {
                to.scopes
                    .get_or_insert_with(|| request.connection.requested_scopes.clone());
                client_credentials::narrowed(http, client, &to).await
            }
        };
        if let (Ok(client), Err(failure)) = (&client, &answer)
            && let Some(next) = self.other_at_next_refresh(&store, client, failure).await
        {
            answer = Err(next);
        }
        reached(Step::Answered);
        match answer {
            Ok(answer) if request.subject.is_some() => self.keep_exchanged(store, request, answer).await?,
            Ok(answer) => {
                let provider = request.provider.clone();
                self.keep_answer(store.clone(), request, answer.clone(), tell)
                    .await?;
                self.unusable(&store, id, &answer)?;
                self.keep_id_token(&store, &provider, id, &answer).await;
            }
            Err(failure) => self.keep_failure(store, request, failure).await?,
        }
        Ok(RefreshOutcome::Something)
    }
}

/// Whether a caller can have a connection that stands like this refreshed.
fn can_be_refreshed(connection: &Connection, name: &str) -> Result<(), Error> {
    crate::token::request::can_be_handed_out(connection, name)?;
    if connection.refreshable {
        return Ok(());
    }
    let reason = match connection.status {
        ConnectionStatus::NeedsReauth(reason) => reason,
        _ => ReauthReason::Expired,
    };
    Err(Error::needs_reauth(name.to_owned(), reason, connection))
}
