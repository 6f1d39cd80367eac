//! What is on disk and in keyrings must not change by accident: an update that reads an old vault wrongly loses
//! everything. The values were computed by another implementation (Python: hashlib, argon2-cffi, PyCryptodome) from
//! the descriptions in these files.

use crate::{
    Cost, EpochFloor, MemoryKeyring, NewSlot, Place, RecoveryCode, Vault, VaultId, create_with_keyring,
    create_with_passphrase, id::KeyId, key::Key,
};
use sha2::{Digest, Sha256};
use tokenry_core::{Random, Secret};

fn hex(bytes: impl AsRef<[u8]>) -> String {
    tokenry_core::hex(bytes.as_ref()).to_string()
}

/// Counts from zero each time, so that what it makes is known.
struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value);
    }
}

const PLACE: Place<'_> = Place {
    table: "tokens",
    row: 42,
    version: 7,
    schema: 1,
};

fn vault() -> Vault {
    Vault::new(VaultId([1; 16]), KeyId([3; 16]), Key::copied(&[2; 32]))
}

#[test]
fn a_sealed_record_is_the_known_one() {
    let sealed = vault().seal(PLACE, b"known", &Counting).unwrap();
    assert_eq!(
        hex(&sealed),
        "0103030303030303030303030303030303000102030405060708090a0b0c0d0e0f10111213141516170228929991901f9f1a7a90\
         6d1125a764058d9bfd352da20d55a56610005552cb086471d7c598d8fce82809c13caa1f325c179c20cd280f4fb725f88958ee40\
         c053a4b33dc8ced1a0bb8f90190e8e1ad6"
    );
    assert_eq!(*vault().open(PLACE, &sealed).unwrap(), b"known");
}

#[test]
fn the_keyed_hashes_are_the_known_ones() {
    let vault = vault();
    let sealed = vault.seal(PLACE, b"known", &Counting).unwrap();
    assert_eq!(
        hex(vault.lookup("providers", "default/github")),
        "0d4515c756df1bd0036347677edefe98"
    );
    assert_eq!(
        hex(vault.row_sum("providers", -1, 3)),
        "8340cd3bd08210947cd6f96a444ef7beffed45be53b9c4bb78e6102b311a9297"
    );
    assert_eq!(
        hex(vault.chain(&[5; 32], &sealed)),
        "0c7376275bfa6ace59b1838554ef83d3a1e2206fd0f7b5d48e90708bc49a7533"
    );
    assert_eq!(
        vault.fingerprint(&Secret::new("refresh-token".into())),
        "d7a77e58bd58336e"
    );
}

#[test]
fn the_slots_and_the_keyring_item_are_the_known_ones() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &Counting).unwrap();
    assert_eq!(
        hex(Sha256::digest(&made.slot)),
        "f5aefdd86aca2b9146b08dc40d9d1bfcee8f5ba046f522aa4c33cbd849258315"
    );
    assert_eq!(
        hex(keyring.item(made.vault.id()).unwrap()),
        "546b7931000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
         0000000000000000"
    );
    let passphrase = Secret::new("correct horse".into());
    let made = create_with_passphrase(&passphrase, Cost::cheapest_allowed(), &Counting).unwrap();
    assert_eq!(
        hex(Sha256::digest(&made.slot)),
        "474d89852f804686ca31f6191f028aa0dde35cd785e3ce9dab32cf569f4638e3"
    );
}

#[test]
fn the_slots_that_are_added_later_are_the_known_ones() {
    let (keyring, code) = (MemoryKeyring::new(), RecoveryCode::new(&Counting));
    let digest = |new: &NewSlot<'_>| {
        let slot = vault().new_slot(new, EpochFloor(0), &Counting).unwrap();
        hex(Sha256::digest(&slot))
    };
    assert_eq!(
        digest(&NewSlot::RecoveryCode(&code)),
        "c8ee219ff1aacf0baa2250ca8ccee0b699362d694e36fe767ca8383c00650a09"
    );
    let passphrase = Secret::new("correct horse".into());
    assert_eq!(
        digest(&NewSlot::KeyringAndPassphrase(
            &keyring,
            &passphrase,
            Cost::cheapest_allowed()
        )),
        "a586a55ebeee1807de12854951742b948d75d7a16608fbc6f0caf3b2c69ee2d5"
    );
}

#[test]
fn argon2id_gives_the_known_key() {
    let key = Cost::cheapest_allowed()
        .stretch(&Secret::new("correct horse".into()), &[7; 32])
        .unwrap();
    assert_eq!(
        hex(key.bytes()),
        "dfceb9fef461168193da7570953b192e399577a55b057abb50e42a4a454d6ba0"
    );
}
