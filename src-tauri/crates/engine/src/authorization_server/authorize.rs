//! The authorization endpoint (RFC 6749 §4.1.1).

use super::{
    CODE,
    codes::Bound,
    error::{OAuthError, OAuthErrorCode, Unredirectable},
    fresh,
    parameters::Parameters,
    redirect_uri, request,
};
use crate::{
    ConsentMode, Engine, Error,
    access::{
        consent::{AccessRequest, AuthorizationRequest, PromptAnswer, offered},
        policy::Operation,
    },
    engine::detached,
    records::sealed_store::SealedStore,
};
use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};
use tokenry_core::{
    ApiScope, App, Caller, ConnectionId, CredentialId, EventKind, Grant, GrantId, Outcome, Peer, Rule,
    Secret, Timestamp,
};
use url::form_urlencoded;

/// The longest query that is looked at, in bytes.
const MAX_QUERY_BYTES: usize = 16 << 10;
/// How long a grant lasts that was given without a prompt, because the engine allows everything.
const UNASKED_GRANT_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Where the browser is to go. It may hold a code: its `Debug` shows nothing of it.
pub struct Redirect(Secret);

impl Redirect {
    /// For the `Location` header: printable ASCII.
    pub fn location(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redirect(…)")
    }
}

/// What was allowed, by the user or by the engine's consent mode.
struct Allowed {
    connections: BTreeSet<ConnectionId>,
    credentials: BTreeSet<CredentialId>,
    until: Option<Timestamp>,
    rule: Rule,
}

impl Engine {
    /// The authorization endpoint. `peer` is the browser, where it is known; `issuer` is our name at the
    /// listener that it came to; `query` is as it came. Asks the person, except for an app that can prove itself and was
    /// granted as much before; waits three minutes at most.
    ///
    /// # Errors
    /// When the app or its address is none that is registered, and nothing may be sent anywhere. Every other error is
    /// a redirect (RFC 6749 §4.1.2.1).
    pub async fn authorize(
        &self,
        peer: Option<Peer>,
        issuer: &str,
        query: &str,
    ) -> Result<Redirect, Unredirectable> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(Unredirectable::Unreadable("it is longer than 16 KiB".to_owned()));
        }
        let parameters =
            Parameters::parse(query).map_err(|wrong| Unredirectable::Unreadable(wrong.to_string()))?;
        let store = self.store()?;
        let (app, redirect_uri) = redirect_uri::of(&store.index(), &parameters)?;
        let answered = match request::read(app.id, &redirect_uri, &parameters) {
            Ok(request) => self.authorized(&store, peer, &app, request).await,
            Err(wrong) => Err(wrong),
        };
        // The user may have removed it meanwhile: then nothing is sent there any more.
        if store.index().app(app.id).is_none() {
            return Err(Unredirectable::UnknownClient);
        }
        let state = parameters.get("state").filter(|state| request::is_visible(state));
        Ok(back(&redirect_uri, state, issuer, answered))
    }

    async fn authorized(
        &self,
        store: &Arc<SealedStore>,
        peer: Option<Peer>,
        app: &App,
        request: AuthorizationRequest,
    ) -> Result<Secret, OAuthError> {
        let caller = Caller::Program(peer.unwrap_or_else(tokenry_peer::unknown));
        if let Some(grant) = self.granted_before(store, app, &request.scopes) {
            let event = self.authorized_event(&caller, &request).by(Rule::Grant(grant));
            self.inner.activity.push(event);
            return self.new_code(store, request, grant);
        }
        let allowed = self.ask_about(store, &caller, app, &request).await?;
        let (engine, store) = (self.clone(), store.clone());
        // The engine's own task: a browser that goes away does not undo what the user has just decided.
        detached(async move {
            let grant = engine.give(&store, &caller, &request, allowed).await?;
            engine.new_code(&store, request, grant)
        })
        .await
    }

    /// A living grant that covers all of it, for an app that has to prove itself before it can use a code. An app
    /// that cannot is asked about each time: anybody can call itself that (RFC 8252 §8.6, A13.5).
    fn granted_before(&self, store: &SealedStore, app: &App, scopes: &BTreeSet<ApiScope>) -> Option<GrantId> {
        app.token_hash?;
        let (index, now) = (store.index(), self.latest());
        let covers = |grant: &&Grant| grant.is_alive(now) && scopes.is_subset(&grant.scopes);
        let newest = index
            .grants_of(app.id)
            .filter(covers)
            .max_by_key(|grant| grant.created_at);
        newest.map(|grant| grant.id)
    }

    async fn ask_about(
        &self,
        store: &SealedStore,
        caller: &Caller,
        app: &App,
        request: &AuthorizationRequest,
    ) -> Result<Allowed, Error> {
        let mut wanted = AccessRequest::new(Operation::AuthorizeApp);
        wanted.authorization = Some(request.clone());
        if app.token_hash.is_none() {
            wanted = wanted
                .note("This app has no secret of its own: any program of yours can call itself by its name.");
        }
        let answered = match self.inner.asking {
            ConsentMode::AllowAll => return Ok(self.allowed_unasked(store, request)),
            ConsentMode::Never => Err(Error::CannotAsk),
            ConsentMode::Possible => self.ask(caller, &wanted).await,
        };
        let allowed = answered.and_then(|answered| match answered.answer {
            PromptAnswer::App { until: Some(end), .. } if end <= self.now() => Err(Error::Denied(
                "the grant would have ended before it began, so nothing was granted",
            )),
            PromptAnswer::App {
                connections,
                credentials,
                until,
            } => Ok(Allowed {
                connections,
                credentials,
                until,
                rule: answered.rule,
            }),
            _ => Err(Error::Internal(
                "an app was answered as if it were a program".to_owned(),
            )),
        });
        allowed.inspect_err(|error| self.note_refusal(caller, &wanted, error))
    }

    /// What the question would have offered, for as long as a session lasts at most.
    fn allowed_unasked(&self, store: &SealedStore, request: &AuthorizationRequest) -> Allowed {
        let now = self.now();
        let (connections, credentials) = offered(&store.index(), &request.scopes, now);
        Allowed {
            connections: connections.iter().map(|choice| choice.connection).collect(),
            credentials: credentials.iter().map(|choice| choice.credential).collect(),
            until: Some(tokenry_core::later(now, UNASKED_GRANT_LIFETIME)),
            rule: Rule::ApproveAll,
        }
    }

    /// Commits the grant, with its line in the activity log. The very same one is not kept twice.
    async fn give(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        request: &AuthorizationRequest,
        allowed: Allowed,
    ) -> Result<GrantId, OAuthError> {
        let now = self.now();
        let grant = Grant {
            id: GrantId::new(&*self.inner.clock, &*self.inner.random),
            app: request.app,
            scopes: request.scopes.clone(),
            connections: allowed.connections,
            credentials: allowed.credentials,
            token_scopes: None,
            while_locked: false,
            expires_at: allowed.until,
            created_at: now,
            last_used_at: None,
        };
        let event = self.authorized_event(caller, request).by(allowed.rule);
        let store = store.clone();
        let given = self
            .commit(&store, move |transaction| {
                if transaction.get::<App>(grant.app.row())?.is_none() {
                    return Ok(None);
                }
                let same = transaction
                    .store
                    .index()
                    .grants_of(grant.app)
                    .find(|old| is_same(old, &grant))
                    .map(|old| old.id);
                if same.is_none() {
                    transaction.put(grant.id.row(), &grant)?;
                }
                transaction.event(&event)?;
                Ok(Some(same.unwrap_or(grant.id)))
            })
            .await?;
        given.ok_or_else(|| OAuthErrorCode::UnauthorizedClient.because("the app was removed"))
    }

    /// A new code. None is made once the vault is shut: what was allowed before is asked for again.
    fn new_code(
        &self,
        store: &SealedStore,
        request: AuthorizationRequest,
        grant: GrantId,
    ) -> Result<Secret, OAuthError> {
        let code = fresh(CODE, &*self.inner.random);
        let hash = store.vault().token_hash(&code);
        let bound = Bound {
            app: request.app,
            grant,
            scopes: request.scopes,
            redirect_uri: request.redirect_uri,
            challenge: request.code_challenge,
        };
        let mut codes = self.inner.authorization_server.codes();
        // Under the lock that forgetting takes, which comes after the gate was shut.
        self.store()?;
        if codes.keep(hash, bound, self.inner.clock.boottime()) {
            Ok(code)
        } else {
            Err(OAuthErrorCode::TemporarilyUnavailable
                .because("too many codes wait to be used; try again in a few minutes"))
        }
    }

    fn authorized_event(&self, caller: &Caller, request: &AuthorizationRequest) -> tokenry_core::Event {
        let scopes: Vec<_> = request.scopes.iter().map(|scope| scope.as_str()).collect();
        let words = scopes.join(" ");
        let kind = EventKind::AppAuthorized;
        self.event(caller, kind, Outcome::Done)
            .with_detail(&words)
            .with_app(request.app)
    }
}

