//! The open vault and its database: records are sealed when written and opened when read.

use crate::{
    Change, Error,
    lifecycle::{floors::Floors, latest_time::LatestTime, older_copy::ReadOnly},
    locks,
    records::{
        index::Index,
        record::{self, Effect, Record},
        transaction::Transaction,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, RwLock, RwLockReadGuard},
};
use tokenry_core::{App, Connection, Credential, Grant, Provider, Random, Timestamp};
use tokenry_store::{Store, Table};
use tokenry_vault::{Place, RunningSum, Vault};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

/// The open vault and the store together: every record is sealed on its way in, opened on its way out, and counted
/// in a manifest that is part of every transaction.
///
/// A task that is under way holds it until that is committed; when the last one lets go, the keys are
/// wiped.
pub(crate) struct SealedStore {
    vault: Vault,
    database: Arc<Store>,
    random: Arc<dyn Random>,
    manifest: Mutex<Manifest>,
    /// Why nothing may be written, if so.
    pub(crate) read_only: RwLock<Option<ReadOnly>>,
    /// Hears of each refresh token that is committed.
    floors: Arc<Floors>,
    index: RwLock<Index>,
    /// The latest time that the wall clock has shown.
    pub(crate) latest: LatestTime,
    changes: broadcast::Sender<Change>,
}

/// What must be true of all rows together.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Counts every transaction.
    pub(crate) epoch: u64,
    /// The keyed sum over every row's table, id and version.
    pub(crate) sum: [u8; 32],
    /// The end of the activity log's hash chain.
    pub(crate) chain: [u8; 32],
    /// The number of the next event.
    pub(crate) next_event: i64,
    /// The number of the oldest event that is kept. Older manifests know of no other than the first.
    #[serde(default = "first")]
    pub(crate) first_event: i64,
    /// The latest time that was seen when something was committed, in milliseconds.
    #[serde(default)]
    pub(crate) latest: i64,
}

impl Manifest {
    /// The manifest of a vault, as the database holds it.
    pub(crate) fn opened(vault: &Vault, sealed: Option<Vec<u8>>) -> Result<Self, Error> {
        let sealed = sealed.ok_or_else(|| damaged("its manifest is missing"))?;
        let plain = vault.open(MANIFEST, &sealed)?;
        serde_json::from_slice(&plain).map_err(|_| damaged("its manifest cannot be read"))
    }
}

fn first() -> i64 {
    1
}

const MANIFEST: Place<'_> = Place {
    table: "manifest",
    row: 0,
    version: 0,
    schema: record::FORMAT,
};

impl SealedStore {
    /// Makes the first manifest and the vault's rows in one transaction.
    pub(crate) fn create(
        vault: Vault,
        slot: &[u8],
        database: Arc<Store>,
        random: Arc<dyn Random>,
        (changes, floors): (broadcast::Sender<Change>, Arc<Floors>),
        now: Timestamp,
    ) -> Result<Self, Error> {
        let manifest = Manifest {
            epoch: 1,
            sum: *RunningSum::default().as_bytes(),
            chain: [0; 32],
            next_event: 1,
            first_event: first(),
            latest: now.as_millisecond(),
        };
        let sealed = seal_manifest(&vault, &manifest, &*random)?;
        database.write(now, |writer| {
            writer.create_vault(vault.id().0)?;
            writer.put_slot(slot)?;
            writer.set_manifest(&sealed)?;
            Ok::<_, Error>(())
        })?;
        // Out of the write-ahead log at once: a log that is lost later must not make the profile look new.
        if let Err(error) = database.trust().and_then(|()| database.checkpoint()) {
            tracing::warn!("the new vault is in the write-ahead log only: {error}");
        }
        let (manifest, index) = (Mutex::new(manifest), RwLock::default());
        Ok(Self {
            vault,
            database,
            random,
            manifest,
            read_only: RwLock::default(),
            floors,
            latest: LatestTime::default(),
            index,
            changes,
        })
    }

