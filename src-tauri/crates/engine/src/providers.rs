mod difference;

pub(crate) use difference::redirect as redirect_word;

use crate::{
    Engine, Error, Revoked,
    access::{consent::Wanted, policy::Operation, resolve},
    engine::blocking,
};
use std::collections::BTreeMap;
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, DEFAULT_PROJECT, EventKind, GrantType, Name,
    NarrowingMethod, Outcome, Provider, ProviderChange, ProviderId, ReauthReason, RedirectPreference,
    Rotation, Scopes, TokenEndpointAuthMethod,
};
use url::Url;

/// A provider to be added: its name, and the fields that are not as usual.
#[derive(Debug, Clone)]
pub struct NewProvider {
    /// Unique within the project.
    pub name: Name,
    /// The default project when not given.
    pub project: Option<Name>,
    /// The fields.
    pub change: ProviderChange,
}

impl Engine {
    /// All providers, by name.
    ///
    /// # Errors
    /// While locked.
    pub async fn providers(&self, caller: &Caller) -> Result<Vec<Provider>, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        let ledger = self.ledger()?;
        let mut providers = blocking(move || ledger.all::<Provider>()).await?;
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

    /// Adds a provider.
    ///
    /// # Errors
    /// When a field cannot be right, each named; or the name is taken.
    pub async fn add_provider(&self, caller: &Caller, new: NewProvider) -> Result<Provider, Error> {
        let provider = self.new_provider(new)?;
        let wanted = Wanted::new(Operation::WriteProviders)
            .note(format!("It adds the provider {}.", provider.name))
            .changing(difference::of_new(self.ledger()?.vault(), &provider));
        let check = async { self.can_be_kept(&provider, None) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        self.keep_provider(caller, provider, EventKind::ProviderAdded, None)
            .await
    }

    /// Changes the fields that are given. Connections that waited for a better client registration go on.
    ///
    /// # Errors
    /// When there is none, a field cannot be right, or the new name is taken.
    pub async fn change_provider(
        &self,
        caller: &Caller,
        reference: &str,
        change: ProviderChange,
    ) -> Result<Provider, Error> {
        self.not_denied(caller, &Wanted::new(Operation::WriteProviders))?;
        let before = self.provider_record(reference)?;
        let mut provider = before.clone();
        provider.apply(change.clone(), self.now());
        let wanted = self.changing(&before, &provider)?;
        let check = async { self.can_be_kept(&provider, Some(&before.name)) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        // As it is now: the question may have been open for a while.
        let mut provider = self.provider_by_id(before.id)?;
        if provider.updated_at != before.updated_at {
            return Err(Error::Conflict(
                "the provider was changed meanwhile; look at it and try again".to_owned(),
            ));
        }
        let from = provider.name.clone();
        provider.apply(change, self.now());
        self.keep_provider(caller, provider, EventKind::ProviderChanged, Some(from))
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
        self.not_denied(caller, &Wanted::new(Operation::DeleteProvider))?;
        let provider = self.provider_record(reference)?;
        let wanted = Wanted::new(Operation::DeleteProvider).at(provider.id);
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
        let ledger = self.ledger()?;
        let detail = provider.name.to_string();
        let event = self
            .event(caller, EventKind::ProviderRemoved, Outcome::Done)
            .with_provider(provider.id)
            .with_detail(&detail);
        self.commit(&ledger, move |transaction| {
            transaction.delete_provider(provider.id)?;
            transaction.event(&event)
        })
        .await
    }

    /// That somebody wants to change a provider. What decides where secrets go is an operation of its own.
    fn changing(&self, before: &Provider, after: &Provider) -> Result<Wanted, Error> {
        let differences = difference::between(self.ledger()?.vault(), before, after);
        let operation = match differences.are_decisive() {
            true => Operation::MoveEndpoint,
            false => Operation::WriteProviders,
        };
        let mut wanted = Wanted::new(operation).at(before.id).changing(differences);
        wanted.notes = moved(before, after);
        Ok(wanted)
    }

    /// The connections that go with a provider. An app needs the right to disconnect each of them.
    fn connections_to_give_up(
        &self,
        caller: &Caller,
        provider: &Provider,
        disconnect: bool,
    ) -> Result<Vec<ConnectionId>, Error> {
        let ledger = self.ledger()?;
        let index = ledger.index();
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
                let wanted = Wanted::new(Operation::Disconnect)
                    .at(provider.id)
                    .of(connection.id, connection.started_by);
                self.not_denied(caller, &wanted)?;
            }
        }
        Ok(going.into_iter().map(|connection| connection.id).collect())
    }