/// Whether a grant that is there already says the very same.
fn is_same(old: &Grant, new: &Grant) -> bool {
    old.is_alive(new.created_at)
        && (&old.scopes, &old.connections, &old.credentials)
            == (&new.scopes, &new.connections, &new.credentials)
        && (&old.token_scopes, old.expires_at) == (&new.token_scopes, new.expires_at)
}

/// The address of the app with the answer behind it; `iss` always, so that the app knows whose it is (RFC 9207 §2).
fn back(
    redirect_uri: &str,
    state: Option<&str>,
    issuer: &str,
    answered: Result<Secret, OAuthError>,
) -> Redirect {
    let mut query = form_urlencoded::Serializer::new(String::new());
    match &answered {
        Ok(code) => query.append_pair("code", code.expose()),
        Err(error) => query
            .append_pair("error", error.code.as_str())
            .append_pair("error_description", &error.description),
    };
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    let between = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    Redirect(Secret::new(format!("{redirect_uri}{between}{}", query.finish())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_laid_behind_the_apps_own_query() {
        let answer = |uri| {
            back(
                uri,
                Some("a&b=c d"),
                "http://127.0.0.1:1",
                Ok(Secret::new("x".to_owned())),
            )
        };
        let tail = "code=x&state=a%26b%3Dc+d&iss=http%3A%2F%2F127.0.0.1%3A1";
        for (uri, between) in [
            ("https://a.example/cb", "?"),
            ("https://a.example/cb?", ""),
            ("https://a.example/cb?x=1", "&"),
            ("com.example.app:/cb", "?"),
        ] {
            assert_eq!(answer(uri).location(), format!("{uri}{between}{tail}"));
        }
        assert!(!format!("{:?}", answer("https://a.example/cb")).contains("code"));
    }
}
