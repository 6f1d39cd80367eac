//! Starting a sign-in: the authorization URL, the recorded flow and its redirect.

mod device;
mod push;
mod question;
mod redirect;

use crate::discovery::register::check_client_secret;
use crate::{
    Engine, Error,
    access::{
        consent::{AccessRequest, origin},
        policy::Operation,
        resolve,
    },
    engine::detached,
    flow::open_flows::FlowPermit,
};
use device::Prepared;
use std::time::Duration;
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, CredentialId, DeviceSignIn, EventKind,
    FLOW_LIFETIME_SECONDS, Flow, FlowId, GrantType, KnownTargets, Outcome, Provider, Redirect, Rule, Scopes,
    Secret, Timestamp,
};
use tokenry_oauth::authorization_code;
use tokenry_redirect::Listener;
use url::Url;

/// How long a person has for a sign-in.
pub(super) const FLOW_LIFETIME: Duration = Duration::from_secs(FLOW_LIFETIME_SECONDS as u64);

/// How a flow is to be started.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The label of the new connection.
    pub label: Option<String>,
    /// Instead of the provider's default scopes; an empty list asks for no scope.
    pub scopes: Option<Scopes>,
    /// Whether the user signs in on another device, by a code (RFC 8628). Then no browser brings an answer.
    pub device: bool,
    /// Instead of the provider's own choice.
    pub redirect: Option<Redirect>,
    /// The connection to renew, by id or name.
    pub renew: Option<String>,
    /// Whether another account than that of the renewed connection gets a connection of its own, instead of being
    /// refused.
    pub allow_further: bool,
    /// Whether the renewed connection is replaced although the provider no longer tells who signed in. Not by an app.
    pub allow_unknown_account: bool,
    /// Further parameters of the authorization request; they win over the provider's own.
    pub parameters: Vec<(String, String)>,
    /// The credential that holds the client secret, instead of the provider's own.
    pub client_secret_from: Option<CredentialId>,
}

