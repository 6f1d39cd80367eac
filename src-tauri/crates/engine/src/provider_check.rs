//! The check of a provider: whether a sign-in and what follows it would work, without a sign-in.
//!
//! What must never be true of it: that it sends a code or a token that could exist; that the client secret goes to an
//! endpoint that would not get it otherwise; that it asks one endpoint twice; that it changes anything.

mod client;
mod endpoint;
mod limits;
mod metadata;
mod settings;

pub(crate) use limits::CheckLimits;
pub(crate) use settings::clock;

use crate::{Engine, Error, access::policy::Operation};
use endpoint::Kind;
use std::collections::BTreeMap;

use tokenry_core::{
    Caller, CheckReport, CheckedItem, ConnectionId, Flow, FlowId, GrantType, KnownTargets, Provider,
    Redirect, Timestamp,
};
use tokenry_oauth::{Failure, authorization_code, device, fresh, probe, refresh, revocation};
use url::Url;

/// What one probe found: items, and the server's clock where it told it.
type Found = (Vec<CheckedItem>, Option<Timestamp>);

impl Engine {
    /// Checks a provider by its settings and by one request to each of its endpoints, with a code and tokens that are
    /// made up.
    ///
    /// # Errors
    /// When there is no such provider, the caller may not, or too many checks were made in the last minute. That a
    /// provider does not work is no error.
    pub async fn check_provider(&self, caller: &Caller, reference: &str) -> Result<CheckReport, Error> {
        self.allow(caller, Operation::CheckProvider)?;
        let provider = self.provider_record(reference)?;
        self.inner.check_limits.take(provider.id)?;
        // In a browser: with a code for another device there is no redirect, and no PKCE.
        let is_code = provider.settings.grant_type == GrantType::AuthorizationCode;
        let signs_in = is_code && !provider.has_only_device_sign_in();
        let (authorization, token, refresh, revocation, userinfo, others, published) = tokio::join!(
            self.check_authorization(&provider, signs_in),
            self.check_token(&provider),
            self.check_refresh(&provider),
            self.check_revocation(&provider),
            self.check_userinfo(&provider),
            self.check_others(&provider),
            metadata::of_issuer(self, &provider),
        );
        let mut items = Vec::new();
        let mut dates = Vec::new();
        for (found, date) in [authorization, token, refresh, revocation, userinfo, others] {
            items.extend(found);
            dates.extend(date);
        }
        if signs_in && !items.iter().any(|item| item.name == settings::REDIRECT) {
            items.push(settings::redirect(&provider));
        }
        let published = published.map(|found| found.map(|found| metadata::judged(&provider, &found)));
        match published {
            Some(Ok(compared)) => items.extend(
                compared
                    .into_iter()
                    .filter(|item| signs_in || item.name != settings::PKCE),
            ),
            other => {
                items.extend(other.and_then(Result::err));
                items.extend(signs_in.then(|| settings::pkce(&provider)));
            }
        }
        items.extend(settings::client_secret(&provider, self.now()));
        items.push(settings::clock(dates.first().copied(), self.now()));
        Ok(items.into())
    }

    async fn check_authorization(&self, provider: &Provider, signs_in: bool) -> Found {
        let get = |url| async move { probe::get(&self.inner.http, provider, &url).await };
        let setting = provider.settings.authorization_endpoint.as_deref();
        self.probed(
            "authorization_endpoint",
            setting.filter(|_| signs_in),
            Kind::Page,
            get,
        )
        .await
    }

    /// A made-up code: how it is refused tells about the client, too.
    async fn check_token(&self, provider: &Provider) -> Found {
        const NAME: &str = "token_endpoint";
        let setting = provider.settings.token_endpoint.as_deref();
        let endpoint = match endpoint::address(NAME, setting) {
            Ok(endpoint) => endpoint,
            Err(item) => return (item.into_iter().collect(), None),
        };
        let flow = self.made_up_flow(provider, endpoint);
        let (code, http) = (fresh(&*self.inner.random), &self.inner.http);
        let outcome = match provider.has_only_device_sign_in() {
            true => device::refusal(device::poll(http, provider, &flow, &code).await),
            false => authorization_code::exchange(http, provider, &flow, &code, &BTreeMap::new())
                .await
                .map(drop),
        };
        (client::judged(provider, &outcome), None)
    }

    async fn check_refresh(&self, provider: &Provider) -> Found {
        const NAME: &str = "refresh_endpoint";
        let setting = provider.settings.refresh_endpoint.as_deref();
        if let Err(item) = endpoint::address(NAME, setting) {
            return (item.into_iter().collect(), None);
        }
        let token = fresh(&*self.inner.random);
        let outcome = refresh::refresh(&self.inner.http, provider, &token).await;
        (vec![endpoint::refused(NAME, setting, outcome.map(drop))], None)
    }

