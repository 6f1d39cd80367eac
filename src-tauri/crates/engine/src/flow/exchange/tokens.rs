//! A code becomes tokens, and the tokens a connection.

use super::{account::another_account, refused::refused};
use crate::{
    Engine, Error, flow::create_connection::NewConnection, records::sealed_store::SealedStore,
    token::partial_response,
};
use std::sync::Arc;
use tokenry_core::{
    Account, AccountSource, Caller, CaptureError, Captured, ConnectionId, Flow, KnownTargets, Provider,
    Secret,
};
use tokenry_oauth::{Answer, Failure, exchange_step, introspection, userinfo};

impl Engine {
    pub(super) async fn make_connection(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        provider: Provider,
        code: &Secret,
        captured: Captured,
    ) -> Result<ConnectionId, Error> {
        let provider = self
            .with_client_secret(store, provider, flow.client_secret_from)
            .map_err(refused)?;
        // A value that does not fit, or names an unknown host, ends the sign-in before the code is sent.
        let provider = provider.filled_in(&captured).map_err(unfit)?;
        let (provider, answer) = self.redeem(store, flow, provider, code, &captured).await?;
        self.keep_first_tokens(store, caller, flow, provider, answer, captured)
            .await
    }

    /// Makes a connection of the first tokens, or gives them back.
    pub(in crate::flow) async fn keep_first_tokens(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        flow: &Flow,
        provider: Provider,
        answer: Answer,
        mut captured: Captured,
    ) -> Result<ConnectionId, Error> {
        let refresh_token = answer.refresh_token.clone();
        let access_token = answer
            .access_token
            .as_ref()
            .or(answer.unusable_token.as_ref())
            .cloned();
        let usable = provider.fitting(&captured, answer.captured.clone());
        let made = match partial_response::useless(&answer) {
            Some(useless) => Err(refused(useless)),
            None => {
                captured.extend(answer.captured.clone());
                match provider.clone().filled_in(&captured) {
                    Ok(filled) => {
                        self.keep_first_answer(store, caller, flow, filled, answer, captured)
                            .await
                    }
                    Err(error) => Err(unfit(error)),
                }
            }
        };
        // Where it is not known whose they are, they may be of the very grant that is to stay: revoking one may end it.
        let may_be_ours = matches!(made, Err(Error::AccountNotTold(..)));
        if made.is_err() && !may_be_ours {
            // These tokens will never be used.
            let tokens = [refresh_token.as_ref(), access_token.as_ref()];
            let client = provider.clone().filled_in(&usable).unwrap_or(provider);
            self.give_back(&client, tokens).await;
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
        captured: Captured,
    ) -> Result<ConnectionId, Error> {
        if let (Some(step), Some(token)) = (&provider.settings.exchange_step, &answer.access_token) {
            answer = match exchange_step::exchange(&self.inner.http, &provider, step, token).await {
                Ok(longer) => answer.exchanged_for(longer),
                Err(failure) => answer.not_exchanged(&failure),
            };
        }
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
            captured,
            resource: flow.resource.clone(),
            renews: flow.renews && further.is_none(),
            started_by: flow.started_by,
            client_secret_from: flow.client_secret_from,
            dpop_key: provider.dpop_key.clone(),
        };
        self.create_connection(store, caller, provider, fresh, answer)
            .await
    }

    /// Whose account it is: what came with the tokens, and what the provider says of them where it is asked. A userinfo of
    /// another subject is not used (OpenID Connect Core §5.3.2), unless the settings say where the account's own id is;
    /// and a missing one prevents no connection.
    async fn fetch_account(&self, provider: &Provider, answer: &mut Answer) -> Option<Account> {
        let told = answer.account.take();
        let settings = &provider.settings;
        let Some(token) = &answer.access_token else {
            return told;
        };
        let http = &self.inner.http;
        let found = match settings.account_source {
            AccountSource::TokenResponse => return told,
            AccountSource::Automatic if settings.userinfo_endpoint.is_none() => return told,
            AccountSource::Automatic | AccountSource::Userinfo => {
                userinfo::fetch(http, provider, token).await
            }
            AccountSource::Introspection => introspection::fetch(http, provider, token).await,
        };
        let is_chosen =
            settings.account_source != AccountSource::Automatic && settings.account_paths.contains_key("id");
        match found {
            Ok(found) if is_chosen || told.as_ref().is_none_or(|told| told.subject == found.subject) => {
                Some(found)
            }
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
    let mut targets = flow.targets.clone();
    let resource = flow
        .resource
        .iter()
        .map(|resource| ("resource", resource.as_str()));
    targets.extend(KnownTargets::among(resource));
    targets
}

/// A value of the sign-in cannot be used in an address.
pub(in crate::flow) fn unfit(error: CaptureError) -> Error {
    refused(Failure::Unusable {
        message: error.to_string(),
    })
}
