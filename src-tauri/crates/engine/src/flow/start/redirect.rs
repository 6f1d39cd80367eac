//! Where the response to a sign-in comes back.

use crate::{
    Engine, Error, SchemeState,
    engine::blocking,
    flow::{
        exchange,
        loopback::{FlowReceiver, path_of},
    },
};
use tokenry_core::{Flow, Provider, Redirect};
use tokenry_oauth::redirect;
use tokenry_redirect::{Listener, Serving};

impl Engine {
    /// The redirect URI of a new sign-in, and the listener where there is one.
    pub(super) async fn redirect_for(
        &self,
        provider: &Provider,
        preference: Redirect,
    ) -> Result<(Option<Listener>, String), Error> {
        match preference {
            Redirect::Loopback => {
                let listener = self.listener_of(provider).await?;
                let uri = provider.loopback_uri(Some(listener.port()));
                Ok((Some(listener), uri))
            }
            Redirect::DeepLink => {
                let host = self.inner.host.clone();
                match blocking(move || Ok(host.scheme_is_ours())).await? {
                    SchemeState::Ours | SchemeState::Unknown => Ok((None, provider.deep_link_uri())),
                    SchemeState::Others(handler) => Err(Error::Unavailable(format!(
                        "links that begin with {}: are opened by {handler} on this machine; use the loopback redirect, or make Tokenry their handler again",
                        redirect::SCHEME
                    ))),
                    SchemeState::NotRegistered => Err(Error::Unavailable(format!(
                        "nothing on this machine opens links that begin with {}:; start the desktop app once, or `tokenry serve --deep-links`, or use the loopback or paste redirect",
                        redirect::SCHEME
                    ))),
                }
            }
            Redirect::Paste => Ok((None, self.pasted_uri(provider))),
        }
    }

    /// No program listens there: the browser ends at an address that the user copies. Where any port is taken it is a
    /// random one, so that no program can wait for it; else it has to be the one that is registered.
    fn pasted_uri(&self, provider: &Provider) -> String {
        if let Some(own) = &provider.settings.redirect_uri {
            return own.clone();
        }
        let registered = provider.loopback_ports().first().copied();
        let port = registered.unwrap_or_else(|| {
            let mut bytes = [0; 2];
            self.inner.random.fill(&mut bytes);
            49_152 + u16::from_le_bytes(bytes) % 16_384
        });
        provider.loopback_uri(Some(port))
    }

    pub(super) fn listen(
        &self,
        listener: Listener,
        provider: &Provider,
        flow: &Flow,
    ) -> Result<Serving, Error> {
        let receiver = FlowReceiver {
            engine: self.clone(),
            flow: flow.id,
            state: flow.state.clone(),
            code_param: exchange::code_param(provider).to_owned(),
            redirect_uri: flow.redirect_uri.clone(),
            path: path_of(&flow.redirect_uri),
        };
        listener
            .serve(self.destination(flow), &*self.inner.random, receiver)
            .map_err(|error| Error::Unavailable(error.to_string()))
    }
}
