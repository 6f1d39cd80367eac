//! Operations on backups: write, read, restore; the daily backup; and the work that a caller follows.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, PathId},
    openapi::{
        Guarded, Listing, Writing,
        examples::{JOB, PROVIDER, RESTORE, at},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State, http::StatusCode};
use std::str::FromStr;
use tokenry_contract::{
    ApplyRestore, BackupCounts, CreateBackup, CreateRestore, DailyBackup, Job, JobKind, JobState,
    RestoreItem, RestoreKind, RestorePreview, RestoreState, UpdateDailyBackup,
};
use tokenry_core::{Operation, Secret};
use tokenry_engine::{BackupKey, BackupSeal, DailyBackupChange, Engine, NewBackup};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(create_backup))
        .routes(routes!(daily_backup, change_daily_backup))
        .routes(routes!(create_restore))
        .routes(routes!(apply_restore))
        .routes(routes!(job, cancel_job))
}

/// Write a backup
///
/// An age v1 file with all providers and their client secrets, all connections, all credentials and the settings; never
/// access tokens, apps or grants. It is written beside, synced, opened again and compared, and only then gets its name. The
/// work goes on in the background: follow the job.
#[utoipa::path(
    post,
    path = "/v1/backups",
    tag = "backups",
    request_body = CreateBackup,
    responses((status = 202, description = "Begun.", body = Job), Guarded)
)]
async fn create_backup(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(new): Body<CreateBackup>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let job = engine.start_backup(&caller, new_backup(new)?).await?;
    Ok((StatusCode::ACCEPTED, Json(convert::job(job))))
}

operation!(
    create_backup,
    Callers::Policy(&[Operation::Backup]),
    CreateBackup {
        file: "/home/ada/tokenry.age".to_owned(),
        recipients: vec![RECIPIENT.to_owned()],
        passphrase: None,
        with_refresh_tokens: false,
        replace: false,
    }
);

const RECIPIENT: &str = "age1example";

/// Read a backup
///
/// The job's result lists what would be restored, beside what is here. Nothing is changed. What was read waits for ten
/// minutes, until the vault is locked or another backup is read.
#[utoipa::path(
    post,
    path = "/v1/restores",
    tag = "backups",
    request_body = CreateRestore,
    responses((status = 202, description = "Begun.", body = Job), Guarded)
)]
async fn create_restore(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(new): Body<CreateRestore>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let key = match (new.passphrase, new.identity, new.identity_file) {
        (Some(passphrase), None, None) => BackupKey::Passphrase(Secret::new(passphrase)),
        (None, Some(identity), None) => BackupKey::Identity(Secret::new(identity)),
        (None, None, Some(path)) => BackupKey::IdentityFile(path.into()),
        _ => {
            let wrong = "is needed, or an identity or an identity_file; give exactly one of them";
            return Err(ApiError::field("passphrase", wrong));
        }
    };
    let job = engine.start_restore(&caller, new.file.into(), key).await?;
    Ok((StatusCode::ACCEPTED, Json(convert::job(job))))
}

operation!(
    create_restore,
    Callers::Policy(&[Operation::BackupJobs]),
    CreateRestore {
        file: "/home/ada/tokenry.age".to_owned(),
        passphrase: Some("an example and no passphrase".to_owned()),
        identity: None,
        identity_file: None,
    }
);

/// Restore a backup that was read
///
/// One transaction: all of it or nothing. An item in conflict stays as it is here, unless its id is in `replace`.
#[utoipa::path(
    post,
    path = "/v1/restores/{id}/apply",
    tag = "backups",
    params(("id" = String, Path, description = "The id of the preview.")),
    request_body = ApplyRestore,
    responses((status = 202, description = "Begun.", body = Job), Guarded)
)]
async fn apply_restore(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(how): Body<ApplyRestore>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let replace = how.replace.iter().map(ToString::to_string).collect();
    let job = engine.apply_restore(&caller, read(&id)?, replace).await?;
    Ok((StatusCode::ACCEPTED, Json(convert::job(job))))
}

operation!(
    apply_restore,
    Callers::Policy(&[Operation::Restore]),
    ApplyRestore {
        replace: vec![PROVIDER],
    }
);

/// Follow the work on a backup
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}",
    tag = "backups",
    params(("id" = String, Path, description = "The id of the job.")),
    responses((status = 200, description = "How it stands.", body = Job), Writing)
)]
async fn job(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(convert::job(engine.job(&caller, read(&id)?)?)))
}

