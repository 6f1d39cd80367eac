//! A provider's first answer becomes a connection, or renews one.

use crate::{
    Engine, Error,
    records::{index::Index, sealed_store::SealedStore},
    token::{
        apply_response::apply_token_response, id_token, partial_response, refresh_token_life::observed_life,
    },
};
use std::sync::Arc;
use tokenry_core::{
    Account, AppId, Caller, Captured, Connection, ConnectionId, ConnectionStatus, CredentialId, EventKind,
    KnownTargets, Outcome, Provider, Scopes, Secret, Timestamp, Tokens,
};
use tokenry_oauth::Answer;

/// What is known of a connection before its tokens are laid on it.
pub(super) struct NewConnection {
    pub(super) id: ConnectionId,
    pub(super) label: Option<String>,
    pub(super) scopes: Scopes,
    pub(super) account: Option<Account>,
    /// The audiences and resources that the sign-in asked for.
    pub(super) targets: KnownTargets,
    /// The values that it brought.
    pub(super) captured: Captured,
    /// The resource that it named and a refresh repeats.
    pub(super) resource: Option<String>,
    pub(super) renews: bool,
    /// The app that started it.
    pub(super) started_by: Option<AppId>,
    /// The credential with the client secret that it was made with.
    pub(super) client_secret_from: Option<CredentialId>,
    /// The key that its tokens are bound to.
    pub(super) dpop_key: Option<Secret>,
}

impl NewConnection {
    fn empty(&self, provider: &Provider, now: Timestamp) -> Connection {
        let mut empty =
            Connection::pending(self.id, provider.id, self.label.clone(), self.scopes.clone(), now);
        empty.started_by = self.started_by;
        empty
    }

    /// The old tokens as far as they are carried over: the fence; and, where the same account signed in again and
    /// was given no new refresh token, the old one, which stays good then (Google does so).
    fn carried_over(&self, old: Tokens, before: Option<&Account>) -> Tokens {
        let same = |a: &Account, b: &Account| a.subject == b.subject;
        let same = self.account.as_ref().zip(before).is_some_and(|(a, b)| same(a, b));
        // A refresh token that is bound to another key cannot be used with this one.
        let key = |key: &Option<Secret>| key.as_ref().map(|key| key.expose().to_owned());
        let same = same && key(&self.dpop_key) == key(&old.dpop_key);
        Tokens {
            refresh_token: old.refresh_token.filter(|_| same),
            scopes: self.scopes.clone(),
            narrowed: Vec::new(),
            id_token: None,
            ..old
        }
    }
}

impl Engine {
    /// Seals the tokens and shows the connection, in one transaction. Which connection it is and what it is called
    /// is decided inside, so that two sign-ins at the same moment do not get in each other's way.
    pub(super) async fn create_connection(
        &self,
        store: &Arc<SealedStore>,
        caller: &Caller,
        provider: Provider,
        fresh: NewConnection,
        answer: Answer,
    ) -> Result<ConnectionId, Error> {
        let (store, engine, caller, now) = (store.clone(), self.clone(), caller.clone(), self.now());
        let id = self
            .commit_surely(&store, move |transaction| {
                let target = target(&transaction.store.index(), &provider, &fresh);
                let label = label(&transaction.store.index(), &provider, &fresh, target);
                if target != fresh.id {
                    transaction.delete_connection(fresh.id)?;
                }
                let mut connection = transaction
                    .get::<Connection>(target.row())?
                    .unwrap_or_else(|| fresh.empty(&provider, now));
                if connection.status == ConnectionStatus::Disconnecting {
                    return Err(crate::access::resolve::gone(&target.to_string()));
                }
                connection.requested_scopes = fresh.scopes.clone();
                // Another sign-in may be of another kind: what its provider does is seen anew.
                connection.narrows = None;
                connection.lost = None;
                connection.narrowed = false;
                connection.signed_in_at = Some(now);
                connection.refresh_token_life = None;
                connection.targets.extend(fresh.targets.clone());
                connection.captured.clone_from(&fresh.captured);
                connection.resource.clone_from(&fresh.resource);
                connection.client_secret_from = fresh.client_secret_from;
                connection.label = label.or(connection.label);
                let old = transaction.get::<Tokens>(target.row())?;
                let old = old.map(|old| fresh.carried_over(old, connection.account.as_ref()));
                connection.account = fresh.account.clone().or(connection.account);
                let random = &*engine.inner.random;
                let mut tokens =
                    apply_token_response(&mut connection, old, answer.clone(), &provider, now, random);
                if connection.refreshable && connection.refresh_token_life.is_none() {
                    let index = transaction.store.index();
                    connection.refresh_token_life = observed_life(&index, provider.id, now);
                }
                tokens.dpop_key = fresh.dpop_key.clone();
                tokens.id_token = id_token::kept(answer.id_token.as_ref(), now);
                if connection.trouble.is_none() {
                    connection.trouble = partial_response::no_refresh_token(&connection, &provider, now);
                }
                let detail = connection.trouble.as_ref().map(|trouble| trouble.message.clone());
                transaction.put(target.row(), &connection)?;
                transaction.put(target.row(), &tokens)?;
                let (kind, outcome) = (EventKind::Connected, Outcome::Done);
                transaction.event(
                    &engine
                        .event(&caller, kind, outcome)
                        .about(&connection)
                        .with_detail_if(detail.as_deref()),
                )?;
                Ok(target)
            })
            .await?;
        self.inner.due.notify_one();
        Ok(id)
    }
}

/// The connection this account already has at this provider: signing in again renews it rather than making a twin.
/// A label that was asked for says that a connection of its own is wanted.
fn target(index: &Index, provider: &Provider, fresh: &NewConnection) -> ConnectionId {
    let Some(account) = fresh.account.as_ref().filter(|_| !fresh.renews) else {
        return fresh.id;
    };
    let same = |c: &&Connection| {
        c.account.as_ref().is_some_and(|a| a.subject == account.subject)
            && (fresh.label.is_none() || c.label == fresh.label)
    };
    // Of several, the one that has the provider's own name; else the oldest.
    index
        .usable_of_provider(provider.id)
        .filter(same)
        .min_by_key(|c| (c.label.is_some(), c.created_at, c.id))
        .map_or(fresh.id, |c| c.id)
}

/// The label that was asked for; or, for a further account without one, who it is.
fn label(index: &Index, provider: &Provider, fresh: &NewConnection, target: ConnectionId) -> Option<String> {
    if fresh.label.is_some() || fresh.renews || target != fresh.id {
        return fresh.label.clone();
    }
    if !index.usable_of_provider(provider.id).any(|c| c.id != fresh.id) {
        return None;
    }
    let shown = fresh.account.as_ref().map_or("account", Account::display_name);
    let base: String = tokenry_core::clean(&shown.replace('/', "-"))
        .chars()
        .take(56)
        .collect();
    let base = base.trim().to_owned();
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    std::iter::once(base.clone()).chain(numbered).find(|label| {
        let mut namesakes = index.of_provider_labelled(provider.id, Some(label));
        !namesakes.any(|c| c.id != fresh.id)
    })
}
