//! The redirect of a sign-in: judged, matched to its flow, and its authorization code exchanged for tokens.

mod account;
mod refused;

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
    token::partial_response,
};
use account::another_account;
use refused::{refused, refused_client};
use std::sync::Arc;
use tokenry_core::{
    Account, Caller, ConnectionId, EventKind, Flow, FlowId, GrantType, KnownTargets, Outcome as EventOutcome,
    Provider, Redirect, Secret,
};
use tokenry_oauth::{
    Answer, authorization_code, client_credentials, issuer,
    redirect::{self, Bare, Means, Outcome, Redirected, Refused},
    userinfo,
};
use tokenry_redirect::Page;

impl Engine {
    /// An address that the user pasted, or a redirect that another program caught. Judged as text first; whatever is
    /// wrong with it, open flows stay open.
    ///
    /// # Errors
    /// When it is no redirect of ours, its flow is over, or the provider said no.
    pub async fn callback(&self, caller: &Caller, url: &str) -> Result<ConnectionView, Error> {
        self.judged(caller, url, redirect::judge_pasted(url)).await
    }

    /// A deep link, as the operating system handed it over. White space in it is not forgiven.
    ///
    /// # Errors
    /// As [`Engine::callback`].
    pub async fn deep_link(&self, caller: &Caller, url: &str) -> Result<ConnectionView, Error> {
        self.judged(caller, url, redirect::judge_deep_link(url)).await
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
        let outcome = Outcome::Code(code);
        self.handed_in(caller, Bare { state, iss, outcome }).await
    }

    /// An answer without the address it came to: that is taken to be the one its flow was started with.
    async fn handed_in(&self, caller: &Caller, answer: Bare) -> Result<ConnectionView, Error> {
        let flow =
            flow_of(&*self.store()?, &answer.state).map_err(|error| self.note_refused(caller, error))?;
        let redirected = Redirected {
            provider: self.provider_by_id(flow.provider)?.name,
            state: answer.state,
            iss: answer.iss,
            outcome: answer.outcome,
            means: Means::Paste,
            uri: flow.redirect_uri,
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
        let judged = redirect::judge_query(query);
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
        let answer = client_credentials::fetch(&self.inner.http, &provider, &scopes).await;
        let answer = answer.map_err(|failure| refused_client(&provider, failure))?;
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
            resource: None,
            renews: false,
            started_by: caller.app(),
            client_secret_from: None,
        };
        let id = self
            .create_connection(&store, caller, provider, fresh, answer)
            .await?;
        self.view_in(&store, id)
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
            engine
                .finish(&store, &caller, flow, provider, redirected.outcome)
                .await
        })
        .await
    }

    /// Whether an answer belongs to an open flow of ours. Changes nothing.
    fn judge(&self, store: &SealedStore, redirected: &Redirected) -> Result<(Flow, Provider), Error> {
        let flow = flow_of(store, &redirected.state)?;
        let provider = store
            .get::<Provider>(flow.provider.row())?
            .ok_or(Error::FlowExpired)?;
        if flow.expires_at <= self.now() {
            return Err(Error::FlowExpired);
        }
        // What a person pastes may have been meant for any of the three.
        let expected = match flow.redirect {
            Redirect::Loopback => Means::Loopback,
            Redirect::DeepLink => Means::DeepLink,
            Redirect::Paste => Means::Paste,
        };
        let right_way = redirected.means == Means::Paste || redirected.means == expected;
        if !right_way || redirected.provider != provider.name || !redirect::same_redirect(&flow, redirected) {
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
        outcome: Outcome,
    ) -> Result<ConnectionView, Error> {
        let made = match outcome {
            Outcome::Code(code) => self.make_connection(store, caller, &flow, provider, &code).await,
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
                if let Err(second) = self.fail_flow(store, caller, &flow, state.clone()).await {
                    tracing::warn!("a sign-in that failed could not be cleared away: {second}");
                    self.tell_flow(flow.id, flow.connection, state);
                }
                Err(error)
            }
        }
    }

    async fn make_connection(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        provider: Provider,
        code: &Secret,
    ) -> Result<ConnectionId, Error> {
        let provider = self
            .with_client_secret(store, provider, flow.client_secret_from)
            .map_err(refused)?;
        let answer = authorization_code::exchange(&self.inner.http, &provider, flow, code).await;
        let answer = answer.map_err(|failure| refused_client(&provider, failure))?;
        let refresh_token = answer.refresh_token.clone();
        let access_token = answer
            .access_token
            .as_ref()
            .or(answer.unusable_token.as_ref())
            .cloned();
        let made = match partial_response::useless(&answer) {
            Some(useless) => Err(refused(useless)),
            None => {
                self.keep_first_answer(store, caller, flow, provider.clone(), answer)
                    .await
            }
        };
        // Where it is not known whose they are, they may be of the very grant that is to stay: revoking one may end it.
        let may_be_ours = matches!(made, Err(Error::AccountNotTold(..)));
        if made.is_err() && !may_be_ours {
            // These tokens will never be used.
            let tokens = [refresh_token.as_ref(), access_token.as_ref()];
            self.give_back(&provider, tokens).await;
        }
        made
    }

    async fn keep_first_answer(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        provider: Provider,
        mut answer: Answer,
    ) -> Result<ConnectionId, Error> {
        let account = self.fetch_account(&provider, &mut answer).await;
        let another = another_account(store, flow, account.as_ref());
        // Who is not known gets no connection of their own, either: mostly it is the same account.
        let is_told = matches!(another, Some(Error::OtherAccount { .. }));
        let further = flow.further.filter(|_| is_told);
        if let (Some(error), None) = (another, further) {
            return Err(error);
        }
        let fresh = NewConnection {
            id: further.unwrap_or(flow.connection),
            label: flow.label.clone().filter(|_| further.is_none()),
            scopes: flow.scopes.clone(),
            account,
            targets: targets(flow),
            resource: flow.resource.clone(),
            renews: flow.renews && further.is_none(),
            started_by: flow.started_by,
            client_secret_from: flow.client_secret_from,
        };
        self.create_connection(store, caller, provider, fresh, answer)
            .await
    }

    /// Whose account it is: what came with the tokens, and userinfo where there is one. A userinfo of another
    /// subject is not used (OpenID Connect Core §5.3.2), and a missing one prevents no connection.
    async fn fetch_account(&self, provider: &Provider, answer: &mut Answer) -> Option<Account> {
        let told = answer.account.take();
        let Some(access_token) = answer
            .access_token
            .as_ref()
            .filter(|_| provider.settings.userinfo_endpoint.is_some())
        else {
            return told;
        };
        match userinfo::fetch(&self.inner.http, provider, access_token).await {
            Ok(found) if told.as_ref().is_none_or(|told| told.subject == found.subject) => Some(found),
            Ok(_) => told,
            Err(failure) => {
                tracing::info!("{} did not say whose account it is: {failure}", provider.name);
                told
            }
        }
    }
}

/// The audiences and resources that a sign-in asked for.
fn targets(flow: &Flow) -> KnownTargets {
    let mut targets = KnownTargets::among(flow.authorization_url.query_pairs());
    let resource = flow
        .resource
        .iter()
        .map(|resource| ("resource", resource.as_str()));
    targets.extend(KnownTargets::among(resource));
    targets
}

fn flow_of(store: &SealedStore, state: &Secret) -> Result<Flow, Error> {
    let flow = store.find::<Flow>(state.expose())?.ok_or(Error::FlowExpired)?;
    if tokenry_core::same_secret(&flow.state, state) {
        Ok(flow)
    } else {
        Err(Error::FlowExpired)
    }
}
