//! What is not OAuth, kept beside it: API keys, user names with passwords, any set of fields.
//!
//! What must never be true of it: that a list holds a value; that the window is handed one; that a redacted field or
//! one that has expired is handed to anybody.

mod check;
mod difference;
mod draft;
mod expiry;
#[cfg(test)]
mod grant_tests;
mod value;

pub(crate) use check::all as check_whole;
pub(crate) use difference::between as difference;
pub use draft::{CredentialChange, NewCredential};
pub(crate) use expiry::{Expiring, expired_at_opening};

use crate::{
    ConnectionView, Engine, Error,
    access::{consent::AccessRequest, policy::Operation, visibility::Sight},
    records::{index::CredentialEntry, sealed_store::SealedStore},
};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_core::{
    Caller, Credential, CredentialId, CredentialType, Event, EventKind, Name, Outcome, Rule, Secret,
    Timestamp,
};

/// A credential that was entered by hand, as it is shown.
#[derive(Debug, Clone)]
pub struct CredentialView {
    /// Its id.
    pub id: CredentialId,
    /// The project it belongs to.
    pub project: Name,
    /// Its name, unique within the project.
    pub name: Name,
    /// Which fields it must have.
    pub kind: CredentialType,
    /// The names of its fields.
    pub fields: Vec<String>,
    /// The values, base64 as they were given; empty in lists and for the window, and never with a redacted field.
    pub data: BTreeMap<String, Secret>,
    /// Fields that are never returned.
    pub redact_fields: BTreeSet<String>,
    /// When it is deleted.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its values were last handed out.
    pub last_used_at: Option<Timestamp>,
}

impl CredentialView {
    fn of(id: CredentialId, known: CredentialEntry) -> Self {
        Self {
            id,
            project: known.project,
            name: known.name,
            kind: known.kind,
            fields: known.fields,
            data: BTreeMap::new(),
            redact_fields: known.redact_fields,
            expires_at: known.expires_at,
            created_at: known.created_at,
            updated_at: known.updated_at,
            last_used_at: known.last_used_at,
        }
    }
}

/// One of the four types of credentials.
#[derive(Debug, Clone)]
pub enum AnyCredential {
    /// Entered by hand.
    Entered(CredentialView),
    /// Made by a consent flow; here it is only shown.
    Connection {
        /// The connection.
        view: Box<ConnectionView>,
        /// The project of its provider.
        project: Name,
    },
}

impl Engine {
    /// All credentials by name, connections among them; never with a value.
    ///
    /// # Errors
    /// While locked.
    pub async fn credentials(&self, caller: &Caller) -> Result<Vec<AnyCredential>, Error> {
        self.allow(caller, Operation::ListCredentials)?;
        let (store, now) = (self.store()?, self.latest());
        let known: Vec<_> = {
            let index = store.index();
            let alive = index.credentials().filter(|(_, known)| known.is_alive(now));
            alive.map(|(id, known)| (id, known.clone())).collect()
        };
        // An app sees what its grants name, and what it made itself.
        let may_see = |id: CredentialId, known: &CredentialEntry| {
            let wanted = AccessRequest::new(Operation::ListCredentials).of_credential(id, known.created_by);
            caller.app().is_none() || self.allow_on(caller, &wanted).is_ok()
        };
        let mut entered: Vec<_> = known
            .into_iter()
            .filter(|(id, known)| may_see(*id, known))
            .map(|(id, known)| CredentialView::of(id, known))
            .collect();
        entered.sort_by(|a, b| (&a.project, &a.name).cmp(&(&b.project, &b.name)));
        let mut all: Vec<_> = entered.into_iter().map(AnyCredential::Entered).collect();
        // Who may not see connections sees none; that is no reason to refuse the rest.
        if self.allow(caller, Operation::ReadConnections).is_ok() {
            let connections = self.connections(caller).await?;
            all.extend(
                connections
                    .into_iter()
                    .filter_map(|view| connection(&store, view)),
            );
        }
        Ok(all)
    }

    /// One credential by id or name. Programs are handed its values, when they may have them; the window never is.
    ///
    /// # Errors
    /// When there is none, or no longer; or the caller may not have it.
    pub async fn credential(&self, caller: &Caller, reference: &str) -> Result<AnyCredential, Error> {
        let store = self.store()?;
        let Some((id, known)) = self.known(caller, &store, reference) else {
            let view = self.connection(caller, reference).await;
            let view = view.map_err(|error| self.no_credential(caller, reference, error))?;
            return connection(&store, view).ok_or_else(|| none(reference));
        };
        if *caller == Caller::Ui {
            let wanted = AccessRequest::new(Operation::ListCredentials).of_credential(id, known.created_by);
            self.allow_on(caller, &wanted)?;
            return Ok(AnyCredential::Entered(CredentialView::of(id, known)));
        }
        let (credential, rule) = self.permitted_values(caller, id, known.created_by).await?;
        let mut view = CredentialView::of(id, CredentialEntry::of(&credential));
        view.data = credential.data.clone();
        view.data
            .retain(|field, _| !credential.redact_fields.contains(field));
        if view.data.is_empty() && !credential.data.is_empty() {
            // Nothing of it is handed out.
            let _ = self.withheld(caller, &credential, rule);
        } else {
            self.handed_out(caller, id, &credential.name, rule);
        }
        Ok(AnyCredential::Entered(view))
    }

