//! Grants: give, list, revoke.

use crate::{
    Engine, Error,
    access::{
        consent::{AccessRequest, Differences},
        policy::{Operation, OperationPolicy as _},
        resolve,
        visibility::Sight,
    },
    records::{index::Index, sealed_store::SealedStore},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokenry_core::{ApiScope, AppId, Caller, EventKind, Grant, GrantId, Outcome, Scopes, Timestamp};

/// A grant to be given.
#[derive(Debug, Clone, Default)]
pub struct NewGrant {
    /// The app, by id or name.
    pub app: String,
    /// Which operations.
    pub scopes: BTreeSet<ApiScope>,
    /// With which connections, by id or name.
    pub connections: Vec<String>,
    /// With which credentials, by id or name.
    pub credentials: Vec<String>,
    /// The most that a token may do at its provider.
    pub token_scopes: Option<Scopes>,
    /// Whether it holds while the vault is locked, too, for access tokens that still live.
    pub while_locked: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Engine {
    /// Lets an app do something from now on. It is on the disk, and in the activity log, before it takes effect.
    ///
    /// # Errors
    /// When the user does not agree, or a field cannot be right; each is named.
    pub async fn give_grant(&self, caller: &Caller, new: NewGrant) -> Result<Grant, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::WriteApps))?;
        let store = self.store()?;
        let grant = {
            let index = store.index();
            let sight = Sight::of(&index, caller, self.latest());
            let mut wrong = BTreeMap::new();
            let app = resolve::app(&index, &new.app)
                .map(|app| app.id)
                .map_err(|error| wrong.insert("app".to_owned(), error.to_string()))
                .ok();
            let connections = all(&new.connections, |r| sight.connection(r).map(|c| c.id));
            let connections =
                connections.map_err(|error| wrong.insert("connections".to_owned(), error.to_string()));
            let credentials = all(&new.credentials, |r| {
                sight.credential(r).ok_or_else(|| {
                    Error::not_found("credential", r, "`tokenry credential list` shows what there is")
                })
            });
            let credentials =
                credentials.map_err(|error| wrong.insert("credentials".to_owned(), error.to_string()));
            if new.scopes.is_empty() {
                wrong.insert("scopes".to_owned(), "must be at least one".to_owned());
            }
            if new.while_locked && !new.scopes.contains(&ApiScope::TokensRead) {
                wrong.insert(
                    "while_locked".to_owned(),
                    "needs the scope tokens:read".to_owned(),
                );
            }
            if new.expires_at.is_some_and(|end| end <= self.now()) {
                wrong.insert("expires_at".to_owned(), "must be in the future".to_owned());
            }
            let (Some(app), Ok(connections), Ok(credentials), true) =
                (app, connections, credentials, wrong.is_empty())
            else {
                return Err(Error::Invalid(wrong));
            };
            Grant {
                id: GrantId::new(&*self.inner.clock, &*self.inner.random),
                app,
                scopes: new.scopes,
                connections,
                credentials,
                token_scopes: new.token_scopes.filter(|scopes| !scopes.is_empty()),
                while_locked: new.while_locked,
                expires_at: new.expires_at,
                created_at: self.now(),
                last_used_at: None,
            }
        };
        let rule = self.permit(caller, giving(&store, &grant)).await?.rule;
        let event = self.grant_event(caller, EventKind::GrantGiven, &grant).by(rule);
        let kept = grant.clone();
        self.commit(&store, move |transaction| {
            transaction
                .get::<tokenry_core::App>(kept.app.row())?
                .ok_or_else(|| resolve::no_app(&kept.app.to_string()))?;
            transaction.put(kept.id.row(), &kept)?;
            transaction.event(&event)
        })
        .await?;
        Ok(grant)
    }

    /// All grants that still hold, the newest first.
    ///
    /// # Errors
    /// When the caller may not; while locked.
    pub async fn grants(&self, caller: &Caller) -> Result<Vec<Grant>, Error> {
        self.allow(caller, Operation::ReadApps)?;
        let (store, now) = (self.store()?, self.latest());
        let mut grants: Vec<_> = store
            .index()
            .grants()
            .filter(|grant| grant.is_alive(now))
            .cloned()
            .collect();
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.created_at));
        Ok(grants)
    }

    /// Takes a grant away: the app's next call already fails.
    ///
    /// # Errors
    /// When the user does not agree, or there is no such grant.
    pub async fn remove_grant(&self, caller: &Caller, id: GrantId) -> Result<(), Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::WriteApps))?;
        let store = self.store()?;
        let gone = || Error::not_found("grant", &id.to_string(), "it was taken away already");
        let grant = store.get::<Grant>(id.row())?.ok_or_else(gone)?;
        let rule = self.permit(caller, taking(&store, &grant)).await?.rule;
        let event = self.grant_event(caller, EventKind::GrantRemoved, &grant).by(rule);
        self.commit(&store, move |transaction| {
            transaction.delete_grant(id)?;
            transaction.event(&event)
        })
        .await?;
        // A copy of the profile from before must not bring it back.
        self.raise_floor();
        Ok(())
    }

    /// When the first of an app's grants ends that may let it do this. `None` when none of them ends by itself, and
    /// for who is no app.
    ///
    /// # Errors
    /// While locked.
    pub(crate) fn grant_life_left(
        &self,
        caller: &Caller,
        operation: Operation,
    ) -> Result<Option<Duration>, Error> {
        let Some(app) = caller.app() else { return Ok(None) };
        let (store, now) = (self.store()?, self.now());
        let reaches = |grant: &&Grant| {
            operation
                .scopes()
                .iter()
                .any(|scope| grant.scopes.contains(scope))
        };
        let index = store.index();
        let ends = index
            .grants()
            .filter(|grant| grant.app == app && grant.is_alive(now))
            .filter(reaches)
            .filter_map(|grant| grant.expires_at);
        Ok(ends.min().map(|end| end.duration_since(now).unsigned_abs()))
    }

    /// The name of an app, to show with a grant.
    pub fn app_name(&self, app: AppId) -> Option<String> {
        let store = self.store().ok()?;
        let index = store.index();
        index.app(app).map(|app| app.name.to_string())
    }

    pub(crate) fn grant_event(&self, caller: &Caller, kind: EventKind, grant: &Grant) -> tokenry_core::Event {
        let scopes: Vec<_> = grant.scopes.iter().map(|scope| scope.as_str()).collect();
        self.event(caller, kind, Outcome::Done)
            .with_detail(&scopes.join(" "))
            .with_app(grant.app)
    }
}

