//! Backups and the work on them.

use super::prompt::change;
use std::path::Path;
use tokenry_contract as contract;
use tokenry_engine::{
    BackupCounts, BackupMade, DailyBackup, JobEnd, JobKind, JobResult, JobView, RestoreItem, RestoreKind,
    RestorePreview, RestoreState, Restored,
};
use uuid::Uuid;

/// Work as it stands.
pub(crate) fn job(view: JobView) -> contract::Job {
    let mut job = contract::Job {
        id: view.id.uuid(),
        kind: match view.kind {
            JobKind::Backup => contract::JobKind::Backup,
            JobKind::ReadBackup => contract::JobKind::ReadBackup,
            JobKind::Restore => contract::JobKind::Restore,
        },
        state: contract::JobState::Running,
        done: view.done,
        total: view.total,
        backup: None,
        preview: None,
        restored: None,
        error: None,
    };
    match view.end {
        None => {}
        Some(JobEnd::Cancelled) => job.state = contract::JobState::Cancelled,
        Some(JobEnd::Failed(error)) => {
            job.state = contract::JobState::Failed;
            job.error = Some(crate::envelope(&error).error);
        }
        Some(JobEnd::Done(result)) => {
            job.state = contract::JobState::Done;
            match result {
                JobResult::Backup(made) => job.backup = Some(backup(&made)),
                JobResult::Read(read) => job.preview = Some(preview(&read)),
                JobResult::Restored(done) => job.restored = Some(restored(&done)),
            }
        }
    }
    job
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn counts(counts: BackupCounts) -> contract::BackupCounts {
    contract::BackupCounts {
        providers: counts.providers,
        connections: counts.connections,
        credentials: counts.credentials,
        settings: counts.settings,
    }
}

fn backup(made: &BackupMade) -> contract::BackupMade {
    contract::BackupMade {
        file: path(&made.file),
        bytes: made.bytes,
        made_at: made.made_at,
        counts: counts(made.counts),
        with_refresh_tokens: made.with_refresh_tokens,
        warning: made.warning.clone(),
    }
}

fn preview(read: &RestorePreview) -> contract::RestorePreview {
    contract::RestorePreview {
        id: read.id.uuid(),
        file: path(&read.file),
        made_at: read.made_at,
        is_of_this_vault: read.is_of_this_vault,
        with_refresh_tokens: read.with_refresh_tokens,
        counts: counts(read.counts),
        expires_at: read.expires_at,
        items: read.items.iter().map(item).collect(),
    }
}

fn item(item: &RestoreItem) -> contract::RestoreItem {
    contract::RestoreItem {
        id: uuid(&item.id),
        kind: match item.kind {
            RestoreKind::Provider => contract::RestoreKind::Provider,
            RestoreKind::Credential => contract::RestoreKind::Credential,
            RestoreKind::Connection => contract::RestoreKind::Connection,
            RestoreKind::Settings => contract::RestoreKind::Settings,
        },
        name: item.name.clone(),
        state: match item.state {
            RestoreState::New => contract::RestoreState::New,
            RestoreState::Same => contract::RestoreState::Same,
            RestoreState::Conflict => contract::RestoreState::Conflict,
        },
        differences: item.differences.iter().cloned().map(change).collect(),
        note: item.note.clone(),
        can_replace: item.can_replace,
        needs: item.needs.as_deref().map(uuid),
        needs_sign_in: item.needs_sign_in,
    }
}

/// The engine's ids are UUIDs.
fn uuid(id: &str) -> Uuid {
    id.parse().unwrap_or_default()
}

fn restored(done: &Restored) -> contract::Restored {
    contract::Restored {
        added: done.added,
        replaced: done.replaced,
        same: done.same,
        left: done.left,
        needs_sign_in: done.needs_sign_in.clone(),
    }
}

/// The daily backup.
pub(crate) fn daily(daily: DailyBackup) -> contract::DailyBackup {
    contract::DailyBackup {
        enabled: daily.enabled,
        folder: daily.folder.as_deref().map(path),
        recipients: daily.recipients,
        has_passphrase: daily.has_passphrase,
        with_refresh_tokens: daily.with_refresh_tokens,
        made_at: daily.made_at,
        file: daily.file.as_deref().map(path),
        failure: daily.failure.map(|failure| failure.message),
    }
}
