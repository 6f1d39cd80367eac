//! Opening the browser for a sign-in.

use super::{finishing, owner_note};
use crate::{Engine, Error, FlowState, engine::blocking};
use std::time::Duration;
use tokenry_core::{Caller, FlowId};
use url::Url;

impl Engine {
    /// Opens the browser for a waiting flow.
    ///
    /// # Errors
    /// When the flow is over, or no browser can be started.
    pub async fn open_flow(&self, caller: &Caller, id: FlowId) -> Result<(), Error> {
        let flow = self.flow(caller, id, Duration::ZERO).await?;
        match (flow.browser_url, flow.state) {
            (Some(_), _) => self.open_browser(id).await,
            (None, FlowState::Waiting) => {
                let flow = self.live(|flows| flows.get(&id).map(|live| live.flow.clone()));
                let flow = flow.ok_or(Error::FlowExpired)?;
                let wanted = finishing(caller, &flow).note(owner_note(&flow, "It opens the browser for"));
                self.permit(caller, wanted).await?;
                self.open_browser(id).await
            }
            (None, _) => Err(Error::FlowExpired),
        }
    }

    /// Opens the browser for a waiting flow, at an address of ours: the arguments of the program that opens it are
    /// seen by every user of this machine, and the provider's address holds the flow's `state`.
    pub(crate) async fn open_browser(&self, id: FlowId) -> Result<(), Error> {
        let url = self.address_to_open(id).await?;
        let host = self.inner.host.clone();
        blocking(move || {
            host.open_browser(&url)
                .map_err(|error| Error::Unavailable(error.to_string()))
        })
        .await
    }

    /// Our own address that leads to the provider. A flow whose answer comes back elsewhere gets a listener for it, which
    /// ends with the flow.
    async fn address_to_open(&self, id: FlowId) -> Result<Url, Error> {
        let waiting = self.live(|flows| {
            let live = flows.get(&id).filter(|live| live.is_waiting());
            live.map(|live| {
                (
                    live.serving.as_ref().map(|serving| serving.begin_url.clone()),
                    live.flow.clone(),
                )
            })
        });
        let (begin_url, flow) = waiting.ok_or(Error::FlowExpired)?;
        if let Some(begin_url) = begin_url {
            return Ok(begin_url);
        }
        let unavailable = |_| {
            Error::Unavailable(
                "the browser was not opened: it would be given an address at 127.0.0.1, and no port of that can be opened. Open the link yourself"
                    .to_owned(),
            )
        };
        let listener = self.any_listener().await.map_err(unavailable)?;
        let serving = listener.forward(self.destination(&flow), &*self.inner.random);
        let serving = serving.map_err(unavailable)?;
        let begin_url = serving.begin_url.clone();
        self.live(|flows| {
            let live = flows.get_mut(&id).filter(|live| live.is_waiting());
            live.map(|live| live.serving = Some(serving))
                .ok_or(Error::FlowExpired)
        })?;
        Ok(begin_url)
    }
}
