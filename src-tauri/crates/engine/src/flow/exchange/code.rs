//! The first request to a token endpoint: a code, or a client, becomes tokens.

use super::refused::{refused, refused_client};
use crate::{Engine, Error, providers::client_auth::other_client, records::sealed_store::SealedStore};
use std::sync::Arc;
use tokenry_core::{Captured, DeviceSignIn, Flow, Provider, Scopes, Secret};
use tokenry_oauth::{
    Answer, Failure, SigningKey, authorization_code, client_credentials,
    device::{self, Polled},
};

impl Engine {
    /// Exchanges a code. It is sent a second time only after the provider has said that it did not accept the client,
    /// which it looks at before the code, and only with the other client authentication.
    pub(super) async fn redeem(
        &self,
        store: &Arc<SealedStore>,
        flow: &Flow,
        provider: Provider,
        code: &Secret,
        captured: &Captured,
    ) -> Result<(Provider, Answer), Error> {
        let (http, before) = (&self.inner.http, provider);
        let mut client = Provider {
            dpop_key: flow.dpop_key.clone(),
            ..before.clone()
        };
        let mut answer = authorization_code::exchange(http, &client, flow, code, captured).await;
        if let Some(other) = other_client(&client, answer.as_ref().err()) {
            client = other;
            answer = authorization_code::exchange(http, &client, flow, code, captured).await;
        }
        self.keep_auth_method(store, &before, &client, answer.as_ref().err())
            .await;
        match answer {
            Ok(answer) => Ok((bound_as_told(client, &answer), answer)),
            Err(failure) => Err(refused_client(&client, failure)),
        }
    }

    /// Asks once whether a user has signed in on another device; the client with the key that the tokens are bound to.
    /// What a refusal of the client means is as in [`Engine::redeem`].
    pub(in crate::flow) async fn ask_for_tokens(
        &self,
        store: &Arc<SealedStore>,
        flow: &Flow,
        provider: Provider,
        device: &DeviceSignIn,
    ) -> (Provider, Result<Polled, Failure>) {
        let (http, before) = (&self.inner.http, provider);
        let mut client = Provider {
            dpop_key: flow.dpop_key.clone(),
            ..before.clone()
        };
        let mut polled = device::poll(http, &client, flow, &device.device_code).await;
        if let Some(other) = other_client(&client, polled.as_ref().err()) {
            client = other;
            polled = device::poll(http, &client, flow, &device.device_code).await;
        }
        // A refusal may be about the device code, in the words for an unknown client.
        let has_changed = client.auth_method() != before.auth_method();
        if matches!(&polled, Ok(polled) if has_changed || matches!(polled, Polled::Tokens(_))) {
            self.keep_auth_method(store, &before, &client, None).await;
        }
        if let Ok(Polled::Tokens(answer)) = &polled {
            client = bound_as_told(client, answer);
        }
        (client, polled)
    }

    /// Fetches a token for the client itself. Nothing is used up by a refusal, so both ways may be tried at once.
    pub(super) async fn fetch_for_client(
        &self,
        store: &Arc<SealedStore>,
        provider: Provider,
        scopes: &Scopes,
    ) -> Result<(Provider, Answer), Error> {
        let http = &self.inner.http;
        let key = provider.settings.dpop.then(SigningKey::generate).transpose();
        let mut client = Provider {
            dpop_key: key.map_err(refused)?,
            ..provider.clone()
        };
        let mut answer = client_credentials::fetch(http, &client, scopes).await;
        if let Some(other) = other_client(&client, answer.as_ref().err()) {
            client = other;
            answer = client_credentials::fetch(http, &client, scopes).await;
        }
        self.keep_auth_method(store, &provider, &client, answer.as_ref().err())
            .await;
        match answer {
            Ok(answer) => Ok((bound_as_told(client, &answer), answer)),
            Err(failure) => Err(refused_client(&client, failure)),
        }
    }
}

/// A key that the provider has not bound the tokens to is of no use.
fn bound_as_told(client: Provider, answer: &Answer) -> Provider {
    let dpop_key = client.dpop_key.filter(|_| answer.token_type == "DPoP");
    Provider { dpop_key, ..client }
}
