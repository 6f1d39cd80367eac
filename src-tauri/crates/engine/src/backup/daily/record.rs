//! What is kept of the daily copy, sealed.

use super::{DailyBackup, DailyBackupChange, DailyFailure};
use crate::{
    Error,
    backup::{BackupSeal, file::Target},
    records::{
        record::{Effect, Record},
        sealed_store::SealedStore,
    },
};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};
use tokenry_core::{Secret, Timestamp};
use tokenry_store::Table;

/// Its row, beside the settings.
pub(super) const ROW: i64 = 2;

pub(super) const INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// What is kept of it, sealed.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DailyRecord {
    pub(super) enabled: bool,
    pub(super) folder: Option<PathBuf>,
    pub(super) recipients: Vec<String>,
    pub(super) passphrase: Option<Secret>,
    pub(super) with_refresh_tokens: bool,
    pub(super) made_at: Option<Timestamp>,
    pub(super) file: Option<PathBuf>,
    pub(super) failure: Option<DailyFailure>,
    pub(super) next_try_at: Option<Timestamp>,
}

impl Record for DailyRecord {
    const TABLE: Table = Table::Settings;
    fn effect(&self) -> Option<Effect> {
        Some(Effect::Settings)
    }
}

impl DailyRecord {
    pub(super) fn read(store: &SealedStore) -> Result<Self, Error> {
        Ok(store.get(ROW)?.unwrap_or_default())
    }

    /// When the next copy is due; `None` while it is off. A clock that was set back does not put it off for long.
    pub(super) fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.enabled {
            return None;
        }
        let regular = self
            .made_at
            .map_or(now, |made| tokenry_core::later(made, INTERVAL));
        let due = self.next_try_at.map_or(regular, |again| again.max(regular));
        Some(due.min(tokenry_core::later(now, INTERVAL)))
    }

    pub(super) fn seal(&self) -> Result<BackupSeal, Error> {
        match (&self.passphrase, self.recipients.is_empty()) {
            (Some(passphrase), true) => Ok(BackupSeal::Passphrase(passphrase.clone())),
            (None, false) => Ok(BackupSeal::Recipients(self.recipients.clone())),
            _ => Err(Error::field(
                "recipients",
                "or a passphrase is needed: a daily copy is encrypted without asking you",
            )),
        }
    }

    pub(super) fn shown(self) -> DailyBackup {
        DailyBackup {
            enabled: self.enabled,
            folder: self.folder,
            recipients: self.recipients,
            has_passphrase: self.passphrase.is_some(),
            with_refresh_tokens: self.with_refresh_tokens,
            made_at: self.made_at,
            file: self.file,
            failure: self.failure,
        }
    }

    pub(super) fn changed(mut self, change: DailyBackupChange) -> Result<Self, Error> {
        if let Some(recipients) = change.recipients {
            self.passphrase = None;
            self.recipients = recipients;
        }
        if let Some(passphrase) = change.passphrase {
            self.recipients = Vec::new();
            self.passphrase = Some(passphrase);
        }
        self.folder = change.folder.or(self.folder);
        self.with_refresh_tokens = change.with_refresh_tokens.unwrap_or(self.with_refresh_tokens);
        self.enabled = change.enabled.unwrap_or(self.enabled);
        self.failure = None;
        self.next_try_at = None;
        if self.enabled {
            let folder = self.folder.as_ref();
            let folder =
                folder.ok_or_else(|| Error::field("folder", "is needed: choose where the copies go"))?;
            Target::new(&folder.join("tokenry.age"), true)
                .map_err(|error| Error::field("folder", format!("cannot be used: {error}")))?;
            self.seal()?.read()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY_INTERVAL: Duration = Duration::from_secs(3600);

    #[test]
    fn while_it_is_off_nothing_is_due_and_a_failure_puts_it_off_for_an_hour() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut record = DailyRecord::default();
        assert_eq!(record.due_at(now), None);
        record.enabled = true;
        assert_eq!(record.due_at(now), Some(now));
        record.made_at = Some(now);
        assert_eq!(record.due_at(now), Some(tokenry_core::later(now, INTERVAL)));
        record.made_at = None;
        record.next_try_at = Some(tokenry_core::later(now, RETRY_INTERVAL));
        assert_eq!(record.due_at(now), record.next_try_at);
        // The clock was set back by years.
        record.made_at = Some(tokenry_core::later(now, INTERVAL * 1000));
        assert_eq!(record.due_at(now), Some(tokenry_core::later(now, INTERVAL)));
    }
}
