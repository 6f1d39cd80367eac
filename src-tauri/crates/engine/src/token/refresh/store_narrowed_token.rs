//! After a token exchange: the narrower token is kept. No refresh token was sent, so none is at stake.

use super::RefreshRequest;
use crate::{
    Engine, Error, engine::blocking, records::sealed_store::SealedStore,
    token::apply_response::apply_exchange_response,
};
use std::sync::Arc;
use tokenry_core::{Caller, Connection, EventKind, Outcome, Tokens};
use tokenry_oauth::Answer;

impl Engine {
    pub(super) async fn keep_exchanged(
        &self,
        store: Arc<SealedStore>,
        request: RefreshRequest,
        answer: Answer,
    ) -> Result<(), Error> {
        let engine = self.clone();
        blocking(move || engine.commit_exchanged(&store, &request, &answer)).await
    }

    fn commit_exchanged(
        &self,
        store: &SealedStore,
        request: &RefreshRequest,
        answer: &Answer,
    ) -> Result<(), Error> {
        let (now, id) = (self.now(), request.connection.id);
        let Some(to) = request.limits.as_deref() else {
            return Ok(());
        };
        let event = self
            .event(&Caller::Engine, EventKind::Refreshed, Outcome::Done)
            .about(&request.connection)
            .with_detail(&format!("by token exchange, {}", to.words()));
        store.change(now, |transaction| {
            let (Some(mut connection), Some(tokens)) = (
                transaction.get::<Connection>(id.row())?,
                transaction.get::<Tokens>(id.row())?,
            ) else {
                return Ok(());
            };
            if tokens.fence != request.fence {
                // A new sign-in came meanwhile: this token is of the one before.
                return Ok(());
            }
            let tokens = apply_exchange_response(&mut connection, tokens, answer.clone(), to, now);
            transaction.put(id.row(), &connection)?;
            transaction.put(id.row(), &tokens)?;
            transaction.event(&event)
        })
    }
}
