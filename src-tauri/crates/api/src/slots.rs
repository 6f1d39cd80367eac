//! Operations on the vault: the ways to unlock it, its recovery code, and older copies.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Optional, PathId},
    openapi::{Acting, Guarded, Keying},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{RecoveryCode, SetSlot, SlotKind, SlotProof, Success};
use tokenry_core::{Operation, Secret};
use tokenry_engine::{Engine, SlotChange, SlotProof as Proof};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(set_slot, remove_slot))
        .routes(routes!(new_recovery_code))
        .routes(routes!(confirm_recovery_code))
        .routes(routes!(accept_older))
}

/// Add or change a way to unlock the vault
///
/// It replaces the one of its kind. No record is encrypted again. Where the OS keyring does not unlock the vault alone, the
/// current passphrase or the recovery code is needed. A recovery code is made at `/v1/vault/recovery-code`.
#[utoipa::path(
    put,
    path = "/v1/vault/slots/{kind}",
    tag = "engine",
    params(("kind" = SlotKind, Path, description = "The kind.")),
    request_body = Option<SetSlot>,
    responses((status = 200, description = "It unlocks the vault from now on.", body = Success), Keying)
)]
async fn set_slot(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(kind): PathId,
    Optional(body): Optional<SetSlot>,
) -> Result<Json<Success>, ApiError> {
    let change = change(kind_of(&kind)?, body.new_passphrase)?;
    let proof = proof(body.passphrase, body.recovery_code)?;
    engine.set_slot(&caller, change, proof).await?;
    Ok(Json(Success { success: true }))
}

operation!(
    set_slot,
    Callers::Policy(&[Operation::WriteSlots]),
    SetSlot {
        new_passphrase: Some("an example and no passphrase".to_owned()),
        passphrase: None,
        recovery_code: None,
    }
);

/// Remove a way to unlock the vault
///
/// A conflict when no way besides a recovery code would be left.
#[utoipa::path(
    delete,
    path = "/v1/vault/slots/{kind}",
    tag = "engine",
    params(("kind" = SlotKind, Path, description = "The kind.")),
    request_body = Option<SlotProof>,
    responses((status = 200, description = "It no longer unlocks the vault.", body = Success), Keying)
)]
async fn remove_slot(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(kind): PathId,
    Optional(body): Optional<SlotProof>,
) -> Result<Json<Success>, ApiError> {
    let proof = proof(body.passphrase, body.recovery_code)?;
    engine.remove_slot(&caller, kind_of(&kind)?, proof).await?;
    Ok(Json(Success { success: true }))
}

operation!(
    remove_slot,
    Callers::Policy(&[Operation::WriteSlots]),
    SlotProof {
        passphrase: Some("an example and no passphrase".to_owned()),
        recovery_code: None,
    }
);

/// Create a recovery code
///
/// The response is the only one that shows it. It replaces the code before it when it is confirmed.
#[utoipa::path(
    post,
    path = "/v1/vault/recovery-code",
    tag = "engine",
    request_body = Option<SlotProof>,
    responses((status = 200, description = "The code, not confirmed yet.", body = RecoveryCode), Keying)
)]
async fn new_recovery_code(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Optional(body): Optional<SlotProof>,
) -> Result<Json<RecoveryCode>, ApiError> {
    let proof = proof(body.passphrase, body.recovery_code)?;
    let code = engine.new_recovery_code(&caller, proof).await?;
    let code = code.expose().to_owned();
    Ok(Json(RecoveryCode { code }))
}

operation!(
    new_recovery_code,
    Callers::Policy(&[Operation::WriteSlots]),
    RecoveryCode {
        code: "an example and no recovery code".to_owned(),
    }
);

/// Confirm a recovery code
///
/// Send the code once the user has written it down. From then on it unlocks the vault, and the code before it does not.
#[utoipa::path(
    post,
    path = "/v1/vault/recovery-code/confirm",
    tag = "engine",
    request_body = RecoveryCode,
    responses((status = 200, description = "It unlocks the vault from now on.", body = Success), Guarded)
)]
async fn confirm_recovery_code(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(body): Body<RecoveryCode>,
) -> Result<Json<Success>, ApiError> {
    engine
        .confirm_recovery_code(&caller, &Secret::new(body.code))
        .await?;
    Ok(Json(Success { success: true }))
}

operation!(confirm_recovery_code, Callers::Policy(&[Operation::Engine]));

/// Continue with an older copy of the vault
///
/// For a vault that was restored from an older copy (`vault.older` in the status). From now on it counts as the newest,
/// and its connections are refreshed. A provider that rotates refresh tokens may end a grant whose newer token is lost.
/// A conflict when the vault is not older.
#[utoipa::path(
    post,
    path = "/v1/vault/accept-older",
    tag = "engine",
    responses((status = 200, description = "It counts as the newest.", body = Success), Acting)
)]
async fn accept_older(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Success>, ApiError> {
    engine.accept_older(&caller).await?;
    Ok(Json(Success { success: true }))
}

operation!(accept_older, Callers::Policy(&[Operation::AcceptOlder]));

fn kind_of(text: &str) -> Result<SlotKind, ApiError> {
    serde_json::from_value(text.into()).map_err(|_| {
        ApiError::field(
            "kind",
            "must be keyring, keyring_and_passphrase, passphrase or recovery_code",
        )
    })
}

fn change(kind: SlotKind, new_passphrase: Option<String>) -> Result<SlotChange, ApiError> {
    let given = |new_passphrase: Option<String>| {
        let missing = || ApiError::field("new_passphrase", "is needed for this way to unlock the vault");
        new_passphrase.map(Secret::new).ok_or_else(missing)
    };
    match kind {
        SlotKind::Keyring if new_passphrase.is_some() => Err(ApiError::field(
            "new_passphrase",
            "has no meaning for the OS keyring alone; leave it out, or choose keyring_and_passphrase",
        )),
        SlotKind::Keyring => Ok(SlotChange::Keyring),
        SlotKind::KeyringAndPassphrase => given(new_passphrase).map(SlotChange::KeyringAndPassphrase),
        SlotKind::Passphrase => given(new_passphrase).map(SlotChange::Passphrase),
        SlotKind::RecoveryCode => Err(ApiError::field(
            "kind",
            "cannot be recovery_code here; create one with POST /v1/vault/recovery-code",
        )),
    }
}

fn proof(passphrase: Option<String>, recovery_code: Option<String>) -> Result<Option<Proof>, ApiError> {
    match (passphrase, recovery_code) {
        (Some(_), Some(_)) => Err(one_proof_only()),
        (Some(passphrase), None) => Ok(Some(Proof::Passphrase(Secret::new(passphrase)))),
        (None, Some(code)) => Ok(Some(Proof::RecoveryCode(Secret::new(code)))),
        (None, None) => Ok(None),
    }
}

pub(crate) fn one_proof_only() -> ApiError {
    ApiError::field(
        "recovery_code",
        "cannot be sent together with a passphrase; send one of them",
    )
}
