//! Connections: list, show, change.

mod change;
pub(crate) mod disconnect;
mod serving;

pub use change::ConnectionChange;

use crate::{
    ConnectionView, Engine, Error,
    access::{consent::AccessRequest, policy::Operation, visibility::Sight},
    records::{index::is_usable, sealed_store::SealedStore},
    token::refresh_token_life::{end_of_sign_in, sign_in_again_before},
};
use std::collections::HashMap;
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, Event, EventKind, Outcome, Provider, ProviderId,
    ReauthReason, Timestamp,
};

impl Engine {
    /// All connections: those that need a sign-in, those that will soon, and the others, each by name.
    ///
    /// # Errors
    /// While locked.
    pub async fn connections(&self, caller: &Caller) -> Result<Vec<ConnectionView>, Error> {
        self.allow(caller, Operation::ReadConnections)?;
        let store = self.store()?;
        let connections: Vec<_> = store.index().connections().cloned().collect();
        // An app sees what its grants name, and what it made itself; another host, what its socket is for.
        let sees_all = caller.app().is_none() && caller.peer().is_none_or(|peer| peer.remote.is_none());
        let may_see = |c: &Connection| sees_all || self.allow_on(caller, &seen(c)).is_ok();
        let index = store.index();
        let mut views: Vec<_> = connections
            .iter()
            .filter(|c| may_see(c))
            .filter_map(|c| self.shown(&index, c))
            .collect();
        let key = |view: &ConnectionView| {
            (
                urgency(view.connection.status),
                view.name.clone(),
                view.connection.id,
            )
        };
        views.sort_by_cached_key(key);
        note_twins(&mut views);
        Ok(views)
    }

    /// One connection, by id or name.
    ///
    /// # Errors
    /// When there is none, or several could be meant.
    pub async fn connection(&self, caller: &Caller, reference: &str) -> Result<ConnectionView, Error> {
        let connection = self.connection_shown(caller, reference)?;
        self.allow_on(caller, &seen(&connection))?;
        self.view(connection.id)
    }

    /// The one connection of a provider on which the caller may do this, or may ask to, if there is one. Whether it
    /// may is decided there once more: here no prompt appears.
    ///
    /// # Errors
    /// When there is no such provider, or several connections could be meant.
    pub async fn connection_for(
        &self,
        caller: &Caller,
        provider: &str,
        operation: Operation,
    ) -> Result<Option<ConnectionId>, Error> {
        let store = self.store()?;
        let (all, holds) = {
            let index = store.index();
            let sight = Sight::of(&index, caller, self.latest());
            let found = sight.provider(provider).map(|provider| {
                let usable = index.usable_of_provider(provider).filter(|c| sight.sees(c));
                usable.cloned().collect::<Vec<_>>()
            });
            (found, sight.holds(operation))
        };
        if !holds {
            // Whatever has that name.
            self.not_denied(caller, &AccessRequest::new(operation))?;
        }
        let all = all?;
        let mut possible: Vec<_> = all.iter().filter(|c| self.may_do(caller, operation, c)).collect();
        if possible.is_empty() {
            // It is refused on any of them, and that is in the log.
            possible = all.iter().take(1).collect();
        }
        match possible.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.id)),
            several => {
                let index = store.index();
                let mut candidates: Vec<_> = several.iter().map(|c| index.name_of(c)).collect();
                candidates.sort();
                Err(Error::Ambiguous {
                    reference: tokenry_core::clean(provider),
                    candidates,
                })
            }
        }
    }

    /// A provider with those of its connections that the caller may see.
    ///
    /// # Errors
    /// When there is no such provider, or the caller may see no connections.
    pub async fn provider_connections(
        &self,
        caller: &Caller,
        provider: &str,
    ) -> Result<(Provider, Vec<ConnectionView>), Error> {
        let mut views = self.connections(caller).await?;
        let provider = self.provider_meant(caller, provider)?;
        views.retain(|view| view.connection.provider == provider.id);
        Ok((provider, views))
    }

    /// A connection as it is shown.
    pub(crate) fn view(&self, id: ConnectionId) -> Result<ConnectionView, Error> {
        self.view_in(&*self.store()?, id)
    }

    pub(crate) fn view_in(&self, store: &SealedStore, id: ConnectionId) -> Result<ConnectionView, Error> {
        let index = store.index();
        let view = index
            .connection(id)
            .and_then(|connection| self.shown(&index, connection));
        view.ok_or_else(|| Error::not_found("connection", &id.to_string(), "it was disconnected"))
    }

    fn shown(&self, index: &crate::records::index::Index, connection: &Connection) -> Option<ConnectionView> {
        let mut shown = connection.clone();
        shown.status = self.status_now(connection);
        let name = index.name_of(connection);
        Some(ConnectionView {
            notice: notice(connection, &name),
            sign_in_again_before: sign_in_again_before(connection, self.now()),
            name,
            provider_name: index.provider_name(connection.provider)?.clone(),
            flow: self.open_flow_of(connection.id),
            connection: shown,
        })
    }

    /// The status at this moment. A refresh under way shows.
    pub(crate) fn status_now(&self, connection: &Connection) -> ConnectionStatus {
        match status_at(connection, self.now()) {
            ConnectionStatus::Active | ConnectionStatus::Expiring
                if self.inner.refreshes.is_running(connection.id) =>
            {
                ConnectionStatus::Refreshing
            }
            status => status,
        }
    }
}

