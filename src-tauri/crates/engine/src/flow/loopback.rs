//! A sign-in's side of the loopback listener: which responses it takes, and what it does with them.

use crate::{Engine, Error};
use tokenry_core::{Caller, FlowId, Name, Secret, same_secret};
use tokenry_oauth::redirect::{self, Refused};
use tokenry_redirect::{BoxFuture, Listener, LoopbackError, Page, Receiver, Rejected};

/// A listener that serves only programs of our own user.
pub(super) async fn listener() -> Result<Listener, LoopbackError> {
    Listener::bind(|peer, local| Box::pin(tokenry_peer::is_ours(peer, local))).await
}

/// Takes the responses to one flow.
pub(super) struct FlowReceiver {
    pub(super) engine: Engine,
    pub(super) flow: FlowId,
    pub(super) provider: Name,
    pub(super) state: Secret,
    /// The name of the parameter with the code.
    pub(super) code_param: String,
    /// The listener's port.
    pub(super) port: u16,
}

impl Receiver for FlowReceiver {
    fn judge(&self, target: &str) -> Result<BoxFuture<'static, Page>, Rejected> {
        let redirected = match redirect::judge_loopback_with(target, &self.code_param) {
            Ok(redirected) if redirected.provider == self.provider => redirected.at_port(self.port),
            Ok(_) | Err(Refused::WrongPath) => return Err(Rejected::OtherAddress),
            Err(refused) => return Err(Rejected::Malformed(refused.to_string())),
        };
        let (engine, flow) = (self.engine.clone(), self.flow);
        Ok(Box::pin(async move {
            engine.answered_on_loopback(flow, redirected).await
        }))
    }

    fn is_about(&self, target: &str) -> bool {
        redirect::claimed_state(target).is_some_and(|claimed| same_secret(&self.state, &claimed))
    }

    fn refused(&self, reason: &str) {
        let error = Error::RedirectRefused(reason.to_owned());
        let error = self.engine.note_refused(&Caller::Engine, error);
        self.engine.tell_refusal(self.flow, &error);
    }
}
