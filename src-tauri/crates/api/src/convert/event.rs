//! Events and changes.

use tokenry_contract as contract;
use tokenry_core::{Event, Rule};
use tokenry_engine::Change;

/// An entry of the activity log.
pub(crate) fn event(event: Event) -> contract::Event {
    let app = event.app.or(event.caller.app());
    let caller = event.caller.kind();
    let peer = event.caller.into_peer();
    contract::Event {
        id: event.id.uuid(),
        at: event.at,
        kind: event.kind,
        caller,
        // Zero stands for a process that the listener could not identify.
        pid: peer.as_ref().map(|peer| peer.pid).filter(|pid| *pid != 0),
        program: peer.and_then(|peer| peer.program),
        provider_id: event.provider.map(|id| id.uuid()),
        connection_id: event.connection.map(|id| id.uuid()),
        credential_id: event.credential.map(|id| id.uuid()),
        app_id: app.map(|id| id.uuid()),
        outcome: event.outcome,
        rule: event.rule.map(Rule::word),
        grant_id: event.rule.and_then(Rule::grant).map(|id| id.uuid()),
        detail: event.detail,
        token_expires_at: event.token_expires_at,
        token_scope: event.token_scopes.map(|scopes| scopes.to_string()),
        request_id: event.request_id.map(|id| id.uuid()),
        count: event.count,
        first_at: event.first_at,
    }
}

/// A change for the stream and the window. Never a secret.
pub fn change(change: Change) -> contract::Change {
    match change {
        Change::Provider(id) => contract::Change::Provider { id: id.uuid() },
        Change::Connection(id) => contract::Change::Credential { id: id.uuid() },
        Change::Flow(id) => contract::Change::Flow { id: id.uuid() },
        Change::Engine => contract::Change::Engine,
        Change::Credential(id) => contract::Change::Credential { id: id.uuid() },
        Change::Apps => contract::Change::Apps,
        Change::Prompts => contract::Change::Prompts,
        Change::LinkRefused(code, message) => contract::Change::LinkRefused { code, message },
        Change::Activity(line) => contract::Change::Activity {
            event: Box::new(event(*line)),
        },
    }
}
