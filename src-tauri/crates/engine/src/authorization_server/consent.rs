//! The consent decision on a waiting authorization request.

use super::{error::OAuthError, redirect_uri, request};
use crate::{AuthorizationRequest, Engine, Error, PromptAnswer, Proof, access::policy::Operation};
use std::collections::BTreeSet;
use tokenry_core::{Caller, ConnectionId, CredentialId, Secret, Timestamp};

/// The person's decision on a request that waits at the authorization endpoint, named by what the app sent.
#[derive(Debug)]
pub struct ConsentDecision {
    /// The app, by its id or name.
    pub client_id: String,
    /// Where its code goes.
    pub redirect_uri: String,
    /// What it wants, separated by spaces.
    pub scope: String,
    /// As it sent it.
    pub state: Option<String>,
    /// Its PKCE challenge.
    pub code_challenge: String,
    /// The number that only the window which asks was told.
    pub number: Secret,
    /// Yes or no.
    pub approve: bool,
    /// What it may use.
    pub connections: BTreeSet<ConnectionId>,
    /// What it may use of what is not OAuth.
    pub credentials: BTreeSet<CredentialId>,
    /// Until when; without it, until the person takes it away.
    pub until: Option<Timestamp>,
}

impl Engine {
    /// Answers the one open question that has just this request. Only the window that asks for consent may.
    ///
    /// # Errors
    /// For every other caller; when no such question is open; when the number is not its own.
    pub async fn consent(&self, caller: &Caller, decision: ConsentDecision) -> Result<(), Error> {
        self.may_consent(caller)?;
        let asked = self.asked(&decision)?;
        if decision.until.is_some_and(|end| end <= self.now()) {
            return Err(Error::field("until", "must be in the future"));
        }
        let same = self
            .prompts(caller)?
            .into_iter()
            .filter(|prompt| prompt.authorization.as_ref() == Some(&asked));
        let by_number = |prompt: &crate::Prompt| tokenry_core::same_secret(&prompt.number, &decision.number);
        let open: Vec<_> = same.collect();
        let prompt = open.iter().find(|prompt| by_number(prompt)).or(open.first());
        let prompt = prompt.ok_or_else(|| {
            Error::not_found(
                "question",
                &decision.client_id,
                "it was answered, has changed, or is over",
            )
        })?;
        let answer = match decision.approve {
            true => PromptAnswer::App {
                connections: decision.connections,
                credentials: decision.credentials,
                until: decision.until,
            },
            false => PromptAnswer::Deny,
        };
        self.answer(caller, prompt.id, &Proof::Number(decision.number), answer)
            .await
    }

    /// Whether this caller may decide at all.
    ///
    /// # Errors
    /// For every other caller than the window that asks for consent.
    pub fn may_consent(&self, caller: &Caller) -> Result<(), Error> {
        self.allow(caller, Operation::Answer)
            .map_err(|_| Error::Denied("only the window that asks for consent may answer"))
    }

    fn asked(&self, decision: &ConsentDecision) -> Result<AuthorizationRequest, Error> {
        let store = self.store()?;
        let app = redirect_uri::app(&store.index(), &decision.client_id).map(|app| app.id);
        let app = app.ok_or_else(|| Error::field("client_id", "is no app that is registered"))?;
        let scopes = request::scopes(Some(&decision.scope));
        Ok(AuthorizationRequest {
            app,
            redirect_uri: decision.redirect_uri.clone(),
            scopes: scopes.map_err(|wrong: OAuthError| Error::field("scope", wrong.description))?,
            state: decision.state.clone().filter(|state| !state.is_empty()),
            code_challenge: decision.code_challenge.clone(),
        })
    }
}
