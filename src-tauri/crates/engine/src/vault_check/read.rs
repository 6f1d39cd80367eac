//! Reads every record that opens, and says of each other what is wrong with it.

use crate::{
    authorization_server::Issued,
    records::{
        journal::JournalEntry,
        record::{self, Record},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tokenry_core::{App, Connection, Credential, Flow, Grant, Provider, Tokens, VaultProblem};
use tokenry_store::{Reader, Table};
use tokenry_vault::{Place, Vault};

/// The records of one table that open, by their rows.
pub(crate) type Rows<R> = HashMap<i64, R>;

/// A row of the settings: the choices of the user, or the daily backup. Both are copied as they are.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SettingsRow(serde_json::Map<String, serde_json::Value>);

impl Record for SettingsRow {
    const TABLE: Table = Table::Settings;
}

/// Everything that opens of a vault.
pub(crate) struct Contents {
    pub(crate) providers: Rows<Provider>,
    pub(crate) connections: Rows<Connection>,
    pub(crate) tokens: Rows<Tokens>,
    pub(crate) journal: Rows<JournalEntry>,
    pub(crate) apps: Rows<App>,
    pub(crate) grants: Rows<Grant>,
    pub(crate) credentials: Rows<Credential>,
    pub(crate) settings: Rows<SettingsRow>,
    /// Every row that was found, whether it opens or not: its table, number and version.
    pub(crate) found: Vec<(Table, i64, u64)>,
    /// What does not open, by table.
    pub(crate) damaged: Vec<(Table, VaultProblem)>,
}

impl Contents {
    /// What a record is about: the name of a connection, for example.
    pub(crate) fn name_of(&self, table: Table, row: i64) -> Option<String> {
        match table {
            Table::Providers => match self.providers.get(&row) {
                Some(provider) => Some(provider_name(provider)),
                None => self.provider_by_its_connections(row),
            },
            Table::Connections | Table::Tokens | Table::Journal => self
                .connections
                .get(&row)
                .map(|connection| self.connection_name(connection)),
            Table::Apps => self.apps.get(&row).map(|app| app.name.to_string()),
            Table::Grants => {
                let grant = self.grants.get(&row)?;
                self.name_of(Table::Apps, grant.app.row())
            }
            Table::Credentials => self.credentials.get(&row).map(|c| c.name.to_string()),
            Table::Flows | Table::Issued | Table::Settings => None,
        }
    }

    /// A provider that does not open is told by the oldest of its connections, one with an account if there is any.
    fn provider_by_its_connections(&self, row: i64) -> Option<String> {
        let its = self.connections.values().filter(|c| c.provider.row() == row);
        let is_unnamed = |c: &Connection| c.account.is_none() && c.label.is_none();
        let first = its.min_by_key(|c| (is_unnamed(c), c.created_at, c.id))?;
        Some(format!("the provider of {}", own_name(first)))
    }

    /// `provider`, or `provider/label`.
    pub(crate) fn connection_name(&self, connection: &Connection) -> String {
        let provider = self.providers.get(&connection.provider.row());
        match (provider.map(provider_name), &connection.label) {
            (Some(provider), Some(label)) => format!("{provider}/{label}"),
            (Some(provider), None) => provider,
            (None, _) => own_name(connection),
        }
    }
}

fn provider_name(provider: &Provider) -> String {
    match provider.project.as_str() {
        tokenry_core::DEFAULT_PROJECT => provider.name.to_string(),
        project => format!("{project}/{}", provider.name),
    }
}

/// What a connection is called by itself: its label, its account, or its id.
fn own_name(connection: &Connection) -> String {
    let account = connection
        .account
        .as_ref()
        .map(|account| account.display_name().to_owned());
    connection
        .label
        .clone()
        .or(account)
        .unwrap_or_else(|| connection.id.to_string())
}

/// Reads all tables. Nothing that is damaged keeps the rest from being read.
pub(crate) fn contents(vault: &Vault, reader: &Reader<'_>) -> Contents {
    let mut reading = Reading {
        vault,
        reader,
        found: Vec::new(),
        damaged: Vec::new(),
    };
    let providers = reading.table::<Provider>(|provider| Some(provider.id.row()));
    let connections = reading.table::<Connection>(|connection| Some(connection.id.row()));
    let mut contents = Contents {
        providers,
        connections,
        tokens: reading.table::<Tokens>(|_| None),
        journal: reading.table::<JournalEntry>(|_| None),
        apps: reading.table::<App>(|app| Some(app.id.row())),
        grants: reading.table::<Grant>(|grant| Some(grant.id.row())),
        credentials: reading.table::<Credential>(|credential| Some(credential.id.row())),
        settings: reading.table::<SettingsRow>(|_| None),
        found: Vec::new(),
        damaged: Vec::new(),
    };
    // Of these it matters only that they open.
    drop(reading.table::<Flow>(|flow| Some(flow.id.row())));
    drop(reading.table::<Issued>(|issued| Some(issued.id.row())));
    let Reading { found, damaged, .. } = reading;
    contents.found = found;
    contents.damaged = damaged
        .into_iter()
        .map(|(table, row, text)| {
            let name = row.and_then(|row| contents.name_of(table, row));
            let part = table.name().to_owned();
            (
                table,
                VaultProblem {
                    part,
                    row,
                    name,
                    text,
                },
            )
        })
        .collect();
    contents
}

struct Reading<'a> {
    vault: &'a Vault,
    reader: &'a Reader<'a>,
    found: Vec<(Table, i64, u64)>,
    damaged: Vec<(Table, Option<i64>, String)>,
}

impl Reading<'_> {
    /// The records of a table that open. `row_of` says in which row a record has to be.
    fn table<R: Record>(&mut self, row_of: impl Fn(&R) -> Option<i64>) -> Rows<R> {
        let (rows, error) = self.reader.row_ids(R::TABLE);
        if let Some(error) = error {
            let text = format!("a part of the table cannot be read: {error}");
            self.damaged.push((R::TABLE, None, text));
        }
        let mut records = Rows::new();
        for row in rows {
            match self.row::<R>(row) {
                Ok(record) if row_of(&record).is_some_and(|of| of != row) => {
                    self.wrong(R::TABLE, row, "the record belongs to another row");
                }
                Ok(record) => {
                    let expected = record
                        .lookup()
                        .map(|name| self.vault.lookup(R::TABLE.name(), &name));
                    if let Err(wrong) = self.lookup(R::TABLE, row, expected) {
                        self.wrong(R::TABLE, row, &wrong);
                    }
                    records.insert(row, record);
                }
                Err(wrong) => self.wrong(R::TABLE, row, &wrong),
            }
        }
        records
    }

    fn wrong(&mut self, table: Table, row: i64, text: &str) {
        self.damaged.push((table, Some(row), text.to_owned()));
    }

    fn row<R: Record>(&mut self, row: i64) -> Result<R, String> {
        let found = self
            .reader
            .get(R::TABLE, row)
            .map_err(|error| error.to_string())?;
        let found = found.ok_or("the row cannot be read")?;
        self.found.push((R::TABLE, row, found.version));
        let place = Place {
            table: R::TABLE.name(),
            row,
            version: found.version,
            schema: record::FORMAT,
        };
        let plain = self
            .vault
            .open(place, &found.sealed)
            .map_err(|_| "it does not open: it was changed, or moved from another place")?;
        serde_json::from_slice(&plain).map_err(|_| "it opens, but cannot be read".to_owned())
    }

    /// Whether a record is found by its name, and has no other.
    fn lookup(&self, table: Table, row: i64, expected: Option<[u8; 16]>) -> Result<(), String> {
        let is = self
            .reader
            .lookup_of(table, row)
            .map_err(|error| error.to_string())?;
        if is != expected {
            return Err("its lookup is not the one of its name".to_owned());
        }
        let Some(lookup) = is else { return Ok(()) };
        match self.reader.find(table, &lookup) {
            Ok(Some(found)) if found.id == row => Ok(()),
            Ok(_) => Err("its name does not lead to it".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
