use crate::{
    ConnectionView, Engine, Error, FlowState, engine::blocking, loopback::Page, policy::Operation,
    settle::settle,
};
use tokenry_core::{
    Account, Caller, Connection, ConnectionId, EventKind, Flow, GrantType, Outcome as EventOutcome, Provider,
    RedirectPreference, Scopes, Secret, Tokens,
};
use tokenry_oauth::{
    Answer, authorization_code, client_credentials, issuer,
    redirect::{self, Means, Outcome, Redirected},
    revocation, userinfo,
};

impl Engine {
    /// A redirect that was caught somewhere else: a deep link, or an address the person pasted. Judged as text
    /// first; whatever is wrong with it, open flows stay open.
    ///
    /// # Errors
    /// When it is no redirect of ours, its flow is over, or the provider said no.
    pub async fn callback(&self, caller: &Caller, url: &str) -> Result<ConnectionView, Error> {
        self.allow(caller, Operation::Connect)?;
        let is_deep_link = url.len() > redirect::SCHEME.len() && url.starts_with(redirect::SCHEME);
        let judged = if is_deep_link {
            redirect::judge_deep_link(url)
        } else {
            redirect::judge_pasted(url)
        };
        let redirected = judged.map_err(|refused| self.note_refused(caller, refused.into()))?;
        self.redirected(caller, redirected).await
    }

    /// A code that arrived somewhere else, with the state it belongs to.
    ///
    /// # Errors
    /// As [`Engine::callback`].
    pub async fn exchange(
        &self,
        caller: &Caller,
        code: Secret,
        state: Secret,
        iss: Option<String>,
    ) -> Result<ConnectionView, Error> {
        self.allow(caller, Operation::Connect)?;
        let flow = self.flow_of(&state)?;
        let provider = self.provider_by_id(flow.provider)?.name;
        let (means, uri, outcome) = (Means::Paste, flow.redirect_uri, Outcome::Code(code));
        self.redirected(
            caller,
            Redirected {
                provider,
                state,
                iss,
                outcome,
                means,
                uri,
            },
        )
        .await
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
        self.allow(caller, Operation::Connect)?;
        let provider = self.provider_record(provider)?;
        if provider.grant_type != GrantType::ClientCredentials {
            return Err(Error::Conflict(format!(
                "{} needs its person in a browser; start a sign-in instead",
                provider.name
            )));
        }
        // The same client is the same connection: connecting again renews it.
        let label = label.map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
        let existing = self
            .ledger()?
            .index()
            .of_provider(provider.id)
            .find(|c| c.label == label)
            .cloned();
        let label = self.free_label(&provider, label, existing.as_ref())?;
        let scopes = provider.default_scopes.clone();
        let answer = client_credentials::fetch(&self.inner.http, &provider, &scopes).await;
        let answer = answer.map_err(|failure| Error::Provider {
            failure,
            next_try_at: None,
            wait: None,
        })?;
        let id = existing.map_or_else(
            || ConnectionId::new(&*self.inner.clock, &*self.inner.random),
            |c| c.id,
        );
        let fresh = NewConnection {
            id,
            label,
            scopes,
            account: None,
            renews: false,
        };
        let id = self.keep_connection(caller, provider, fresh, answer).await?;
        self.view(id)
    }

    /// What the loopback listener shows the browser.
    pub(crate) async fn answered_on_loopback(&self, redirected: Redirected) -> Page {
        match self.redirected(&Caller::Engine, redirected).await {
            Ok(view) => {
                let who = view
                    .connection
                    .account
                    .as_ref()
                    .map(|a| format!(" as {}", a.shown()))
                    .unwrap_or_default();
                Page {
                    ok: true,
                    title: "Connected".to_owned(),
                    text: format!("{} is connected{who}. You can close this page.", view.name),
                }
            }
            Err(error) => Page {
                ok: false,
                title: "Not connected".to_owned(),
                text: format!("{error}."),
            },
        }
    }

    /// One way in for every answer of an authorization endpoint.
    async fn redirected(&self, caller: &Caller, redirected: Redirected) -> Result<ConnectionView, Error> {
        let (flow, provider) = self
            .judge(&redirected)
            .map_err(|error| self.note_refused(caller, error))?;
        // From here on the answer is ours and the flow is used up, whatever comes of it.
        self.consume_flow(&flow).await?;
        let (engine, caller) = (self.clone(), caller.clone());
        // The engine's own task: a browser or a program that goes away cancels nothing.
        let finishing =
            tokio::spawn(async move { engine.finish(&caller, flow, provider, redirected.outcome).await });
        finishing
            .await
            .unwrap_or_else(|error| Err(Error::Internal(format!("the exchange ended early ({error})"))))
    }

