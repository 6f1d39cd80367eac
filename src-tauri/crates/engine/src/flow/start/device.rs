//! Starting a sign-in on another device (RFC 8628).

use super::{ConnectOptions, StartedFlow, client_secret_of};
use crate::{
    Engine, Error,
    flow::{exchange::refused_client, open_flows::FlowPermit},
    providers::client_auth::other_client,
};
use tokenry_core::{
    Caller, Connection, CredentialId, DeviceSignIn, KnownTargets, Provider, Redirect, Rule, Scopes,
};
use tokenry_oauth::{
    authorization_code,
    device::{self, Started},
    fresh,
};

/// What a sign-in is for, as it was checked.
pub(super) struct Prepared {
    pub(super) provider: Provider,
    pub(super) renewed: Option<Connection>,
    pub(super) label: Option<String>,
    pub(super) scopes: Scopes,
}

/// Whether a device code could be asked for as things are.
pub(super) fn could_start(
    provider: &Provider,
    scopes: &Scopes,
    parameters: &[(String, String)],
) -> Result<(), Error> {
    device::check(provider, scopes, parameters)
        .map_err(|wrong| Error::field("device_authorization_endpoint", wrong.to_string()))
}

impl Engine {
    /// Asks for a device code, and starts the flow that waits for what the user does with it.
    pub(super) async fn begin_on_device(
        &self,
        caller: &Caller,
        prepared: Prepared,
        how: ConnectOptions,
        rule: Rule,
        place: FlowPermit,
    ) -> Result<StartedFlow, Error> {
        let Prepared {
            provider,
            renewed,
            label,
            scopes,
        } = prepared;
        could_start(&provider, &scopes, &how.parameters)?;
        let provider = self.with_new_key(provider)?;
        let secret_from = client_secret_of(&how, renewed.as_ref());
        let started = self
            .device_code(&provider, &scopes, &how.parameters, secret_from)
            .await?;
        let page = started.verification_uri_complete.as_ref();
        let page = page.unwrap_or(&started.verification_uri).clone();
        // Its `state` is never sent: no redirect can be an answer to it.
        let as_recorded = authorization_code::Started {
            authorization_url: page,
            state: fresh(&*self.inner.random),
            verifier: None,
            nonce: None,
            resource: started.resource.clone(),
        };
        let mut flow = self.record(
            caller,
            &provider,
            label,
            renewed,
            scopes,
            Redirect::Paste,
            String::new(),
            as_recorded,
        )?;
        flow.client_secret_from = secret_from;
        flow.targets = targets(&provider, &how);
        flow.expires_at = tokenry_core::later(self.now(), started.expires_in);
        flow.device = Some(DeviceSignIn {
            device_code: started.device_code,
            user_code: started.user_code,
            verification_uri: started.verification_uri,
            verification_uri_complete: started.verification_uri_complete,
            interval: started.interval.as_secs().try_into().unwrap_or(u32::MAX),
        });
        self.launch(caller, flow, &how, rule, place, None).await
    }

    async fn device_code(
        &self,
        provider: &Provider,
        scopes: &Scopes,
        parameters: &[(String, String)],
        secret_from: Option<CredentialId>,
    ) -> Result<Started, Error> {
        let (store, http) = (self.store()?, &self.inner.http);
        let mut client = self
            .with_client_secret(&store, provider.clone(), secret_from)
            .map_err(|failure| refused_client(provider, failure))?;
        let mut started = device::begin(http, &client, scopes, parameters).await;
        if let Some(other) = other_client(&client, started.as_ref().err()) {
            client = other;
            started = device::begin(http, &client, scopes, parameters).await;
        }
        // How the client has to authenticate is not noted: many servers take any client here, and refuse one that may have
        // no device code in the words for one that they do not know.
        started.map_err(|failure| match failure.provider_error() {
            Some("unauthorized_client" | "unsupported_grant_type" | "device_flow_disabled") => {
                Error::ClientRefused {
                    failure,
                    hint: NOT_ALLOWED.to_owned(),
                }
            }
            _ => refused_client(&client, failure),
        })
    }
}

const NOT_ALLOWED: &str = "allow the device flow for this client at the provider, or sign in with a browser";

/// The audiences and resources that it asks for: a parameter of the caller wins over the provider's own.
fn targets(provider: &Provider, how: &ConnectOptions) -> KnownTargets {
    let mut all = provider.settings.authorize_params.clone();
    all.extend(how.parameters.iter().cloned());
    KnownTargets::among(all)
}
