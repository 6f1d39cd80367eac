//! The redirect of a sign-in: judged, matched to its flow, and its authorization code exchanged for tokens.

mod account;
mod code;
mod refused;
mod tokens;

use crate::{
    AnyCredential, Change, ConnectionView, Engine, Error, FlowState,
    access::{consent::AccessRequest, policy::Operation},
    credentials,
    engine::detached,
    flow::{
        create_connection::NewConnection,
        owner::{finishing, is_link_by_the_system, owner_note},
    },
    records::{index::is_usable, sealed_store::SealedStore},
};
pub(in crate::flow) use refused::refused_client;
use std::sync::Arc;
use tokenry_core::{
    Caller, Captured, ConnectionId, EventKind, Flow, FlowId, GrantType, KnownTargets,
    Outcome as EventOutcome, Provider, Redirect, Secret,
};
use tokenry_oauth::{
    captures, issuer,
    redirect::{self, Bare, Means, Outcome, Redirected, Refused},
};
use tokenry_redirect::Page;
pub(in crate::flow) use tokens::unfit;

impl Engine {
    /// An address that the user pasted, or a redirect that another program caught. Judged as text first; whatever is
    /// wrong with it, open flows stay open.
    ///
    /// # Errors
    /// When it is no redirect of ours, its flow is over, or the provider said no.
    pub async fn callback(&self, caller: &Caller, url: &str) -> Result<ConnectionView, Error> {
        let judged = redirect::judge_pasted_with(url, &self.code_param_for(url));
        self.judged(caller, url, judged).await
    }

    /// A deep link, as the operating system handed it over. White space in it is not forgiven.
    ///
    /// # Errors
    /// As [`Engine::callback`].
    pub async fn deep_link(&self, caller: &Caller, url: &str) -> Result<ConnectionView, Error> {
        let judged = redirect::judge_deep_link_with(url, &self.code_param_for(url));
        self.judged(caller, url, judged).await
    }

    async fn judged(
        &self,
        caller: &Caller,
        url: &str,
        judged: Result<Redirected, Refused>,
    ) -> Result<ConnectionView, Error> {
        let finished = match judged {
            Ok(redirected) => self.redirected(caller, redirected).await,
            Err(refused) => {
                let state = redirect::claimed_state(url);
                Err(self.note_refused_for(caller, state.as_ref(), refused.into()))
            }
        };
        // The program that opened a link shows no answer: the window has to say that nothing came of it. A sign-in that
        // it ended says so itself.
        finished.inspect_err(|error| {
            if url.starts_with(redirect::SCHEME) && error.is_of_no_flow() {
                let refused = Change::LinkRefused(error.code(), error.to_string());
                let _ = self.inner.changes.send(refused);
            }
        })
    }

    /// A code that arrived somewhere else, with the state it belongs to.
    ///
    /// # Errors
    /// As [`Engine::callback`]; and when there is no code, which changes nothing.
    pub async fn exchange(
        &self,
        caller: &Caller,
        code: Secret,
        state: Secret,
        iss: Option<String>,
    ) -> Result<ConnectionView, Error> {
        // As in a redirect, no code is not one. It would only use the flow up.
        if code.expose().is_empty() {
            return Err(Error::field("code", "must not be empty"));
        }
        let answer = Bare {
            state,
            iss,
            outcome: Outcome::Code(code),
            parameters: Vec::new(),
        };
        self.handed_in(caller, answer).await
    }

    /// An answer without the address it came to: that is taken to be the one its flow was started with.
    async fn handed_in(&self, caller: &Caller, answer: Bare) -> Result<ConnectionView, Error> {
        let flow =
            flow_of(&*self.store()?, &answer.state).map_err(|error| self.note_refused(caller, error))?;
        let redirected = Redirected {
            state: answer.state,
            iss: answer.iss,
            outcome: answer.outcome,
            parameters: answer.parameters,
            means: Means::Paste,
            uri: redirect::one_spelling(&flow.redirect_uri),
        };
        self.redirected(caller, redirected).await
    }

