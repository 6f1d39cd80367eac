//! Disconnecting: the tokens are revoked at the provider, then deleted.

use crate::{
    Engine, Error, FlowState,
    access::{consent::AccessRequest, policy::Operation},
    engine::detached,
    records::sealed_store::SealedStore,
    token::refresh_timing,
};
use std::{sync::Arc, time::Duration};
pub use tokenry_core::Revoked;
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, EventKind, Flow, LastFailure, Outcome, Provider,
    RevocationMethod, Secret, Timestamp, Tokens,
};
use tokenry_oauth::{
    Failure,
    revocation::{self, Hint},
};

/// After this long a revocation that a provider never answered is given up.
const REVOCATION_DEADLINE: Duration = Duration::from_secs(7 * 24 * 3600);

/// So often a revocation is tried that the provider answers with a refusal of no known kind.
const MAX_REFUSALS: u32 = 5;

/// After so many attempts the next one is an hour away.
const QUICK_ATTEMPTS: u32 = 10;

/// Between two later attempts.
const SLOW_RETRY_INTERVAL: Duration = Duration::from_secs(3600);

/// What became of a revocation, and why it is not done.
pub(crate) type Revocation = (Revoked, Option<String>);

/// What a provider did with all tokens of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    Revoked,
    /// The refresh token is as good as before.
    AccessTokenOnly,
    Unsupported,
}

impl Engine {
    /// Gives a connection up: from now on its tokens are not handed out, and the provider is asked to revoke them.
    ///
    /// # Errors
    /// When there is none, or several could be meant.
    pub async fn disconnect(&self, caller: &Caller, reference: &str) -> Result<Revoked, Error> {
        Ok(self.disconnect_and_tell(caller, reference).await?.0)
    }

    /// The same, with the reason when the provider did not revoke, or not yet: its own words, where it had any.
    ///
    /// # Errors
    /// As [`Engine::disconnect`].
    pub async fn disconnect_and_tell(
        &self,
        caller: &Caller,
        reference: &str,
    ) -> Result<(Revoked, Option<String>), Error> {
        let connection = self.connection_meant(caller, Operation::Disconnect, reference)?;
        let wanted = AccessRequest::new(Operation::Disconnect)
            .at(connection.provider)
            .of(connection.id, connection.started_by);
        self.permit(caller, wanted).await?;
        self.disconnect_for_good(caller, connection.id).await
    }

