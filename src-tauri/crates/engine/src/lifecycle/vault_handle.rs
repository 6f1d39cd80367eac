//! The vault, open or closed, and how it is opened.

use crate::{
    Change, Error, Options, VaultChoice,
    lifecycle::{floors::Floors, state_folder::StateFolder, unlocker::Unlocker},
    records::sealed_store::SealedStore,
};
use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};
pub use tokenry_core::VaultState;
use tokenry_core::{Clock, Code, Random, Secret};
use tokenry_store::Store;
use tokenry_vault::{Cost, Created, Keyring, KeyringError, SlotKind, Vault, VaultId};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

/// How the vault is.
#[derive(Debug, Clone)]
pub struct VaultReport {
    /// Whether it is open.
    pub state: VaultState,
    /// What can open it.
    pub slots: Vec<SlotKind>,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// Whether it is older than what was known of it, which the user can accept.
    pub older: bool,
    /// Why it is not as it should be, and what to do.
    pub problem: Option<(Code, String)>,
    /// Whether the OS keyring was asked and has not answered yet.
    pub waiting_for_keyring: bool,
    /// How many requests wait until it is unlocked.
    pub unlock_requests: u64,
}

/// Shut or open.
pub(crate) enum VaultHandle {
    Shut {
        state: VaultState,
        problem: Option<(Code, String)>,
        waiting_for_keyring: bool,
    },
    Open(Arc<SealedStore>),
}

/// What opening a vault takes.
pub(crate) struct Opener {
    /// Empty as long as its files are damaged: they are looked at again whenever the vault is to be opened.
    database: OnceLock<Arc<Store>>,
    folder: PathBuf,
    outside: Option<StateFolder>,
    keyring: Watched,
    pub(super) random: Arc<dyn Random>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) choice: VaultChoice,
    pub(super) changes: broadcast::Sender<Change>,
    floors: Arc<Floors>,
}

impl Opener {
    /// For the profile in `folder`, which is there, and whose path has no link in it.
    pub(crate) fn new(folder: PathBuf, options: &Options, changes: broadcast::Sender<Change>) -> Self {
        let outside = options.state.clone();
        Self {
            database: OnceLock::new(),
            outside: outside.map(|outside| StateFolder::new(outside, folder.clone())),
            folder,
            keyring: Watched {
                keyring: options.keyring.clone(),
                asking: AtomicUsize::new(0),
            },
            random: options.random.clone(),
            clock: options.clock.clone(),
            choice: options.vault,
            changes,
            floors: Arc::default(),
        }
    }

    /// What hears of each refresh token that is committed.
    pub(crate) fn floors(&self) -> Arc<Floors> {
        self.floors.clone()
    }

    /// The store. It is made where there is nothing; not where a vault is known to have been.
    pub(crate) fn database(&self) -> Result<Arc<Store>, Error> {
        if let Some(database) = self.database.get() {
            return Ok(database.clone());
        }
        if !Store::is_in(&self.folder) {
            self.held_no_vault()?;
        }
        let database = Arc::new(Store::open(&self.folder)?);
        Ok(self.database.get_or_init(|| database).clone())
    }

    /// # Errors
    /// [`Error::VaultGone`] when an engine opened a vault in this folder before.
    fn held_no_vault(&self) -> Result<(), Error> {
        match &self.outside {
            Some(outside) if outside.vault_of_profile().is_some() => Err(Error::VaultGone {
                folder: self.folder.clone(),
                known_by: outside.profile_file(),
            }),
            _ => Ok(()),
        }
    }

    fn vault_id(&self) -> Result<Option<VaultId>, Error> {
        let id = self.database()?.vault_id()?;
        if id.is_none() {
            self.held_no_vault()?;
        }
        Ok(id.map(VaultId))
    }

    pub(crate) fn slots(&self) -> Vec<SlotKind> {
        let slots = self.database.get().and_then(|database| database.slots().ok());
        slots
            .unwrap_or_default()
            .iter()
            .filter_map(|slot| tokenry_vault::slot_kind(slot).ok())
            .collect()
    }

