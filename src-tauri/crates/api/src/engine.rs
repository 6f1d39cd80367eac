//! Operations on the engine: status, lock, unlock.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Optional},
    openapi::{Acting, Always, Listing, Unlocking},
    operations::{Callers, Operations, operation, routes},
    slots,
};
use axum::{Json, extract::State};
use std::collections::BTreeMap;
use tokenry_contract::{ConnectionStatus, EngineStatus, SlotKind, Success, UnlockRequest, Vault, VaultState};
use tokenry_core::{Operation, Secret};
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(status))
        .routes(routes!(lock))
        .routes(routes!(unlock))
        .routes(routes!(show_window))
        .routes(routes!(hand_over))
}

/// Show the state of the engine
///
/// Works while the vault is locked. Without names and secrets.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "engine",
    responses((status = 200, description = "Version, vault, counts.", body = EngineStatus), Always)
)]
async fn status(_: AuthenticatedCaller, State(engine): State<Engine>) -> Json<EngineStatus> {
    Json(convert::status(engine.status()))
}

operation!(
    status,
    Callers::Policy(&[Operation::Engine]),
    EngineStatus {
        version: "0.1.0".to_owned(),
        pid: 4711,
        window: true,
        vault: Vault {
            state: VaultState::Unlocked,
            slots: vec![SlotKind::Keyring],
            read_only: false,
            older: false,
            code: None,
            message: None,
            waiting_for_keyring: false,
            unlock_requests: 0,
        },
        providers: 1,
        connections: BTreeMap::from([(ConnectionStatus::Active, 1)]),
        daily_backup_failure: None,
    }
);

/// Lock the vault
#[utoipa::path(
    post,
    path = "/v1/lock",
    tag = "engine",
    responses((status = 200, description = "Locked: the keys were wiped from memory.", body = Success), Listing)
)]
async fn lock(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Success>, ApiError> {
    engine.lock(&caller).await?;
    Ok(Json(Success { success: true }))
}

operation!(lock, Callers::Policy(&[Operation::Engine]));

/// Unlock the vault
///
/// With the passphrase, with the recovery code, or without either from the OS keyring.
#[utoipa::path(
    post,
    path = "/v1/unlock",
    tag = "engine",
    request_body = Option<UnlockRequest>,
    responses((status = 200, description = "Unlocked.", body = Success), Unlocking)
)]
async fn unlock(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Optional(body): Optional<UnlockRequest>,
) -> Result<Json<Success>, ApiError> {
    match (body.passphrase, body.recovery_code) {
        (Some(_), Some(_)) => return Err(slots::one_proof_only()),
        (None, Some(code)) => {
            engine
                .unlock_with_recovery_code(&caller, &Secret::new(code))
                .await?
        }
        (passphrase, None) => {
            let passphrase = passphrase.map(Secret::new);
            engine.unlock(&caller, passphrase, body.create).await?;
        }
    }
    Ok(Json(Success { success: true }))
}

operation!(
    unlock,
    Callers::Policy(&[Operation::Engine]),
    UnlockRequest {
        passphrase: Some("an example and no passphrase".to_owned()),
        recovery_code: None,
        create: false,
    }
);

/// Bring the window to the front
///
/// A conflict when the engine has no window.
#[utoipa::path(
    post,
    path = "/v1/window/show",
    tag = "engine",
    responses((status = 200, description = "Requested.", body = Success), Acting)
)]
async fn show_window(
    _: AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Success>, ApiError> {
    engine.show_window()?;
    Ok(Json(Success { success: true }))
}

operation!(show_window, Callers::Policy(&[Operation::Engine]));

/// Ask an engine without a window to end
///
/// It finishes the requests under way first. A conflict when it has a window.
#[utoipa::path(
    post,
    path = "/v1/hand-over",
    tag = "engine",
    responses((status = 200, description = "It ends.", body = Success), Acting)
)]
async fn hand_over(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Success>, ApiError> {
    engine.hand_over(&caller).await?;
    Ok(Json(Success { success: true }))
}

operation!(hand_over, Callers::Policy(&[Operation::HandOver]));
