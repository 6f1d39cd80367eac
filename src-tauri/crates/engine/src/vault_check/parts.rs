//! The parts of a vault beside its records: files, pages, keys, and records that the database did not take.

use super::{Opened, Report};
use crate::lifecycle::recover::{self, Spilled};
use std::path::Path;
use tokenry_store::Store;

pub(super) const FILES: &str = "files";
pub(super) const DATABASE: &str = "database";
pub(super) const KEYS: &str = "keys";
pub(super) const RECORDS: &str = "records";
pub(super) const MANIFEST: &str = "manifest";
pub(super) const LOG: &str = "activity log";
const SPILLS: &str = "spilled records";

/// How many faults of the pages are told.
const MAX_FAULTS: u32 = 20;

impl Report {
    pub(super) fn files(&mut self, folder: &Path) {
        let mut text = String::new();
        match tokenry_store::file_report(folder) {
            Ok(files) => {
                for (name, wrong) in &files.problems {
                    self.problem(FILES, None, Some(name.clone()), wrong);
                }
                text = format!("{} files, readable by you only", files.files);
            }
            Err(error) => self.problem(FILES, None, None, &error.to_string()),
        }
        self.part(FILES, &text);
    }

    pub(super) fn database(&mut self, database: &Store) {
        match database.faults(MAX_FAULTS) {
            Ok(faults) => {
                for fault in faults {
                    self.problem(DATABASE, None, None, &format!("SQLite says: {fault}"));
                }
            }
            Err(error) => self.problem(DATABASE, None, None, &error.to_string()),
        }
        self.part(DATABASE, "every page was read");
    }

    /// The slots, each of which wraps the data key.
    pub(super) fn keys(&mut self, database: &Store) {
        let slots = database.slots().unwrap_or_else(|error| {
            self.problem(KEYS, None, None, &error.to_string());
            Vec::new()
        });
        if slots.is_empty() {
            self.problem(KEYS, None, None, &tokenry_vault::Error::NoSlots.to_string());
        }
        for (at, slot) in slots.iter().enumerate() {
            if let Err(error) = tokenry_vault::check_slots(std::slice::from_ref(slot)) {
                let row = i64::try_from(at + 1).ok();
                self.problem(KEYS, row, None, &error.to_string());
            }
        }
        let text = match slots.len() {
            1 => "1 way to unlock".to_owned(),
            count => format!("{count} ways to unlock"),
        };
        self.part(KEYS, &text);
    }

    /// Tokens that the database did not take are beside it, sealed.
    pub(super) fn spills(&mut self, opened: &Opened) {
        let mut count = 0;
        match tokenry_store::spilled_each(&opened.folder) {
            Ok(spilled) => {
                for (name, sealed) in spilled {
                    count += 1;
                    let row = recover::key_of(&name).map(|(row, _)| row);
                    let file = Some(format!("tokenry.{name}.spill"));
                    match sealed {
                        Err(error) => self.problem(SPILLS, row, file, &error.to_string()),
                        Ok(sealed) if Spilled::opened(&opened.vault, &name, &sealed).is_none() => {
                            self.problem(SPILLS, row, file, "it does not open with this vault");
                        }
                        Ok(_) => {}
                    }
                }
            }
            Err(error) => self.problem(SPILLS, None, None, &error.to_string()),
        }
        let text = match count {
            0 => "none".to_owned(),
            1 => "1, which is taken in at the next unlock".to_owned(),
            count => format!("{count}, which are taken in at the next unlock"),
        };
        self.part(SPILLS, &text);
    }
}
