//! After a good answer: it is on the disk before anybody hears of it.

use super::{Ended, RefreshRequest};
use crate::{
    Engine, Error,
    engine::blocking,
    fault_points::{Step, reached},
    lifecycle::recover,
    records::sealed_store::SealedStore,
    token::{
        apply_response::{apply_narrowed_response, apply_refresh_response},
        partial_response,
    },
};
use std::{sync::Arc, time::Duration};
use tokenry_core::{Caller, Connection, Event, EventKind, Outcome, Random, Timestamp, Tokens, clean};
use tokenry_oauth::Answer;
use tokenry_store::Table;
use tokio::sync::watch;

/// The shortest and the longest pause between two tries to write a token down, in seconds.
const RETRY_SECONDS: (u64, u64) = (1, 30);

impl RefreshRequest {
    /// What the answer makes of the connection and its tokens.
    fn apply_to(
        &self,
        connection: &mut Connection,
        old: Tokens,
        answer: Answer,
        now: Timestamp,
        random: &dyn Random,
    ) -> Tokens {
        if partial_response::another_account(connection, &answer).is_some() {
            return partial_response::set_aside(connection, old, &answer, now);
        }
        match &self.limits {
            Some(to) => apply_narrowed_response(connection, old, answer, to, &self.provider, now, random),
            None => apply_refresh_response(connection, old, answer, &self.provider, now, random),
        }
    }
}

impl Engine {
    /// One transaction holds all of the answer; only then is anybody told. When the disk does not take it: the
    /// reserve, then a sealed file beside the database and memory, until it does. No caller has to wait for that: they
    /// hear of the disk at once.
    pub(super) async fn keep_answer(
        &self,
        store: Arc<SealedStore>,
        request: RefreshRequest,
        answer: Answer,
        tell: &watch::Sender<Ended>,
    ) -> Result<(), Error> {
        let request = Arc::new(request);
        let Err(error) = self.try_keeping(&store, &request, &answer).await else {
            return Ok(());
        };
        tracing::error!("a refreshed token could not be written and is kept: {error}");
        let (engine, held, kept, spilled) = (self.clone(), store.clone(), request.clone(), answer.clone());
        if let Err(error) = blocking(move || engine.spill(&held, &kept, spilled)).await {
            tracing::error!("nor could it be sealed into a file, so it is only in memory: {error}");
        }
        tell.send_replace(Some(Err(Arc::new(error))));
        let mut wait = RETRY_SECONDS.0;
        loop {
            let pause = tokio::time::sleep(Duration::from_secs(wait));
            wait = (wait * 2).min(RETRY_SECONDS.1);
            let is_last = tokio::select! { () = pause => false, () = self.ending() => true };
            match self.try_keeping(&store, &request, &answer).await {
                Ok(()) => {
                    recover::unspill(&self.inner.folder, request.connection.id.row(), request.fence + 1);
                    return Ok(());
                }
                Err(error) if is_last => return Err(error),
                Err(_) => {}
            }
        }
    }

    async fn try_keeping(
        &self,
        store: &Arc<SealedStore>,
        request: &Arc<RefreshRequest>,
        answer: &Answer,
    ) -> Result<(), Error> {
        let (engine, store, request) = (self.clone(), store.clone(), request.clone());
        let answer = answer.clone();
        blocking(move || engine.commit_answer(&store, &request, &answer)).await
    }

    fn commit_answer(
        &self,
        store: &SealedStore,
        request: &RefreshRequest,
        answer: &Answer,
    ) -> Result<(), Error> {
        let (now, id) = (self.now(), request.connection.id);
        store.change_surely(now, |transaction| {
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
            let before = connection.status;
            let lost_before = connection.lost.clone();
            let event = self.refreshed_event(request, &connection, answer);
            let tokens = request.apply_to(&mut connection, old, answer.clone(), now, &*self.inner.random);
            if before.is_set_by_user() {
                // What the user changed meanwhile stays.
                connection.status = before;
            }
            transaction.put(id.row(), &connection)?;
            transaction.put(id.row(), &tokens)?;
            transaction.delete(Table::Journal, id.row())?;
            transaction.event(&event)?;
            if connection.lost != lost_before
                && let Some(event) = self.lost_event(store, &connection)
            {
                transaction.event(&event)?;
            }
            reached(Step::Committing);
            Ok(())
        })?;
        reached(Step::Committed);
        Ok(())
    }

    /// What came of it, for the activity log.
    fn refreshed_event(&self, request: &RefreshRequest, connection: &Connection, answer: &Answer) -> Event {
        let limits = request.limits.as_ref().map(|to| to.words());
        let other = partial_response::another_account(connection, answer).map(|found| {
            format!(
                "The provider answered with the tokens of another account ({}). They were set aside and not used.",
                clean(found.display_name())
            )
        });
        let is_good = other.is_none() && answer.access_token.is_some();
        let (kind, outcome) = if is_good {
            (EventKind::Refreshed, Outcome::Done)
        } else {
            (EventKind::RefreshFailed, Outcome::Failed)
        };
        let wrong = other.or_else(|| partial_response::words(answer));
        let detail: Vec<_> = [limits, wrong].into_iter().flatten().collect();
        let detail = (!detail.is_empty()).then(|| detail.join(": "));
        self.event(&Caller::Engine, kind, outcome)
            .about(connection)
            .with_detail_if(detail.as_deref())
    }

    fn spill(&self, store: &SealedStore, request: &RefreshRequest, answer: Answer) -> Result<(), Error> {
        let old = store.get::<Tokens>(request.connection.id.row())?;
        let Some(old) = old.filter(|old| old.fence == request.fence) else {
            return Ok(());
        };
        let mut connection = request.connection.clone();
        let (now, random) = (self.now(), &*self.inner.random);
        let tokens = request.apply_to(&mut connection, old, answer, now, random);
        recover::spill(&self.inner.folder, store, &connection, &tokens)
    }
}
