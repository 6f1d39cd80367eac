//! The check of a vault: every record is opened and compared, and what is wrong is named.
//!
//! What must never be true of it: that it changes a file of the profile; that it hands out or tells a value; that a
//! damaged record hides what is wrong with another.

mod parts;
mod read;
mod records;
mod suspect;

pub(crate) use read::{Contents, contents};

use crate::{
    Engine, Error,
    access::policy::Operation,
    engine::blocking,
    lifecycle::{unlocker::Unlocker, vault_handle::Opener},
    records::sealed_store::SealedStore,
};
use std::{path::PathBuf, sync::Arc};
use tokenry_core::{Caller, CheckedPart, EventKind, Outcome, Secret, VaultCheck, VaultProblem};
use tokenry_store::Store;
use tokenry_vault::Vault;

/// How many problems are told; more are counted.
const MAX_PROBLEMS: usize = 1_000;

/// What a check, and a copy, of a vault works on: its keys and its files.
pub(crate) struct Opened {
    pub(crate) vault: Vault,
    pub(crate) database: Arc<Store>,
    pub(crate) folder: PathBuf,
    /// The lowest epoch that is acceptable of it.
    pub(crate) floor: u64,
}

impl Engine {
    /// Checks every record, the manifest, the activity log and the files. A vault that does not open is checked too,
    /// with its keys alone: from the passphrase or the recovery code, else from the OS keyring.
    ///
    /// # Errors
    /// When the caller may not, or the keys cannot be opened for another reason than damage.
    pub async fn check_vault(
        &self,
        caller: &Caller,
        passphrase: Option<Secret>,
        recovery_code: Option<Secret>,
    ) -> Result<VaultCheck, Error> {
        self.allow(caller, Operation::CheckVault)?;
        let unlocker = Unlocker::given(passphrase, recovery_code)?;
        let report = match self.opened(caller, unlocker).await {
            Ok(opened) => {
                self.flush_activity().await;
                blocking(move || Ok(Report::of(&opened))).await?
            }
            Err(error) if error.is_damage() => {
                let engine = self.clone();
                blocking(move || {
                    Ok(Report::without_keys(
                        &engine.inner.folder,
                        &engine.inner.opener,
                        &error,
                    ))
                })
                .await?
            }
            Err(error) => return Err(error),
        };
        let check = report.ended();
        let (outcome, detail) = match check.problems.len() as u64 + check.more_problems {
            0 => (Outcome::Done, None),
            1 => (Outcome::Failed, Some("1 problem".to_owned())),
            count => (Outcome::Failed, Some(format!("{count} problems"))),
        };
        let event = self
            .event(caller, EventKind::VaultChecked, outcome)
            .with_detail_if(detail.as_deref());
        // A vault that may not be written takes the line later, or never.
        self.inner.activity.push(event);
        Ok(check)
    }

    /// The keys and the database: those of the open vault, or opened for this alone.
    pub(crate) async fn opened(&self, caller: &Caller, unlocker: Unlocker) -> Result<Opened, Error> {
        let folder = self.inner.folder.clone();
        if let Ok(store) = self.store() {
            return Ok(Opened {
                vault: store.vault().clone(),
                floor: store.known_epoch(),
                database: store.database_shared(),
                folder,
            });
        }
        let turn = match unlocker.is_known_by_heart() {
            true => self.turn_to_guess(caller).await?,
            false => None,
        };
        let engine = self.clone();
        let _opening = self.inner.opening.lock().await;
        let keys = blocking(move || {
            let _turn = turn;
            engine.inner.opener.keys_alone(&unlocker)
        });
        let (vault, database, floor) = keys.await.inspect_err(|error| self.note_guess(caller, error))?;
        Ok(Opened {
            vault,
            database,
            folder,
            floor,
        })
    }
}

/// Checks an open vault. Nothing is written, and no event is kept.
pub(crate) fn of_open(store: &SealedStore, folder: PathBuf) -> VaultCheck {
    let opened = Opened {
        vault: store.vault().clone(),
        floor: store.known_epoch(),
        database: store.database_shared(),
        folder,
    };
    Report::of(&opened).ended()
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Report {
    parts: Vec<CheckedPart>,
    problems: Vec<VaultProblem>,
    more_problems: u64,
    /// Whether the part that is being checked has a problem.
    is_wrong: bool,
}

impl Report {
    fn of(opened: &Opened) -> Self {
        let mut report = Self::default();
        report.files(&opened.folder);
        report.database(&opened.database);
        report.keys(&opened.database);
        report.records(opened);
        report.spills(opened);
        report
    }

    /// What can be said of a vault whose keys do not open.
    fn without_keys(folder: &std::path::Path, opener: &Opener, error: &Error) -> Self {
        let mut report = Self::default();
        report.files(folder);
        match opener.database() {
            Ok(database) => {
                report.database(&database);
                report.keys(&database);
                if !report
                    .parts
                    .iter()
                    .any(|part| part.part == parts::KEYS && !part.whole)
                {
                    report.problem(parts::KEYS, None, None, &error.to_string());
                    report.part(parts::KEYS, "");
                }
            }
            Err(error) => {
                report.problem(parts::DATABASE, None, None, &error.to_string());
                report.part(parts::DATABASE, "");
            }
        }
        report.problem(
            parts::RECORDS,
            None,
            None,
            "not checked: the keys of the vault do not open",
        );
        report.part(parts::RECORDS, "");
        report
    }

    pub(crate) fn problem(&mut self, part: &str, row: Option<i64>, name: Option<String>, text: &str) {
        self.is_wrong = true;
        if self.problems.len() >= MAX_PROBLEMS {
            self.more_problems += 1;
            return;
        }
        self.problems.push(VaultProblem {
            part: part.to_owned(),
            row,
            name,
            text: text.to_owned(),
        });
    }

    /// Ends a part. `text` says how it is when nothing is wrong with it.
    fn part(&mut self, part: &str, text: &str) {
        let whole = !std::mem::take(&mut self.is_wrong);
        let text = if whole { text } else { "not as it should be" };
        self.parts.push(CheckedPart {
            part: part.to_owned(),
            whole,
            text: text.to_owned(),
        });
    }

    fn ended(self) -> VaultCheck {
        VaultCheck {
            whole: self.problems.is_empty(),
            parts: self.parts,
            problems: self.problems,
            more_problems: self.more_problems,
        }
    }
}
