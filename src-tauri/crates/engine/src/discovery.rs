//! What an address tells of a provider, and registering Tokenry there.

pub(crate) mod register;

use crate::{Engine, Error, access::policy::Operation};
use std::time::Duration;
use tokenry_core::{Caller, ProviderPatch};
use tokenry_oauth::{
    Failure,
    discovery::{self, Cache, Found, Problem, Query},
};
use tokio::sync::Semaphore;

/// How long all requests of one look-up may take.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(40);

/// How many run at a time; the others wait.
const MAX_DISCOVERIES: usize = 4;

/// What look-ups have in common.
pub(crate) struct Discoveries {
    cache: Cache,
    turns: Semaphore,
}

impl Discoveries {
    /// Metadata that was read before.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }
}

impl Default for Discoveries {
    fn default() -> Self {
        Self {
            cache: Cache::default(),
            turns: Semaphore::new(MAX_DISCOVERIES),
        }
    }
}

impl Engine {
    /// Looks an address up, and tells the redirect URIs that a provider of this name would have. Nothing is kept of it.
    ///
    /// # Errors
    /// When the caller may not, the address is none, or what is there is not accepted.
    pub async fn discover(&self, caller: &Caller, query: Query) -> Result<(Found, Vec<String>), Error> {
        self.allow(caller, Operation::Discover)?;
        let mut found = self.look_up(&query).await.map_err(error)?;
        let patch = ProviderPatch::from(found.settings.to_map())
            .with("name", found.name.clone())
            .with("client_id", "-");
        let (provider, _) = self.previewed(patch)?;
        // What is to be registered there has its ports in it.
        let provider = self.with_ports_to_come(provider)?;
        found
            .settings
            .loopback_ports
            .clone_from(&provider.settings.loopback_ports);
        Ok((found, provider.redirect_uris()))
    }

    async fn look_up(&self, query: &Query) -> Result<Found, Problem> {
        let discoveries = &self.inner.discoveries;
        let look_up = async {
            let _turn = discoveries.turns.acquire().await;
            discovery::look_up(&self.inner.http, &discoveries.cache, query, self.now()).await
        };
        let found = tokio::time::timeout(DISCOVERY_TIMEOUT, look_up).await;
        found.unwrap_or_else(|_| Err(too_slow()))
    }
}

fn too_slow() -> Problem {
    Problem::Failure(Failure::Unanswered {
        message: "The server did not send its metadata in 40 seconds. Try again later.".to_owned(),
    })
}

fn error(problem: Problem) -> Error {
    match problem {
        Problem::Address(wrong) => Error::field("address", wrong),
        Problem::AuthorizationServer(wrong) => Error::field("authorization_server", wrong),
        Problem::Failure(failure) => provider_error(failure),
    }
}

fn provider_error(failure: Failure) -> Error {
    let wait = failure.retry_after();
    Error::Provider {
        failure,
        next_try_at: None,
        wait,
    }
}
