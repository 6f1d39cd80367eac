use crate::{
    Engine, Error, FlowState, consent::Wanted, engine::blocking, ledger::Ledger, policy::Operation, resolve,
    schedule,
};
use std::{sync::Arc, time::Duration};
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, EventKind, Flow, Outcome, Provider, Secret, Tokens,
    Trouble,
};
use tokenry_oauth::{Failure, revocation};

/// After this long a revocation that a provider never answered is given up.
const OWED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Whether the provider revoked the tokens (RFC 7009).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It did.
    Yes,
    /// It refused.
    No,
    /// It could not be reached; the engine goes on trying for a week, across restarts.
    Pending,
    /// It has no way to.
    Unsupported,
}

impl Engine {
    /// Gives a connection up: from now on nobody is handed its tokens, and the provider is asked to revoke them.
    ///
    /// # Errors
    /// When there is none, or several could be meant.
    pub async fn disconnect(&self, caller: &Caller, reference: &str) -> Result<Revoked, Error> {
        let connection = resolve::connection(&self.ledger()?.index(), reference)?.clone();
        let wanted = Wanted::new(Operation::Disconnect)
            .at(connection.provider)
            .of(connection.id, connection.started_by);
        self.permit(caller, wanted).await?;
        self.disconnect_for_good(caller, connection.id).await
    }

    pub(crate) async fn disconnect_for_good(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<Revoked, Error> {
        // Its answer is committed first, so that the newest tokens are the ones to revoke.
        self.refresh_done(id).await;
        let (ledger, now) = (self.ledger()?, self.now());
        if let Some(flow) = self.open_flow_of(id)
            && let Some(flow) = ledger.get::<Flow>(flow.row())?
        {
            match self.end_flow(&ledger, caller, &flow, FlowState::Cancelled).await {
                Ok(()) | Err(Error::FlowExpired) => {}
                Err(error) => return Err(error),
            }
        }
        let Some(connection) = ledger.get::<Connection>(id.row())? else {
            return Ok(Revoked::Unsupported);
        };
        let event = self.connection_event(caller, EventKind::Disconnected, &connection, Outcome::Done, None);
        let engine = self.clone();
        // The engine's own task: who asked may go away.
        let revoking = tokio::spawn(async move {
            // The schedule leaves it alone meanwhile.
            let _reserved = engine.reserve(id);
            let marked = ledger.clone();
            blocking(move || {
                marked.change(now, |transaction| {
                    let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                        return Ok(());
                    };
                    connection.status = ConnectionStatus::Disconnecting;
                    connection.trouble = None;
                    connection.label = None;
                    connection.updated_at = now;
                    transaction.put(id.row(), &connection)?;
                    transaction.event(&event)
                })
            })
            .await?;
            engine.try_revoking(&ledger, id).await
        });
        revoking
            .await
            .unwrap_or_else(|error| Err(Error::Internal(format!("the revocation ended early ({error})"))))
    }

    /// Asks the provider to revoke, and deletes what is left when it has answered.
    pub(crate) async fn try_revoking(
        &self,
        ledger: &Arc<Ledger>,
        id: ConnectionId,
    ) -> Result<Revoked, Error> {
        // No refresh begins any more; one that began before has the newest tokens.
        self.refresh_done(id).await;
        let Some(connection) = ledger.get::<Connection>(id.row())? else {
            return Ok(Revoked::Unsupported);
        };
        let provider = ledger.get::<Provider>(connection.provider.row())?;
        let from = connection.client_secret_from;
        let client = provider.map(|provider| self.with_client_secret(ledger, provider, from));
        let tokens = ledger.get::<Tokens>(id.row())?;
        let answer = match (client, tokens) {
            // They are there, and the disk has not taken them yet.
            _ if self.inner.refreshes.is_running(id) => Err(Failure::NotSent {
                message: "its newest tokens wait for room on the disk".to_owned(),
            }),
            (Some(Ok(client)), Some(tokens)) => self.revoke_all(&client, tokens).await,
            (Some(Err(failure)), Some(_)) => Err(failure),
            _ => Ok(revocation::Revoked::Unsupported),
        };
        let owed_since = connection.updated_at.duration_since(self.now()).unsigned_abs();
        let revoked = match &answer {
            Ok(revocation::Revoked::Yes) => Revoked::Yes,
            Ok(revocation::Revoked::Unsupported) => Revoked::Unsupported,
            Err(Failure::Rejected { .. } | Failure::InvalidGrant { .. }) => Revoked::No,
            Err(_) if owed_since > OWED_FOR => Revoked::No,
            Err(failure) => {
                self.owe(ledger, &connection, failure).await?;
                return Ok(Revoked::Pending);
            }
        };
        let (outcome, detail) = match &answer {
            Ok(revocation::Revoked::Yes) => (Outcome::Done, None),
            Ok(revocation::Revoked::Unsupported) => {
                (Outcome::Done, Some("the provider has no revocation".to_owned()))
            }
            Err(failure) => (Outcome::Failed, Some(failure.to_string())),
        };
        let event = self.connection_event(
            &Caller::Engine,
            EventKind::Revoked,
            &connection,
            outcome,
            detail.as_deref(),
        );
        let (now, kept) = (self.now(), ledger.clone());
        blocking(move || {
            kept.change(now, |transaction| {
                transaction.delete_connection(id)?;
                transaction.event(&event)
            })
        })
        .await?;
        // A copy of the profile from before must not bring these tokens back.
        self.raise_floor();
        Ok(revoked)
    }

    /// The refresh token first: with it goes the grant. The access token then is a courtesy.
    async fn revoke_all(&self, provider: &Provider, tokens: Tokens) -> Result<revocation::Revoked, Failure> {
        let http = &self.inner.http;
        let access = |token: Secret| async move {
            revocation::revoke(http, provider, &token, revocation::Hint::AccessToken).await
        };
        let Some(refresh_token) = &tokens.refresh_token else {
            let revoked = access(tokens.access_token).await?;
            // There is no grant that they would go with.
            for narrowed in tokens.narrowed {
                let _ = access(narrowed.access_token).await;
            }
            return Ok(revoked);
        };
        let revoked =
            revocation::revoke(http, provider, refresh_token, revocation::Hint::RefreshToken).await?;
        if revoked == revocation::Revoked::Yes {
            let _ = access(tokens.access_token).await;
        }
        Ok(revoked)
    }

    async fn owe(
        &self,
        ledger: &Arc<Ledger>,
        connection: &Connection,
        failure: &Failure,
    ) -> Result<(), Error> {
        let now = self.now();
        let attempts = connection.trouble.as_ref().map_or(0, |trouble| trouble.attempts) + 1;
        let wait = schedule::backoff(attempts, failure.retry_after(), &*self.inner.random);
        let trouble = Trouble {
            at: now,
            message: tokenry_core::clean(&failure.to_string()),
            attempts,
            next_try_at: Some(now + wait),
            asked_by_provider: failure.retry_after().is_some(),
        };
        let (ledger, id) = (ledger.clone(), connection.id);
        blocking(move || {
            ledger.change(now, |transaction| {
                let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                    return Ok(());
                };
                connection.trouble = Some(trouble);
                transaction.put(id.row(), &connection)
            })
        })
        .await?;
        self.inner.due.notify_one();
        Ok(())
    }
}
