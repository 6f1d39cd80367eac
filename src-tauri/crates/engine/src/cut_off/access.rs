//! Ends what lets programs and apps in: grants, tokens of ours, permissions, prompts and sign-ins.

use super::Target;
use crate::{
    Engine, Error, FlowState, authorization_server,
    records::{sealed_store::SealedStore, transaction::Transaction},
};
use std::sync::Arc;
use tokenry_core::{
    ApiScope, Caller, Connection, ConnectionId, ConnectionStatus, Event, EventKind, Flow, Grant, ReauthReason,
};

/// How much was ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) grants: u64,
    pub(super) app_tokens: u64,
    pub(super) sessions: u64,
    pub(super) prompts: u64,
}

impl Counts {
    pub(super) fn words(self) -> String {
        let named = |count: u64, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        };
        format!(
            "ended: {}, {}, {}, {}",
            named(self.grants, "grant", "grants"),
            named(self.app_tokens, "app token", "app tokens"),
            named(self.sessions, "session permission", "session permissions"),
            named(self.prompts, "open request", "open requests")
        )
    }
}

impl Engine {
    /// Cancels the open sign-ins of an app, or of connections, and says how many.
    pub(super) async fn cancel_sign_ins(
        &self,
        caller: &Caller,
        store: &Arc<SealedStore>,
        target: Target,
    ) -> u64 {
        let (flows, _) = self.waiting_flows();
        let mut cancelled = 0;
        for id in flows {
            let Ok(Some(flow)) = store.get::<Flow>(id.row()) else {
                continue;
            };
            let is_meant = match target {
                Target::App(app) => flow.started_by == Some(app),
                Target::Connection(id) => flow.connection == id,
                Target::All => true,
            };
            if !is_meant {
                continue;
            }
            match self.end_flow(store, caller, &flow, FlowState::Cancelled).await {
                Ok(()) => cancelled += 1,
                Err(Error::FlowExpired) => {}
                // It must not keep the rest from being cut off.
                Err(error) => tracing::warn!("a sign-in could not be cancelled: {error}"),
            }
        }
        cancelled
    }

    /// Ends all access here, in one transaction. Connections hand nothing out from then on.
    pub(super) async fn end_access(
        &self,
        store: &Arc<SealedStore>,
        target: Target,
        connections: &[Connection],
        event: Event,
    ) -> Result<Counts, Error> {
        let (sessions, prompts) = self
            .inner
            .prompts
            .cut_off(target.app(), target.connection(), self.now());
        if target.connection().is_none() {
            self.inner.authorization_server.forget_codes();
        }
        let ids: Vec<_> = connections.iter().map(|connection| connection.id).collect();
        let (engine, now) = (self.clone(), self.now());
        self.commit_surely(store, move |transaction| {
            let ended = end_grants(transaction, target)?;
            let counts = Counts {
                grants: ended.0,
                app_tokens: match target {
                    Target::Connection(_) => 0,
                    Target::App(_) | Target::All => {
                        authorization_server::delete_of(transaction, target.app())?
                    }
                },
                sessions,
                prompts,
            };
            for grant in &ended.1 {
                let removed = engine.grant_event(&event.caller, EventKind::GrantRemoved, grant);
                transaction.event(&tokenry_core::Event {
                    rule: event.rule,
                    ..removed
                })?;
            }
            for id in &ids {
                close(transaction, *id, now)?;
            }
            transaction.event(&engine.cut_off_event(event.clone(), &counts))?;
            Ok(counts)
        })
        .await
    }
}

/// Nothing of this connection is handed out or refreshed any more. Its tokens are still there.
fn close(
    transaction: &mut Transaction<'_>,
    id: ConnectionId,
    now: tokenry_core::Timestamp,
) -> Result<(), Error> {
    let Some(mut connection) = transaction.get::<Connection>(id.row())? else {
        return Ok(());
    };
    if connection.status == ConnectionStatus::Disconnecting {
        return Ok(());
    }
    connection.status = ConnectionStatus::NeedsReauth(ReauthReason::CutOff);
    connection.trouble = None;
    connection.provider_words = None;
    connection.refreshable = false;
    connection.refresh_at = None;
    // An app may use what it connected itself: no longer.
    connection.started_by = None;
    connection.updated_at = now;
    transaction.put(id.row(), &connection)
}

/// Ends the grants that are meant, and takes the connection out of those that go on. Gives how many were changed, and
/// those that were ended.
fn end_grants(transaction: &mut Transaction<'_>, target: Target) -> Result<(u64, Vec<Grant>), Error> {
    let all: Vec<Grant> = transaction.store.index().grants().cloned().collect();
    let (mut changed, mut ended) = (0, Vec::new());
    for mut grant in all {
        let is_over = match target {
            Target::App(app) if grant.app != app => continue,
            Target::Connection(id) if !grant.connections.remove(&id) => continue,
            Target::App(_) | Target::All => true,
            Target::Connection(_) => is_empty(&grant),
        };
        changed += 1;
        if is_over {
            transaction.delete_grant(grant.id)?;
            ended.push(grant);
        } else {
            transaction.put(grant.id.row(), &grant)?;
        }
    }
    Ok((changed, ended))
}

/// Whether a grant is about connections alone, and there are none.
fn is_empty(grant: &Grant) -> bool {
    grant.connections.is_empty() && grant.scopes.iter().copied().all(ApiScope::concerns_connections)
}
