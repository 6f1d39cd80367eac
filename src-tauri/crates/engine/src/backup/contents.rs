//! What was read from a backup, checked as the same things are checked when a user enters them.

use crate::{
    Error,
    backup::{file, job::Job},
    credentials,
};
use std::{collections::HashSet, hash::Hash, io::Read as _, path::Path};
use tokenry_backup::{Entry, Header, Key, MAX_FILE_BYTES, Reader, SavedConnection};
use tokenry_core::{Credential, Provider, Settings, Timestamp};

/// A backup in memory. Its secrets are wiped with it.
pub(super) struct Contents {
    pub(super) header: Header,
    pub(super) providers: Vec<Provider>,
    pub(super) credentials: Vec<Credential>,
    pub(super) connections: Vec<SavedConnection>,
    pub(super) settings: Option<Settings>,
}

/// Reads a file to its end. Nothing counts before the last line was read. Blocks.
pub(super) fn read(path: &Path, key: &Key, now: Timestamp, job: &Job) -> Result<Contents, Error> {
    let of_file = |error| Error::BackupFile {
        file: file::shown(path),
        error,
    };
    let file = file::opened(path)?;
    let length = file.metadata().map_or(0, |found| found.len());
    if length > MAX_FILE_BYTES {
        return Err(of_file(tokenry_backup::Error::TooLarge));
    }
    let mut reader = Reader::open(file.take(MAX_FILE_BYTES), key).map_err(of_file)?;
    job.set_total(reader.header().counts.sum());
    let mut contents = Contents {
        header: reader.header().clone(),
        providers: Vec::new(),
        credentials: Vec::new(),
        connections: Vec::new(),
        settings: None,
    };
    while let Some(entry) = reader.next_entry().map_err(of_file)? {
        job.step()?;
        match entry {
            Entry::Provider(provider) => contents.providers.push(*provider),
            Entry::Credential(credential) => contents.credentials.push(*credential),
            Entry::Connection(connection) => contents.connections.push(*connection),
            Entry::Settings(settings) => contents.settings = Some(*settings),
        }
    }
    contents
        .check(now)
        .map_err(|wrong| of_file(tokenry_backup::Error::Unusable(wrong)))?;
    Ok(contents)
}

impl Contents {
    /// Checks all of it, and leaves out what has expired.
    fn check(&mut self, now: Timestamp) -> Result<(), String> {
        for provider in &mut self.providers {
            if let Some((field, wrong)) = provider.problems().into_iter().next() {
                return Err(format!("the provider {}: {field} {wrong}", provider.name));
            }
        }
        self.credentials
            .retain(|credential| credentials::is_alive(credential, now));
        for credential in &mut self.credentials {
            credential.created_by = None;
            credentials::check_whole(credential, now)
                .map_err(|error| format!("the credential {}: {error}", credential.name))?;
        }
        self.check_connections()?;
        self.check_names()
    }

    fn check_connections(&mut self) -> Result<(), String> {
        let providers: HashSet<_> = self.providers.iter().map(|provider| provider.id).collect();
        for connection in &mut self.connections {
            if !providers.contains(&connection.provider) {
                return Err("a connection without its provider".to_owned());
            }
            if let Some(label) = &connection.label
                && !crate::flow::start::is_label(label)
            {
                return Err("a connection with a label that cannot be one".to_owned());
            }
            if let Some(account) = &mut connection.account {
                account.name = account.name.take().map(|name| tokenry_core::clean(&name));
                account.email = account.email.take().map(|email| tokenry_core::clean(&email));
            }
            let is_miscopied = |token: &tokenry_core::Secret| {
                token.expose().is_empty() || tokenry_core::is_miscopied(token.expose())
            };
            if connection.refresh_token.as_ref().is_some_and(is_miscopied) {
                return Err("a refresh token that cannot be one".to_owned());
            }
        }
        Ok(())
    }

    /// Two of one id, row or name would land on each other.
    fn check_names(&self) -> Result<(), String> {
        let label = |c: &SavedConnection| c.label.clone().map(|label| (c.provider, label));
        let is_twice = has_twice(self.providers.iter().map(|provider| provider.id.row()))
            || has_twice(
                self.providers
                    .iter()
                    .map(|provider| (&provider.project, &provider.name)),
            )
            || has_twice(self.credentials.iter().map(|credential| credential.id.row()))
            || has_twice(
                self.credentials
                    .iter()
                    .map(|credential| (&credential.project, &credential.name)),
            )
            || has_twice(self.connections.iter().map(|connection| connection.id.row()))
            || has_twice(self.connections.iter().filter_map(label));
        match is_twice {
            true => Err("two entries of one name or id".to_owned()),
            false => Ok(()),
        }
    }
}

fn has_twice<T: Eq + Hash>(all: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    let mut all = all;
    all.any(|one| !seen.insert(one))
}