    /// Adds a credential. Its values are sealed, and shown only where they are handed out.
    ///
    /// # Errors
    /// When a field cannot be right, each named; or the name is taken.
    pub async fn add_credential(&self, caller: &Caller, new: NewCredential) -> Result<CredentialView, Error> {
        let credential = self.drafted(caller, new)?;
        check::all(&credential, self.now())?;
        self.name_is_free(&credential)?;
        let wanted = AccessRequest::new(Operation::WriteCredentials)
            .note(format!("It adds the credential {}.", credential.name))
            .changing(difference::of_new(self.store()?.vault(), &credential));
        let rule = self.permit(caller, wanted).await?.rule;
        let event = self.credential_event(caller, EventKind::CredentialAdded, &credential, None);
        let view = CredentialView::of(credential.id, CredentialEntry::of(&credential));
        self.keep(credential, None, event.by(rule)).await?;
        Ok(view)
    }

    /// Changes the fields that are given, and nothing else.
    ///
    /// # Errors
    /// When there is none, a field cannot be right, each named; or the new name is taken.
    pub async fn change_credential(
        &self,
        caller: &Caller,
        reference: &str,
        change: CredentialChange,
    ) -> Result<CredentialView, Error> {
        let (id, known) = self.entered(caller, Operation::WriteCredentials, reference)?;
        let store = self.store()?;
        let before = stored(&store, id, reference)?;
        // Looked at before the prompt, so that no prompt appears in vain.
        let after = change.applied_to(before.clone(), self.now())?;
        check::change(&before, &after, self.now())?;
        self.name_is_free(&after)?;
        let wanted = AccessRequest::new(Operation::WriteCredentials)
            .of_credential(id, known.created_by)
            .changing(difference::between(store.vault(), &before, &after));
        let rule = self.permit(caller, wanted).await?.rule;
        let event = self.credential_event(caller, EventKind::CredentialChanged, &after, None);
        let view = CredentialView::of(id, CredentialEntry::of(&after));
        self.keep(after, Some(before.updated_at), event.by(rule)).await?;
        Ok(view)
    }

    /// Deletes a credential.
    ///
    /// # Errors
    /// When there is none, or a connection needs it as its client secret.
    pub async fn remove_credential(&self, caller: &Caller, reference: &str) -> Result<(), Error> {
        let (id, known) = self.entered(caller, Operation::DeleteCredential, reference)?;
        let wanted = AccessRequest::new(Operation::DeleteCredential).of_credential(id, known.created_by);
        let store = self.store()?;
        let check = async { unused(&store, id, &known.name) };
        self.check_before_asking(caller, &wanted, check).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        let store = self.store()?;
        let credential = self.still_there(&store, id)?;
        unused(&store, id, &credential.name)?;
        let event = self.credential_event(caller, EventKind::CredentialRemoved, &credential, None);
        let event = event.by(rule);
        self.commit(&store, move |transaction| {
            transaction.delete_credential(id)?;
            transaction.event(&event)
        })
        .await?;
        // A copy of the profile from before must not bring it back.
        self.raise_floor();
        Ok(())
    }

    /// Keeps a credential under a name that no other one has. One that changes has to be as it was: the question may
    /// have been open for a while.
    async fn keep(
        &self,
        mut credential: Credential,
        from: Option<Timestamp>,
        event: Event,
    ) -> Result<(), Error> {
        let (store, engine, now) = (self.store()?, self.clone(), self.now());
        self.commit(&store, move |transaction| {
            if let Some(from) = from {
                let there = transaction.get::<Credential>(credential.id.row())?;
                let there = there
                    .filter(|there| is_alive(there, now))
                    .ok_or_else(|| none(credential.name.as_str()))?;
                if there.updated_at != from {
                    return Err(changed_meanwhile());
                }
                credential.last_used_at = there.last_used_at;
            }
            check::in_future(&credential, now)?;
            // As it is inside the transaction: two with one name at the same moment are one and a conflict.
            let same = {
                let index = transaction.store.index();
                index.credential_called(&credential.project, &credential.name)
            };
            if let Some(other) = same.filter(|other| *other != credential.id) {
                let found = transaction.get::<Credential>(other.row())?;
                match found.filter(|found| is_alive(found, now)) {
                    Some(_) => return Err(taken(&credential)),
                    None => engine.drop_expired(transaction, [other])?,
                }
            }
            transaction.put(credential.id.row(), &credential)?;
            transaction.event(&event)
        })
        .await?;
        self.inner.due.notify_one();
        Ok(())
    }

