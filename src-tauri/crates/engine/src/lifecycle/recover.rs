//! What a crash, a full disk or a long pause left behind is put right before anybody is served.

use crate::{
    Engine, Error, credentials, cut_off,
    lifecycle::older_copy::ReadOnly,
    records::{journal::JournalEntry, record, sealed_store::SealedStore, transaction::Transaction},
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use tokenry_core::{Connection, ConnectionStatus, Flow, Redirect, Timestamp, Tokens};
use tokenry_store::Table;
use tokenry_vault::{Place, Vault};
use zeroize::Zeroizing;

/// Runs whenever the vault was opened, before it is shown to anybody.
pub(super) fn after_opening(engine: &Engine, store: &SealedStore) -> Result<(), Error> {
    if store.read_only().is_some() {
        return Ok(());
    }
    let now = engine.now();
    match tokenry_store::spilled(&engine.inner.folder) {
        Ok(spilled) => take_in_spilled(&engine.inner.folder, store, spilled, now)?,
        // The newest tokens may be in it: nothing is refreshed without them.
        Err(error) if error.is_damage() => {
            store.only_read(ReadOnly::Spill(error.to_string()));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    credentials::expired_at_opening(engine, store, store.latest.seen(now))?;
    engine.end_what_had_ended(store, now)?;
    cut_off::finish(engine, store, now)?;
    end_dead_flows(engine, store, now)?;
    bring_forward_unresolved(store, now)?;
    crate::authorization_server::clean(store, store.latest.seen(now))?;
    wipe_tombstones(store, now)
}

/// Tokens that the database did not take, and what they mean for their connection.
#[derive(Serialize, Deserialize)]
pub(crate) struct Spilled {
    pub(crate) connection: Connection,
    pub(crate) tokens: Tokens,
}

impl Spilled {
    /// A spilled record, by its file's name; `None` where it is none of this vault.
    pub(crate) fn opened(vault: &Vault, name: &str, sealed: &[u8]) -> Option<Self> {
        let (row, fence) = key_of(name)?;
        let plain = vault.open(place(row, fence), sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// Lays what was known of a connection when its tokens were spilled on what is known now.
    pub(crate) fn lay_on(&self, connection: &mut Connection) {
        let settled = &self.connection;
        if !connection.status.is_set_by_user() {
            connection.status = settled.status;
            connection.trouble = settled.trouble.clone();
        }
        connection.refreshable = settled.refreshable;
        connection.narrows = settled.narrows;
        connection.rotates = settled.rotates;
        connection.doubtful = settled.doubtful;
        connection.narrowed = settled.narrowed;
        connection.loses_scopes = settled.loses_scopes;
        connection.lost = settled.lost.clone();
        connection.targets = settled.targets.clone();
        connection.granted_scopes = settled.granted_scopes.clone();
        connection.expires_at = settled.expires_at;
        connection.refresh_at = settled.refresh_at;
        connection.last_refreshed_at = settled.last_refreshed_at;
    }
}

/// The connection's row and the fence that the name of a spill holds.
pub(crate) fn key_of(name: &str) -> Option<(i64, u64)> {
    let (row, fence) = name.split_once('-')?;
    Some((row.parse().ok()?, fence.parse().ok()?))
}

/// Seals settled tokens into a file of their own.
pub(crate) fn spill(
    folder: &Path,
    store: &SealedStore,
    connection: &Connection,
    tokens: &Tokens,
) -> Result<(), Error> {
    let spilled = Spilled {
        connection: connection.clone(),
        tokens: tokens.clone(),
    };
    let plain = Zeroizing::new(serde_json::to_vec(&spilled).map_err(|e| Error::Internal(e.to_string()))?);
    let (row, fence) = (connection.id.row(), tokens.fence);
    let sealed = store.seal_apart(place(row, fence), &plain)?;
    Ok(tokenry_store::spill(folder, &name(row, fence), &sealed)?)
}

/// Removes a spill that is in the database now, if there was one.
pub(crate) fn unspill(folder: &Path, row: i64, fence: u64) {
    if let Err(error) = tokenry_store::remove_spill(folder, &name(row, fence)) {
        tracing::warn!("a file with a spilled token could not be removed: {error}");
    }
}

fn name(row: i64, fence: u64) -> String {
    format!("{row}-{fence}")
}

fn place(row: i64, fence: u64) -> Place<'static> {
    Place {
        table: "spill",
        row,
        version: fence,
        schema: record::FORMAT,
    }
}

fn take_in_spilled(
    folder: &Path,
    store: &SealedStore,
    spilled: Vec<(String, Vec<u8>)>,
    now: Timestamp,
) -> Result<(), Error> {
    for (name, sealed) in spilled {
        let Some((row, fence)) = key_of(&name) else {
            continue;
        };
        match store.vault().open(place(row, fence), &sealed) {
            Ok(plain) => {
                let spilled: Spilled = serde_json::from_slice(&plain)
                    .map_err(|_| Error::Internal("a spilled token cannot be read".to_owned()))?;
                store.change_surely(now, |transaction| take_in(transaction, row, &spilled))?;
                tokenry_store::remove_spill(folder, &name)?;
            }
            Err(error) => {
                tracing::warn!("a spilled token does not open with this vault and is left alone: {error}")
            }
        }
    }
    Ok(())
}

/// Newer tokens stay, and so does what the person did with the connection since.
fn take_in(transaction: &mut Transaction<'_>, row: i64, spilled: &Spilled) -> Result<(), Error> {
    let (Some(mut connection), Some(old)) = (
        transaction.get::<Connection>(row)?,
        transaction.get::<Tokens>(row)?,
    ) else {
        return Ok(());
    };
    if old.fence >= spilled.tokens.fence {
        return Ok(());
    }
    spilled.lay_on(&mut connection);
    transaction.put(row, &connection)?;
    transaction.put(row, &spilled.tokens)?;
    transaction.delete(Table::Journal, row)
}

/// Flows whose time is up, or whose listener went with the last process, are over; and so are the connections that
/// waited for them.
fn end_dead_flows(engine: &Engine, store: &SealedStore, now: Timestamp) -> Result<(), Error> {
    // After a lock and an unlock the listeners of this process are still there, and so may be an exchange.
    let (waiting, mut waited_for) = engine.waiting_flows();
    let is_alive = |flow: &Flow| {
        flow.expires_at > now && (flow.redirect != Redirect::Loopback || waiting.contains(&flow.id))
    };
    let (alive, dead): (Vec<Flow>, Vec<Flow>) = store.all::<Flow>()?.into_iter().partition(is_alive);
    waited_for.extend(alive.iter().map(|flow| flow.connection));
    let orphans: Vec<_> = {
        let index = store.index();
        let pending = index
            .connections()
            .filter(|c| c.status == ConnectionStatus::Pending);
        pending
            .map(|c| c.id)
            .filter(|id| !waited_for.contains(id))
            .collect()
    };
    if dead.is_empty() && orphans.is_empty() {
        return Ok(());
    }
    store.change(now, |transaction| {
        dead.iter()
            .try_for_each(|flow| transaction.delete(Table::Flows, flow.id.row()))?;
        orphans
            .iter()
            .try_for_each(|id| transaction.delete_connection(*id))
    })
}

/// A refresh that may have been sent and has no answer on disk is looked at first.
fn bring_forward_unresolved(store: &SealedStore, now: Timestamp) -> Result<(), Error> {
    let mut rows = Vec::new();
    store
        .database()
        .versions(Table::Journal, |row, _| rows.push(row))?;
    for row in rows {
        let entry = store.get::<JournalEntry>(row)?;
        if entry.is_none_or(|entry| !entry.state.is_unresolved()) {
            continue;
        }
        store.change(now, |transaction| {
            let Some(mut connection) = transaction.get::<Connection>(row)? else {
                return Ok(());
            };
            if connection.status == ConnectionStatus::Active {
                connection.refresh_at = Some(now);
                transaction.put(row, &connection)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Refresh tokens of grants that ended, and tokens of another account, are kept for a week and no longer.
fn wipe_tombstones(store: &SealedStore, now: Timestamp) -> Result<(), Error> {
    let ended: Vec<_> = {
        let index = store.index();
        let ended = index
            .connections()
            .filter(|c| matches!(c.status, ConnectionStatus::NeedsReauth(_)));
        ended.map(|c| c.id.row()).collect()
    };
    for row in ended {
        let Some(mut tokens) = store.get::<Tokens>(row)? else {
            continue;
        };
        let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
        let replaced = is_over(tokens.replaced.as_ref().map(|replaced| replaced.until));
        let aside = is_over(tokens.aside.as_ref().map(|aside| aside.until));
        if replaced || aside {
            tokens.replaced = tokens.replaced.filter(|_| !replaced);
            tokens.aside = tokens.aside.filter(|_| !aside);
            store.change(now, |transaction| transaction.put(row, &tokens))?;
        }
    }
    Ok(())
}
