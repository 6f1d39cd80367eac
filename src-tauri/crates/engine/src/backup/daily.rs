//! The daily copy: a backup a day into a folder of the user's choice. Off by default, and nothing wakes up while it is off.

mod record;

use crate::{
    Engine, Error,
    access::policy::Operation,
    backup::{
        JobEnd,
        file::{Target, TargetError, shown},
    },
    engine::blocking,
    locks,
    records::sealed_store::SealedStore,
};
use record::{DailyRecord, INTERVAL, ROW};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};
use tokenry_core::{Caller, EventKind, Outcome, Secret, Timestamp};

/// How long after a failure it is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(3600);
/// How many daily copies of one vault are kept in the folder.
const KEPT_COPIES: usize = 7;
/// How many digits of the vault's id are in the name of a copy, so that two vaults can have one folder.
const ID_DIGITS: usize = 8;

/// The daily copy, as the user sees it. Its passphrase is never shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DailyBackup {
    /// Whether it is on.
    pub enabled: bool,
    /// Where the copies go.
    pub folder: Option<PathBuf>,
    /// The age keys that it is encrypted for.
    pub recipients: Vec<String>,
    /// Whether it is encrypted with a passphrase instead.
    pub has_passphrase: bool,
    /// Whether it holds refresh tokens.
    pub with_refresh_tokens: bool,
    /// When the last one was made.
    pub made_at: Option<Timestamp>,
    /// Its file.
    pub file: Option<PathBuf>,
    /// Why none could be made since.
    pub failure: Option<DailyFailure>,
}

/// Why no daily copy could be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyFailure {
    /// When it was first noticed and told; not again within a day.
    pub at: Timestamp,
    /// What happened, and what to do.
    pub message: String,
}

/// What is to change. `None` leaves it as it is.
#[derive(Default)]
pub struct DailyBackupChange {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// Where the copies go: an absolute path.
    pub folder: Option<PathBuf>,
    /// The age keys that it is encrypted for, instead of a passphrase.
    pub recipients: Option<Vec<String>>,
    /// The passphrase, instead of recipients. It is kept in the vault.
    pub passphrase: Option<Secret>,
    /// Whether it holds refresh tokens.
    pub with_refresh_tokens: Option<bool>,
}

/// What the schedule knows of the daily copy.
#[derive(Default)]
pub(crate) struct Daily(Mutex<State>);

#[derive(Default)]
struct State {
    /// How often the vault had been locked when this was read.
    read_after: Option<u64>,
    due_at: Option<Timestamp>,
    failure: Option<String>,
    runs: bool,
}

impl Engine {
    /// The daily copy.
    ///
    /// # Errors
    /// While locked, and for anybody but the window.
    pub async fn daily_backup(&self, caller: &Caller) -> Result<DailyBackup, Error> {
        self.allow(caller, Operation::Settings)?;
        let store = self.store()?;
        blocking(move || Ok(DailyRecord::read(&store)?.shown())).await
    }

    /// Changes what is given. When it is on afterwards, a copy is due if the last one is a day old.
    ///
    /// # Errors
    /// While locked, for anybody but the window, and by its field when the folder or a recipient cannot be used.
    pub async fn change_daily_backup(
        &self,
        caller: &Caller,
        change: DailyBackupChange,
    ) -> Result<DailyBackup, Error> {
        self.allow(caller, Operation::Settings)?;
        let (store, now) = (self.store()?, self.now());
        let event = |on: bool| {
            let detail = if on { "daily backup on" } else { "daily backup off" };
            self.event(caller, EventKind::SettingsChanged, Outcome::Done)
                .with_detail(detail)
        };
        let (on, off) = (event(true), event(false));
        let changed = blocking(move || {
            let before = DailyRecord::read(&store)?;
            let after = before.clone().changed(change)?;
            store.change(now, |transaction| {
                transaction.put(ROW, &after)?;
                match after.enabled != before.enabled {
                    true => transaction.event(if after.enabled { &on } else { &off }),
                    false => Ok(()),
                }
            })?;
            Ok(after)
        })
        .await?;
        self.note_daily(&changed, now);
        self.inner.due.notify_one();
        Ok(changed.shown())
    }

    /// Why there is no new daily copy, while the vault is open.
    pub(crate) fn daily_failure(&self) -> Option<String> {
        locks::lock(&self.inner.daily.0).failure.clone()
    }

    fn note_daily(&self, record: &DailyRecord, now: Timestamp) {
        let mut state = locks::lock(&self.inner.daily.0);
        state.read_after = Some(self.locks());
        state.due_at = record.due_at(now);
        state.failure = record.failure.as_ref().map(|failure| failure.message.clone());
    }

    /// Starts the daily copy when it is due, and says when the next one is; `None` while it is off.
    pub(crate) fn look_after_daily_backup(&self, store: &SealedStore, now: Timestamp) -> Option<Timestamp> {
        let is_read = locks::lock(&self.inner.daily.0).read_after == Some(self.locks());
        if !is_read {
            match DailyRecord::read(store) {
                Ok(record) => self.note_daily(&record, now),
                Err(error) => {
                    tracing::warn!("the settings of the daily backup could not be read: {error}");
                    return None;
                }
            }
        }
        let mut state = locks::lock(&self.inner.daily.0);
        let due = state.due_at?;
        if state.runs {
            return None;
        }
        if due > now {
            return Some(due);
        }
        state.runs = true;
        let engine = self.clone();
        tokio::spawn(async move {
            let ended = engine.make_daily_backup().await;
            locks::lock(&engine.inner.daily.0).runs = false;
            if let Err(error) = ended {
                tracing::info!("no daily backup was made: {error}");
            }
            engine.inner.due.notify_one();
        });
        None
    }

