//! A sign-in's side of the loopback listener: which responses it takes, and what it does with them.

use crate::{Engine, Error, engine::blocking};
use std::time::{Duration, Instant};
use tokenry_core::{Caller, Flow, FlowId, LoopbackHost, Provider, Secret, Timestamp, same_secret};
use tokenry_oauth::redirect::{self, Refused};
use tokenry_redirect::{
    BoxFuture, ConnectionCheck, Destination, Listener, LoopbackError, Page, Receiver, Rejected,
};
use url::Url;

/// Only programs of our own user are served.
const IS_SERVED: ConnectionCheck = |peer, local| Box::pin(tokenry_peer::is_ours(peer, local));

impl Engine {
    /// A listener at any port, which only passes a browser on.
    pub(super) async fn any_listener(&self) -> Result<Listener, LoopbackError> {
        let ports = &self.inner.open_ports;
        ports.listen(LoopbackHost::Ipv4, &[], IS_SERVED).await
    }

    /// A listener for the response of a provider, at the first of its ports that is free.
    pub(super) async fn listener_of(&self, provider: &Provider) -> Result<Listener, Error> {
        let (host, ports) = (provider.settings.loopback_host, provider.loopback_ports());
        match self.inner.open_ports.listen(host, ports, IS_SERVED).await {
            Ok(listener) => Ok(listener),
            Err(LoopbackError::Taken(ports)) => Err(taken(provider, ports).await),
            Err(error) => Err(Error::Unavailable(error.to_string())),
        }
    }

    /// Where the browser is sent for a sign-in.
    pub(super) fn destination(&self, flow: &Flow) -> Destination {
        let left =
            |until: Timestamp| Duration::try_from(until.duration_since(self.now())).unwrap_or_default();
        Destination {
            url: flow.authorization_url.clone(),
            until: flow.opens_until.map(|until| Instant::now() + left(until)),
        }
    }
}

/// Says which programs have the ports, where the system tells.
async fn taken(provider: &Provider, ports: Vec<u16>) -> Error {
    let holders = blocking(move || {
        let named = ports.iter().map(|port| match tokenry_peer::listener_at(*port) {
            Some(program) => format!("{port} by {program}"),
            None => port.to_string(),
        });
        Ok(named.collect::<Vec<_>>().join(", "))
    });
    let holders = holders.await.unwrap_or_default();
    Error::Unavailable(format!(
        "the ports of the redirect URIs of {0} are taken by other programs: {holders}. End one of them, or add another \
         port with `tokenry provider edit {0} --set loopback_ports=PORT,…` and register its redirect URI at the provider; \
         or sign in with `--redirect paste`",
        provider.name
    ))
}

/// Takes the responses to one flow.
pub(super) struct FlowReceiver {
    pub(super) engine: Engine,
    pub(super) flow: FlowId,
    pub(super) state: Secret,
    /// The name of the parameter with the code.
    pub(super) code_param: String,
    /// The redirect URI of the flow, and its path.
    pub(super) redirect_uri: String,
    pub(super) path: String,
}

/// The path of a redirect URI of ours.
pub(super) fn path_of(redirect_uri: &str) -> String {
    Url::parse(redirect_uri).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned())
}

impl Receiver for FlowReceiver {
    fn path(&self) -> &str {
        &self.path
    }

    fn judge(&self, target: &str) -> Result<BoxFuture<'static, Page>, Rejected> {
        let mut redirected = match redirect::judge_loopback_with(target, &self.code_param) {
            Ok(redirected) if redirected.uri == self.path => redirected,
            Ok(_) | Err(Refused::WrongPath) => return Err(Rejected::OtherAddress),
            Err(refused) => return Err(Rejected::Malformed(refused.to_string())),
        };
        // The listener knows its host and port; the request said the same.
        redirected.uri.clone_from(&self.redirect_uri);
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