    /// Opens what is there, and looks whether anything was taken out or put back.
    pub(crate) fn open(
        vault: Vault,
        database: Arc<Store>,
        random: Arc<dyn Random>,
        (changes, floors): (broadcast::Sender<Change>, Arc<Floors>),
        floor: u64,
    ) -> Result<Self, Error> {
        let manifest = Manifest::opened(&vault, database.manifest()?)?;
        let mut sum = RunningSum::default();
        for table in Table::ALL {
            database.versions(table, |row, version| {
                sum.add(&vault.row_sum(table.name(), row, version))
            })?;
        }
        let last_event = database.last_event()?.map_or(0, |(seq, _)| seq);
        let read_only = if sum.as_bytes() != &manifest.sum || last_event + 1 != manifest.next_event {
            Some(ReadOnly::Incomplete)
        } else if manifest.epoch < floor {
            Some(ReadOnly::Older(floor))
        } else {
            // Opened, complete and the newest: what is in the write-ahead log is of this vault.
            database.trust()?;
            None
        };
        let read_only = RwLock::new(read_only);
        let latest = LatestTime::at(manifest.latest);
        let (manifest, index) = (Mutex::new(manifest), RwLock::default());
        let store = Self {
            vault,
            database,
            random,
            manifest,
            read_only,
            floors,
            latest,
            index,
            changes,
        };
        *locks::write(&store.index) = Index::new(
            store.all::<Provider>()?,
            store.all::<Connection>()?,
            store.all::<App>()?,
            store.all::<Grant>()?,
            &store.all::<Credential>()?,
        );
        Ok(store)
    }

    /// What has to be found quickly. It always says what the last commit said.
    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        locks::read(&self.index)
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn database(&self) -> &Store {
        &self.database
    }

    pub(crate) fn database_shared(&self) -> Arc<Store> {
        self.database.clone()
    }

    /// Whether anybody wants to hear of changes.
    pub(super) fn is_watched(&self) -> bool {
        self.changes.receiver_count() > 0
    }

    pub(crate) fn epoch(&self) -> u64 {
        locks::lock(&self.manifest).epoch
    }

    /// The latest time that is on the disk, in milliseconds.
    pub(crate) fn kept_latest(&self) -> i64 {
        locks::lock(&self.manifest).latest
    }

    pub(crate) fn get<R: Record>(&self, row: i64) -> Result<Option<R>, Error> {
        self.get_part(R::TABLE, row)
    }

    /// A record, read as something that takes only a part of it out.
    pub(crate) fn get_part<T: DeserializeOwned>(&self, table: Table, row: i64) -> Result<Option<T>, Error> {
        let opened = self.database.with(table, row, |version, sealed| {
            self.unseal_part(table, row, version, sealed)
        })?;
        opened.transpose()
    }

    pub(crate) fn find<R: Record>(&self, name: &str) -> Result<Option<R>, Error> {
        let Some(row) = self
            .database
            .find(R::TABLE, &self.vault.lookup(R::TABLE.name(), name))?
        else {
            return Ok(None);
        };
        self.unseal(row.id, row.version, &row.sealed).map(Some)
    }

    pub(crate) fn all<R: Record>(&self) -> Result<Vec<R>, Error> {
        let mut records = Vec::new();
        let mut failed = None;
        self.database.scan(R::TABLE, |row, version, sealed| {
            match self.unseal(row, version, sealed) {
                Ok(record) => {
                    records.push(record);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(records), Err)
    }

    /// The number of the next event, and what the log's hash chain has come to.
    pub(crate) fn log_end(&self) -> (i64, Option<[u8; 32]>) {
        let manifest = locks::lock(&self.manifest);
        (manifest.next_event, Some(manifest.chain))
    }

    /// The number of the oldest event that is kept.
    pub(crate) fn log_start(&self) -> i64 {
        let manifest = locks::lock(&self.manifest);
        manifest.first_event
    }

    /// Seals something that belongs to no table, for a file of its own.
    pub(crate) fn seal_apart(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.vault.seal(place, plain, &*self.random)?)
    }

    /// One transaction: all of `work` or nothing, on disk before this returns. The manifest is part of it.
    pub(crate) fn change<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.read_only() {
            Some(why) => Err(Error::ReadOnly(why)),
            None => self.commit(now, work),
        }
    }

    /// The same, whether or not the vault may only be read.
    pub(crate) fn commit<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut current = locks::lock(&self.manifest);
        let latest = self.latest.seen(now).as_millisecond();
        let (result, manifest, effects, rotated) = self.database.write(now, |writer| {
            let (mut manifest, effects) = (current.clone(), Vec::new());
            manifest.latest = latest;
            let mut transaction = Transaction {
                store: self,
                writer,
                manifest,
                effects,
                rotated: false,
            };
            let result = work(&mut transaction)?;
            let Transaction {
                mut manifest,
                effects,
                rotated,
                ..
            } = transaction;
            manifest.epoch = manifest.epoch.saturating_add(1);
            writer.set_manifest(&seal_manifest(&self.vault, &manifest, &*self.random)?)?;
            Ok::<_, Error>((result, manifest, effects, rotated))
        })?;
        *current = manifest;
        if rotated {
            self.floors.rotated(self.vault.id(), current.epoch);
        }
        // Still under the lock: the index hears of commits in their order.
        effects.into_iter().for_each(|effect| self.tell(effect));
        if current.latest < latest {
            // After what had ended is gone from the index, and before anything else is committed, which would write the
            // later time down again.
            self.latest.forget(current.latest);
        }
        Ok(result)
    }

