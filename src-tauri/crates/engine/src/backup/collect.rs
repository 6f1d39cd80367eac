//! What of the vault goes into a backup.

use crate::{Error, backup::job::Job, credentials::is_alive, records::sealed_store::SealedStore, settings};
use serde::Deserialize;
use std::collections::HashSet;
use tokenry_backup::{Counts, Entry, SavedConnection, SavedStatus};
use tokenry_core::{Connection, ConnectionStatus, Credential, Provider, ReauthReason, Secret, Timestamp};
use tokenry_store::Table;

/// Everything that a backup holds: never an access token, a grant, an app or a line of the activity log.
pub(super) struct Collected {
    pub(super) entries: Vec<Entry>,
    pub(super) counts: Counts,
}

impl Collected {
    fn add(&mut self, entry: Entry) {
        self.counts.add(&entry);
        self.entries.push(entry);
    }
}

/// Reads it all, so that the vault is not needed while the file is written.
pub(super) fn collect(
    store: &SealedStore,
    with_refresh_tokens: bool,
    now: Timestamp,
    job: &Job,
) -> Result<Collected, Error> {
    let mut all = Collected {
        entries: Vec::new(),
        counts: Counts::default(),
    };
    let mut known = HashSet::new();
    for provider in store.all::<Provider>()? {
        job.goes_on()?;
        known.insert(provider.id);
        all.add(Entry::Provider(Box::new(provider)));
    }
    for credential in store.all::<Credential>()? {
        job.goes_on()?;
        if is_alive(&credential, now) {
            all.add(Entry::Credential(Box::new(without_owner(credential))));
        }
    }
    // One that was added after the providers were read has none here.
    let connections = store.all::<Connection>()?.into_iter();
    for connection in connections.filter(|connection| known.contains(&connection.provider)) {
        job.goes_on()?;
        let Some(mut saved) = saved(&connection) else {
            continue;
        };
        if with_refresh_tokens && saved.status != SavedStatus::NeedsReauth {
            (saved.refresh_token, saved.dpop_key) = refresh_token(store, connection.id.row())?;
        }
        all.add(Entry::Connection(Box::new(saved)));
    }
    if let Some(settings) = settings::stored(store)? {
        all.add(Entry::Settings(Box::new(settings)));
    }
    Ok(all)
}

/// Which app made it says what that app may do with it, as a grant does.
fn without_owner(credential: Credential) -> Credential {
    Credential {
        created_by: None,
        last_used_at: None,
        ..credential
    }
}

/// A connection as a backup holds it; `None` for one that was not made yet or is being given up.
pub(super) fn saved(connection: &Connection) -> Option<SavedConnection> {
    let (status, reason) = match connection.status {
        ConnectionStatus::Pending | ConnectionStatus::Disconnecting => return None,
        ConnectionStatus::Paused => (SavedStatus::Paused, None),
        // The schedule goes on trying its refresh token.
        ConnectionStatus::Active
        | ConnectionStatus::Refreshing
        | ConnectionStatus::Expiring
        | ConnectionStatus::NeedsReauth(ReauthReason::Refused) => (SavedStatus::Active, None),
        ConnectionStatus::NeedsReauth(reason) => (SavedStatus::NeedsReauth, Some(reason)),
    };
    Some(SavedConnection {
        id: connection.id,
        provider: connection.provider,
        label: connection.label.clone(),
        account: connection.account.clone(),
        status,
        reason,
        requested_scopes: connection.requested_scopes.clone(),
        granted_scopes: connection.granted_scopes.clone(),
        client_secret_from: connection.client_secret_from,
        narrows: connection.narrows,
        rotates: connection.rotates,
        loses_scopes: connection.loses_scopes,
        targets: connection.targets.clone(),
        resource: connection.resource.clone(),
        refresh_token_life: connection.refresh_token_life.clone(),
        refresh_token: None,
        dpop_key: None,
        created_at: connection.created_at,
    })
}

/// The refresh token of a connection. The access token beside it is not taken out of the record.
pub(super) fn refresh_token(
    store: &SealedStore,
    row: i64,
) -> Result<(Option<Secret>, Option<Secret>), Error> {
    #[derive(Deserialize)]
    struct Part {
        refresh_token: Option<Secret>,
        #[serde(default)]
        dpop_key: Option<Secret>,
    }
    let part = store.get_part::<Part>(Table::Tokens, row)?;
    Ok(part.map_or((None, None), |part| (part.refresh_token, part.dpop_key)))
}
