//! The inside of the one transaction of a restore.

use super::{
    RestoreState, Restored,
    contents::Contents,
    job::Job,
    plan::{Place, Plan, allowed},
    read::Pending,
    step::{Step, reached},
};
use crate::{
    Error,
    records::{sealed_store::SealedStore, transaction::Transaction},
    settings,
    token::apply_response::rotated,
};
use std::collections::{HashMap, HashSet};
use tokenry_backup::{SavedConnection, SavedStatus};
use tokenry_core::{
    Connection, ConnectionId, ConnectionStatus, Credential, CredentialId, GrantType, Provider, ProviderId,
    ReauthReason, Secret, Settings, Timestamp, Tokens,
};
use tokenry_store::Table;

/// The inside of the one transaction.
pub(super) struct Restore<'a, 'b> {
    pub(super) transaction: &'a mut Transaction<'b>,
    pub(super) pending: &'a Pending,
    pub(super) replace: &'a HashSet<String>,
    pub(super) job: &'a Job,
    pub(super) now: Timestamp,
    /// Where each credential of the backup is now.
    pub(super) credentials: HashMap<CredentialId, CredentialId>,
    /// Whether a provider gives tokens without a refresh token.
    pub(super) clients: HashMap<ProviderId, bool>,
    pub(super) done: Restored,
}

impl Restore<'_, '_> {
    pub(super) fn run(&mut self, can_ask_passphrase: bool) -> Result<(), Error> {
        let contents = &self.pending.contents;
        let store: &SealedStore = self.transaction.store;
        // As it is now: the question may have been open for a while.
        let plan = Plan::of(store, contents, can_ask_passphrase)?;
        self.job.set_total(plan.items.len() as u64);
        let half = plan.items.len() / 2;
        let (mut providers, mut credentials, mut connections) = (
            contents.providers.iter(),
            contents.credentials.iter(),
            contents.connections.iter(),
        );
        for at in 0..plan.items.len() {
            self.job.step()?;
            if at == half {
                reached(Step::RestoreHalfWritten);
            }
            let is_chosen = self.is_chosen(&plan, at)?;
            // The items stand in the order of the contents.
            match plan.details[at].place {
                Place::Provider(place) => {
                    let provider = providers.next().ok_or_else(out_of_order)?;
                    if is_chosen {
                        self.provider(provider, place)?;
                    }
                }
                Place::Credential(place) => {
                    let credential = credentials.next().ok_or_else(out_of_order)?;
                    let is_there = is_chosen || plan.items[at].state != RestoreState::New;
                    if is_there {
                        self.credentials.insert(credential.id, place);
                    }
                    if is_chosen {
                        self.credential(credential, place)?;
                    }
                }
                Place::Connection(place, provider) => {
                    let saved = connections.next().ok_or_else(out_of_order)?;
                    if is_chosen {
                        self.connection(saved, place, provider, plan.details[at].label.clone())?;
                        if plan.items[at].needs_sign_in {
                            self.done.needs_sign_in.push(plan.items[at].name.clone());
                        }
                    }
                }
                Place::Settings if is_chosen => self.settings(contents, can_ask_passphrase)?,
                Place::Settings => {}
            }
        }
        Ok(())
    }

    /// Whether this item is written. What changed since the user saw it is not.
    fn is_chosen(&mut self, plan: &Plan, at: usize) -> Result<bool, Error> {
        let is_chosen = plan.is_chosen(at, self.replace);
        let (seen, item) = (&self.pending.plan, &plan.items[at]);
        let was_seen = seen.items.get(at) == Some(item) && seen.details.get(at) == Some(&plan.details[at]);
        if (is_chosen || seen.is_chosen(at, self.replace)) && !was_seen {
            return Err(Error::Conflict(format!(
                "{} changed since the backup was read, so nothing was restored; read it again with `tokenry restore`",
                item.name
            )));
        }
        let count = match (is_chosen, item.state) {
            (true, RestoreState::New) => &mut self.done.added,
            (true, _) => &mut self.done.replaced,
            (false, RestoreState::Same) => &mut self.done.same,
            (false, _) => &mut self.done.left,
        };
        *count += 1;
        Ok(is_chosen)
    }

    fn provider(&mut self, saved: &Provider, place: ProviderId) -> Result<(), Error> {
        let here = self.transaction.get::<Provider>(place.row())?;
        let provider = Provider {
            id: place,
            created_at: here.map_or(saved.created_at, |here| here.created_at),
            updated_at: self.now,
            ..saved.clone()
        };
        self.transaction.put(place.row(), &provider)
    }

    fn credential(&mut self, saved: &Credential, place: CredentialId) -> Result<(), Error> {
        let here = self.transaction.get::<Credential>(place.row())?;
        let credential = Credential {
            id: place,
            created_by: here.as_ref().and_then(|here| here.created_by),
            last_used_at: here.and_then(|here| here.last_used_at),
            updated_at: self.now,
            ..saved.clone()
        };
        self.transaction.put(place.row(), &credential)
    }

