//! Adding, changing and removing providers.

pub(crate) mod client_auth;
mod client_key;
pub(crate) mod difference;
mod ports;
pub(crate) mod presets;

use crate::{
    Engine, Error, Revoked,
    access::{consent::AccessRequest, policy::Operation, resolve},
    engine::blocking,
};
use std::collections::BTreeMap;
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, EventKind, Name, Outcome, Problems, Provider,
    ProviderId, ProviderPatch, ReauthReason,
};
use url::Url;

impl Engine {
    /// All providers, by name.
    ///
    /// # Errors
    /// While locked.
    pub async fn providers(&self, caller: &Caller) -> Result<Vec<Provider>, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        let store = self.store()?;
        let mut providers = blocking(move || store.all::<Provider>()).await?;
        providers.sort_by(|a, b| (&a.project, &a.name).cmp(&(&b.project, &b.name)));
        Ok(providers)
    }

    /// One provider, by id or name.
    ///
    /// # Errors
    /// When there is none.
    pub async fn provider(&self, caller: &Caller, reference: &str) -> Result<Provider, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        self.provider_record(reference)
    }

    /// Adds a provider; `new` has its name, its project and all that differs from the defaults.
    ///
    /// # Errors
    /// When a field is wrong, each named; or the name is taken.
    pub async fn add_provider(&self, caller: &Caller, new: ProviderPatch) -> Result<Provider, Error> {
        let new = presets::filled_in(new)?;
        let id = ProviderId::new(&*self.inner.clock, &*self.inner.random);
        let (provider, problems) = Provider::create(id, new, self.now())
            .map_err(|_| Error::Internal("the default project has no valid name".into()))?;
        let problems = presets::with_missing_secret(&provider, problems)?;
        let mut wanted = AccessRequest::new(Operation::WriteProviders)
            .note(match &provider.preset {
                Some(preset) => format!(
                    "It adds the provider {} from the preset {}.",
                    provider.name, preset.name
                ),
                None => format!("It adds the provider {}.", provider.name),
            })
            .changing(difference::of_new(self.store()?.vault(), &provider));
        wanted.notes.extend(unencrypted(&provider));
        let check = async { self.can_be_kept(&provider, problems.clone(), None) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        self.keep_provider(caller, provider, problems, EventKind::ProviderAdded, None)
            .await
    }

    /// Changes what the patch gives. Connections that waited for a better client registration go on.
    ///
    /// # Errors
    /// When there is none, a field is wrong, or the new name is taken.
    pub async fn change_provider(
        &self,
        caller: &Caller,
        reference: &str,
        patch: ProviderPatch,
    ) -> Result<Provider, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::WriteProviders))?;
        let before = self.provider_record(reference)?;
        let (provider, problems) = before.changed(&patch, self.now());
        let wanted = self.changing(&before, &provider)?;
        let check = async { self.can_be_kept(&provider, problems, Some(&before.name)) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        let now = self.unchanged_since(&before)?;
        let (provider, problems) = now.changed(&patch, self.now());
        let kind = EventKind::ProviderChanged;
        self.keep_provider(caller, provider, problems, kind, Some(now.name))
            .await
    }

    /// Removes a provider.
    ///
    /// # Errors
    /// While it has connections, unless `disconnect` gives them up first; and while a revocation is still owed.
    pub async fn remove_provider(
        &self,
        caller: &Caller,
        reference: &str,
        disconnect: bool,
    ) -> Result<(), Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::DeleteProvider))?;
        let provider = self.provider_record(reference)?;
        let wanted = AccessRequest::new(Operation::DeleteProvider).at(provider.id);
        let check = async {
            self.connections_to_give_up(caller, &provider, disconnect)
                .map(drop)
        };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        let (mut owed, mut why) = (0, None);
        for id in self.connections_to_give_up(caller, &provider, disconnect)? {
            let (revoked, detail) = self.disconnect_for_good(caller, id).await?;
            if revoked == Revoked::Pending {
                owed += 1;
                why = detail.or(why);
            }
        }
        if owed > 0 {
            return Err(Error::Conflict(format!(
                "{} has not revoked {owed} connection(s) yet ({}). Tokenry goes on trying, and needs the provider for that: remove it once they are gone from the list",
                provider.name,
                why.as_deref().unwrap_or("no answer").trim_end_matches('.')
            )));
        }
        let store = self.store()?;
        let detail = match self.unregister(&provider).await {
            Some(registration) => format!("{}; {registration}", provider.name),
            None => provider.name.to_string(),
        };
        let event = self
            .event(caller, EventKind::ProviderRemoved, Outcome::Done)
            .with_provider(provider.id)
            .with_detail(&detail);
        self.commit(&store, move |transaction| {
            transaction.delete_provider(provider.id)?;
            transaction.event(&event)
        })
        .await
    }

    /// The provider as it is now: the question about a change may have been open for a while.
    fn unchanged_since(&self, before: &Provider) -> Result<Provider, Error> {
        let now = self.provider_by_id(before.id)?;
        if now.updated_at == before.updated_at {
            return Ok(now);
        }
        Err(Error::Conflict(
            "the provider was changed meanwhile; look at it and try again".to_owned(),
        ))
    }

    /// The request to change a provider. What decides where secrets go is an operation of its own.
    fn changing(&self, before: &Provider, after: &Provider) -> Result<AccessRequest, Error> {
        let differences = difference::between(self.store()?.vault(), before, after);
        let operation = match differences.are_decisive() {
            true => Operation::MoveEndpoint,
            false => Operation::WriteProviders,
        };
        let mut wanted = AccessRequest::new(operation).at(before.id).changing(differences);
        wanted.notes = moved(before, after);
        if !before.settings.allow_private_http {
            wanted.notes.extend(unencrypted(after));
        }
        Ok(wanted)
    }

    /// The connections that go with a provider. An app needs the right to disconnect each of them.
    fn connections_to_give_up(
        &self,
        caller: &Caller,
        provider: &Provider,
        disconnect: bool,
    ) -> Result<Vec<ConnectionId>, Error> {
        let store = self.store()?;
        let index = store.index();
        let standing = index.standing_of_provider(provider.id).count();
        if standing > 0 && !disconnect {
            return Err(Error::Conflict(format!(
                "{} still has {standing} connection(s); disconnect them first, or remove it with disconnect",
                provider.name
            )));
        }
        let going: Vec<_> = index.of_provider(provider.id).cloned().collect();
        drop(index);
        if caller.app().is_some() {
            for connection in &going {
                let wanted = AccessRequest::new(Operation::Disconnect)
                    .at(provider.id)
                    .of(connection.id, connection.started_by);
                self.not_denied(caller, &wanted)?;
            }
        }
        Ok(going.into_iter().map(|connection| connection.id).collect())
    }

    pub(crate) fn provider_record(&self, reference: &str) -> Result<Provider, Error> {
        let store = self.store()?;
        let id = resolve::provider(&store.index(), reference)?;
        self.provider_by_id(id)
    }

    pub(crate) fn provider_by_id(&self, id: ProviderId) -> Result<Provider, Error> {
        let found = self.store()?.get::<Provider>(id.row())?;
        found.ok_or_else(|| Error::not_found("provider", &id.to_string(), "it was removed"))
    }

    pub(crate) async fn keep_provider(
        &self,
        caller: &Caller,
        provider: Provider,
        problems: Problems,
        kind: EventKind,
        renamed_from: Option<Name>,
    ) -> Result<Provider, Error> {
        self.can_be_kept(&provider, problems, renamed_from.as_ref())?;
        let provider = client_key::with_client_key(provider)?;
        let store = self.store()?;
        let provider = self
            .ready_to_register(&store, provider, kind == EventKind::ProviderAdded)
            .await?;
        let detail = provider.name.to_string();
        let event = self
            .event(caller, kind, Outcome::Done)
            .with_provider(provider.id)
            .with_detail(&detail);
        let (now, kept) = (self.now(), provider.clone());
        blocking(move || {
            let waiting: Vec<_> = store
                .index()
                .of_provider(kept.id)
                .filter(|c| rejected(c))
                .map(|c| c.id)
                .collect();
            store.change(now, |transaction| {
                transaction.put(kept.id.row(), &kept)?;
                for id in &waiting {
                    if let Some(mut connection) = transaction.get::<Connection>(id.row())? {
                        connection.status = ConnectionStatus::Active;
                        connection.trouble = None;
                        connection.provider_words = None;
                        connection.refresh_at = connection.refreshable.then_some(now);
                        transaction.put(id.row(), &connection)?;
                    }
                }
                transaction.event(&event)
            })
        })
        .await?;
        self.inner.due.notify_one();
        Ok(provider)
    }

    /// Whether a provider can be kept like this, and under this name.
    pub(crate) fn can_be_kept(
        &self,
        provider: &Provider,
        problems: Problems,
        renamed_from: Option<&Name>,
    ) -> Result<(), Error> {
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        // Whatever is changed: a provider whose file is not there could not be asked for anything.
        if let Some(path) = &provider.settings.ca_file {
            tokenry_oauth::ca_file::check(path).map_err(|wrong| Error::field("ca_file", wrong))?;
        }
        let store = self.store()?;
        let taken = store
            .index()
            .provider_called(&format!("{}/{}", provider.project, provider.name));
        if taken.is_some_and(|id| id != provider.id) {
            let text = format!(
                "is taken: there is already a provider called {}; choose another name, or edit that one",
                provider.name
            );
            return Err(Error::Taken(BTreeMap::from([("name".to_owned(), text)])));
        }
        if renamed_from.is_some_and(|from| *from != provider.name)
            && store
                .index()
                .of_provider(provider.id)
                .any(|c| c.status == ConnectionStatus::Pending)
        {
            return Err(Error::Conflict(
                "a sign-in at this provider is open; finish or cancel it first".to_owned(),
            ));
        }
        Ok(())
    }
}

