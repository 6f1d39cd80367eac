//! Removes the tokens of connections that were cut off, and has them revoked.
//!
//! The tokens move to a connection that is being disconnected, which goes on trying until the provider has answered,
//! also after a restart. So nothing can hand them out, and a new sign-in does not get in its way.

use crate::{
    Engine, Error, Revoked,
    connections::disconnect::Revocation,
    records::{sealed_store::SealedStore, transaction::Transaction},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokenry_core::{
    Connection, ConnectionId, ConnectionStatus, ReauthReason, RevokedConnection, Timestamp, Tokens,
};
use tokenry_store::Table;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// How many providers are asked at a time.
const MAX_REVOCATIONS: usize = 8;
/// How long the answer waits for providers. The others are revoked in the background.
const REVOCATION_WAIT: Duration = Duration::from_secs(60);

const LATER: &str = "The provider has not answered yet.";

/// The tokens of one connection were moved, or there were none.
struct Moved {
    /// The connection that holds them now.
    to: Option<ConnectionId>,
    expire_at: Option<Timestamp>,
}

impl Engine {
    /// Moves the tokens of these connections away, and asks the providers to revoke them.
    pub(super) async fn revoke_connections(
        &self,
        store: &Arc<SealedStore>,
        connections: Vec<Connection>,
    ) -> Vec<RevokedConnection> {
        let places = Arc::new(Semaphore::new(MAX_REVOCATIONS));
        let mut names: HashMap<ConnectionId, String> = {
            let index = store.index();
            connections.iter().map(|c| (c.id, index.name_of(c))).collect()
        };
        let mut tasks = JoinSet::new();
        for connection in connections {
            let (engine, store, places) = (self.clone(), store.clone(), places.clone());
            let id = connection.id;
            tasks.spawn(async move {
                let place = places.acquire_owned().await;
                // After a lock the keys are to go; the rest is done when the vault is opened the next time.
                let (revocation, expire_at) = match engine.is_open() {
                    true => engine.revoke_connection(&store, id).await,
                    false => (Some((Revoked::Pending, Some(Error::Locked.to_string()))), None),
                };
                drop(place);
                (id, revocation, expire_at)
            });
        }
        let end = Instant::now() + REVOCATION_WAIT;
        let mut revoked = Vec::new();
        while let Ok(Some(done)) = tokio::time::timeout_at(end, tasks.join_next()).await {
            let Ok((id, revocation, tokens_expire_at)) = done else {
                continue;
            };
            let (answer, detail) = revocation.map_or((None, None), |(answer, detail)| (Some(answer), detail));
            revoked.push(RevokedConnection {
                id: id.uuid(),
                name: names.remove(&id).unwrap_or_default(),
                revoked: answer,
                detail,
                tokens_expire_at,
            });
        }
        // They go on without being waited for.
        tasks.detach_all();
        revoked.extend(names.into_iter().map(|(id, name)| RevokedConnection {
            id: id.uuid(),
            name,
            revoked: Some(Revoked::Pending),
            detail: Some(LATER.to_owned()),
            tokens_expire_at: None,
        }));
        revoked.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        revoked
    }

    /// What became of the tokens of one connection, and when the last access token ends.
    async fn revoke_connection(
        &self,
        store: &Arc<SealedStore>,
        id: ConnectionId,
    ) -> (Option<Revocation>, Option<Timestamp>) {
        // A refresh under way is committed first, so that the newest tokens are the ones to revoke.
        self.refresh_done(id).await;
        let to = ConnectionId::new(&*self.inner.clock, &*self.inner.random);
        // The schedule leaves it alone meanwhile.
        let _reserved = self.reserve(to);
        let waits_for_disk = self.inner.refreshes.is_running(id);
        let now = self.now();
        let moved = match waits_for_disk {
            true => Err(Error::Store(tokenry_store::Error::DiskFull)),
            false => {
                self.commit_surely(store, move |transaction| move_tokens(transaction, id, to, now))
                    .await
            }
        };
        match moved {
            Ok(Moved { to: None, expire_at }) => (None, expire_at),
            Ok(Moved {
                to: Some(to),
                expire_at,
            }) => {
                let revoked = self.try_revoking(store, to).await;
                let revoked = revoked.unwrap_or_else(|error| (Revoked::Pending, Some(error.to_string())));
                (Some(revoked), expire_at)
            }
            // They are sealed, and moved when the vault is opened the next time.
            Err(error) => (Some((Revoked::Pending, Some(error.to_string()))), None),
        }
    }
}

/// Moves the tokens of a connection that was cut off to one that is being disconnected.
fn move_tokens(
    transaction: &mut Transaction<'_>,
    id: ConnectionId,
    to: ConnectionId,
    now: Timestamp,
) -> Result<Moved, Error> {
    let nothing = Moved {
        to: None,
        expire_at: None,
    };
    let (Some(mut connection), Some(tokens)) = (
        transaction.get::<Connection>(id.row())?,
        transaction.get::<Tokens>(id.row())?,
    ) else {
        return Ok(nothing);
    };
    if !is_cut_off(&connection) {
        return Ok(nothing);
    }
    let leaving = Connection {
        id: to,
        label: None,
        status: ConnectionStatus::Disconnecting,
        revokes_for: Some(id),
        updated_at: now,
        ..connection.clone()
    };
    connection.refreshable = false;
    (connection.expires_at, connection.refresh_at) = (None, None);
    (connection.doubtful, connection.narrowed) = (false, false);
    let ends = tokens.narrowed.iter().map(|narrowed| narrowed.expires_at);
    let expire_at = ends.chain([tokens.expires_at]).flatten().max();
    transaction.put(id.row(), &connection)?;
    for table in [Table::Tokens, Table::Journal] {
        transaction.delete(table, id.row())?;
    }
    transaction.put(to.row(), &leaving)?;
    transaction.put(to.row(), &tokens)?;
    Ok(Moved {
        to: Some(to),
        expire_at,
    })
}

fn is_cut_off(connection: &Connection) -> bool {
    connection.status == ConnectionStatus::NeedsReauth(ReauthReason::CutOff)
}

/// When a vault was opened: moves the tokens that an engine which died had not moved yet. The schedule has them revoked.
pub(crate) fn finish(engine: &Engine, store: &SealedStore, now: Timestamp) -> Result<(), Error> {
    let cut_off: Vec<_> = {
        let index = store.index();
        index
            .connections()
            .filter(|c| is_cut_off(c))
            .map(|c| c.id)
            .collect()
    };
    for id in cut_off {
        if store.get::<Tokens>(id.row())?.is_none() {
            continue;
        }
        let to = ConnectionId::new(&*engine.inner.clock, &*engine.inner.random);
        store.change_surely(now, |transaction| move_tokens(transaction, id, to, now))?;
    }
    Ok(())
}