/// A flow that waits for the browser.
#[derive(Clone)]
pub struct StartedFlow {
    /// The provider's own address, with all parameters.
    pub authorization_url: Url,
    /// What our own clients open: with a loopback redirect our own `/begin` address, which gives the browser the
    /// flow's cookie and passes on to the provider; else the provider's address.
    pub browser_url: Url,
    /// The flow's `state`.
    pub state: Secret,
    /// Its id.
    pub flow: FlowId,
    /// The connection it makes or renews.
    pub connection: ConnectionId,
    /// How the answer comes back.
    pub redirect: Redirect,
    /// Where.
    pub redirect_uri: String,
    /// The code for another device, where the sign-in is one of those.
    pub device: Option<DeviceSignIn>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// The address holds the flow's `state`, or what only the person's browser may know: its host is all that is shown.
impl std::fmt::Debug for StartedFlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartedFlow")
            .field("flow", &self.flow)
            .field("connection", &self.connection)
            .field("host", &self.authorization_url.host_str())
            .field("redirect_uri", &self.redirect_uri)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts a consent flow. It is recorded, sealed, before anybody hears of it.
    ///
    /// # Errors
    /// When the redirect cannot be caught, the label is taken, or a scope cannot be one.
    pub async fn connect(
        &self,
        caller: &Caller,
        provider: &str,
        how: ConnectOptions,
    ) -> Result<StartedFlow, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::StartFlow))?;
        let provider = self.provider_meant(caller, provider)?;
        check_client_secret(&provider, self.now())?;
        if provider.settings.grant_type != GrantType::AuthorizationCode {
            return Err(Error::Conflict(format!(
                "{} uses client credentials: there is no browser in it; connect it without one",
                provider.name
            )));
        }
        let renewed = self.renewed(caller, &provider, how.renew.as_deref())?;
        let mut wanted = self.signing_in(caller, &provider, &how)?;
        if let Some(renewed) = &renewed {
            wanted = wanted.of(renewed.id, renewed.started_by);
            if renewed.account.is_none() {
                wanted = wanted
                    .note("The provider does not report the account: any account that signs in replaces it.");
            }
        }
        if let Some(credential) = how.client_secret_from {
            wanted = self.sending(caller, wanted, &provider, credential).await?;
        }
        self.check_flow(caller, &provider, &how, &wanted).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        self.begin_flow(caller, provider, how, rule).await
    }

    /// Refuses, before the user is asked, a sign-in that could not be started.
    pub(crate) async fn check_flow(
        &self,
        caller: &Caller,
        provider: &Provider,
        how: &ConnectOptions,
        wanted: &AccessRequest,
    ) -> Result<(), Error> {
        let renewed = self.renewed(caller, provider, how.renew.as_deref())?;
        let check = async {
            self.inner.flow_limits.check(caller)?;
            self.could_start(provider, how, renewed.as_ref()).await
        };
        self.check_before_asking(caller, wanted, check).await
    }

    /// Starts a flow that is permitted, at the provider as it was asked about.
    pub(crate) async fn begin_flow(
        &self,
        caller: &Caller,
        asked_about: Provider,
        how: ConnectOptions,
        rule: Rule,
    ) -> Result<StartedFlow, Error> {
        let place = self.inner.flow_limits.take(caller)?;
        // A minute may have gone by: all of it is looked at as it is now, and has to be what was asked about.
        let provider = self.provider_by_id(asked_about.id)?;
        if self.signing_in(caller, &provider, &how)? != self.signing_in(caller, &asked_about, &how)?
            || provider.updated_at != asked_about.updated_at
        {
            return Err(Error::Conflict(
                "the provider was changed meanwhile; look at it and start the sign-in again".to_owned(),
            ));
        }
        let renewed = self.renewed(caller, &provider, how.renew.as_deref())?;
        let label = self.free_label(&provider, how.label.clone(), renewed.as_ref())?;
        let scopes = wanted_scopes(&provider, how.scopes.clone())?;
        if how.device {
            let signed_in = Prepared {
                provider,
                renewed,
                label,
                scopes,
            };
            return self.begin_on_device(caller, signed_in, how, rule, place).await;
        }
        let preference = how.redirect.unwrap_or(provider.settings.redirect);
        let provider = self.with_ports(provider).await?;
        let (listener, redirect_uri) = self.redirect_for(&provider, preference).await?;
        let client_secret_from = client_secret_of(&how, renewed.as_ref());
        let random = &*self.inner.random;
        let provider = self.with_new_key(provider)?;
        let started = authorization_code::begin(&provider, &redirect_uri, &scopes, &how.parameters, random)
            .map_err(cannot_begin)?;
        let targets = KnownTargets::among(started.authorization_url.query_pairs());
        let (started, opens_until) = self.pushed(&provider, started, client_secret_from).await?;
        let mut flow = self.record(
            caller,
            &provider,
            label,
            renewed,
            scopes,
            preference,
            redirect_uri,
            started,
        )?;
        flow.client_secret_from = client_secret_from;
        flow.opens_until = opens_until;
        flow.targets = targets;
        self.launch(
            caller,
            flow,
            &how,
            rule,
            place,
            listener.map(|listener| (listener, provider)),
        )
        .await
    }

    /// Records a flow and watches over it, with the listener for its response where it has one.
    async fn launch(
        &self,
        caller: &Caller,
        mut flow: Flow,
        how: &ConnectOptions,
        rule: Rule,
        place: FlowPermit,
        listener: Option<(Listener, Provider)>,
    ) -> Result<StartedFlow, Error> {
        // Whose account it is, the user says and no app.
        flow.allow_unknown_account = how.allow_unknown_account && caller.app().is_none();
        if how.allow_further && flow.renews {
            flow.further = Some(ConnectionId::new(&*self.inner.clock, &*self.inner.random));
        }
        let (engine, caller, recorded) = (self.clone(), caller.clone(), flow.clone());
        // The engine's own task: a caller that goes away leaves no unwatched flow behind.
        let browser_url = detached(async move {
            engine.keep_flow(&caller, &recorded, rule).await?;
            let serving = listener
                .map(|(listener, provider)| engine.listen(listener, &provider, &recorded))
                .transpose()?;
            Ok::<_, Error>(engine.watch_flow(&recorded, serving, Some(place)))
        })
        .await?;
        Ok(StartedFlow {
            authorization_url: flow.authorization_url,
            browser_url,
            state: flow.state,
            flow: flow.id,
            connection: flow.connection,
            redirect: flow.redirect,
            redirect_uri: flow.redirect_uri,
            device: flow.device,
            expires_at: flow.expires_at,
        })
    }

    /// Whether a flow could be started as things are. No listener is opened for that.
    async fn could_start(
        &self,
        provider: &Provider,
        how: &ConnectOptions,
        renewed: Option<&Connection>,
    ) -> Result<(), Error> {
        self.free_label(provider, how.label.clone(), renewed)?;
        let scopes = wanted_scopes(provider, how.scopes.clone())?;
        token_endpoint(provider)?;
        if how.device {
            return device::could_start(provider, &scopes, &how.parameters);
        }
        let redirect_uri = match how.redirect.unwrap_or(provider.settings.redirect) {
            Redirect::DeepLink => self.redirect_for(provider, Redirect::DeepLink).await?.1,
            Redirect::Loopback | Redirect::Paste => provider.loopback_uri(None),
        };
        let random = &*self.inner.random;
        authorization_code::begin(provider, &redirect_uri, &scopes, &how.parameters, random)
            .map(drop)
            .map_err(cannot_begin)
    }

    fn renewed(
        &self,
        caller: &Caller,
        provider: &Provider,
        reference: Option<&str>,
    ) -> Result<Option<Connection>, Error> {
        let Some(reference) = reference else {
            return Ok(None);
        };
        let connection = self.connection_meant(caller, Operation::StartFlow, reference)?;
        if connection.provider != provider.id {
            return Err(Error::field(
                "connection",
                format!("belongs to another provider than {}", provider.name),
            ));
        }
        match connection.status {
            ConnectionStatus::Disconnecting => Err(resolve::gone(reference)),
            ConnectionStatus::Pending => Err(Error::Conflict(
                "this connection still waits for its first sign-in; finish or cancel that one".to_owned(),
            )),
            _ => Ok(Some(connection)),
        }
    }

    /// A label that can be typed and that no other connection of this provider has.
    pub(crate) fn free_label(
        &self,
        provider: &Provider,
        label: Option<String>,
        own: Option<&Connection>,
    ) -> Result<Option<String>, Error> {
        let Some(label) = label
            .map(|label| label.trim().to_owned())
            .filter(|label| !label.is_empty())
        else {
            return Ok(own.and_then(|own| own.label.clone()));
        };
        if !is_label(&label) {
            return Err(Error::field(
                "label",
                "must be at most 64 characters, without / and control characters",
            ));
        }
        let store = self.store()?;
        let index = store.index();
        let taken = index
            .of_provider_labelled(provider.id, Some(&label))
            .any(|c| Some(c.id) != own.map(|own| own.id));
        if taken {
            return Err(Error::Conflict(format!(
                "{} already has a connection labelled {label}; choose another label, or renew that connection",
                provider.name
            )));
        }
        Ok(Some(label))
    }

    #[expect(clippy::too_many_arguments, reason = "each of them ends up in the record")]
    fn record(
        &self,
        caller: &Caller,
        provider: &Provider,
        label: Option<String>,
        renewed: Option<Connection>,
        scopes: Scopes,
        preference: Redirect,
        redirect_uri: String,
        started: authorization_code::Started,
    ) -> Result<Flow, Error> {
        let token_endpoint = token_endpoint(provider)?;
        let (clock, random) = (&*self.inner.clock, &*self.inner.random);
        Ok(Flow {
            id: FlowId::new(clock, random),
            connection: renewed
                .as_ref()
                .map_or_else(|| ConnectionId::new(clock, random), |c| c.id),
            renews: renewed.is_some(),
            further: None,
            allow_unknown_account: false,
            provider: provider.id,
            label,
            issuer: provider.settings.issuer.clone(),
            issuer_aliases: provider.settings.issuer_aliases.clone(),
            token_endpoint,
            captured_hosts: provider.settings.captured_hosts.clone(),
            redirect_uri,
            redirect: preference,
            scopes,
            state: started.state,
            verifier: started.verifier,
            nonce: started.nonce,
            resource: started.resource,
            dpop_key: provider.dpop_key.clone(),
            authorization_url: started.authorization_url,
            opens_until: None,
            device: None,
            targets: KnownTargets::default(),
            started_by: caller.app(),
            started_from: match caller {
                Caller::Program(peer) => origin(peer),
                _ => None,
            },
            client_secret_from: None,
            expires_at: tokenry_core::later(self.now(), FLOW_LIFETIME),
        })
    }

    /// The flow and the connection that waits for it, in one transaction.
    async fn keep_flow(&self, caller: &Caller, flow: &Flow, rule: Rule) -> Result<(), Error> {
        let (store, now, flow) = (self.store()?, self.now(), flow.clone());
        let event = self
            .event(caller, EventKind::FlowStarted, Outcome::Done)
            .with_provider(flow.provider)
            .with_connection(flow.connection)
            .by(rule);
        self.commit(&store, move |transaction| {
            transaction.put(flow.id.row(), &flow)?;
            if !flow.renews {
                let (label, scopes) = (flow.label.clone(), flow.scopes.clone());
                let mut pending = Connection::pending(flow.connection, flow.provider, label, scopes, now);
                pending.started_by = flow.started_by;
                pending.client_secret_from = flow.client_secret_from;
                transaction.put(flow.connection.row(), &pending)?;
            }
            transaction.event(&event)
        })
        .await
    }
}