impl Engine {
    /// The event that tells of scopes that a refresh no longer brought.
    pub(crate) fn lost_event(&self, store: &SealedStore, connection: &Connection) -> Option<Event> {
        let words = lost_words(connection, &store.index().name_of(connection))?;
        let kind = EventKind::ScopesLost;
        Some(
            self.event(&Caller::Engine, kind, Outcome::Failed)
                .about(connection)
                .with_detail(&words),
        )
    }
}

fn notice(connection: &Connection, name: &str) -> Option<String> {
    let needs_reauth = matches!(connection.status, ConnectionStatus::NeedsReauth(_));
    let words = connection.provider_words.as_ref().filter(|_| needs_reauth);
    words
        .map(|words| format!("The provider says: {words}"))
        .or_else(|| rejected_words(connection, name))
        .or_else(|| lost_words(connection, name))
}

fn rejected_words(connection: &Connection, name: &str) -> Option<String> {
    let at = connection.rejected_at?;
    Some(format!(
        "A program reported at {at:.0} that the access token was rejected, and no refresh can replace it. Connect again (`tokenry connect {name}`)."
    ))
}

fn lost_words(connection: &Connection, name: &str) -> Option<String> {
    let lost = connection.lost.as_ref()?;
    let scopes = &lost.scopes;
    Some(if lost.after_narrowing {
        format!(
            "Lost: {scopes}. A narrower token was asked for, and the provider kept the narrower scope for good. To get it back, connect again (`tokenry connect {name}`). Set `narrowing` of the provider to none."
        )
    } else {
        format!(
            "Lost: {scopes}. The last refresh no longer brought it. To get it back, connect again (`tokenry connect {name}`)."
        )
    })
}

/// Notes at each connection that another one is of the same account at the same provider.
fn note_twins(views: &mut [ConnectionView]) {
    let mut of_account: HashMap<(ProviderId, String), Vec<String>> = HashMap::new();
    let key = |view: &ConnectionView| {
        let account = view
            .connection
            .account
            .as_ref()
            .filter(|_| is_usable(&view.connection))?;
        Some((view.connection.provider, account.subject.clone()))
    };
    for view in &*views {
        if let Some(key) = key(view) {
            of_account.entry(key).or_default().push(view.name.clone());
        }
    }
    of_account.retain(|_, names| names.len() > 1);
    for view in views.iter_mut().filter(|view| view.notice.is_none()) {
        let twins = key(view).and_then(|key| of_account.get(&key));
        let other = twins.and_then(|names| names.iter().find(|name| **name != view.name));
        view.notice = other.map(|other| format!("The same account is also connected as {other}."));
    }
}

/// What the user has to do something about comes first.
fn urgency(status: ConnectionStatus) -> u8 {
    match status {
        ConnectionStatus::NeedsReauth(_) => 0,
        ConnectionStatus::Expiring => 1,
        _ => 2,
    }
}

/// The status at this time: what the record says, or `expired` when the access token has ended and cannot be
/// refreshed, or `expiring` when the user has to sign in again soon. The scheduler announces the change.
pub(crate) fn status_at(connection: &Connection, at: Timestamp) -> ConnectionStatus {
    let over = !connection.refreshable && connection.expires_at.is_some_and(|end| end <= at);
    let ends_soon = || end_of_sign_in(connection).is_some_and(|(warns_at, _)| warns_at <= at);
    match connection.status {
        ConnectionStatus::Active if over => ConnectionStatus::NeedsReauth(ReauthReason::Expired),
        ConnectionStatus::Active if ends_soon() => ConnectionStatus::Expiring,
        status => status,
    }
}

/// The request to see a connection.
fn seen(connection: &Connection) -> AccessRequest {
    AccessRequest::new(Operation::ReadConnections)
        .at(connection.provider)
        .of(connection.id, connection.started_by)
}