/// All of them, or the first that is none.
fn all<T: Ord>(references: &[String], find: impl Fn(&str) -> Result<T, Error>) -> Result<BTreeSet<T>, Error> {
    references.iter().map(|reference| find(reference)).collect()
}

/// What has to be known before saying yes to a grant that a program wants an app to have.
fn giving(store: &SealedStore, grant: &Grant) -> AccessRequest {
    let index = store.index();
    let app = name_of_app(&index, grant);
    let mut differences = Differences::default();
    differences.text("app", None, Some(app.clone()));
    self::differences(&index, grant, Given::Now, &mut differences);
    let wanted = AccessRequest::new(Operation::WriteApps)
        .note(format!("It lets the app {app} do this from now on."))
        .changing(differences);
    match grant.expires_at {
        Some(end) => wanted.note(format!("Until {end:.0}.")),
        None => wanted.note("Until you take it away."),
    }
}

fn taking(store: &SealedStore, grant: &Grant) -> AccessRequest {
    let index = store.index();
    let app = name_of_app(&index, grant);
    let mut differences = Differences::default();
    self::differences(&index, grant, Given::Taken, &mut differences);
    AccessRequest::new(Operation::WriteApps)
        .note(format!("It takes a grant away from the app {app}."))
        .changing(differences)
}

fn name_of_app(index: &Index, grant: &Grant) -> String {
    let app = index.app(grant.app);
    app.map(|app| app.name.to_string()).unwrap_or_default()
}

/// Whether a grant is given, or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Now,
    Taken,
}

/// What an app gets, or loses, by a grant.
pub(crate) fn differences(index: &Index, grant: &Grant, given: Given, differences: &mut Differences) {
    let mut row = |field: &str, value: String| match given {
        Given::Now => differences.text(field, None, Some(value)),
        Given::Taken => differences.text(field, Some(value), None),
    };
    for scope in &grant.scopes {
        row("scope", format!("{scope}: {}", scope.words()));
    }
    if let Some(most) = &grant.token_scopes {
        row("token_scopes", most.to_string());
    }
    let connections = grant.connections.iter().filter_map(|id| index.connection(*id));
    for connection in connections {
        row("connection", index.name_of(connection));
    }
    let credentials = grant.credentials.iter().filter_map(|id| index.credential(*id));
    for credential in credentials {
        row("credential", credential.name.to_string());
    }
    if grant.while_locked {
        row("while_locked", "yes: also while the vault is locked".to_owned());
    }
    if let Some(end) = grant.expires_at {
        row("expires_at", format!("{end:.0}"));
    }
}
