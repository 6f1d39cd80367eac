//! The parameters of a sign-in are pushed to the provider before the browser opens (RFC 9126).

use crate::{Engine, Error, flow::exchange::refused_client, providers::client_auth::other_client};
use std::time::Duration;
use tokenry_core::{CredentialId, Provider, Timestamp};
use tokenry_oauth::{SigningKey, authorization_code::Started, par};

impl Engine {
    /// The sign-in with the address that the browser is sent to, and until when the provider knows that address.
    pub(super) async fn pushed(
        &self,
        provider: &Provider,
        started: Started,
        client_secret_from: Option<CredentialId>,
    ) -> Result<(Started, Option<Timestamp>), Error> {
        let has_endpoint = provider.pushed_authorization_request_endpoint().is_some();
        if !has_endpoint && !provider.settings.require_pushed_authorization_requests {
            return Ok((started, None));
        }
        let (store, http) = (self.store()?, &self.inner.http);
        let mut client = self
            .with_client_secret(&store, provider.clone(), client_secret_from)
            .map_err(|failure| refused_client(provider, failure))?;
        let mut pushed = par::push(http, &client, &started).await;
        if let Some(other) = other_client(&client, pushed.as_ref().err()) {
            client = other;
            pushed = par::push(http, &client, &started).await;
        }
        self.keep_auth_method(&store, provider, &client, pushed.as_ref().err())
            .await;
        let pushed = pushed.map_err(|failure| refused_client(&client, failure))?;
        Ok(match pushed {
            None => (started, None),
            Some(pushed) => {
                let until = |left: Duration| tokenry_core::later(self.now(), left);
                let started = Started {
                    authorization_url: pushed.authorization_url,
                    ..started
                };
                (started, pushed.expires_in.map(until))
            }
        })
    }

    /// The provider with a new key that the tokens are to be bound to, where its settings say so (RFC 9449).
    pub(super) fn with_new_key(&self, provider: Provider) -> Result<Provider, Error> {
        let key = provider.settings.dpop.then(SigningKey::generate).transpose();
        let dpop_key = key.map_err(|failure| Error::Internal(failure.to_string()))?;
        Ok(Provider { dpop_key, ..provider })
    }
}
