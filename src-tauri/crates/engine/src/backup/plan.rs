//! What a restore would do to each thing of a backup: add it, leave it, or replace what is here.

mod connection;
mod item;

pub use item::{RestoreItem, RestoreKind, RestoreState};

use crate::{
    Error, access::consent::Differences, backup::contents::Contents, credentials, providers::difference,
    records::sealed_store::SealedStore, settings,
};
use std::collections::{HashMap, HashSet};
use tokenry_core::{ConnectionId, Credential, CredentialId, GrantType, Name, Provider, ProviderId, Settings};

/// The id of the settings among the items.
const SETTINGS_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Where an item goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Provider(ProviderId),
    Credential(CredentialId),
    Connection(ConnectionId, ProviderId),
    Settings,
}

/// What a restore would do.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) items: Vec<RestoreItem>,
    /// Of each item, in their order.
    pub(super) details: Vec<Detail>,
}

/// What an item does not show.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) place: Place,
    pub(super) differences: Differences,
    /// The label that a connection gets.
    pub(super) label: Option<String>,
}

impl Plan {
    /// Compares the contents with what is here. The settings may ask for the passphrase only where there is one.
    pub(super) fn of(
        store: &SealedStore,
        contents: &Contents,
        can_ask_passphrase: bool,
    ) -> Result<Self, Error> {
        let mut planner = Planner {
            store,
            plan: Self::default(),
            providers: HashMap::new(),
            labels: HashSet::new(),
            used: HashSet::new(),
        };
        for provider in &contents.providers {
            planner.provider(provider)?;
        }
        for credential in &contents.credentials {
            planner.credential(credential)?;
        }
        for connection in &contents.connections {
            planner.connection(connection)?;
        }
        if let Some(settings) = &contents.settings {
            planner.settings(&allowed(settings, can_ask_passphrase))?;
        }
        Ok(planner.plan)
    }

    /// Whether an item is written, when these are replaced.
    pub(super) fn is_chosen(&self, at: usize, replace: &HashSet<String>) -> bool {
        let item = &self.items[at];
        let is_wanted = match item.state {
            RestoreState::New => true,
            RestoreState::Same => false,
            RestoreState::Conflict => item.can_replace && replace.contains(&item.id),
        };
        is_wanted && item.needs.as_ref().is_none_or(|needs| replace.contains(needs))
    }
}

/// Settings as they can be here.
pub(super) fn allowed(settings: &Settings, can_ask_passphrase: bool) -> Settings {
    Settings {
        ask_passphrase: settings.ask_passphrase && can_ask_passphrase,
        // The port is this machine's.
        loopback_port: None,
        ..*settings
    }
}

/// A provider of the backup, as its connections have to know it.
struct SavedProvider {
    /// Where it goes.
    place: ProviderId,
    name: String,
    is_here: bool,
    /// The item that has to be replaced before secrets can be sent where the backup says.
    needs: Option<String>,
    needs_no_refresh_token: bool,
}

struct Planner<'a> {
    store: &'a SealedStore,
    plan: Plan,
    providers: HashMap<ProviderId, SavedProvider>,
    /// The labels that new connections get.
    labels: HashSet<(ProviderId, String)>,
    /// What here is an entry of the backup already.
    used: HashSet<(RestoreKind, i64)>,
}

/// How a thing stands beside what is here.
struct Standing {
    state: RestoreState,
    differences: Differences,
    note: Option<String>,
    can_replace: bool,
}

impl Standing {
    fn new() -> Self {
        Self {
            state: RestoreState::New,
            differences: Differences::default(),
            note: None,
            can_replace: false,
        }
    }

    fn beside(differences: Differences) -> Self {
        let is_same = differences.is_empty();
        Self {
            state: if is_same {
                RestoreState::Same
            } else {
                RestoreState::Conflict
            },
            differences,
            note: None,
            can_replace: !is_same,
        }
    }

    /// One that stays in conflict, whatever the user says.
    fn stuck(differences: Differences, note: impl Into<String>) -> Self {
        Self {
            state: RestoreState::Conflict,
            differences,
            note: Some(note.into()),
            can_replace: false,
        }
    }
}