    /// The query of a redirect that was caught elsewhere, judged as strictly as a whole address; with the cookie
    /// that the flow was started with, when the browser has one. Whatever is wrong with it, open flows stay open.
    ///
    /// # Errors
    /// As [`Engine::callback`].
    pub async fn answered(
        &self,
        caller: &Caller,
        query: &str,
        cookie: Option<&str>,
    ) -> Result<AnyCredential, Error> {
        let store = self.store()?;
        let judged = redirect::judge_query_with(query, &self.code_param_for(&format!("?{query}")));
        let answer = judged.map_err(|refused| {
            let state = redirect::claimed_state(&format!("?{query}"));
            self.note_refused_for(caller, state.as_ref(), refused.into())
        })?;
        if let Some(cookie) = cookie
            && flow_of(&store, &answer.state).is_ok()
            && !tokenry_core::same_secret(
                &self.state_cookie(&answer.state)?,
                &Secret::new(cookie.to_owned()),
            )
        {
            let wrong = "it came from another browser than the one this sign-in was started in";
            let error = Error::RedirectRefused(wrong.to_owned());
            return Err(self.note_refused_for(caller, Some(&answer.state), error));
        }
        let view = self.handed_in(caller, answer).await?;
        let reference = view.connection.id.to_string();
        credentials::connection(&store, view).ok_or_else(|| credentials::none(&reference))
    }