    pub(crate) async fn disconnect_for_good(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<Revocation, Error> {
        // Its answer is committed first, so that the newest tokens are the ones to revoke.
        self.refresh_done(id).await;
        let (store, now) = (self.store()?, self.now());
        if let Some(flow) = self.open_flow_of(id)
            && let Some(flow) = store.get::<Flow>(flow.row())?
        {
            match self.end_flow(&store, caller, &flow, FlowState::Cancelled).await {
                Ok(()) | Err(Error::FlowExpired) => {}
                Err(error) => return Err(error),
            }
        }
        let Some(connection) = store.get::<Connection>(id.row())? else {
            return Ok((Revoked::Unsupported, None));
        };
        let event = self
            .event(caller, EventKind::Disconnected, Outcome::Done)
            .about(&connection);
        let engine = self.clone();
        // The engine's own task: who asked may go away.
        detached(async move {
            // The schedule leaves it alone meanwhile.
            let _reserved = engine.reserve(id);
            engine
                .commit(&store, move |transaction| {
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
                .await?;
            engine.try_revoking(&store, id).await
        })
        .await
    }

    /// Asks the provider to revoke, and deletes what is left when it has answered.
    pub(crate) async fn try_revoking(
        &self,
        store: &Arc<SealedStore>,
        id: ConnectionId,
    ) -> Result<Revocation, Error> {
        // No refresh begins any more; one that began before has the newest tokens.
        self.refresh_done(id).await;
        let Some(connection) = store.get::<Connection>(id.row())? else {
            return Ok((Revoked::Unsupported, None));
        };
        let provider = store.get::<Provider>(connection.provider.row())?;
        let has_endpoint = provider
            .as_ref()
            .is_some_and(|p| p.settings.revocation_endpoint.is_some());
        let client = provider.map(|provider| self.client_of(store, provider, &connection));
        let tokens = store.get::<Tokens>(id.row())?;
        let answer = match (client, tokens) {
            // They are there, and the disk has not taken them yet.
            _ if self.inner.refreshes.is_running(id) => Err(Failure::NotSent {
                message: "its newest tokens wait for room on the disk".to_owned(),
            }),
            (Some(Ok(client)), Some(tokens)) => self.revoke_all(&client, tokens).await,
            (Some(Err(failure)), Some(_)) => Err(failure),
            _ => Ok(Answered::Unsupported),
        };
        let (revoked, detail) = match &answer {
            Ok(Answered::Revoked) => (Revoked::Yes, None),
            Ok(Answered::AccessTokenOnly) => (
                Revoked::Unsupported,
                Some("The provider revokes access tokens only: the refresh token ends by itself.".to_owned()),
            ),
            Ok(Answered::Unsupported) => (
                Revoked::Unsupported,
                has_endpoint.then(|| "The provider answered unsupported_token_type.".to_owned()),
            ),
            Err(failure) => match given_up(&connection, failure, self.now()) {
                Some(revoked) => (revoked, Some(failure.to_string())),
                None => {
                    self.owe(store, &connection, failure).await?;
                    return Ok((Revoked::Pending, Some(failure.to_string())));
                }
            },
        };
        let outcome = if answer.is_ok() {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        let noted = match (revoked, &detail) {
            (Revoked::Unsupported, None) => Some("the provider has no revocation"),
            (_, detail) => detail.as_deref(),
        };
        // What was handed out before is in the log before this.
        self.flush_activity().await;
        let event = self
            .event(&Caller::Engine, EventKind::Revoked, outcome)
            .about(&connection)
            .with_connection(connection.revokes_for.unwrap_or(id))
            .with_detail_if(noted);
        self.commit(store, move |transaction| {
            transaction.delete_connection(id)?;
            transaction.event(&event)
        })
        .await?;
        // A copy of the profile from before must not bring these tokens back.
        self.raise_floor();
        Ok((revoked, detail))
    }

    /// The refresh token first: with it goes the grant. The access tokens then are a courtesy, unless the provider
    /// revokes nothing else.
    async fn revoke_all(&self, provider: &Provider, tokens: Tokens) -> Result<Answered, Failure> {
        if let Some(aside) = &tokens.aside {
            let tokens = [aside.refresh_token.as_ref(), aside.access_token.as_ref()];
            self.give_back(provider, tokens).await;
        }
        let mut all = vec![tokens.access_token];
        if let Some(refresh_token) = &tokens.refresh_token {
            let whole = self
                .revoke_one(provider, refresh_token, Hint::RefreshToken)
                .await?;
            if whole == revocation::Revoked::Yes {
                all.extend(tokens.narrowed.into_iter().map(|narrowed| narrowed.access_token));
                for token in &all {
                    let _ = self.revoke_one(provider, token, Hint::AccessToken).await;
                }
                return Ok(Answered::Revoked);
            }
        }
        all.extend(tokens.narrowed.into_iter().map(|narrowed| narrowed.access_token));
        let mut first = None;
        for token in &all {
            let revoked = self.revoke_one(provider, token, Hint::AccessToken).await;
            first.get_or_insert(revoked);
        }
        Ok(match first.unwrap_or(Ok(revocation::Revoked::Unsupported))? {
            revocation::Revoked::Unsupported => Answered::Unsupported,
            // In the other ways the grant ends with its access token.
            revocation::Revoked::Yes
                if tokens.refresh_token.is_some()
                    && provider.settings.revocation_method == RevocationMethod::Rfc7009 =>
            {
                Answered::AccessTokenOnly
            }
            revocation::Revoked::Yes => Answered::Revoked,
        })
    }

    /// One token. A server that does not know the kind it was told is told the other.
    async fn revoke_one(
        &self,
        provider: &Provider,
        token: &Secret,
        hint: Hint,
    ) -> Result<revocation::Revoked, Failure> {
        let http = &self.inner.http;
        let other = match hint {
            Hint::AccessToken => Hint::RefreshToken,
            Hint::RefreshToken => Hint::AccessToken,
        };
        match revocation::revoke(http, provider, token, hint).await? {
            revocation::Revoked::Unsupported
                if provider.settings.revocation_endpoint.is_some()
                    && provider.settings.revocation_method == RevocationMethod::Rfc7009 =>
            {
                revocation::revoke(http, provider, token, other).await
            }
            revoked => Ok(revoked),
        }
    }

    /// Revokes tokens that will never be used. Whether it works does not matter.
    pub(crate) async fn give_back(&self, provider: &Provider, tokens: [Option<&Secret>; 2]) {
        let [refresh_token, access_token] = tokens;
        for (token, hint) in [
            (refresh_token, Hint::RefreshToken),
            (access_token, Hint::AccessToken),
        ] {
            if let Some(token) = token
                && let Err(failure) = self.revoke_one(provider, token, hint).await
            {
                tracing::info!(
                    "{} did not revoke tokens that are not used: {failure}",
                    provider.name
                );
            }
        }
    }

    async fn owe(
        &self,
        store: &Arc<SealedStore>,
        connection: &Connection,
        failure: &Failure,
    ) -> Result<(), Error> {
        let now = self.now();
        let attempts = connection.trouble.as_ref().map_or(0, |trouble| trouble.attempts) + 1;
        let mut wait = refresh_timing::backoff(attempts, failure.retry_after(), &*self.inner.random);
        if attempts > QUICK_ATTEMPTS {
            wait = wait.max(SLOW_RETRY_INTERVAL);
        }
        let trouble = LastFailure {
            provider_error: None,
            refusal: None,
            at: now,
            message: tokenry_core::clean(&failure.to_string()),
            attempts,
            next_try_at: Some(tokenry_core::later(now, wait)),
            asked_by_provider: failure.retry_after().is_some(),
        };
        let (store, id) = (store.clone(), connection.id);
        self.commit(&store, move |transaction| {
            let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
                return Ok(());
            };
            connection.trouble = Some(trouble);
            transaction.put(id.row(), &connection)
        })
        .await?;
        self.inner.due.notify_one();
        Ok(())
    }
}

/// What is told when trying again makes no sense any more.
fn given_up(connection: &Connection, failure: &Failure, now: Timestamp) -> Option<Revoked> {
    let owed_since = connection.updated_at.duration_since(now).unsigned_abs();
    let attempts = connection.trouble.as_ref().map_or(0, |trouble| trouble.attempts) + 1;
    match failure {
        Failure::Rejected { .. } | Failure::InvalidGrant { .. } => Some(Revoked::No),
        // Nothing is there that could revoke.
        Failure::Interfered {
            status: 404 | 405 | 410 | 501,
            ..
        } => Some(Revoked::Unsupported),
        Failure::Interfered {
            status: 408 | 425 | 429,
            ..
        } => (owed_since > REVOCATION_DEADLINE).then_some(Revoked::No),
        Failure::Interfered {
            status: 300..=499, ..
        } if attempts >= MAX_REFUSALS => Some(Revoked::No),
        _ => (owed_since > REVOCATION_DEADLINE).then_some(Revoked::No),
    }
}
