//! The checks of the vault and of the installation, and the copy of what still opens of a damaged vault.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Optional, Query},
    openapi::{Keying, Reading, Unlocking, examples::words},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{
    CheckReport, CheckVaultRequest, CheckedPart, CopiedRecords, DoctorQuery, SalvageAnswer, SalvageRequest,
    VaultCheck, VaultProblem,
};
use tokenry_core::{Operation, Secret};
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(check_vault))
        .routes(routes!(salvage_vault))
        .routes(routes!(check_installation))
}

/// Check the vault
///
/// Opens every record, and compares the lookups, the manifest, the activity log and the files. Works on a vault that is
/// locked or does not open, with its keys alone, and changes nothing. Damage is no error: the response says what is
/// wrong.
#[utoipa::path(
    post,
    path = "/v1/vault/check",
    tag = "engine",
    request_body = Option<CheckVaultRequest>,
    responses((status = 200, description = "What is right and what is wrong.", body = VaultCheck), Unlocking)
)]
async fn check_vault(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Optional(body): Optional<CheckVaultRequest>,
) -> Result<Json<VaultCheck>, ApiError> {
    let (passphrase, code) = (
        body.passphrase.map(Secret::new),
        body.recovery_code.map(Secret::new),
    );
    Ok(Json(engine.check_vault(&caller, passphrase, code).await?))
}

operation!(
    check_vault,
    Callers::Policy(&[Operation::CheckVault]),
    CheckVaultRequest {
        passphrase: None,
        recovery_code: None,
    },
    VaultCheck {
        whole: false,
        parts: vec![CheckedPart {
            part: "tokens".to_owned(),
            whole: false,
            text: "not as it should be".to_owned(),
        }],
        problems: vec![VaultProblem {
            part: "tokens".to_owned(),
            row: Some(3_410_377_529_664_021_061),
            name: Some("github".to_owned()),
            text: "it does not open: it was changed, or moved from another place".to_owned(),
        }],
        more_problems: 0,
    }
);

/// Copy what still opens into a new profile
///
/// The new profile has a vault of its own. The old profile is left as it is. Only one of the two may be used from then
/// on: a provider that rotates refresh tokens ends a grant when both refresh it.
#[utoipa::path(
    post,
    path = "/v1/vault/salvage",
    tag = "engine",
    request_body = SalvageRequest,
    responses((status = 200, description = "What was copied and what was not.", body = SalvageAnswer), Keying)
)]
async fn salvage_vault(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(body): Body<SalvageRequest>,
) -> Result<Json<SalvageAnswer>, ApiError> {
    let (passphrase, code) = (
        body.passphrase.map(Secret::new),
        body.recovery_code.map(Secret::new),
    );
    let copied = engine.salvage(&caller, &body.folder, passphrase, code).await?;
    Ok(Json(copied))
}

operation!(
    salvage_vault,
    Callers::Policy(&[Operation::SalvageVault]),
    SalvageRequest {
        folder: "/nowhere/example/tokenry-salvaged".to_owned(),
        passphrase: Some("an example and no passphrase".to_owned()),
        recovery_code: None,
    },
    SalvageAnswer {
        folder: "/home/ada/tokenry-salvaged".to_owned(),
        old_folder: "/home/ada/.local/share/io.github.tokenry".to_owned(),
        copied: vec![CopiedRecords {
            part: "connections".to_owned(),
            count: 1,
            names: words(&["github"]),
        }],
        refresh_tokens: 1,
        lost: Vec::new(),
        more_lost: 0,
    }
);

/// Check the installation
///
/// The OS keyring, the vault, the handler of deep links, the daily backup, and the clock against the providers'. Works
/// while the vault is locked, and changes nothing. What does not work is no error: the response says what to do.
#[utoipa::path(
    get,
    path = "/v1/doctor",
    tag = "engine",
    params(DoctorQuery),
    responses((status = 200, description = "What was found.", body = CheckReport), Reading)
)]
async fn check_installation(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Query(query): Query<DoctorQuery>,
) -> Result<Json<CheckReport>, ApiError> {
    Ok(Json(engine.check_installation(&caller, query.offline).await?))
}

operation!(check_installation, Callers::Policy(&[Operation::CheckVault]));