    /// Whether an answer belongs to an open flow of ours. Changes nothing.
    fn judge(&self, redirected: &Redirected) -> Result<(Flow, Provider), Error> {
        let flow = self.flow_of(&redirected.state)?;
        let provider = self.provider_by_id(flow.provider)?;
        if flow.expires_at <= self.now() {
            return Err(Error::FlowExpired);
        }
        // What a person pastes may have been meant for any of the three.
        let expected = match flow.redirect {
            RedirectPreference::Loopback => Means::Loopback,
            RedirectPreference::DeepLink => Means::DeepLink,
            RedirectPreference::Paste => Means::Paste,
        };
        let right_way = redirected.means == Means::Paste || redirected.means == expected;
        if !right_way || redirected.provider != provider.name || !redirect::same_redirect(&flow, redirected) {
            return Err(Error::RedirectRefused(
                "it came to another address than the one this sign-in was started with".to_owned(),
            ));
        }
        let advertised = provider.authorization_response_iss_parameter_supported;
        issuer::check(flow.issuer.as_deref(), advertised, redirected.iss.as_deref())
            .map_err(|wrong| Error::RedirectRefused(wrong.to_string()))?;
        Ok((flow, provider))
    }

    fn flow_of(&self, state: &Secret) -> Result<Flow, Error> {
        let flow = self
            .ledger()?
            .find::<Flow>(state.expose())?
            .ok_or(Error::FlowExpired)?;
        if tokenry_oauth::same_secret(&flow.state, state) {
            Ok(flow)
        } else {
            Err(Error::FlowExpired)
        }
    }

    fn note_refused(&self, caller: &Caller, error: Error) -> Error {
        if !matches!(error, Error::Locked | Error::NoVault(_)) {
            let text = error.to_string();
            let event = self.event(
                caller,
                EventKind::RedirectRefused,
                None,
                None,
                EventOutcome::Refused,
                Some(&text),
            );
            self.inner.activity.push(event);
        }
        error
    }

    async fn finish(
        &self,
        caller: &Caller,
        flow: Flow,
        provider: Provider,
        outcome: Outcome,
    ) -> Result<ConnectionView, Error> {
        let made = match outcome {
            Outcome::Code(code) => self.make_connection(caller, &flow, provider, &code).await,
            Outcome::Error { error, description } if error == "access_denied" => {
                Err(Error::ConsentDenied(description))
            }
            Outcome::Error { error, description } => Err(Error::AuthorizationRefused { error, description }),
        };
        match made {
            Ok(id) => {
                self.tell_flow(flow.id, id, FlowState::Connected);
                self.view(id)
            }
            Err(error) => {
                let state = FlowState::Failed {
                    code: error.code(),
                    message: error.to_string(),
                };
                self.end_flow(caller, &flow, state).await?;
                Err(error)
            }
        }
    }

    async fn make_connection(
        &self,
        caller: &Caller,
        flow: &Flow,
        provider: Provider,
        code: &Secret,
    ) -> Result<ConnectionId, Error> {
        let answer = authorization_code::exchange(&self.inner.http, &provider, flow, code).await;
        let mut answer = answer.map_err(|failure| Error::Provider {
            failure,
            next_try_at: None,
            wait: None,
        })?;
        let account = self.whose(&provider, &mut answer).await;
        if let Some(error) = self.another_account(flow, account.as_ref())? {
            // Nobody will ever use these tokens: give them back.
            let (http, unwanted) = (
                &self.inner.http,
                answer.refresh_token.as_ref().unwrap_or(&answer.access_token),
            );
            let _ = revocation::revoke(http, &provider, unwanted, revocation::Hint::RefreshToken).await;
            return Err(error);
        }
        let fresh = NewConnection {
            id: flow.connection,
            label: flow.label.clone(),
            scopes: flow.scopes.clone(),
            account,
            renews: flow.renews,
        };
        self.keep_connection(caller, provider, fresh, answer).await
    }

    /// Whose account it is: what came with the tokens, and userinfo where there is one. A userinfo of another
    /// subject is not used (OpenID Connect Core §5.3.2), and a missing one keeps nobody from connecting.
    async fn whose(&self, provider: &Provider, answer: &mut Answer) -> Option<Account> {
        let told = answer.account.take();
        if provider.userinfo_endpoint.is_none() {
            return told;
        }
        match userinfo::fetch(&self.inner.http, provider, &answer.access_token).await {
            Ok(found) if told.as_ref().is_none_or(|told| told.subject == found.subject) => Some(found),
            Ok(_) => told,
            Err(failure) => {
                tracing::info!("{} did not say whose account it is: {failure}", provider.name);
                told
            }
        }
    }