    /// The same for what must not be lost: on a full disk the reserve is given up for it.
    pub(crate) fn change_surely<T>(
        &self,
        now: Timestamp,
        work: impl Fn(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.change(now, &work) {
            Err(Error::Store(tokenry_store::Error::DiskFull)) => {
                let _ = self.database.release_reserve();
                self.change(now, work)
            }
            done => done,
        }
    }

    fn tell(&self, effect: Effect) {
        let mut index = locks::write(&self.index);
        let change = match effect {
            Effect::Provider(provider) => {
                index.put_provider(&provider);
                Change::Provider(provider.id)
            }
            Effect::ProviderGone(id) => {
                index.drop_provider(id);
                Change::Provider(id)
            }
            Effect::Connection(connection) => {
                let id = connection.id;
                index.put(*connection);
                Change::Connection(id)
            }
            Effect::ConnectionGone(id) => {
                index.drop_connection(id);
                Change::Connection(id)
            }
            Effect::App(app) => {
                index.put_app(*app);
                Change::Apps
            }
            Effect::AppGone(id) => {
                index.drop_app(id);
                Change::Apps
            }
            Effect::Grant(grant) => {
                index.put_grant(*grant);
                Change::Apps
            }
            Effect::GrantGone(id) => {
                index.drop_grant(id);
                Change::Apps
            }
            Effect::Credential(credential) => {
                index.put_credential(&credential);
                Change::Credential(credential.id)
            }
            Effect::CredentialGone(id) => {
                index.drop_credential(id);
                Change::Credential(id)
            }
            Effect::Settings => Change::Engine,
            Effect::Logged(event) => Change::Activity(event),
        };
        drop(index);
        // No listener is no error.
        let _ = self.changes.send(change);
    }

    pub(super) fn unseal<R: Record>(&self, row: i64, version: u64, sealed: &[u8]) -> Result<R, Error> {
        self.unseal_part(R::TABLE, row, version, sealed)
    }

    fn unseal_part<T: DeserializeOwned>(
        &self,
        table: Table,
        row: i64,
        version: u64,
        sealed: &[u8],
    ) -> Result<T, Error> {
        let place = Place {
            table: table.name(),
            row,
            version,
            schema: record::FORMAT,
        };
        let plain = self.vault.open(place, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| damaged("a record cannot be read"))
    }

    pub(super) fn seal<R: Record>(&self, row: i64, version: u64, record: &R) -> Result<Vec<u8>, Error> {
        let place = Place {
            table: R::TABLE.name(),
            row,
            version,
            schema: record::FORMAT,
        };
        let plain = Zeroizing::new(serde_json::to_vec(record).map_err(|e| Error::Internal(e.to_string()))?);
        Ok(self.vault.seal(place, &plain, &*self.random)?)
    }
}

fn seal_manifest(vault: &Vault, manifest: &Manifest, random: &dyn Random) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(manifest).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(vault.seal(MANIFEST, &plain, random)?)
}

fn damaged(what: &str) -> Error {
    Error::ReadOnly(format!("{what}; put a copy of the profile folder back"))
}
