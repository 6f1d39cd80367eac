//! What a crash, a full disk or a long pause left behind is put right before anybody is served.

use crate::{
    Engine, Error,
    engine::Inner,
    journal::{JournalEntry, JournalState},
    ledger::Ledger,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, path::Path};
use tokenry_core::{Connection, ConnectionStatus, Flow, RedirectPreference, Timestamp, Tokens};
use tokenry_store::{SCHEMA, Table};
use tokenry_vault::Place;
use zeroize::Zeroizing;

/// A settled answer that the database did not take.
#[derive(Serialize, Deserialize)]
struct Spilled {
    connection: Connection,
    tokens: Tokens,
}

/// Seals a settled answer into a file of its own.
pub(crate) fn spill(
    folder: &Path,
    ledger: &Ledger,
    connection: &Connection,
    tokens: &Tokens,
) -> Result<(), Error> {
    let spilled = Spilled {
        connection: connection.clone(),
        tokens: tokens.clone(),
    };
    let plain = Zeroizing::new(serde_json::to_vec(&spilled).map_err(|e| Error::Internal(e.to_string()))?);
    let (row, fence) = (connection.id.row(), tokens.fence);
    let sealed = ledger.seal_apart(place(row, fence), &plain)?;
    Ok(tokenry_store::spill(folder, &format!("{row}-{fence}"), &sealed)?)
}

fn place(row: i64, fence: u64) -> Place<'static> {
    Place {
        table: "spill",
        row,
        version: fence,
        schema: SCHEMA,
    }
}

/// Runs once whenever the vault was opened, before it is shown to anybody.
pub(crate) fn after_opening(inner: &Inner, ledger: &Ledger) -> Result<(), Error> {
    if ledger.read_only().is_some() {
        return Ok(());
    }
    let now = inner.clock.now();
    take_in_spilled(inner, ledger, now)?;
    end_dead_flows(ledger, now)?;
    bring_forward_open_ends(ledger, now)?;
    wipe_tombstones(ledger, now)
}

fn take_in_spilled(inner: &Inner, ledger: &Ledger, now: Timestamp) -> Result<(), Error> {
    for (name, sealed) in tokenry_store::spilled(&inner.folder)? {
        let key = name
            .split_once('-')
            .and_then(|(row, fence)| Some((row.parse().ok()?, fence.parse().ok()?)));
        let Some((row, fence)) = key else { continue };
        match ledger.vault().open(place(row, fence), &sealed) {
            Ok(plain) => {
                let spilled: Spilled = serde_json::from_slice(&plain)
                    .map_err(|_| Error::Internal("a spilled token cannot be read".to_owned()))?;
                ledger.change(now, |transaction| {
                    let old = transaction.get::<Tokens>(row)?;
                    if old.is_some_and(|old| old.fence < fence) {
                        transaction.put(row, &spilled.connection)?;
                        transaction.put(row, &spilled.tokens)?;
                        transaction.delete(Table::Journal, row)?;
                    }
                    Ok(())
                })?;
                tokenry_store::remove_spill(&inner.folder, &name)?;
            }
            Err(error) => {
                tracing::warn!("a spilled token does not open with this vault and is left alone: {error}")
            }
        }
    }
    Ok(())
}

/// Flows whose time is up, or whose listener went with the last process, are over; and so are the connections that
/// waited for them.
fn end_dead_flows(ledger: &Ledger, now: Timestamp) -> Result<(), Error> {
    let (alive, dead): (Vec<Flow>, Vec<Flow>) = ledger
        .all::<Flow>()?
        .into_iter()
        .partition(|flow| flow.expires_at > now && flow.redirect != RedirectPreference::Loopback);
    let waited_for: HashSet<_> = alive.iter().map(|flow| flow.connection).collect();
    let orphans: Vec<_> = {
        let index = ledger.index();
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
    ledger.change(now, |transaction| {
        dead.iter()
            .try_for_each(|flow| transaction.delete(Table::Flows, flow.id.row()))?;
        orphans
            .iter()
            .try_for_each(|id| transaction.delete_connection(*id))
    })
}

/// A refresh that may have been sent and has no answer on disk is looked at first.
fn bring_forward_open_ends(ledger: &Ledger, now: Timestamp) -> Result<(), Error> {
    let mut rows = Vec::new();
    ledger.store().versions(Table::Journal, |row, _| rows.push(row))?;
    for row in rows {
        let entry = ledger.get::<JournalEntry>(row)?;
        if entry.is_none_or(|entry| !matches!(entry.state, JournalState::Sent | JournalState::Unanswered)) {
            continue;
        }
        ledger.change(now, |transaction| {
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

/// Refresh tokens of grants that ended are kept for a week and no longer.
fn wipe_tombstones(ledger: &Ledger, now: Timestamp) -> Result<(), Error> {
    let ended: Vec<_> = {
        let index = ledger.index();
        let ended = index
            .connections()
            .filter(|c| matches!(c.status, ConnectionStatus::NeedsReauth(_)));
        ended.map(|c| c.id.row()).collect()
    };
    for row in ended {
        let Some(mut tokens) = ledger.get::<Tokens>(row)? else {
            continue;
        };
        if tokens
            .replaced
            .as_ref()
            .is_some_and(|replaced| replaced.until <= now)
        {
            tokens.replaced = None;
            ledger.change(now, |transaction| transaction.put(row, &tokens))?;
        }
    }
    Ok(())
}

impl Engine {
    /// Flows that outlived a restart end when their time is up, as if nothing had happened.
    pub(crate) fn watch_surviving_flows(&self) -> Result<(), Error> {
        for flow in self.ledger()?.all::<Flow>()? {
            let url = flow.authorization_url.clone();
            self.watch_flow(&flow, None, url);
        }
        Ok(())
    }
}
