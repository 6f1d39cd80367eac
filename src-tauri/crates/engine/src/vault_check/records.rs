//! The records against each other, against the manifest and against the log.

use super::{
    Opened, Report,
    parts::{LOG, MANIFEST, RECORDS},
    read::{Contents, contents},
    suspect::{self, Suspect},
};
use crate::{Error, activity::verify::log_in, records::sealed_store::Manifest};
use std::collections::HashSet;
use tokenry_core::{Connection, ConnectionStatus};
use tokenry_store::{Reader, Table};
use tokenry_vault::RunningSum;

impl Report {
    /// Everything that is sealed in the database, all of one moment.
    pub(super) fn records(&mut self, opened: &Opened) {
        let read = opened.database.read(|reader| {
            let contents = contents(&opened.vault, reader);
            self.tables(&contents);
            self.manifest(opened, reader, &contents);
            Ok::<_, Error>(())
        });
        if let Err(error) = read {
            self.problem(RECORDS, None, None, &error.to_string());
            self.part(RECORDS, "");
        }
    }

    fn tables(&mut self, contents: &Contents) {
        let missing = missing(contents);
        for table in Table::ALL {
            let wrong = contents.damaged.iter().filter(|(of, _)| *of == table);
            for (_, problem) in wrong {
                self.problem(&problem.part, problem.row, problem.name.clone(), &problem.text);
            }
            for (_, row, name, text) in missing.iter().filter(|(of, ..)| *of == table) {
                self.problem(table.name(), Some(*row), name.clone(), text);
            }
            let count = contents.found.iter().filter(|(of, ..)| *of == table).count();
            let text = match count {
                0 => "none".to_owned(),
                1 => "1 record, opened".to_owned(),
                count => format!("{count} records, all opened"),
            };
            self.part(table.name(), &text);
        }
    }

    fn manifest(&mut self, opened: &Opened, reader: &Reader<'_>, contents: &Contents) {
        let sealed = reader.manifest().map_err(Error::from);
        let manifest = sealed.and_then(|sealed| Manifest::opened(&opened.vault, sealed));
        let manifest = match manifest {
            Ok(manifest) => Some(manifest),
            Err(error) => {
                self.problem(MANIFEST, None, None, &error.to_string());
                None
            }
        };
        let mut text = String::new();
        if let Some(manifest) = &manifest {
            self.sum(opened, contents, manifest);
            if manifest.epoch < opened.floor {
                let text = format!(
                    "the vault was put back from an older copy: its epoch is {}, and {} is known",
                    manifest.epoch, opened.floor
                );
                self.problem(MANIFEST, None, None, &text);
            }
            text = format!("agrees with all records, epoch {}", manifest.epoch);
        }
        self.part(MANIFEST, &text);
        let (log, error) = log_in(&opened.vault, reader, manifest);
        if let Some(error) = error {
            self.problem(
                LOG,
                None,
                None,
                &format!("a part of the log cannot be read: {error}"),
            );
        }
        for problem in &log.problems {
            self.problem(LOG, Some(problem.first_line), None, &problem.text());
        }
        self.more_problems += log.more_problems;
        self.part(LOG, &format!("{} lines, an unbroken chain", log.lines));
    }

    /// The keyed sum over all rows. What does not fit is looked for.
    fn sum(&mut self, opened: &Opened, contents: &Contents, manifest: &Manifest) {
        let mut left = RunningSum::from_bytes(manifest.sum);
        for (table, row, version) in &contents.found {
            left.remove(&opened.vault.row_sum(table.name(), *row, *version));
        }
        if left == RunningSum::default() {
            return;
        }
        let gone = missing(contents).into_iter().map(|(table, row, ..)| (table, row));
        let found = suspect::find(&opened.vault, &left, &contents.found, gone, manifest.epoch);
        let Some((table, row, suspect)) = found else {
            let text = "rows are missing, or were put back from an older copy; which ones is not known";
            self.problem(MANIFEST, None, None, text);
            return;
        };
        let text = match suspect {
            Suspect::Older { is, was } => {
                format!(
                    "the record was put back from an older copy: it is of epoch {is}, and the newest was of {was}"
                )
            }
            Suspect::Deleted { was } => {
                format!("the record was deleted from the file; it was of epoch {was}")
            }
            Suspect::Added => "the row was added from outside of Tokenry".to_owned(),
        };
        let name = contents.name_of(table, row);
        self.problem(MANIFEST, Some(row), name, &format!("{}: {text}", table.name()));
    }
}

/// Records that others name and that are not there.
type Missing = (Table, i64, Option<String>, &'static str);

fn missing(contents: &Contents) -> Vec<Missing> {
    let found: HashSet<(Table, i64)> = contents
        .found
        .iter()
        .map(|(table, row, _)| (*table, *row))
        .collect();
    let mut missing: Vec<Missing> = Vec::new();
    let mut sorted: Vec<&Connection> = contents.connections.values().collect();
    sorted.sort_by_key(|connection| connection.id);
    for connection in sorted {
        let (row, provider) = (connection.id.row(), connection.provider.row());
        let has_tokens = matches!(
            connection.status,
            ConnectionStatus::Active | ConnectionStatus::Paused
        );
        if has_tokens && !found.contains(&(Table::Tokens, row)) {
            let name = contents.name_of(Table::Tokens, row);
            missing.push((Table::Tokens, row, name, "its tokens are missing"));
        }
        if !found.contains(&(Table::Providers, provider)) {
            let name = contents.name_of(Table::Providers, provider);
            missing.push((
                Table::Providers,
                provider,
                name,
                "the provider of a connection is missing",
            ));
        }
    }
    for (row, _) in contents
        .tokens
        .iter()
        .filter(|(row, _)| !found.contains(&(Table::Connections, **row)))
    {
        missing.push((
            Table::Connections,
            *row,
            None,
            "its tokens are there, and the connection is missing",
        ));
    }
    for grant in contents.grants.values() {
        let app = grant.app.row();
        if !found.contains(&(Table::Apps, app)) {
            missing.push((Table::Apps, app, None, "a grant names this app, which is missing"));
        }
    }
    missing.sort_by_key(|(table, row, ..)| (table.name(), *row));
    missing.dedup_by_key(|(table, row, ..)| (*table, *row));
    missing
}
