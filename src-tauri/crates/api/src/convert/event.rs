use tokenry_contract as contract;
use tokenry_core::{Caller, Event, EventKind, Outcome, Rule};
use tokenry_engine::Change;

/// A line of the activity log.
pub(crate) fn event(event: Event) -> contract::Event {
    let app = event.app.or(event.caller.app());
    let (caller, program, pid) = match event.caller {
        Caller::Ui => (contract::CallerKind::Ui, None, None),
        Caller::Program(peer) => {
            // Zero is a process that the door could not tell.
            let pid = Some(peer.pid).filter(|pid| *pid != 0);
            (contract::CallerKind::Program, peer.program, pid)
        }
        Caller::Engine => (contract::CallerKind::Engine, None, None),
        Caller::Consent => (contract::CallerKind::Consent, None, None),
        Caller::App(app) => {
            let pid = app.peer.as_ref().map(|peer| peer.pid).filter(|pid| *pid != 0);
            (
                contract::CallerKind::App,
                app.peer.and_then(|peer| peer.program),
                pid,
            )
        }
    };
    let grant_id = match event.rule {
        Some(Rule::Grant(id)) => Some(id.uuid()),
        _ => None,
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
        credential_id: event.credential.map(|id| id.uuid()),
        app_id: app.map(|id| id.uuid()),
        outcome: outcome(event.outcome),
        rule: event.rule.map(rule),
        grant_id,
        detail: event.detail,
        request_id: event.request_id.map(|id| id.uuid()),
        count: event.count,
        first_at: event.first_at,
    }
}

/// A change as the live stream and the window hear of it. Never a value.
pub fn change(change: Change) -> contract::Change {
    match change {
        Change::Provider(id) => contract::Change::Provider { id: id.uuid() },
        Change::Connection(id) => contract::Change::Credential { id: id.uuid() },
        Change::Flow(id) => contract::Change::Flow { id: id.uuid() },
        Change::Engine => contract::Change::Engine,
        Change::Credential(id) => contract::Change::Credential { id: id.uuid() },
        Change::Apps => contract::Change::Apps,
        Change::Prompts => contract::Change::Prompts,
        Change::LinkRefused(code, message) => contract::Change::LinkRefused {
            code: super::error_code(code),
            message,
        },
        Change::Activity(line) => contract::Change::Activity {
            event: Box::new(event(*line)),
        },
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
        EventKind::ScopesLost => contract::EventKind::ScopesLost,
        EventKind::ConnectionChanged => contract::EventKind::ConnectionChanged,
        EventKind::Disconnected => contract::EventKind::Disconnected,
        EventKind::Revoked => contract::EventKind::Revoked,
        EventKind::Locked => contract::EventKind::Locked,
        EventKind::Unlocked => contract::EventKind::Unlocked,
        EventKind::OlderAccepted => contract::EventKind::OlderAccepted,
        EventKind::RedirectRefused => contract::EventKind::RedirectRefused,
        EventKind::ConsentAsked => contract::EventKind::ConsentAsked,
        EventKind::ConsentDecided => contract::EventKind::ConsentDecided,
        EventKind::AppAdded => contract::EventKind::AppAdded,
        EventKind::AppRemoved => contract::EventKind::AppRemoved,
        EventKind::AppAuthorized => contract::EventKind::AppAuthorized,
        EventKind::GrantGiven => contract::EventKind::GrantGiven,
        EventKind::GrantRemoved => contract::EventKind::GrantRemoved,
        EventKind::CredentialAdded => contract::EventKind::CredentialAdded,
        EventKind::CredentialChanged => contract::EventKind::CredentialChanged,
        EventKind::CredentialRemoved => contract::EventKind::CredentialRemoved,
        EventKind::CredentialHandedOut => contract::EventKind::CredentialHandedOut,
        EventKind::SettingsChanged => contract::EventKind::SettingsChanged,
        EventKind::AppRefused => contract::EventKind::AppRefused,
        EventKind::LogDamaged => contract::EventKind::LogDamaged,
        EventKind::HandedOver => contract::EventKind::HandedOver,
    }
}

fn outcome(outcome: Outcome) -> contract::Outcome {
    match outcome {
        Outcome::Done => contract::Outcome::Done,
        Outcome::Refused => contract::Outcome::Refused,
        Outcome::Failed => contract::Outcome::Failed,
    }
}

/// What a filter asks for.
pub(crate) fn wanted_outcome(outcome: contract::Outcome) -> Outcome {
    match outcome {
        contract::Outcome::Done => Outcome::Done,
        contract::Outcome::Refused => Outcome::Refused,
        contract::Outcome::Failed => Outcome::Failed,
    }
}

fn rule(rule: Rule) -> contract::Rule {
    match rule {
        Rule::Window => contract::Rule::Window,
        Rule::Engine => contract::Rule::Engine,
        Rule::SameUser => contract::Rule::SameUser,
        Rule::Grant(_) => contract::Rule::Grant,
        Rule::Session => contract::Rule::Session,
        Rule::Once => contract::Rule::Once,
        Rule::ApproveAll => contract::Rule::ApproveAll,
        Rule::Denied => contract::Rule::Denied,
        Rule::DeniedBefore => contract::Rule::DeniedBefore,
        Rule::Unanswered => contract::Rule::Unanswered,
        Rule::CannotAsk => contract::Rule::CannotAsk,
        Rule::NoGrant => contract::Rule::NoGrant,
        Rule::NotForThisCaller => contract::Rule::NotForThisCaller,
    }
}
