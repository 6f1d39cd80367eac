//! Waiting for a user who signs in on another device (RFC 8628): the tokens are asked for until they are there, or the
//! flow has ended.
//!
//! The sealed record says what is asked for. While the vault is locked nothing is, and after an unlock or a restart it
//! goes on. The device code is in no other place.

use super::{exchange::unfit, open_flows::Standing};
use crate::{Engine, Error, FlowState, records::sealed_store::SealedStore};
use std::{sync::Arc, time::Duration};
use tokenry_core::{Caller, Captured, DeviceSignIn, Flow, FlowId, Provider};
use tokenry_oauth::{
    Answer,
    device::{self, PollInterval, Polled},
};
use tokio::sync::watch;

/// Whether the tokens are asked for again.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Again,
    Over,
}

impl Engine {
    /// Asks for the tokens of a flow until it has ended.
    pub(super) fn poll_for(&self, id: FlowId, device: &DeviceSignIn, mut ended: watch::Receiver<Standing>) {
        let engine = self.clone();
        let mut interval = PollInterval::new(Duration::from_secs(device.interval.into()));
        tokio::spawn(async move {
            loop {
                // Its end wakes the task, so that an engine that stops does not wait for it.
                let over = ended.wait_for(Standing::is_over);
                if tokio::time::timeout(interval.wait(), over).await.is_ok() {
                    return;
                }
                if engine.poll_once(id, &mut interval).await == Next::Over {
                    return;
                }
            }
        });
    }

    async fn poll_once(&self, id: FlowId, interval: &mut PollInterval) -> Next {
        // Held until the end: a lock in the meantime does not lose what the provider answers.
        let Ok(store) = self.store() else {
            return Next::Again;
        };
        let Ok(Some(flow)) = store.get::<Flow>(id.row()) else {
            return Next::Over;
        };
        let Some(device) = flow.device.clone().filter(|_| flow.expires_at > self.now()) else {
            return Next::Again;
        };
        match self.polled(&store, &flow, &device).await {
            Ok((_, Polled::Pending)) => interval.pending(),
            Ok((_, Polled::SlowDown)) => interval.slow_down(),
            Ok((provider, Polled::Tokens(answer))) => {
                self.signed_in(&store, &flow, provider, *answer).await;
                return Next::Over;
            }
            Ok((_, Polled::Expired)) => {
                self.expire(&flow).await;
                return Next::Over;
            }
            Ok((_, Polled::Denied(words))) => {
                self.refuse(&store, &flow, Error::ConsentDenied(words)).await;
                return Next::Over;
            }
            Err(Error::Provider { failure, .. }) if device::may_mend(&failure) => {
                tracing::info!("the tokens of a sign-in on another device could not be asked for: {failure}");
                interval.failed();
            }
            Err(error) => {
                self.refuse(&store, &flow, error).await;
                return Next::Over;
            }
        }
        Next::Again
    }

    async fn polled(
        &self,
        store: &Arc<SealedStore>,
        flow: &Flow,
        device: &DeviceSignIn,
    ) -> Result<(Provider, Polled), Error> {
        let provider = store.get::<Provider>(flow.provider.row())?;
        let provider = provider.ok_or(Error::FlowExpired)?;
        let provider = self
            .with_client_secret(store, provider, flow.client_secret_from)
            .map_err(|failure| Error::Conflict(failure.to_string()))?;
        let provider = provider.filled_in(&Captured::new()).map_err(unfit)?;
        let (provider, polled) = self.ask_for_tokens(store, flow, provider, device).await;
        match polled {
            Ok(polled) => Ok((provider, polled)),
            Err(failure) => Err(super::exchange::refused_client(&provider, failure)),
        }
    }

    /// Uses the flow up, whatever comes of the tokens.
    async fn signed_in(&self, store: &Arc<SealedStore>, flow: &Flow, provider: Provider, answer: Answer) {
        if let Err(error) = self.consume_flow(store, flow).await {
            // It was cancelled in the meantime, or cannot be used up: then its tokens are not kept.
            let access_token = answer.access_token.as_ref().or(answer.unusable_token.as_ref());
            self.give_back(&provider, [answer.refresh_token.as_ref(), access_token])
                .await;
            if !matches!(error, Error::FlowExpired) {
                self.refuse(store, flow, error).await;
            }
            return;
        }
        let caller = Caller::Engine;
        let made = self
            .keep_first_tokens(store, &caller, flow, provider, answer, Captured::new())
            .await;
        if let Err(error) = self.settled(store, &caller, flow, made).await {
            tracing::info!("a sign-in on another device came to nothing: {error}");
        }
    }

    async fn refuse(&self, store: &Arc<SealedStore>, flow: &Flow, error: Error) {
        let state = FlowState::Failed {
            code: error.code(),
            message: error.to_string(),
        };
        match self.end_flow(store, &Caller::Engine, flow, state.clone()).await {
            // It was cancelled in the meantime, and said so.
            Ok(()) | Err(Error::FlowExpired) => {}
            Err(second) => {
                tracing::warn!("a sign-in that failed could not be cleared away: {second}");
                self.tell_flow(flow.id, flow.connection, state);
            }
        }
    }
}
