//! Writes what opens of the old vault into a new one, reads it back and compares it.

use crate::{
    Error,
    activity::read::{damaged_line, open_line},
    lifecycle::recover::Spilled,
    records::{record::Record, sealed_store::SealedStore, transaction::Transaction},
    vault_check::{Contents, Opened, contents},
};
use std::{collections::BTreeSet, path::Path, sync::Arc};
use tokenry_core::{
    Connection, ConnectionStatus, CopiedRecords, Event, Random, ReauthReason, SalvageAnswer, Timestamp,
    VaultProblem,
};
use tokenry_store::{ProfileLock, Reader, Store, Table};
use tokenry_vault::{Created, Vault};
use tokio::sync::broadcast;

/// How many names, and how many losses, are told; more are counted.
const MAX_TOLD: usize = 1_000;
/// How many lines of the log are written in one transaction.
const BATCH_LINES: usize = 2_000;

const LOG: &str = "activity log";

/// Copies into an empty folder. When this returns, everything is on the disk and was read back.
pub(super) fn into(
    folder: &Path,
    created: Created,
    old: &Opened,
    event: &Event,
    random: Arc<dyn Random>,
    now: Timestamp,
) -> Result<SalvageAnswer, Error> {
    let lock = ProfileLock::take(folder)?;
    let database = Arc::new(Store::open(folder)?);
    let listeners = (broadcast::channel(1).0, Arc::default());
    let new = SealedStore::create(
        created.vault,
        &created.slot,
        database.clone(),
        random,
        listeners,
        now,
    )?;
    let mut copy = Copy::default();
    old.database.read(|reader| {
        let mut plan = contents(&old.vault, reader);
        copy.take_in_spilled(old, &mut plan);
        copy.choose(&mut plan);
        new.commit(now, |transaction| copy.records(transaction, &plan, &old.vault))?;
        copy.log(&new, &old.vault, reader, now)?;
        Ok::<_, Error>(plan.damaged)
    })?;
    new.commit(now, |transaction| transaction.event(event))?;
    database.checkpoint()?;
    copy.compare(&new)?;
    drop((new, database, lock));
    Ok(copy.told())
}

/// What was copied so far, and what was not.
#[derive(Default)]
struct Copy {
    copied: Vec<CopiedRecords>,
    refresh_tokens: u64,
    lost: Vec<VaultProblem>,
    more_lost: u64,
}

impl Copy {
    fn lost(&mut self, part: &str, row: Option<i64>, name: Option<String>, text: &str) {
        if self.lost.len() >= MAX_TOLD {
            self.more_lost += 1;
            return;
        }
        self.lost.push(VaultProblem {
            part: part.to_owned(),
            row,
            name,
            text: text.to_owned(),
        });
    }

    /// Newer tokens that the database did not take.
    fn take_in_spilled(&mut self, old: &Opened, plan: &mut Contents) {
        for (name, sealed) in tokenry_store::spilled_each(&old.folder).unwrap_or_default() {
            let spilled = sealed
                .ok()
                .and_then(|sealed| Spilled::opened(&old.vault, &name, &sealed));
            let Some(spilled) = spilled else {
                let file = Some(format!("tokenry.{name}.spill"));
                self.lost("spilled records", None, file, "it does not open");
                continue;
            };
            let row = spilled.connection.id.row();
            if plan
                .tokens
                .get(&row)
                .is_some_and(|tokens| tokens.fence >= spilled.tokens.fence)
            {
                continue;
            }
            if let Some(connection) = plan.connections.get_mut(&row) {
                spilled.lay_on(connection);
                plan.tokens.insert(row, spilled.tokens);
            }
        }
    }