    /// Opens the vault, or makes the first one when there is none and `create` says so. Blocks: key derivation, the
    /// OS keyring and the disk.
    ///
    /// A new key is never made while a vault exists.
    pub(super) fn open(&self, unlocker: &Unlocker, create: bool) -> Result<SealedStore, Error> {
        match self.vault_id()? {
            Some(id) => self.open_existing(id, unlocker),
            None if create => self.create(unlocker),
            None => Err(Error::NoVault(
                "choose how it shall be opened, with `tokenry unlock` or in the window".to_owned(),
            )),
        }
    }

    /// Whether the OS keyring is being asked something at this moment.
    pub(super) fn is_asking_keyring(&self) -> bool {
        self.keyring.asking.load(Ordering::SeqCst) > 0
    }

    /// Whether there is a vault, and what is wrong with it, as far as the files say it.
    pub(crate) fn state(&self) -> (VaultState, Option<(Code, String)>) {
        match self.vault_id() {
            Ok(None) => (VaultState::Absent, None),
            Err(error) if error.is_damage() => (VaultState::Damaged, Some((error.code(), error.to_string()))),
            Ok(Some(_)) | Err(_) => (VaultState::Locked, None),
        }
    }

    fn create(&self, unlocker: &Unlocker) -> Result<SealedStore, Error> {
        let created = match unlocker {
            Unlocker::RecoveryCode(_) => {
                return Err(Error::NoVault(
                    "a recovery code opens a vault that exists. If this profile held one, put its folder back from a \
                     backup"
                        .to_owned(),
                ));
            }
            Unlocker::Passphrase(passphrase) => self.new_keys(Some(passphrase))?,
            Unlocker::Keyring if self.choice == VaultChoice::Passphrase => {
                return Err(Error::NoVault(
                    "give a passphrase, with --passphrase-fd, `tokenry unlock` or in the window".to_owned(),
                ));
            }
            Unlocker::Keyring => self.new_keys(None)?,
        };
        let now = self.clock.now();
        let (database, random) = (self.database()?, self.random.clone());
        let hears = (self.changes.clone(), self.floors());
        SealedStore::create(created.vault, &created.slot, database, random, hears, now)
    }

    /// The keys of a new vault, with a passphrase or with the OS keyring.
    pub(crate) fn new_keys(&self, passphrase: Option<&Secret>) -> Result<Created, Error> {
        match passphrase {
            Some(passphrase) => {
                check_new_passphrase("passphrase", passphrase)?;
                Ok(tokenry_vault::create_with_passphrase(
                    passphrase,
                    Cost::measured(),
                    &*self.random,
                )?)
            }
            None => {
                tokenry_vault::create_with_keyring(&self.keyring, &*self.random).map_err(Error::NoKeyring)
            }
        }
    }

    /// Whether this opens the vault; the keys are let go again.
    pub(crate) fn prove(&self, unlocker: &Unlocker) -> Result<(), Error> {
        match self.vault_id()? {
            Some(id) => self.keys(id, unlocker).map(drop),
            None => Err(Error::Locked),
        }
    }

    /// The OS keyring.
    pub(super) fn keyring(&self) -> &dyn Keyring {
        &self.keyring
    }

    /// The keys, and the lowest epoch that is acceptable with them.
    fn keys(&self, id: VaultId, unlocker: &Unlocker) -> Result<(Vault, u64), Error> {
        let slots = self.database()?.slots()?;
        tokenry_vault::check_slots(&slots)?;
        if self.choice == VaultChoice::Passphrase && matches!(unlocker, Unlocker::Keyring) {
            return Err(Error::Locked);
        }
        let open = |id| unlocker.keys(id, &slots, self.keyring());
        let was = self.outside.as_ref().and_then(StateFolder::vault_of_profile);
        match (open(id), was.filter(|was| *was != id)) {
            (
                Err(Error::Vault(
                    tokenry_vault::Error::WrongPassphrase
                    | tokenry_vault::Error::WrongRecoveryCode
                    | tokenry_vault::Error::KeyringItemMissing,
                )),
                Some(was),
            ) if open(was).is_ok() => Err(tokenry_vault::Error::IdChanged { was, is: id }.into()),
            (opened, _) => opened,
        }
    }