    async fn check_revocation(&self, provider: &Provider) -> Found {
        const NAME: &str = "revocation_endpoint";
        let setting = provider.settings.revocation_endpoint.as_deref();
        if let Err(item) = endpoint::address(NAME, setting) {
            return (item.into_iter().collect(), None);
        }
        let token = fresh(&*self.inner.random);
        let hint = revocation::Hint::AccessToken;
        let outcome = revocation::revoke(&self.inner.http, provider, &token, hint).await;
        let item = match (provider.settings.revocation_method, outcome) {
            (tokenry_core::RevocationMethod::Rfc7009, outcome) => {
                endpoint::refused(NAME, setting, outcome.map(drop))
            }
            // 404 may be what it says of an unknown token.
            (_, Err(Failure::Interfered { status: 404, .. })) => endpoint::refused(NAME, setting, Ok(())),
            (_, outcome) => endpoint::refused(NAME, setting, outcome.map(drop)),
        };
        (vec![item], None)
    }

    async fn check_userinfo(&self, provider: &Provider) -> Found {
        let method = provider.settings.userinfo_method;
        let get = |url| async move {
            let random = &*self.inner.random;
            probe::made_up_bearer(&self.inner.http, provider, &url, method, random).await
        };
        let setting = provider.settings.userinfo_endpoint.as_deref();
        self.probed("userinfo_endpoint", setting, Kind::Api, get).await
    }

    async fn check_others(&self, provider: &Provider) -> Found {
        let http = &self.inner.http;
        let settings = &provider.settings;
        let empty_form = |url: Url| async move { probe::empty_form(http, provider, &url).await };
        let introspect = |url: Url| async move {
            probe::made_up_introspection(http, provider, &url, &*self.inner.random).await
        };
        let get = |url: Url| async move { probe::get(http, provider, &url).await };
        let (device, pushed, introspection, keys) = tokio::join!(
            self.probed(
                "device_authorization_endpoint",
                settings.device_authorization_endpoint.as_deref(),
                Kind::Api,
                empty_form
            ),
            self.probed(
                "pushed_authorization_request_endpoint",
                settings.pushed_authorization_request_endpoint.as_deref(),
                Kind::Api,
                empty_form
            ),
            self.probed(
                "introspection_endpoint",
                settings.introspection_endpoint.as_deref(),
                Kind::Api,
                introspect
            ),
            self.probed("jwks_uri", settings.jwks_uri.as_deref(), Kind::Document, get),
        );
        // An empty registration could make a client.
        let registration = settings.registration_endpoint.as_ref().map(|_| {
            let text = "A request could register a client, so none was sent.";
            CheckedItem::not_checked("registration_endpoint", text)
        });
        let found = [device, pushed, introspection, keys];
        let date = found.iter().find_map(|(_, date)| *date);
        let items = found.into_iter().flat_map(|(items, _)| items);
        (items.chain(registration).collect(), date)
    }

    /// Sends one request to an endpoint, if the provider has it.
    async fn probed<F>(
        &self,
        name: &str,
        setting: Option<&str>,
        kind: Kind,
        request: impl FnOnce(Url) -> F,
    ) -> Found
    where
        F: Future<Output = Result<probe::Probed, Failure>>,
    {
        match endpoint::address(name, setting) {
            Ok(url) => {
                let probed = request(url).await;
                let date = probed.as_ref().ok().and_then(|probed| probed.date);
                (vec![endpoint::judged(name, setting, kind, probed)], date)
            }
            Err(item) => (item.into_iter().collect(), None),
        }
    }

    /// A flow that no browser ever saw.
    fn made_up_flow(&self, provider: &Provider, token_endpoint: Url) -> Flow {
        let (clock, random) = (&*self.inner.clock, &*self.inner.random);
        Flow {
            id: FlowId::new(clock, random),
            connection: ConnectionId::new(clock, random),
            renews: false,
            further: None,
            allow_unknown_account: false,
            provider: provider.id,
            label: None,
            issuer: provider.settings.issuer.clone(),
            issuer_aliases: Vec::new(),
            authorization_url: token_endpoint.clone(),
            token_endpoint: token_endpoint.into(),
            captured_hosts: Vec::new(),
            redirect_uri: settings::redirect_uri(provider),
            redirect: Redirect::Loopback,
            scopes: provider.default_scopes(),
            state: fresh(random),
            verifier: provider.settings.use_pkce.then(|| fresh(random)),
            nonce: None,
            dpop_key: None,
            opens_until: None,
            device: None,
            targets: KnownTargets::default(),
            started_by: None,
            started_from: None,
            client_secret_from: None,
            resource: provider.settings.resource.clone(),
            expires_at: self.now(),
        }
    }
}
