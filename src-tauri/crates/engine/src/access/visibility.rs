//! What a caller can find by its name.
//!
//! An app finds what its grants name and what it made itself; for it, nothing else is there. Everybody else finds
//! everything.

use crate::{
    Engine, Error,
    access::{
        consent::AccessRequest,
        policy::{Operation, OperationPolicy as _},
        resolve,
    },
    records::index::{CredentialEntry, Index},
};
use tokenry_core::{
    ApiScope, AppCaller, Caller, Connection, ConnectionStatus, CredentialId, Grant, Provider, ProviderId,
    Remote, Timestamp,
};

pub(crate) struct Sight<'a> {
    index: &'a Index,
    app: Option<&'a AppCaller>,
    /// The host behind a socket that is forwarded.
    remote: Option<&'a Remote>,
    now: Timestamp,
}

impl<'a> Sight<'a> {
    pub(crate) fn of(index: &'a Index, caller: &'a Caller, now: Timestamp) -> Self {
        let app = match caller {
            Caller::App(app) => Some(app),
            _ => None,
        };
        let remote = caller.peer().and_then(|peer| peer.remote.as_ref());
        Self {
            index,
            app,
            remote,
            now,
        }
    }

    /// That of the user.
    pub(super) fn all(index: &'a Index, now: Timestamp) -> Self {
        let (app, remote) = (None, None);
        Self {
            index,
            app,
            remote,
            now,
        }
    }

    /// The grants of the app that count here.
    fn grants(&self, app: &'a AppCaller) -> impl Iterator<Item = &'a Grant> {
        let now = self.now;
        let counts =
            move |grant: &&Grant| grant.is_alive(now) && app.grant.is_none_or(|only| only == grant.id);
        self.index.grants_of(app.app).filter(counts)
    }

    /// Whether the app holds one of these scopes on anything at all. Everybody else is asked about instead.
    fn holds_any(&self, scopes: &[ApiScope]) -> bool {
        let Some(app) = self.app else {
            return true;
        };
        let in_token = |scope: &ApiScope| app.scopes.as_ref().is_none_or(|only| only.contains(scope));
        self.grants(app).any(|grant| {
            scopes
                .iter()
                .any(|scope| grant.scopes.contains(scope) && in_token(scope))
        })
    }

    pub(crate) fn holds(&self, operation: Operation) -> bool {
        self.holds_any(operation.scopes())
    }

    pub(crate) fn sees(&self, connection: &Connection) -> bool {
        if let Some(remote) = self.remote {
            return remote.connections.contains(&connection.id);
        }
        let Some(app) = self.app else {
            return true;
        };
        connection.started_by == Some(app.app)
            || self
                .grants(app)
                .any(|grant| grant.connections.contains(&connection.id))
    }

    pub(super) fn sees_credential(&self, id: CredentialId, known: &CredentialEntry) -> bool {
        if self.remote.is_some() {
            return false;
        }
        let Some(app) = self.app else {
            return true;
        };
        known.created_by == Some(app.app) || self.grants(app).any(|grant| grant.credentials.contains(&id))
    }

    /// A caller that may start a sign-in anywhere, or see or change providers, knows all of them; else an app knows those of
    /// its connections.
    fn sees_provider(&self, id: ProviderId) -> bool {
        use ApiScope as S;
        let all = [S::ProvidersRead, S::ProvidersWrite, S::AuthWrite, S::AuthWriteOwn];
        (self.remote.is_none() && self.holds_any(&all)) || self.index.of_provider(id).any(|c| self.sees(c))
    }

    pub(crate) fn provider(&self, reference: &str) -> Result<ProviderId, Error> {
        let found = resolve::provider(self.index, reference);
        found.and_then(|id| match self.sees_provider(id) {
            true => Ok(id),
            false => Err(resolve::no_provider(reference)),
        })
    }

    pub(crate) fn credential(&self, reference: &str) -> Option<CredentialId> {
        let id = resolve::credential(self.index, reference)?;
        let known = self.index.credential(id)?;
        self.sees_credential(id, known).then_some(id)
    }

    pub(crate) fn connection(&self, reference: &str) -> Result<&'a Connection, Error> {
        self.to_an_app(
            reference,
            resolve::connection(self.index, reference, |c| self.sees(c)),
        )
    }