/// Who signs in once more does so with the same client.
fn client_secret_of(how: &ConnectOptions, renewed: Option<&Connection>) -> Option<CredentialId> {
    how.client_secret_from
        .or_else(|| renewed.and_then(|renewed| renewed.client_secret_from))
}

fn wanted_scopes(provider: &Provider, asked: Option<Scopes>) -> Result<Scopes, Error> {
    let asked = asked.unwrap_or_else(|| provider.default_scopes());
    let offline = provider.settings.offline_scope.clone();
    let scopes: Scopes = asked.iter().map(str::to_owned).chain(offline).collect();
    if let Some(bad) = scopes.iter().find(|scope| !Scopes::is_token(scope)) {
        return Err(Error::field(
            "scopes",
            format!("{:?} cannot be a scope", tokenry_core::clean(bad)),
        ));
    }
    Ok(scopes)
}

fn token_endpoint(provider: &Provider) -> Result<String, Error> {
    let missing = || Error::field("token_endpoint", "is needed before connecting");
    provider.settings.token_endpoint.clone().ok_or_else(missing)
}

fn cannot_begin(error: tokenry_oauth::Error) -> Error {
    Error::field("authorization_endpoint", error.to_string())
}

/// Whether a label can be typed and told from others.
pub(crate) fn is_label(label: &str) -> bool {
    let is_trimmed = !label.is_empty() && label.trim() == label;
    is_trimmed && label.chars().count() <= 64 && tokenry_core::clean(label) == label && !label.contains('/')
}