operation!(
    job,
    Callers::Policy(&[Operation::BackupJobs]),
    Job {
        id: JOB,
        kind: JobKind::ReadBackup,
        state: JobState::Done,
        done: 1,
        total: 1,
        backup: None,
        preview: Some(RestorePreview {
            id: RESTORE,
            file: "/home/ada/tokenry.age".to_owned(),
            made_at: at("2027-01-15T08:05:00Z"),
            is_of_this_vault: false,
            with_refresh_tokens: false,
            counts: BackupCounts {
                providers: 1,
                ..BackupCounts::default()
            },
            expires_at: at("2027-01-15T08:16:00Z"),
            items: vec![RestoreItem {
                id: PROVIDER,
                kind: RestoreKind::Provider,
                name: "github".to_owned(),
                state: RestoreState::New,
                differences: Vec::new(),
                note: None,
                can_replace: false,
                needs: None,
                needs_sign_in: false,
            }],
        }),
        restored: None,
        error: None,
    }
);

/// Cancel the work on a backup
///
/// It ends soon, and leaves nothing behind. What has ended stays as it is.
#[utoipa::path(
    delete,
    path = "/v1/jobs/{id}",
    tag = "backups",
    params(("id" = String, Path, description = "The id of the job.")),
    responses((status = 200, description = "How it stands.", body = Job), Writing)
)]
async fn cancel_job(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(convert::job(engine.cancel_job(&caller, read(&id)?)?)))
}

operation!(cancel_job, Callers::Policy(&[Operation::BackupJobs]));

/// Show the daily backup
///
/// For the window only.
#[utoipa::path(
    get,
    path = "/v1/backups/daily",
    tag = "backups",
    responses((status = 200, description = "The daily backup.", body = DailyBackup), Listing)
)]
async fn daily_backup(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<DailyBackup>, ApiError> {
    Ok(Json(convert::daily(engine.daily_backup(&caller).await?)))
}

operation!(
    daily_backup,
    Callers::Policy(&[Operation::Settings]),
    DailyBackup {
        enabled: true,
        folder: Some("/home/ada/backups".to_owned()),
        recipients: vec![RECIPIENT.to_owned()],
        has_passphrase: false,
        with_refresh_tokens: false,
        made_at: Some(at("2027-01-15T08:05:00Z")),
        file: Some("/home/ada/backups/tokenry-example-20270115T080500Z.age".to_owned()),
        failure: None,
    }
);

/// Change the daily backup
///
/// For the window only. Only the given fields change.
#[utoipa::path(
    put,
    path = "/v1/backups/daily",
    tag = "backups",
    request_body = UpdateDailyBackup,
    responses((status = 200, description = "After the change.", body = DailyBackup), Writing)
)]
async fn change_daily_backup(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(change): Body<UpdateDailyBackup>,
) -> Result<Json<DailyBackup>, ApiError> {
    let change = DailyBackupChange {
        enabled: change.enabled,
        folder: change.folder.map(Into::into),
        recipients: change.recipients,
        passphrase: change.passphrase.map(Secret::new),
        with_refresh_tokens: change.with_refresh_tokens,
    };
    let changed = engine.change_daily_backup(&caller, change).await?;
    Ok(Json(convert::daily(changed)))
}

operation!(
    change_daily_backup,
    Callers::Policy(&[Operation::Settings]),
    UpdateDailyBackup {
        enabled: Some(false),
        folder: None,
        recipients: None,
        passphrase: None,
        with_refresh_tokens: None,
    }
);

fn new_backup(new: CreateBackup) -> Result<NewBackup, ApiError> {
    let seal = match (new.passphrase, new.recipients.is_empty()) {
        (Some(passphrase), true) => BackupSeal::Passphrase(Secret::new(passphrase)),
        (None, false) => BackupSeal::Recipients(new.recipients),
        _ => {
            let wrong = "are needed, or a passphrase; give exactly one of them";
            return Err(ApiError::field("recipients", wrong));
        }
    };
    Ok(NewBackup {
        file: new.file.into(),
        seal,
        with_refresh_tokens: new.with_refresh_tokens,
        replace: new.replace,
    })
}

/// An id of work, which has no name.
fn read<T: FromStr>(id: &str) -> Result<T, ApiError> {
    id.parse().map_err(|_| ApiError::field("id", "must be an id"))
}
