//! An unlocked vault: seals and opens records.

use crate::{
    Error, Place, VaultId,
    encode::prefixed,
    id::KeyId,
    key::{Key, mac},
    record::Sealer,
};
use hkdf::Hkdf;
use sha2::Sha256;
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tokenry_core::{Random, Secret};
use zeroize::Zeroizing;

/// An unlocked vault: the key ring. Cloning it is cheap, and when the last clone goes, every key is wiped.
///
/// Locking is letting go of it; there is no way to hold a vault and be locked.
#[derive(Clone)]
pub struct Vault(Arc<Ring>);

/// Computes [`Vault::token_hash`] without the vault. Its key is wiped when it is dropped.
pub struct TokenHasher(Key);

impl TokenHasher {
    /// The keyed hash of a token that we issued.
    pub fn hash(&self, token: &Secret) -> [u8; 32] {
        mac(&self.0, &[token.expose().as_bytes()])
    }
}

struct Ring {
    id: VaultId,
    key_id: KeyId,
    data: Key,
    sum: Key,
    chain: Key,
    fingerprint: Key,
    issued: Key,
    /// Derived once per table. There are a handful of tables, so a list is searched faster than a map.
    tables: RwLock<Vec<(Box<str>, Arc<TableKeys>)>>,
}

struct TableKeys {
    record: Key,
    lookup: Key,
}

impl Vault {
    pub(crate) fn new(id: VaultId, key_id: KeyId, data: Key) -> Self {
        let root = root(id, &data);
        Self(Arc::new(Ring {
            id,
            key_id,
            sum: derive(&root, "row sum", ""),
            chain: derive(&root, "chain", ""),
            fingerprint: derive(&root, "fingerprint", ""),
            issued: derive(&root, "issued token", ""),
            data,
            tables: RwLock::default(),
        }))
    }

    /// The data key under its id, to wrap it once more.
    pub(crate) fn data_key(&self) -> (KeyId, &Key) {
        (self.0.key_id, &self.0.data)
    }

    /// Which vault this is.
    pub fn id(&self) -> VaultId {
        self.0.id
    }

    /// Seals a record for one place. The result is 57 bytes longer than the plaintext padded to 64-byte buckets.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than [`crate::MAX_PLAINTEXT`] bytes.
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8], random: &dyn Random) -> Result<Vec<u8>, Error> {
        self.with_sealer(place.table, |sealer| sealer.seal(place, plaintext, random))
    }

    /// Opens a record that was sealed for this very place; the padding is gone.
    ///
    /// # Errors
    /// [`Error::RecordDamaged`] for whatever was not sealed by this vault for this place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.with_sealer(place.table, |sealer| sealer.open(place, sealed))
    }

    /// A keyed hash by which a unique name is found without the store knowing it.
    pub fn lookup(&self, table: &str, text: &str) -> [u8; 16] {
        let keys = self.table(table);
        let hash = mac(&keys.lookup, &[table.as_bytes(), text.as_bytes()]);
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        short
    }

    /// One row's term of the manifest's [`crate::RunningSum`].
    pub fn row_sum(&self, table: &str, row: i64, version: u64) -> [u8; 32] {
        mac(
            &self.0.sum,
            &[table.as_bytes(), &row.to_le_bytes(), &version.to_le_bytes()],
        )
    }

    /// One step of the activity log's hash chain: the value after `sealed`, which follows `previous`.
    pub fn chain(&self, previous: &[u8; 32], sealed: &[u8]) -> [u8; 32] {
        mac(&self.0.chain, &[previous, sealed])
    }

    /// A keyed fingerprint by which the refresh journal knows a token again: 16 hex digits. Worth nothing without
    /// the key.
    pub fn fingerprint(&self, secret: &Secret) -> String {
        tokenry_core::hex(&mac(&self.0.fingerprint, &[secret.expose().as_bytes()])[..8]).to_string()
    }

    /// The keyed hash that is kept in the place of a token which we issued ourselves. Worth nothing without the key.
    pub fn token_hash(&self, token: &Secret) -> [u8; 32] {
        mac(&self.0.issued, &[token.expose().as_bytes()])
    }

    /// What recognises the tokens that we issued, and can do nothing else: no record is opened with it.
    pub fn token_hasher(&self) -> TokenHasher {
        TokenHasher(Key::copied(self.0.issued.bytes()))
    }

    fn with_sealer<T>(&self, table: &str, work: impl FnOnce(&Sealer<'_>) -> T) -> T {
        let keys = self.table(table);
        work(&Sealer {
            vault: self.0.id,
            key_id: self.0.key_id,
            key: &keys.record,
        })
    }

    fn table(&self, table: &str) -> Arc<TableKeys> {
        let find = |tables: &[(Box<str>, Arc<TableKeys>)]| {
            tables
                .iter()
                .find(|(name, _)| **name == *table)
                .map(|(_, keys)| keys.clone())
        };
        if let Some(keys) = find(&self.0.tables.read().unwrap_or_else(PoisonError::into_inner)) {
            return keys;
        }
        let root = root(self.0.id, &self.0.data);
        let keys = Arc::new(TableKeys {
            record: derive(&root, "record", table),
            lookup: derive(&root, "lookup", table),
        });
        let mut tables = self.0.tables.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster; its keys are the same.
        if find(&tables).is_none() {
            tables.push((table.into(), keys.clone()));
        }
        keys
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({}, unlocked, …)", self.0.id)
    }
}

fn root(id: VaultId, data: &Key) -> Hkdf<Sha256> {
    Hkdf::new(Some(&id.0), data.bytes())
}

fn derive(root: &Hkdf<Sha256>, purpose: &str, table: &str) -> Key {
    Key::derived(
        root,
        &prefixed(&[b"tokenry vault 1", purpose.as_bytes(), table.as_bytes()]),
    )
}
