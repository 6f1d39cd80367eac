use tokenry_contract as contract;
use tokenry_core::{Caller, Event, EventKind, Outcome};
use tokenry_engine::Change;

/// A line of the activity log.
pub(crate) fn event(event: Event) -> contract::Event {
    let (caller, program, pid) = match event.caller {
        Caller::Ui => (contract::CallerKind::Ui, None, None),
        Caller::Program(peer) => (contract::CallerKind::Program, peer.program, Some(peer.pid)),
        Caller::Engine => (contract::CallerKind::Engine, None, None),
    };
    contract::Event {
        id: event.id.uuid(),
        at: event.at,
        kind: kind(event.kind),
        caller,
        program,
        pid,
        provider_id: event.provider.map(|id| id.uuid()),
        connection_id: event.connection.map(|id| id.uuid()),
        outcome: outcome(event.outcome),
        detail: event.detail,
    }
}

/// A change as the live stream and the window hear of it. Never a value.
pub fn change(change: Change) -> contract::Change {
    match change {
        Change::Provider(id) => contract::Change::Provider { id: id.uuid() },
        Change::Connection(id) => contract::Change::Credential { id: id.uuid() },
        Change::Flow(id) => contract::Change::Flow { id: id.uuid() },
        Change::Engine => contract::Change::Engine,
        Change::Activity(line) => contract::Change::Activity { event: event(line) },
    }
}

fn kind(kind: EventKind) -> contract::EventKind {
    match kind {
        EventKind::ProviderAdded => contract::EventKind::ProviderAdded,
        EventKind::ProviderChanged => contract::EventKind::ProviderChanged,
        EventKind::ProviderRemoved => contract::EventKind::ProviderRemoved,
        EventKind::FlowStarted => contract::EventKind::FlowStarted,
        EventKind::FlowEnded => contract::EventKind::FlowEnded,
        EventKind::Connected => contract::EventKind::Connected,
        EventKind::TokenHandedOut => contract::EventKind::TokenHandedOut,
        EventKind::Refreshed => contract::EventKind::Refreshed,
        EventKind::RefreshFailed => contract::EventKind::RefreshFailed,
        EventKind::Disconnected => contract::EventKind::Disconnected,
        EventKind::Revoked => contract::EventKind::Revoked,
        EventKind::Locked => contract::EventKind::Locked,
        EventKind::Unlocked => contract::EventKind::Unlocked,
        EventKind::RedirectRefused => contract::EventKind::RedirectRefused,
    }
}

fn outcome(outcome: Outcome) -> contract::Outcome {
    match outcome {
        Outcome::Done => contract::Outcome::Done,
        Outcome::Refused => contract::Outcome::Refused,
        Outcome::Failed => contract::Outcome::Failed,
    }
}