    fn settings(&mut self, contents: &Contents, can_ask_passphrase: bool) -> Result<(), Error> {
        let Some(saved) = &contents.settings else {
            return Ok(());
        };
        let here = self.transaction.get::<Settings>(settings::ROW)?;
        let mut settings = allowed(saved, can_ask_passphrase);
        settings.loopback_port = here.and_then(|here| here.loopback_port);
        self.transaction.put(settings::ROW, &settings)
    }

    fn connection(
        &mut self,
        saved: &SavedConnection,
        place: ConnectionId,
        provider: ProviderId,
        label: Option<String>,
    ) -> Result<(), Error> {
        let here = self.transaction.get::<Connection>(place.row())?;
        if here.as_ref().is_some_and(|here| here.id != place) {
            return Err(Error::Conflict(
                "two connections have one row, so nothing was restored; take another backup".to_owned(),
            ));
        }
        let tokens = self.transaction.get::<Tokens>(place.row())?;
        let is_client = self.is_client(provider)?;
        let secret = saved
            .client_secret_from
            .and_then(|id| self.credentials.get(&id).copied());
        let mut connection = match here {
            Some(here) => here,
            None => new_connection(saved, place, provider, self.now),
        };
        connection.label = label;
        connection.requested_scopes = saved.requested_scopes.clone();
        connection.account = saved.account.clone().or(connection.account);
        connection.client_secret_from = secret;
        connection.updated_at = self.now;
        let living = is_client && saved.status != SavedStatus::NeedsReauth;
        match (&saved.refresh_token, tokens) {
            (None, Some(_)) => {}
            (refresh_token, before) => {
                self.transaction.delete(Table::Journal, place.row())?;
                let living = living || refresh_token.is_some();
                self.begin_anew(&mut connection, saved, living);
                let tokens = fresh_tokens(saved, refresh_token.clone(), before, self.now);
                self.transaction.put(place.row(), &tokens)?;
            }
        }
        self.transaction.put(place.row(), &connection)
    }

    /// Whether a provider, as it is after the restore, gives tokens by client credentials.
    fn is_client(&mut self, id: ProviderId) -> Result<bool, Error> {
        if let Some(known) = self.clients.get(&id) {
            return Ok(*known);
        }
        let provider = self.transaction.get::<Provider>(id.row())?;
        let is_client =
            provider.is_some_and(|provider| provider.settings.grant_type == GrantType::ClientCredentials);
        self.clients.insert(id, is_client);
        Ok(is_client)
    }

    /// The status of a connection whose tokens are those of the backup: due for a refresh at once, or for a new sign-in.
    fn begin_anew(&self, connection: &mut Connection, saved: &SavedConnection, living: bool) {
        connection.granted_scopes = saved.granted_scopes.clone();
        connection.expires_at = Some(self.now);
        connection.refreshable = living;
        connection.refresh_at = living.then_some(self.now);
        connection.resource.clone_from(&saved.resource);
        connection
            .refresh_token_life
            .clone_from(&saved.refresh_token_life);
        connection.trouble = None;
        connection.provider_words = None;
        connection.status = match (living, saved.status) {
            (true, SavedStatus::Paused) => ConnectionStatus::Paused,
            (true, _) => ConnectionStatus::Active,
            (false, SavedStatus::NeedsReauth) => {
                ConnectionStatus::NeedsReauth(saved.reason.unwrap_or(ReauthReason::Restored))
            }
            (false, _) => ConnectionStatus::NeedsReauth(ReauthReason::Restored),
        };
    }
}

fn new_connection(
    saved: &SavedConnection,
    id: ConnectionId,
    provider: ProviderId,
    now: Timestamp,
) -> Connection {
    let scopes = saved.requested_scopes.clone();
    let mut connection = Connection::pending(id, provider, None, scopes, now);
    connection.narrows = saved.narrows;
    connection.rotates = saved.rotates;
    connection.loses_scopes = saved.loses_scopes;
    connection.targets = saved.targets.clone();
    connection.created_at = saved.created_at;
    connection
}

/// Tokens without an access token: nothing is handed out until the first refresh.
fn fresh_tokens(
    saved: &SavedConnection,
    refresh_token: Option<Secret>,
    before: Option<Tokens>,
    now: Timestamp,
) -> Tokens {
    let fence = before.as_ref().map_or(1, |before| before.fence + 1);
    let (refresh_token, replaced) =
        rotated(refresh_token, before.and_then(|before| before.refresh_token), now);
    Tokens {
        access_token: Secret::new(String::new()),
        token_type: "Bearer".to_owned(),
        expires_at: Some(now),
        scopes: saved.granted_scopes.clone(),
        refresh_token,
        replaced,
        obtained_at: now,
        fence,
        narrowed: Vec::new(),
        id_token: None,
        dpop_key: saved.dpop_key.clone(),
        aside: None,
    }
}

fn out_of_order() -> Error {
    Error::Internal("the items of a restore are out of order".to_owned())
}