    /// Leaves out what cannot be used in another vault, and says why.
    fn choose(&mut self, plan: &mut Contents) {
        for (table, problem) in std::mem::take(&mut plan.damaged) {
            // A record that opens is copied, whatever is wrong with how it is found.
            let is_there = problem.row.is_some_and(|row| has(plan, table, row));
            if !is_there && !matches!(table, Table::Flows | Table::Issued) {
                self.lost(&problem.part, problem.row, problem.name, &problem.text);
            }
        }
        let names: Vec<_> = plan
            .connections
            .values()
            .map(|connection| (connection.id.row(), plan.connection_name(connection)))
            .collect();
        for (row, name) in names {
            self.choose_connection(plan, row, name);
        }
        let apps: Vec<_> = plan
            .apps
            .values()
            .filter(|app| app.token_hash.is_some())
            .map(|app| (app.id.row(), app.name.to_string()))
            .collect();
        for (row, name) in apps {
            let text = format!(
                "its token belongs to the old vault. Register the app again (`tokenry app add {name}`), and grant its access \
                 again"
            );
            self.lost(Table::Apps.name(), Some(row), Some(name), &text);
            plan.apps.remove(&row);
        }
        let (apps, connections) = (&plan.apps, &plan.connections);
        plan.grants.retain(|_, grant| apps.contains_key(&grant.app.row()));
        for grant in plan.grants.values_mut() {
            grant.connections.retain(|id| connections.contains_key(&id.row()));
        }
        plan.tokens.retain(|row, _| connections.contains_key(row));
        let tokens = &plan.tokens;
        plan.journal
            .retain(|row, entry| tokens.get(row).is_some_and(|tokens| tokens.fence == entry.fence));
    }

    fn choose_connection(&mut self, plan: &mut Contents, row: i64, name: String) {
        let Some(connection) = plan.connections.get_mut(&row) else {
            return;
        };
        if connection.status == ConnectionStatus::Pending {
            plan.connections.remove(&row);
        } else if !plan.providers.contains_key(&connection.provider.row()) {
            let text = "its provider does not open. Add the provider again, and connect again";
            self.lost(Table::Connections.name(), Some(row), Some(name), text);
            plan.connections.remove(&row);
        } else if let Some(tokens) = plan.tokens.get(&row) {
            self.refresh_tokens += u64::from(tokens.refresh_token.is_some());
        } else if !matches!(connection.status, ConnectionStatus::NeedsReauth(_)) {
            let text = format!("its tokens do not open. Sign in again: `tokenry connect {name}`");
            without_tokens(connection);
            self.lost(Table::Tokens.name(), Some(row), Some(name), &text);
        }
    }

    /// All records in one transaction.
    fn records(
        &mut self,
        transaction: &mut Transaction<'_>,
        plan: &Contents,
        old: &Vault,
    ) -> Result<(), Error> {
        let (providers, connections) = (plan.providers.values(), plan.connections.values());
        let named = |table, row: i64| plan.name_of(table, row);
        self.table(transaction, providers.map(|r| (r.id.row(), r)), named)?;
        self.table(transaction, connections.map(|r| (r.id.row(), r)), named)?;
        self.table(
            transaction,
            plan.tokens.iter().map(|(row, r)| (*row, r)),
            |_, _| None,
        )?;
        for (row, entry) in &plan.journal {
            let token = plan
                .tokens
                .get(row)
                .and_then(|tokens| tokens.refresh_token.as_ref());
            // A journal entry knows its token by a hash that only its own vault can make.
            if let Some(token) = token.filter(|token| old.fingerprint(token) == entry.fingerprint) {
                let mut entry = entry.clone();
                entry.fingerprint = transaction.store.vault().fingerprint(token);
                transaction.put(*row, &entry)?;
            }
        }
        self.table(transaction, plan.apps.values().map(|r| (r.id.row(), r)), named)?;
        self.table(
            transaction,
            plan.grants.values().map(|r| (r.id.row(), r)),
            |_, _| None,
        )?;
        self.table(
            transaction,
            plan.credentials.values().map(|r| (r.id.row(), r)),
            named,
        )?;
        let settings = plan.settings.iter().map(|(row, settings)| (*row, settings));
        self.table(transaction, settings, |_, _| None)
    }