    /// The same for reading alone: the connection of a provider that waits for its first sign-in is found by its name,
    /// too, while there is no other. Of several the newest is shown.
    pub(crate) fn shown_connection(&self, reference: &str) -> Result<&'a Connection, Error> {
        self.connection(reference).or_else(|error| {
            let waiting = self.index.provider_called(reference).and_then(|provider| {
                self.index
                    .of_provider(provider)
                    .filter(|c| c.status == ConnectionStatus::Pending && self.sees(c))
                    .max_by_key(|c| (c.label.is_none(), c.id))
            });
            match error {
                Error::NotFound { .. } => waiting.ok_or(error),
                other => Err(other),
            }
        })
    }

    /// To an app everything that it does not find is the same: whether a provider has that name is not told, either.
    fn to_an_app<T>(&self, reference: &str, found: Result<T, Error>) -> Result<T, Error> {
        match found {
            Err(Error::NotFound { .. }) if self.app.is_some() || self.remote.is_some() => {
                Err(resolve::no_connection(reference))
            }
            found => found,
        }
    }
}

impl Engine {
    /// The connection that a caller means.
    ///
    /// # Errors
    /// As [`Engine::not_meant`].
    pub(crate) fn connection_meant(
        &self,
        caller: &Caller,
        operation: Operation,
        reference: &str,
    ) -> Result<Connection, Error> {
        let store = self.store()?;
        let found = {
            let index = store.index();
            Sight::of(&index, caller, self.latest())
                .connection(reference)
                .cloned()
        };
        found.map_err(|error| self.not_meant(caller, operation, reference, error))
    }

    /// The same for reading alone.
    pub(crate) fn connection_shown(&self, caller: &Caller, reference: &str) -> Result<Connection, Error> {
        let store = self.store()?;
        let found = {
            let index = store.index();
            let sight = Sight::of(&index, caller, self.latest());
            sight.shown_connection(reference).cloned()
        };
        found.map_err(|error| self.not_meant(caller, Operation::ReadConnections, reference, error))
    }

    /// What a caller is told of a connection that it does not find. An app that may do this with no connection at all is
    /// told so, whatever the name. That an app tried to reach one that it was not given is in the activity log.
    pub(crate) fn not_meant(
        &self,
        caller: &Caller,
        operation: Operation,
        reference: &str,
        error: Error,
    ) -> Error {
        let hidden = |index: &Index| {
            let sight = Sight::all(index, self.latest());
            let found = sight.shown_connection(reference).ok()?;
            Some(
                AccessRequest::new(operation)
                    .at(found.provider)
                    .of(found.id, found.started_by),
            )
        };
        self.not_there(caller, operation, hidden, error)
    }

    /// The same of a credential.
    pub(crate) fn no_credential_meant(
        &self,
        caller: &Caller,
        operation: Operation,
        reference: &str,
        error: Error,
    ) -> Error {
        let hidden = |index: &Index| {
            let id = resolve::credential(index, reference)?;
            let owner = index.credential(id)?.created_by;
            Some(AccessRequest::new(operation).of_credential(id, owner))
        };
        self.not_there(caller, operation, hidden, error)
    }

    fn not_there(
        &self,
        caller: &Caller,
        operation: Operation,
        hidden: impl Fn(&Index) -> Option<AccessRequest>,
        error: Error,
    ) -> Error {
        let Ok(store) = self.store() else {
            return error;
        };
        if caller.app().is_none() {
            return error;
        }
        let (holds, hidden) = {
            let index = store.index();
            (
                Sight::of(&index, caller, self.latest()).holds(operation),
                hidden(&index),
            )
        };
        let refused = Error::no_grant(&[operation]);
        if !holds || hidden.is_some() {
            let wanted = hidden.unwrap_or_else(|| AccessRequest::new(operation));
            self.note_refusal(caller, &wanted, &refused);
        }
        if holds { error } else { refused }
    }

    /// Refuses an app that may do this with no connection at all.
    pub(crate) fn holds(&self, caller: &Caller, operation: Operation) -> Result<(), Error> {
        let store = self.store()?;
        if caller.app().is_none() || Sight::of(&store.index(), caller, self.latest()).holds(operation) {
            return Ok(());
        }
        let refused = Error::no_grant(&[operation]);
        self.note_refusal(caller, &AccessRequest::new(operation), &refused);
        Err(refused)
    }

    /// The provider that a caller means.
    ///
    /// # Errors
    /// When there is none that the caller can find.
    pub(crate) fn provider_meant(&self, caller: &Caller, reference: &str) -> Result<Provider, Error> {
        let id = {
            let store = self.store()?;
            let index = store.index();
            Sight::of(&index, caller, self.latest()).provider(reference)?
        };
        self.provider_by_id(id)
    }
}
