//! Reads a backup and says what would be restored. Nothing is changed.

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    backup::{
        JobKind, JobResult, JobView, RestoreItem,
        contents::{self, Contents},
        file,
        job::Job,
        plan::Plan,
        step::{Step, reached},
    },
    engine::blocking,
    locks,
};
use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokenry_backup::{Counts, Key};
use tokenry_core::{Caller, RestoreId, Secret, Timestamp};
use zeroize::Zeroizing;

/// How long a backup that was read waits to be restored.
const RESTORE_TTL: Duration = Duration::from_secs(600);

/// The longest identity file, in bytes.
const MAX_IDENTITY_BYTES: u64 = 64 * 1024;

/// What opens a backup.
pub enum BackupKey {
    /// A passphrase.
    Passphrase(Secret),
    /// The content of an age identity file.
    Identity(Secret),
    /// An age identity file: an absolute path.
    IdentityFile(PathBuf),
}

impl BackupKey {
    fn read(self) -> Result<Key, Error> {
        let wrong =
            |error: tokenry_backup::Error| Error::field("identity", format!("cannot be used: {error}"));
        match self {
            Self::Passphrase(passphrase) => Ok(Key::passphrase(&passphrase)),
            Self::Identity(content) => Key::identities(&content).map_err(wrong),
            Self::IdentityFile(path) => Key::identities(&identity_file(&path)?).map_err(wrong),
        }
    }
}

fn identity_file(path: &Path) -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let read = file::opened(path)?
        .take(MAX_IDENTITY_BYTES + 1)
        .read_to_end(&mut bytes);
    match (read, std::str::from_utf8(&bytes)) {
        (Ok(length), Ok(text)) if length as u64 <= MAX_IDENTITY_BYTES => Ok(Secret::new(text.to_owned())),
        _ => Err(Error::field(
            "identity_file",
            format!(
                "{} is not an age identity file; choose the one that `age-keygen` wrote",
                file::shown(path)
            ),
        )),
    }
}

/// What a backup holds, beside what is here.
#[derive(Debug, Clone)]
pub struct RestorePreview {
    /// To restore it with.
    pub id: RestoreId,
    /// The file.
    pub file: PathBuf,
    /// When the backup was made.
    pub made_at: Timestamp,
    /// Whether it was made from this very vault.
    pub is_of_this_vault: bool,
    /// Whether it holds refresh tokens.
    pub with_refresh_tokens: bool,
    /// What it holds.
    pub counts: Counts,
    /// Until when it can be restored.
    pub expires_at: Timestamp,
    /// Each thing in it, beside what is here.
    pub items: Vec<RestoreItem>,
}

/// A backup that was read, until it is restored or the vault is locked.
pub(super) struct Pending {
    pub(super) preview: Arc<RestorePreview>,
    pub(super) contents: Contents,
    pub(super) plan: Plan,
    until: Duration,
}

/// The one backup that was read last.
#[derive(Default)]
pub(crate) struct Restores(Mutex<Option<Arc<Pending>>>);

impl Restores {
    /// The vault is locked: what was read is forgotten.
    pub(crate) fn lock(&self) {
        locks::lock(&self.0).take();
    }

    pub(super) fn find(&self, id: RestoreId, boottime: Duration) -> Option<Arc<Pending>> {
        let pending = locks::lock(&self.0);
        let found = pending.as_ref().filter(|pending| pending.preview.id == id);
        found.filter(|pending| pending.until > boottime).cloned()
    }

    pub(super) fn forget(&self, id: RestoreId) {
        let mut pending = locks::lock(&self.0);
        if pending.as_ref().is_some_and(|pending| pending.preview.id == id) {
            pending.take();
        }
    }
}

impl Engine {
    /// Begins to read a backup. What it holds is compared with what is here; nothing is changed, so no prompt appears.
    ///
    /// # Errors
    /// While locked, and when the identity is none.
    pub async fn start_restore(
        &self,
        caller: &Caller,
        file: PathBuf,
        key: BackupKey,
    ) -> Result<JobView, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::BackupJobs))?;
        self.store()?;
        let key = blocking(move || key.read()).await?;
        let engine = self.clone();
        self.begin_job(JobKind::ReadBackup, move |job| async move {
            let reading = engine.clone();
            let pending = blocking(move || reading.read_backup(&job, file, &key)).await?;
            let preview = pending.preview.clone();
            engine.keep_pending(pending);
            Ok(JobResult::Read(preview))
        })
    }

    fn read_backup(&self, job: &Job, file: PathBuf, key: &Key) -> Result<Pending, Error> {
        let contents = contents::read(&file, key, self.now(), job)?;
        reached(Step::RestoreRead);
        job.goes_on()?;
        let store = self.store()?;
        let plan = Plan::of(&store, &contents, self.can_ask_passphrase())?;
        job.goes_on()?;
        let header = &contents.header;
        let preview = RestorePreview {
            id: RestoreId::new(&*self.inner.clock, &*self.inner.random),
            file,
            made_at: header.made_at,
            is_of_this_vault: header.vault == store.vault().id().to_string(),
            with_refresh_tokens: header.with_refresh_tokens,
            counts: header.counts,
            expires_at: tokenry_core::later(self.now(), RESTORE_TTL),
            items: plan.items.clone(),
        };
        Ok(Pending {
            preview: Arc::new(preview),
            contents,
            plan,
            until: self.inner.clock.boottime() + RESTORE_TTL,
        })
    }

    /// Keeps what was read for a while. A lock in the meantime has cancelled the job.
    fn keep_pending(&self, pending: Pending) {
        let id = pending.preview.id;
        *locks::lock(&self.inner.restores.0) = Some(Arc::new(pending));
        if !self.is_open() {
            self.inner.restores.lock();
        }
        let engine = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(RESTORE_TTL) => engine.inner.restores.forget(id),
                () = engine.locked() => {}
                () = engine.ending() => {}
            }
        });
    }
}
