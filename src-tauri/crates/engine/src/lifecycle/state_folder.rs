//! What is known of a vault outside of its profile: a profile that is put back as a whole brings back all that is in
//! it, and a passphrase leaves nothing in the OS keyring.
//!
//! One file per vault holds the newest epoch, sealed with a key of the vault, so that it cannot be forged. One
//! file per profile folder names the vault in it, which is no secret.

use crate::{Error, locks, records::record};
use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};
use tokenry_core::Random;
use tokenry_vault::{Place, Vault, VaultId};

/// The most bytes of either file: a path of the longest kind fits.
const MAX_FILE_BYTES: u64 = 8 * 1024;

const EPOCH: Place<'_> = Place {
    table: "epoch outside",
    row: 0,
    version: 0,
    schema: record::FORMAT,
};

/// The folder outside of the profile, and the profile that it is asked about.
pub(super) struct StateFolder {
    folder: PathBuf,
    profile: PathBuf,
    /// One raise at a time: a lower epoch must not be written after a higher one.
    raising: Mutex<()>,
}

impl StateFolder {
    /// `profile` is the real path of the profile's folder.
    pub(super) fn new(folder: PathBuf, profile: PathBuf) -> Self {
        Self {
            folder,
            profile,
            raising: Mutex::default(),
        }
    }

    /// The newest epoch that was written down for this vault. `None` when there is none, and when what is there was
    /// not sealed by this vault: that says nothing, and must not lock the user out.
    pub(super) fn epoch(&self, vault: &Vault) -> Option<u64> {
        let path = self.epoch_file(vault.id());
        let sealed = match tokenry_store::read_file(&path, MAX_FILE_BYTES) {
            Ok(sealed) => sealed?,
            Err(error) => {
                tracing::warn!("the newest state of the vault could not be looked up: {error}");
                return None;
            }
        };
        let plain = vault.open(EPOCH, &sealed).ok();
        let epoch = plain.and_then(|plain| Some(u64::from_le_bytes(plain.as_slice().try_into().ok()?)));
        if epoch.is_none() {
            tracing::warn!(
                "{} was not written by this vault and is not believed; the next refresh replaces it",
                path.display()
            );
        }
        epoch
    }

    /// Writes down how new this vault is; never that it is older. Blocks on the disk.
    pub(super) fn raise(&self, vault: &Vault, epoch: u64, random: &dyn Random) -> Result<(), Error> {
        let _turn = locks::lock(&self.raising);
        // Removed while its engine runs: there is nothing left that could be older.
        if !self.profile.is_dir() {
            return Ok(());
        }
        let folder = tokenry_store::private_folder(&self.folder)?;
        if self.vault_of_profile() != Some(vault.id()) {
            let mut text = format!("{}\n", vault.id()).into_bytes();
            text.extend_from_slice(self.profile.as_os_str().as_encoded_bytes());
            text.push(b'\n');
            tokenry_store::replace_file(&folder, name_of(&self.profile_file()), &text)?;
        }
        if self.epoch(vault).is_none_or(|written| written < epoch) {
            let sealed = vault.seal(EPOCH, &epoch.to_le_bytes(), random)?;
            tokenry_store::replace_file(&folder, name_of(&self.epoch_file(vault.id())), &sealed)?;
        }
        Ok(())
    }

    /// The vault that this profile's folder held when an engine last opened one there.
    pub(super) fn vault_of_profile(&self) -> Option<VaultId> {
        let bytes = tokenry_store::read_file(&self.profile_file(), MAX_FILE_BYTES).ok()??;
        let (id, path) = bytes.strip_suffix(b"\n")?.split_first_chunk::<33>()?;
        let is_of_this = path == self.profile.as_os_str().as_encoded_bytes();
        let digits = std::str::from_utf8(id.strip_suffix(b"\n")?).ok()?;
        let vault = tokenry_core::from_hex(digits)?;
        is_of_this.then_some(VaultId(vault))
    }

    /// The file that names the vault of this profile's folder.
    pub(super) fn profile_file(&self) -> PathBuf {
        self.folder
            .join(format!("tokenry.{}.profile", hash(&self.profile)))
    }

    fn epoch_file(&self, id: VaultId) -> PathBuf {
        self.folder.join(format!("tokenry.{id}.epoch"))
    }
}

fn name_of(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}

/// A short name for a path (FNV-1a, 64 bits). The file holds the path itself, so nothing is decided by this.
fn hash(path: &Path) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in path.as_os_str().as_encoded_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    tokenry_core::hex(&hash.to_be_bytes()).to_string()
}