    fn name_is_free(&self, credential: &Credential) -> Result<(), Error> {
        let store = self.store()?;
        let index = store.index();
        let other = index
            .credential_called(&credential.project, &credential.name)
            .filter(|other| *other != credential.id)
            .and_then(|other| index.credential(other));
        match other {
            Some(other) if other.is_alive(self.latest()) => Err(taken(credential)),
            _ => Ok(()),
        }
    }

    /// A credential that was entered by hand and lives, by id, `name` or `project/name`.
    pub(crate) fn known(
        &self,
        caller: &Caller,
        store: &SealedStore,
        reference: &str,
    ) -> Option<(CredentialId, CredentialEntry)> {
        let index = store.index();
        let id = Sight::of(&index, caller, self.latest()).credential(reference)?;
        let known = index.credential(id)?;
        known.is_alive(self.latest()).then(|| (id, known.clone()))
    }

    /// The same for a caller that wants to change or delete it.
    fn entered(
        &self,
        caller: &Caller,
        operation: Operation,
        reference: &str,
    ) -> Result<(CredentialId, CredentialEntry), Error> {
        let store = self.store()?;
        if let Some(found) = self.known(caller, &store, reference) {
            return Ok(found);
        }
        let connection = {
            let index = store.index();
            let sight = Sight::of(&index, caller, self.latest());
            sight.shown_connection(reference).map(drop)
        };
        match connection {
            Ok(_) | Err(Error::Ambiguous { .. }) => Err(Error::Conflict(format!(
                "{} is a connection (oauth2_refresh), which is only shown here; label, pause or disconnect it with the operations under /v1/connections, or `tokenry disconnect`",
                tokenry_core::clean(reference)
            ))),
            Err(_) => Err(self.no_credential_meant(caller, operation, reference, none(reference))),
        }
    }

    /// What a caller is told that wanted a credential and found neither that nor a connection.
    fn no_credential(&self, caller: &Caller, reference: &str, error: Error) -> Error {
        let missing = || {
            let error = none(reference);
            self.no_credential_meant(caller, Operation::ReadCredential, reference, error)
        };
        match error {
            Error::NotFound { .. } => none(reference),
            // It may see no connections; whether it may see credentials is another matter.
            Error::NoGrant { .. } => missing(),
            other => other,
        }
    }

    /// The record as it is now: a question may have been open for a while.
    pub(crate) fn still_there(&self, store: &SealedStore, id: CredentialId) -> Result<Credential, Error> {
        let found = store.get::<Credential>(id.row())?;
        found
            .filter(|credential| is_alive(credential, self.now()))
            .ok_or_else(|| none(&id.to_string()))
    }

    pub(crate) fn credential_event(
        &self,
        caller: &Caller,
        kind: EventKind,
        credential: &Credential,
        detail: Option<&str>,
    ) -> Event {
        let detail = match detail {
            Some(detail) => format!("{} ({detail})", credential.name),
            None => credential.name.to_string(),
        };
        self.event(caller, kind, Outcome::Done)
            .with_detail(&detail)
            .with_credential(credential.id)
    }

    fn handed_out(&self, caller: &Caller, id: CredentialId, name: &Name, rule: Rule) {
        let kind = EventKind::CredentialHandedOut;
        let event = self
            .event(caller, kind, Outcome::Done)
            .with_detail(name.as_str())
            .with_credential(id);
        self.inner.activity.used_credential(id, event.by(rule));
    }
}

pub(crate) fn is_alive(credential: &Credential, now: Timestamp) -> bool {
    credential.expires_at.is_none_or(|end| end > now)
}

fn stored(store: &SealedStore, id: CredentialId, reference: &str) -> Result<Credential, Error> {
    store.get::<Credential>(id.row())?.ok_or_else(|| none(reference))
}

/// Whether every connection can be refreshed without it.
fn unused(store: &SealedStore, id: CredentialId, name: &Name) -> Result<(), Error> {
    let index = store.index();
    let mut users = index.connections().filter(|c| c.client_secret_from == Some(id));
    match users.next().map(|connection| index.name_of(connection)) {
        None => Ok(()),
        Some(user) => Err(Error::Conflict(format!(
            "{name} is the client secret that {user} is refreshed with; disconnect that first"
        ))),
    }
}

/// A connection as a credential of type `oauth2_refresh`.
pub(crate) fn connection(store: &SealedStore, view: ConnectionView) -> Option<AnyCredential> {
    let project = store.index().project_of(view.connection.provider).cloned()?;
    Some(AnyCredential::Connection {
        view: Box::new(view),
        project,
    })
}

pub(crate) fn none(reference: &str) -> Error {
    Error::not_found(
        "credential",
        reference,
        "`tokenry credential list` shows what there is",
    )
}

fn changed_meanwhile() -> Error {
    Error::Conflict("the credential was changed meanwhile; look at it and try again".to_owned())
}

fn taken(credential: &Credential) -> Error {
    Error::Conflict(format!(
        "there is already a credential called {}; choose another name, or edit that one",
        credential.name
    ))
}