impl Planner<'_> {
    fn add(&mut self, kind: RestoreKind, id: String, name: String, place: Place, standing: Standing) {
        let row = match place {
            Place::Provider(id) => id.row(),
            Place::Credential(id) => id.row(),
            Place::Connection(id, _) => id.row(),
            Place::Settings => settings::ROW,
        };
        let standing = match self.used.insert((kind, row)) {
            true => standing,
            false => Standing::stuck(
                standing.differences,
                "Another entry of the backup is the one that is here.",
            ),
        };
        self.plan.items.push(RestoreItem {
            id,
            kind,
            name,
            state: standing.state,
            differences: standing.differences.shown(),
            note: standing.note,
            can_replace: standing.can_replace,
            needs: None,
            needs_sign_in: false,
        });
        self.plan.details.push(Detail {
            place,
            differences: standing.differences,
            label: None,
        });
    }

    fn provider(&mut self, provider: &Provider) -> Result<(), Error> {
        let called = format!("{}/{}", provider.project, provider.name);
        let namesake = self.store.index().provider_called(&called);
        let here = match self.store.get::<Provider>(provider.id.row())? {
            Some(here) => Some(here),
            None => namesake.map_or(Ok(None), |id| self.store.get::<Provider>(id.row()))?,
        };
        let place = here.as_ref().map_or(provider.id, |here| here.id);
        let standing = match &here {
            None => Standing::new(),
            Some(here) => {
                let mut differences = difference::between(self.store.vault(), here, provider);
                let project = |provider: &Provider| Some(provider.project.to_string());
                differences.text("project", project(here), project(provider));
                if namesake.is_some_and(|id| id != here.id) {
                    Standing::stuck(
                        differences,
                        "Another provider here has this name: rename that one first.",
                    )
                } else {
                    Standing::beside(differences)
                }
            }
        };
        let name = shown_name(&provider.project, &provider.name);
        let needs = standing
            .differences
            .are_decisive()
            .then(|| provider.id.to_string());
        let known = SavedProvider {
            place,
            name: name.clone(),
            is_here: here.is_some(),
            needs,
            needs_no_refresh_token: provider.settings.grant_type == GrantType::ClientCredentials,
        };
        self.providers.insert(provider.id, known);
        let id = provider.id.to_string();
        self.add(RestoreKind::Provider, id, name, Place::Provider(place), standing);
        Ok(())
    }

    fn credential(&mut self, credential: &Credential) -> Result<(), Error> {
        let namesake = self
            .store
            .index()
            .credential_called(&credential.project, &credential.name);
        let here = match self.store.get::<Credential>(credential.id.row())? {
            Some(here) => Some(here),
            None => namesake.map_or(Ok(None), |id| self.store.get::<Credential>(id.row()))?,
        };
        let place = here.as_ref().map_or(credential.id, |here| here.id);
        let standing = match &here {
            None => Standing::new(),
            Some(here) => {
                let mut differences = credentials::difference(self.store.vault(), here, credential);
                let project = |credential: &Credential| Some(credential.project.to_string());
                differences.text("project", project(here), project(credential));
                if namesake.is_some_and(|id| id != here.id) {
                    Standing::stuck(
                        differences,
                        "Another credential here has this name: rename that one first.",
                    )
                } else {
                    Standing::beside(differences)
                }
            }
        };
        let name = shown_name(&credential.project, &credential.name);
        let (kind, id) = (RestoreKind::Credential, credential.id.to_string());
        self.add(kind, id, name, Place::Credential(place), standing);
        Ok(())
    }

    fn settings(&mut self, saved: &Settings) -> Result<(), Error> {
        let standing = match settings::stored(self.store)? {
            None => Standing::new(),
            Some(here) => {
                let here = Settings {
                    loopback_port: None,
                    ..here
                };
                let mut differences = Differences::default();
                for (field, from, to) in settings::differences(&here, saved) {
                    differences.decisive(&field, from, to);
                }
                Standing::beside(differences)
            }
        };
        let (kind, id) = (RestoreKind::Settings, SETTINGS_ID.to_owned());
        self.add(kind, id, "settings".to_owned(), Place::Settings, standing);
        Ok(())
    }
}

fn shown_name(project: &Name, name: &Name) -> String {
    match project.as_str() == tokenry_core::DEFAULT_PROJECT {
        true => name.to_string(),
        false => format!("{project}/{name}"),
    }
}