    pub(crate) fn provider_record(&self, reference: &str) -> Result<Provider, Error> {
        let ledger = self.ledger()?;
        let id = resolve::provider(&ledger.index(), reference)?;
        self.provider_by_id(id)
    }

    pub(crate) fn provider_by_id(&self, id: ProviderId) -> Result<Provider, Error> {
        let found = self.ledger()?.get::<Provider>(id.row())?;
        found.ok_or_else(|| Error::not_found("provider", &id.to_string(), "it was removed"))
    }

    fn new_provider(&self, new: NewProvider) -> Result<Provider, Error> {
        let now = self.now();
        let project = match new.project {
            Some(project) => project,
            None => DEFAULT_PROJECT
                .parse()
                .map_err(|_| Error::Internal("the default project has no name".into()))?,
        };
        let has_secret = matches!(new.change.client_secret, Some(Some(_)));
        let method = if has_secret {
            TokenEndpointAuthMethod::default()
        } else {
            TokenEndpointAuthMethod::None
        };
        let mut provider = Provider {
            id: ProviderId::new(&*self.inner.clock, &*self.inner.random),
            project,
            display_name: new.name.to_string(),
            name: new.name,
            grant_type: GrantType::default(),
            issuer: None,
            issuer_aliases: Vec::new(),
            authorization_endpoint: None,
            token_endpoint: None,
            refresh_endpoint: None,
            revocation_endpoint: None,
            userinfo_endpoint: None,
            client_id: String::new(),
            client_secret: None,
            token_endpoint_auth_method: method,
            default_scopes: Scopes::default(),
            scope_separator: " ".to_owned(),
            use_pkce: true,
            authorize_params: BTreeMap::new(),
            redirect: RedirectPreference::default(),
            authorization_response_iss_parameter_supported: false,
            rotation: Rotation::default(),
            narrowing: NarrowingMethod::default(),
            created_at: now,
            updated_at: now,
        };
        provider.apply(new.change, now);
        Ok(provider)
    }

    async fn keep_provider(
        &self,
        caller: &Caller,
        provider: Provider,
        kind: EventKind,
        renamed_from: Option<Name>,
    ) -> Result<Provider, Error> {
        self.can_be_kept(&provider, renamed_from.as_ref())?;
        let ledger = self.ledger()?;
        let detail = provider.name.to_string();
        let event = self
            .event(caller, kind, Outcome::Done)
            .with_provider(provider.id)
            .with_detail(&detail);
        let (now, kept) = (self.now(), provider.clone());
        blocking(move || {
            let waiting: Vec<_> = ledger
                .index()
                .of_provider(kept.id)
                .filter(|c| rejected(c))
                .map(|c| c.id)
                .collect();
            ledger.change(now, |transaction| {
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
    fn can_be_kept(&self, provider: &Provider, renamed_from: Option<&Name>) -> Result<(), Error> {
        let problems = provider.problems();
        if !problems.is_empty() {
            return Err(Error::Invalid(
                problems.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            ));
        }
        let ledger = self.ledger()?;
        let taken = ledger
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
            && ledger
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

/// The endpoints that move to another host: said in words, besides the fields.
fn moved(before: &Provider, after: &Provider) -> Vec<String> {
    let endpoints = |p: &Provider| {
        [
            ("authorization endpoint", p.authorization_endpoint.clone()),
            ("token endpoint", p.token_endpoint.clone()),
            ("refresh endpoint", p.refresh_endpoint.clone()),
            ("revocation endpoint", p.revocation_endpoint.clone()),
            ("userinfo endpoint", p.userinfo_endpoint.clone()),
        ]
    };
    let both = endpoints(before).into_iter().zip(endpoints(after));
    both.filter_map(|((what, from), (_, to))| {
        let to = to.filter(|to| from.as_ref().map(Url::origin) != Some(to.origin()))?;
        let place = |url: &Url| tokenry_core::clean(url.origin().ascii_serialization().as_str());
        let from = from.as_ref().map_or_else(|| "nowhere".to_owned(), place);
        Some(format!("Its {what} moves from {from} to {}.", place(&to)))
    })
    .collect()
}