    fn table<'r, R: Record + 'r>(
        &mut self,
        transaction: &mut Transaction<'_>,
        records: impl Iterator<Item = (i64, &'r R)>,
        name_of: impl Fn(Table, i64) -> Option<String>,
    ) -> Result<(), Error> {
        let (mut count, mut names) = (0, BTreeSet::new());
        for (row, record) in records {
            transaction.put(row, record)?;
            count += 1;
            if names.len() < MAX_TOLD {
                names.extend(name_of(R::TABLE, row));
            }
        }
        self.copied.push(CopiedRecords {
            part: R::TABLE.name().to_owned(),
            count,
            names: names.into_iter().collect(),
        });
        Ok(())
    }

    /// The lines of the log that open, in their order and with a chain of their own. What is missing is said in its place.
    fn log(
        &mut self,
        new: &SealedStore,
        old: &Vault,
        reader: &Reader<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut writing = Lines {
            new,
            now,
            batch: Vec::new(),
            next: None,
            at: Timestamp::UNIX_EPOCH,
            copied: 0,
            lost: 0,
            failed: None,
        };
        let error = reader.readable_events(|seq, sealed| writing.line(old, seq, sealed));
        writing.write();
        if let Some(error) = writing.failed {
            return Err(error);
        }
        if let Some(error) = error {
            self.lost(LOG, None, None, &format!("a part of it cannot be read: {error}"));
        }
        if writing.lost > 0 {
            let text = format!("{} lines do not open or are missing", writing.lost);
            self.lost(LOG, None, None, &text);
        }
        self.copied.push(CopiedRecords {
            part: LOG.to_owned(),
            count: writing.copied,
            names: Vec::new(),
        });
        Ok(())
    }

    /// Reads the new vault back, whole.
    fn compare(&self, new: &SealedStore) -> Result<(), Error> {
        let read = new
            .database()
            .read(|reader| Ok::<_, Error>(contents(new.vault(), reader)))?;
        let count = |table: &str| read.found.iter().filter(|(of, ..)| of.name() == table).count() as u64;
        let is_same = |copied: &CopiedRecords| copied.part == LOG || count(&copied.part) == copied.count;
        if read.damaged.is_empty() && self.copied.iter().all(is_same) {
            return Ok(());
        }
        Err(Error::Internal(
            "the copy was read back and is not what was written; look at the disk, and try another folder"
                .to_owned(),
        ))
    }

    fn told(self) -> SalvageAnswer {
        SalvageAnswer {
            folder: String::new(),
            old_folder: String::new(),
            copied: self.copied,
            refresh_tokens: self.refresh_tokens,
            lost: self.lost,
            more_lost: self.more_lost,
        }
    }
}

/// Lines of the log on their way into the new vault.
struct Lines<'a> {
    new: &'a SealedStore,
    now: Timestamp,
    batch: Vec<Event>,
    next: Option<i64>,
    at: Timestamp,
    copied: u64,
    lost: u64,
    failed: Option<Error>,
}

impl Lines<'_> {
    fn line(&mut self, old: &Vault, seq: i64, sealed: &[u8]) {
        let next = self.next.unwrap_or(seq);
        if seq > next {
            self.gap(next, seq - 1, "missing");
        }
        self.next = seq.checked_add(1);
        match open_line(old, seq, sealed) {
            Ok((_, event)) => {
                self.at = event.at;
                self.copied += 1;
                self.batch.push(event);
            }
            Err(_) => self.gap(seq, seq, "damaged"),
        }
        if self.batch.len() >= BATCH_LINES {
            self.write();
        }
    }

    fn gap(&mut self, first: i64, last: i64, what: &str) {
        self.lost += (last - first).unsigned_abs() + 1;
        self.batch.extend(damaged_line(first, last, what, self.at).ok());
    }

    fn write(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if self.failed.is_some() {
            return;
        }
        let written = self.new.commit(self.now, |transaction| {
            batch.iter().try_for_each(|event| transaction.event(event))
        });
        self.failed = written.err();
    }
}

fn has(plan: &Contents, table: Table, row: i64) -> bool {
    match table {
        Table::Providers => plan.providers.contains_key(&row),
        Table::Connections => plan.connections.contains_key(&row),
        Table::Tokens => plan.tokens.contains_key(&row),
        Table::Journal => plan.journal.contains_key(&row),
        Table::Apps => plan.apps.contains_key(&row),
        Table::Grants => plan.grants.contains_key(&row),
        Table::Credentials => plan.credentials.contains_key(&row),
        Table::Settings => plan.settings.contains_key(&row),
        Table::Flows | Table::Issued => false,
    }
}

/// A connection whose tokens are gone needs a new sign-in.
fn without_tokens(connection: &mut Connection) {
    connection.status = ConnectionStatus::NeedsReauth(ReauthReason::Expired);
    connection.refreshable = false;
    (connection.expires_at, connection.refresh_at) = (None, None);
    connection.trouble = None;
}