fn rejected(connection: &Connection) -> bool {
    matches!(
        connection.status,
        ConnectionStatus::NeedsReauth(ReauthReason::ClientRejected | ReauthReason::Refused)
    )
}

/// What http in the user's own network means, where the provider allows it.
pub(crate) fn unencrypted(provider: &Provider) -> Option<String> {
    let note =
        "With http, secrets and tokens are sent without encryption: everybody in that network can read them.";
    provider.settings.allow_private_http.then(|| note.to_owned())
}

/// The endpoints that move to another host: said in words, besides the fields.
fn moved(before: &Provider, after: &Provider) -> Vec<String> {
    let from: BTreeMap<_, _> = before.endpoints().into_iter().collect();
    let origin = |text: &String| Url::parse(text).ok().map(|url| url.origin());
    let moves = after.endpoints().into_iter().filter_map(|(field, to)| {
        let (from, to) = (from.get(&field).and_then(origin), origin(&to)?);
        if from.as_ref() == Some(&to) {
            return None;
        }
        let shown = |origin: &url::Origin| tokenry_core::clean(&origin.ascii_serialization());
        let from = from.as_ref().map_or_else(|| "nowhere".to_owned(), shown);
        let what = field.replace('_', " ");
        Some(format!("Its {what} moves from {from} to {}.", shown(&to)))
    });
    moves.collect()
}