    /// The keys and the database alone, for a check or a copy, whatever else is damaged; and the lowest epoch that is
    /// acceptable. Blocks, as [`Opener::open`] does.
    pub(crate) fn keys_alone(&self, unlocker: &Unlocker) -> Result<(Vault, Arc<Store>, u64), Error> {
        let database = self.database()?;
        let known = self.outside.as_ref().and_then(StateFolder::vault_of_profile);
        let (id, lost) = match self.vault_id() {
            Ok(id) => (id, None),
            // The state folder still knows it.
            Err(error) => (known, Some(error)),
        };
        let nothing = || {
            lost.unwrap_or_else(|| {
                Error::NoVault("there is nothing to look at; `tokenry unlock` makes one".to_owned())
            })
        };
        let id = id.ok_or_else(nothing)?;
        let opened = match self.keys(id, unlocker) {
            Err(Error::Vault(tokenry_vault::Error::IdChanged { was, .. })) => self.keys(was, unlocker),
            // The passphrase may be meant for the new vault alone.
            Err(error) if matches!(unlocker, Unlocker::Passphrase(_)) => {
                self.keys(id, &Unlocker::Keyring).map_err(|_| error)
            }
            opened => opened,
        };
        let (vault, floor) = opened?;
        let outside = self.outside.as_ref().and_then(|outside| outside.epoch(&vault));
        Ok((vault, database, floor.max(outside.unwrap_or_default())))
    }

    fn open_existing(&self, id: VaultId, unlocker: &Unlocker) -> Result<SealedStore, Error> {
        let (vault, floor) = self.keys(id, unlocker)?;
        let outside = self.outside.as_ref().and_then(|outside| outside.epoch(&vault));
        SealedStore::open(
            vault,
            self.database()?,
            self.random.clone(),
            (self.changes.clone(), self.floors()),
            floor.max(outside.unwrap_or_default()),
        )
    }

    /// Writes down outside of the profile how new its vault is, where there is a folder for that.
    pub(super) fn raise_state_folder(&self, vault: &Vault, epoch: u64) -> Result<(), Error> {
        match &self.outside {
            Some(outside) => outside.raise(vault, epoch, &*self.random),
            None => Ok(()),
        }
    }

    /// Whether the OS keyring holds the key of this vault, or why not in words. It may ask its user.
    pub(crate) fn key_in_keyring(&self) -> Result<bool, String> {
        match self.vault_id().map_err(|error| error.to_string())? {
            Some(id) => Ok(self
                .keyring
                .read(id)
                .map_err(|error| error.to_string())?
                .is_some()),
            None => Ok(false),
        }
    }

    /// Tells the keyring the lowest epoch that is still acceptable. Only vaults with a keyring slot have one.
    pub(super) fn raise_floor(&self, id: VaultId, epoch: u64) -> Result<(), Error> {
        let by_keyring = [SlotKind::Keyring, SlotKind::KeyringAndPassphrase];
        if self.slots().iter().any(|slot| by_keyring.contains(slot)) {
            tokenry_vault::raise_epoch_floor(id, &self.keyring, epoch)?;
        }
        Ok(())
    }
}

/// A keyring that tells whether it is being asked something. It may be asked by several threads.
struct Watched {
    keyring: Arc<dyn Keyring>,
    asking: AtomicUsize,
}

impl Watched {
    fn ask<T>(&self, ask: impl FnOnce(&dyn Keyring) -> T) -> T {
        self.asking.fetch_add(1, Ordering::SeqCst);
        let answer = ask(&*self.keyring);
        self.asking.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

impl Keyring for Watched {
    fn read(&self, id: VaultId) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.ask(|keyring| keyring.read(id))
    }

    fn write(&self, id: VaultId, item: &[u8]) -> Result<(), KeyringError> {
        self.ask(|keyring| keyring.write(id, item))
    }
}

/// A passphrase that guards everything has to be one.
pub(crate) fn check_new_passphrase(field: &str, passphrase: &Secret) -> Result<(), Error> {
    let length = passphrase.expose().chars().count();
    if (8..=1024).contains(&length) {
        return Ok(());
    }
    Err(Error::field(field, "must be 8 to 1024 characters"))
}
