//! Connections.

use super::list;
use crate::error::ApiError;
use tokenry_contract as contract;
use tokenry_core::{Account, ConnectionStatus, LastFailure, Provider, Revoked, Scopes};
use tokenry_engine::{Challenge, ConnectionChange, ConnectionView, RejectedOutcome, StepUp, Wants};

/// A connection.
pub(crate) fn connection(view: ConnectionView) -> contract::Connection {
    let connection = view.connection;
    // While the sign-in is open nothing was granted yet, so no scope is missing.
    let missing = match connection.status {
        ConnectionStatus::Pending => Vec::new(),
        _ => list(
            &connection
                .requested_scopes
                .missing_from(&connection.granted_scopes),
        ),
    };
    contract::Connection {
        id: connection.id.uuid(),
        name: view.name,
        provider_id: connection.provider.uuid(),
        provider_name: view.provider_name.to_string(),
        label: connection.label,
        account: connection.account.map(account),
        status: connection.status.word(),
        reason: connection.status.reason(),
        trouble: connection.trouble.map(trouble),
        scopes: list(&connection.granted_scopes),
        requested_scopes: list(&connection.requested_scopes),
        missing_scopes: missing,
        captured: connection.captured.into_keys().collect(),
        bindings: connection.bindings,
        notice: view.notice,
        expires_at: connection.expires_at,
        refresh_at: connection.refresh_at,
        refreshable: connection.refreshable,
        sign_in_again_before: view.sign_in_again_before,
        last_refreshed_at: connection.last_refreshed_at,
        last_used_at: connection.last_used_at,
        flow_id: view.flow.map(|flow| flow.uuid()),
        created_at: connection.created_at,
        updated_at: connection.updated_at,
    }
}

/// Whether a provider has a valid token, and until when. Of several connections, the one that expires last counts.
pub(crate) fn auth_status(
    provider: &Provider,
    connections: Vec<ConnectionView>,
) -> contract::OAuthProviderAuthStatus {
    let good = |view: &ConnectionView| {
        matches!(
            view.connection.status,
            ConnectionStatus::Active | ConnectionStatus::Refreshing | ConnectionStatus::Expiring
        )
    };
    let best = connections
        .into_iter()
        .filter(good)
        .max_by_key(|view| view.connection.expires_at);
    contract::OAuthProviderAuthStatus {
        oauth_provider_id: provider.id.uuid(),
        oauth_provider_name: provider.name.to_string(),
        authenticated: best.is_some(),
        expires_at: best.as_ref().and_then(|view| view.connection.expires_at),
        scope: best
            .map(|view| view.connection.granted_scopes)
            .filter(|s| !s.is_empty())
            .map(|s| s.to_string()),
    }
}

/// The changes of a connection; an empty label removes the label.
pub(crate) fn connection_change(body: contract::PatchConnection) -> ConnectionChange {
    ConnectionChange {
        label: body
            .label
            .map(|label| (!label.trim().is_empty()).then_some(label)),
        paused: body.paused,
        bindings: body.bindings,
    }
}

/// What became of a rejected token.
pub(crate) fn rejected(outcome: RejectedOutcome) -> contract::RejectedAnswer {
    let outcome = match outcome {
        RejectedOutcome::Refreshed => contract::RejectedOutcome::Refreshed,
        RejectedOutcome::Newer => contract::RejectedOutcome::Newer,
    };
    contract::RejectedAnswer {
        outcome,
        flow_id: None,
        browser_opened: false,
    }
}

/// What a resource wants.
pub(crate) fn challenge(body: contract::Challenge) -> Result<Challenge, ApiError> {
    let misplaced = |field: &str, is_there: bool| {
        let error = ApiError::field(&format!("challenge.{field}"), "does not belong to this error");
        if is_there { Err(error) } else { Ok(()) }
    };
    let wants = match body.error {
        contract::ChallengeError::InsufficientScope => {
            misplaced("acr_values", body.acr_values.is_some())?;
            misplaced("max_age", body.max_age.is_some())?;
            Wants::Scopes(Scopes::parse(body.scope.as_deref().unwrap_or_default()))
        }
        contract::ChallengeError::InsufficientUserAuthentication => {
            misplaced("scope", body.scope.is_some())?;
            Wants::Authentication {
                acr_values: body.acr_values,
                max_age: body.max_age,
            }
        }
    };
    Ok(Challenge {
        resource: body.resource,
        wants,
    })
}

/// What became of that.
pub(crate) fn step_up(outcome: StepUp) -> contract::RejectedAnswer {
    match outcome {
        StepUp::Newer => rejected(RejectedOutcome::Newer),
        StepUp::SignIn { flow, is_open } => contract::RejectedAnswer {
            outcome: contract::RejectedOutcome::SignIn,
            flow_id: Some(flow.uuid()),
            browser_opened: is_open,
        },
    }
}

/// The result of a disconnect.
pub(crate) fn disconnected((revoked, detail): (Revoked, Option<String>)) -> contract::DisconnectAnswer {
    contract::DisconnectAnswer {
        success: true,
        revoked,
        detail: detail.map(|detail| tokenry_core::clean(&detail)),
    }
}

fn account(account: Account) -> contract::Account {
    contract::Account {
        display_name: account.display_name().to_owned(),
        subject: account.subject,
        name: account.name,
        email: account.email,
        picture: account.picture,
    }
}

fn trouble(trouble: LastFailure) -> contract::LastFailure {
    contract::LastFailure {
        at: trouble.at,
        message: trouble.message,
        attempts: trouble.attempts,
        next_try_at: trouble.next_try_at,
    }
}