    fn another_account(&self, flow: &Flow, account: Option<&Account>) -> Result<Option<Error>, Error> {
        if !flow.renews {
            return Ok(None);
        }
        let ledger = self.ledger()?;
        let before = ledger
            .index()
            .connection(flow.connection)
            .and_then(|c| c.account.clone());
        Ok(match (before, account) {
            (Some(before), Some(now)) if before.subject != now.subject => Some(Error::OtherAccount {
                expected: before.shown().to_owned(),
                found: now.shown().to_owned(),
            }),
            _ => None,
        })
    }

    /// Seals the tokens and shows the connection, in one transaction.
    async fn keep_connection(
        &self,
        caller: &Caller,
        provider: Provider,
        fresh: NewConnection,
        answer: Answer,
    ) -> Result<ConnectionId, Error> {
        let (ledger, now, random) = (self.ledger()?, self.now(), self.inner.random.clone());
        let target = if fresh.renews {
            fresh.id
        } else {
            same_account(&ledger.index(), &provider, &fresh)
        };
        let label = if target == fresh.id {
            self.label_for(&provider, &fresh)?
        } else {
            None
        };
        let event = self.event(
            caller,
            EventKind::Connected,
            Some(provider.id),
            Some(target),
            EventOutcome::Done,
            None,
        );
        blocking(move || {
            ledger.change(now, |transaction| {
                if target != fresh.id {
                    transaction.delete_connection(fresh.id)?;
                }
                let mut connection = transaction
                    .get::<Connection>(target.row())?
                    .unwrap_or_else(|| fresh.empty(&provider, now));
                connection.requested_scopes = fresh.scopes.clone();
                connection.label = label.or(connection.label);
                connection.account = fresh.account.clone().or(connection.account);
                // A grant of its own: nothing of the old tokens is carried over but the fence.
                let old = transaction.get::<Tokens>(target.row())?;
                let old = old.map(|old| Tokens {
                    refresh_token: None,
                    scopes: fresh.scopes.clone(),
                    ..old
                });
                let tokens = settle(&mut connection, old, answer, &provider, now, &*random);
                transaction.put(target.row(), &connection)?;
                transaction.put(target.row(), &tokens)?;
                transaction.event(&event)
            })
        })
        .await?;
        self.inner.due.notify_one();
        Ok(target)
    }

    /// The label that was asked for; or, for a further account without one, who it is.
    fn label_for(&self, provider: &Provider, fresh: &NewConnection) -> Result<Option<String>, Error> {
        if fresh.label.is_some() || fresh.renews {
            return Ok(fresh.label.clone());
        }
        let ledger = self.ledger()?;
        let index = ledger.index();
        let mut others = index
            .usable_of_provider(provider.id)
            .filter(|c| c.id != fresh.id)
            .peekable();
        if others.peek().is_none() {
            return Ok(None);
        }
        let taken: Vec<_> = others.filter_map(|c| c.label.clone()).collect();
        let shown = fresh
            .account
            .as_ref()
            .map_or("account", Account::shown)
            .replace('/', "-");
        let base: String = tokenry_core::clean(&shown).chars().take(56).collect();
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        Ok(std::iter::once(base.clone())
            .chain(numbered)
            .find(|label| !taken.contains(label)))
    }
}

/// What is known of a connection before its tokens are laid on it.
struct NewConnection {
    id: ConnectionId,
    label: Option<String>,
    scopes: Scopes,
    account: Option<Account>,
    renews: bool,
}

impl NewConnection {
    fn empty(&self, provider: &Provider, now: tokenry_core::Timestamp) -> Connection {
        Connection::pending(self.id, provider.id, self.label.clone(), self.scopes.clone(), now)
    }
}

/// The connection this account already has at this provider: signing in again renews it rather than making a twin.
/// A label that was asked for says that a connection of its own is wanted.
fn same_account(index: &crate::index::Index, provider: &Provider, fresh: &NewConnection) -> ConnectionId {
    let Some(account) = &fresh.account else {
        return fresh.id;
    };
    let same = |c: &&Connection| {
        c.account.as_ref().is_some_and(|a| a.subject == account.subject)
            && (fresh.label.is_none() || c.label == fresh.label)
    };
    index
        .usable_of_provider(provider.id)
        .find(same)
        .map_or(fresh.id, |c| c.id)
}