    /// Gets tokens from a provider that needs no person (RFC 6749 §4.4), and keeps them as a connection.
    ///
    /// # Errors
    /// When the provider uses another grant, the label is taken, or it says no.
    pub async fn connect_client_credentials(
        &self,
        caller: &Caller,
        provider: &str,
        label: Option<String>,
    ) -> Result<ConnectionView, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::StartFlow))?;
        let provider = self.provider_meant(caller, provider)?;
        if provider.settings.grant_type != GrantType::ClientCredentials {
            return Err(Error::Conflict(format!(
                "{} needs a sign-in in the browser; start one instead",
                provider.name
            )));
        }
        // The same client is the same connection: connecting again renews it.
        let label = label.map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
        let store = self.store()?;
        if let Some(why) = store.read_only() {
            return Err(Error::ReadOnly(why));
        }
        let existing = store
            .index()
            .of_provider_labelled(provider.id, label.as_deref())
            .find(|c| is_usable(c))
            .cloned();
        let mut wanted = AccessRequest::new(Operation::StartFlow).at(provider.id);
        if let Some(existing) = &existing {
            wanted = wanted.of(existing.id, existing.started_by);
        }
        let check = async {
            self.free_label(&provider, label.clone(), existing.as_ref())
                .map(drop)
        };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        let provider = self.provider_by_id(provider.id)?;
        let label = self.free_label(&provider, label, existing.as_ref())?;
        let scopes = provider.default_scopes();
        let provider = provider.filled_in(&Captured::new()).map_err(tokens::unfit)?;
        let (provider, answer) = self.fetch_for_client(&store, provider, &scopes).await?;
        let id = existing.map_or_else(
            || ConnectionId::new(&*self.inner.clock, &*self.inner.random),
            |c| c.id,
        );
        let fresh = NewConnection {
            id,
            label,
            scopes,
            account: None,
            targets: KnownTargets::default(),
            captured: Captured::new(),
            resource: None,
            renews: false,
            started_by: caller.app(),
            client_secret_from: None,
            dpop_key: provider.dpop_key.clone(),
        };
        let id = self
            .create_connection(&store, caller, provider, fresh, answer)
            .await?;
        self.view_in(&store, id)
    }

    /// The name of the parameter with the code, at the provider whose sign-in this is the response to.
    fn code_param_for(&self, url: &str) -> String {
        let state = redirect::claimed_state(url);
        let provider = self.store().ok().zip(state).and_then(|(store, state)| {
            let flow = flow_of(&store, &state).ok()?;
            store.get::<Provider>(flow.provider.row()).ok().flatten()
        });
        provider.map_or(redirect::CODE.to_owned(), |provider| {
            code_param(&provider).to_owned()
        })
    }

    /// What the loopback listener shows the browser.
    pub(super) async fn answered_on_loopback(&self, flow: FlowId, redirected: Redirected) -> Page {
        match self.redirected(&Caller::Engine, redirected).await {
            Ok(view) => {
                let who = view
                    .connection
                    .account
                    .as_ref()
                    .map(|a| format!(" as {}", a.display_name()))
                    .unwrap_or_default();
                Page {
                    ok: true,
                    title: "Connected".to_owned(),
                    text: format!("{} is connected{who}. You can close this page.", view.name),
                }
            }
            Err(error) => {
                self.tell_refusal(flow, &error);
                Page {
                    ok: false,
                    title: "Not connected".to_owned(),
                    text: tokenry_core::sentence(&error.to_string()),
                }
            }
        }
    }

    /// One way in for every answer of an authorization endpoint.
    async fn redirected(&self, caller: &Caller, redirected: Redirected) -> Result<ConnectionView, Error> {
        // Held until the end: a lock in the meantime does not lose what the provider answers.
        let store = self.store()?;
        let (flow, provider) = self
            .judge(&store, &redirected)
            .map_err(|error| self.note_refused_for(caller, Some(&redirected.state), error))?;
        let wanted = finishing(caller, &flow).note(owner_note(&flow, "It brings an answer to"));
        if !is_link_by_the_system(caller, &flow, &redirected.uri) {
            // Of the account that signed in: with its own account a program could have replaced the user's.
            self.permit(caller, wanted).await?;
        }
        // From here on the answer is ours and the flow is used up, whatever comes of it.
        let (engine, caller) = (self.clone(), caller.clone());
        // The engine's own task: a browser or a program that goes away cancels nothing.
        detached(async move {
            engine.consume_flow(&store, &flow).await?;
            engine.finish(&store, &caller, flow, provider, redirected).await
        })
        .await
    }

    /// Whether an answer belongs to an open flow of ours. Changes nothing.
    fn judge(&self, store: &SealedStore, redirected: &Redirected) -> Result<(Flow, Provider), Error> {
        let flow = flow_of(store, &redirected.state)?;
        let provider = store
            .get::<Provider>(flow.provider.row())?
            .ok_or(Error::FlowExpired)?;
        if flow.expires_at <= self.now() || flow.device.is_some() {
            return Err(Error::FlowExpired);
        }
        // What a person pastes may have been meant for any of the three.
        let expected = match flow.redirect {
            Redirect::Loopback => Means::Loopback,
            Redirect::DeepLink => Means::DeepLink,
            Redirect::Paste => Means::Paste,
        };
        let right_way = redirected.means == Means::Paste || redirected.means == expected;
        if !right_way || !redirect::same_redirect(&flow, redirected) {
            return Err(Error::RedirectRefused(
                "it came to another address than the one this sign-in was started with".to_owned(),
            ));
        }
        let advertised = provider.settings.authorization_response_iss_parameter_supported;
        let (issuer, aliases) = (flow.issuer.as_deref(), &flow.issuer_aliases);
        issuer::check(issuer, aliases, advertised, redirected.iss.as_deref())
            .map_err(|wrong| Error::RedirectRefused(wrong.to_string()))?;
        Ok((flow, provider))
    }

    /// Notes that an answer was refused, and tells those who wait for the flow it claims to be for.
    fn note_refused_for(&self, caller: &Caller, state: Option<&Secret>, error: Error) -> Error {
        let error = self.note_refused(caller, error);
        if let Some(flow) = state.and_then(|state| self.flow_awaiting(state)) {
            self.tell_refusal(flow, &error);
        }
        error
    }

    pub(super) fn note_refused(&self, caller: &Caller, error: Error) -> Error {
        if !matches!(error, Error::Locked | Error::StaysLocked(_) | Error::NoVault(_)) {
            let text = error.to_string();
            let event = self
                .event(caller, EventKind::RedirectRefused, EventOutcome::Refused)
                .with_detail(&text);
            self.inner.activity.push(event);
        }
        error
    }

    async fn finish(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: Flow,
        provider: Provider,
        redirected: Redirected,
    ) -> Result<ConnectionView, Error> {
        let made = match redirected.outcome {
            Outcome::Code(code) => {
                let captured = captures::of_callback(&provider, &redirected.parameters);
                self.make_connection(store, caller, &flow, provider, &code, captured)
                    .await
            }
            Outcome::Error {
                error,
                description,
                denied: true,
            } => Err(Error::ConsentDenied(
                description.or_else(|| (error != "access_denied").then_some(error)),
            )),
            Outcome::Error {
                error, description, ..
            } => Err(Error::AuthorizationRefused { error, description }),
        };
        self.settled(store, caller, &flow, made).await
    }

    /// Tells how a sign-in that was used up ended.
    pub(super) async fn settled(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        made: Result<ConnectionId, Error>,
    ) -> Result<ConnectionView, Error> {
        match made {
            Ok(id) => {
                self.tell_flow(flow.id, id, FlowState::Connected);
                self.view_in(store, id)
            }
            Err(error) => {
                let state = FlowState::Failed {
                    code: error.code(),
                    message: error.to_string(),
                };
                if let Err(second) = self.fail_flow(store, caller, flow, state.clone()).await {
                    tracing::warn!("a sign-in that failed could not be cleared away: {second}");
                    self.tell_flow(flow.id, flow.connection, state);
                }
                Err(error)
            }
        }
    }
}

/// The name of the parameter with the code.
pub(super) fn code_param(provider: &Provider) -> &str {
    provider.settings.code_param.as_deref().unwrap_or(redirect::CODE)
}

fn flow_of(store: &SealedStore, state: &Secret) -> Result<Flow, Error> {
    let flow = store.find::<Flow>(state.expose())?.ok_or(Error::FlowExpired)?;
    if tokenry_core::same_secret(&flow.state, state) {
        Ok(flow)
    } else {
        Err(Error::FlowExpired)
    }
}