    async fn make_daily_backup(&self) -> Result<(), Error> {
        let store = self.store()?;
        let (reading, now) = (store.clone(), self.now());
        let record = blocking(move || DailyRecord::read(&reading)).await?;
        if record.due_at(now).is_none() {
            return Ok(());
        }
        let id = store.vault().id().to_string();
        drop(store);
        let made = self.daily_copy(&record, &id, now).await;
        let store = self.store()?;
        let keeping = store.clone();
        let is_told = record
            .failure
            .as_ref()
            .is_some_and(|failure| now.duration_since(failure.at).unsigned_abs() < INTERVAL);
        let event = match &made {
            Err(error) if !is_told => {
                let event = self.event(&Caller::Engine, EventKind::BackedUp, Outcome::Failed);
                Some(event.with_detail(&format!("daily backup: {error}")))
            }
            _ => None,
        };
        let kept = blocking(move || {
            let mut record = DailyRecord::read(&keeping)?;
            match &made {
                Ok(file) => {
                    record.made_at = Some(now);
                    record.file = Some(file.clone());
                    record.failure = None;
                    record.next_try_at = None;
                }
                Err(error) => {
                    let at = record
                        .failure
                        .as_ref()
                        .filter(|_| is_told)
                        .map_or(now, |failure| failure.at);
                    let message = tokenry_core::sentence(&format!("The daily backup failed: {error}"));
                    record.failure = Some(DailyFailure { at, message });
                    record.next_try_at = Some(tokenry_core::later(now, RETRY_INTERVAL));
                }
            }
            keeping.change(now, |transaction| {
                transaction.put(ROW, &record)?;
                event.iter().try_for_each(|event| transaction.event(event))
            })?;
            Ok(record)
        })
        .await?;
        self.note_daily(&kept, now);
        Ok(())
    }

    /// Writes one copy, and removes the oldest.
    async fn daily_copy(&self, record: &DailyRecord, vault: &str, now: Timestamp) -> Result<PathBuf, Error> {
        let folder = record.folder.clone().unwrap_or_default();
        let seal = record.seal()?.read()?;
        let prefix = format!("tokenry-{}-", &vault[..ID_DIGITS.min(vault.len())]);
        let file = folder.join(format!("{prefix}{}.age", now.strftime("%Y%m%dT%H%M%SZ")));
        let looked_at = file.clone();
        let target = blocking(move || Ok(Target::new(&looked_at, false)?)).await?;
        let job = self.begin_backup(&Caller::Engine, None, seal, target, record.with_refresh_tokens)?;
        self.inner.jobs.idle().await;
        match self.inner.jobs.end_of(job.id) {
            Some(JobEnd::Done(_)) => {}
            Some(JobEnd::Failed(error)) => return Err(Error::Shared(error)),
            Some(JobEnd::Cancelled) | None => return Err(Error::Cancelled),
        }
        blocking(move || remove_old_copies(&folder, &prefix).map(|()| file)).await
    }
}

/// Keeps the newest copies of this vault. Files of any other name stay.
fn remove_old_copies(folder: &Path, prefix: &str) -> Result<(), Error> {
    let unreadable = |error| Error::from(TargetError::of(folder, &error));
    let mut copies: Vec<String> = fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_copy(name, prefix))
        .collect();
    copies.sort();
    let old = copies.len().saturating_sub(KEPT_COPIES);
    for name in &copies[..old] {
        let path = folder.join(name);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(
                "the old daily backup {} could not be removed: {error}",
                shown(&path)
            );
        }
    }
    Ok(())
}

/// Whether a file has the name of a daily copy of this vault: the prefix, a time like `20260131T235959Z`, `.age`.
fn is_copy(name: &str, prefix: &str) -> bool {
    let time = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(".age"));
    time.is_some_and(|time| {
        let is_right = |(at, byte): (usize, u8)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        };
        time.len() == 16 && time.bytes().enumerate().all(is_right)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_seven_copies_of_this_vault_are_kept_and_no_other_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let names = (10..20).map(|day| format!("tokenry-0a0b0c0d-202611{day}T120000Z.age"));
        let others = [
            "tokenry-ffffffff-20261101T120000Z.age",
            "tokenry-0a0b0c0d-20261101T120000Z.age.txt",
            "tokenry-0a0b0c0d-2026110aT120000Z.age",
            "tokenry-0a0b0c0d-.age",
            "notes.txt",
        ];
        let all: Vec<String> = names.chain(others.map(str::to_owned)).collect();
        for name in &all {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        remove_old_copies(folder.path(), "tokenry-0a0b0c0d-").unwrap();
        let left: Vec<_> = all
            .iter()
            .filter(|name| folder.path().join(name).exists())
            .collect();
        assert_eq!(left.len(), KEPT_COPIES + others.len(), "{left:?}");
        assert!(left[0].contains("20261113"), "{left:?}");
    }
}
