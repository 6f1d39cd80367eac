//! Unlocking, and hostile key slots.

use crate::{
    Cost, Created, EpochFloor, Error, Fault, KeyringError, MemoryKeyring, Place, SlotKind, Vault, VaultId,
    create_with_keyring, create_with_passphrase, raise_epoch_floor, slot_kind, unlock_with_keyring,
    unlock_with_passphrase,
};
use sha2::{Digest, Sha256};
use tokenry_core::{OsRandom, Secret};

const PLACE: Place<'_> = Place {
    table: "t",
    row: 1,
    version: 1,
    schema: 1,
};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn with_passphrase(text: &str) -> Created {
    create_with_passphrase(&secret(text), Cost::cheapest_allowed(), &OsRandom).unwrap()
}

fn same_keys(one: &Vault, other: &Vault) {
    let sealed = one.seal(PLACE, b"x", &OsRandom).unwrap();
    assert_eq!(*other.open(PLACE, &sealed).unwrap(), b"x");
}

/// Makes the checksum right again, as an attacker who edits a slot would.
fn resum(slot: &mut [u8]) {
    let end = slot.len() - 8;
    let hash = Sha256::digest(&slot[..end]);
    slot[end..].copy_from_slice(&hash[..8]);
}

#[test]
fn a_vault_made_with_the_keyring_unlocks_with_it() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    assert_eq!(slot_kind(&made.slot).unwrap(), SlotKind::Keyring);
    assert_eq!(keyring.item(made.vault.id()).unwrap().len(), 60);
    let (vault, floor) = unlock_with_keyring(made.vault.id(), &[made.slot], &keyring).unwrap();
    same_keys(&made.vault, &vault);
    assert_eq!(floor, EpochFloor(0));
}

#[test]
fn a_vault_made_with_a_passphrase_unlocks_with_it_and_with_no_other() {
    let made = with_passphrase("correct horse");
    assert_eq!(slot_kind(&made.slot).unwrap(), SlotKind::Passphrase);
    let slots = [made.slot];
    same_keys(
        &made.vault,
        &unlock_with_passphrase(made.vault.id(), &slots, &secret("correct horse")).unwrap(),
    );
    for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
        let error = unlock_with_passphrase(made.vault.id(), &slots, &secret(wrong)).unwrap_err();
        assert_eq!(error, Error::WrongPassphrase);
    }
}

#[test]
fn several_profiles_live_beside_each_other_in_one_keyring() {
    let keyring = MemoryKeyring::new();
    let [one, two] = [(); 2].map(|()| create_with_keyring(&keyring, &OsRandom).unwrap());
    assert_eq!(keyring.len(), 2);
    assert_ne!(one.vault.id(), two.vault.id());
    for made in [one, two] {
        let (vault, _) = unlock_with_keyring(made.vault.id(), &[made.slot], &keyring).unwrap();
        same_keys(&made.vault, &vault);
    }
}

/// security.md, "Keys": write keyring, read back, commit.
#[test]
fn a_keyring_that_does_not_keep_what_was_written_makes_no_vault() {
    for fault in [Fault::Forgets, Fault::Garbles] {
        let keyring = MemoryKeyring::new();
        keyring.play(fault);
        assert_eq!(
            create_with_keyring(&keyring, &OsRandom).unwrap_err(),
            Error::KeyringDidNotKeep
        );
    }
}

/// security.md, "Keys": absent, locked, dismissed, timed out, empty, ambiguous or holding another key are distinct
/// states; a new key is never made while a vault exists.
#[test]
fn every_state_of_the_keyring_has_its_own_error_and_none_makes_a_key() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    let (id, slots) = (made.vault.id(), [made.slot]);
    let item = keyring.item(id).unwrap();
    let mut words = std::collections::HashSet::new();
    let mut unlock = |expected: Error| {
        let error = unlock_with_keyring(id, &slots, &keyring).unwrap_err();
        assert_eq!(error, expected);
        assert!(words.insert(error.to_string()), "{error}");
        assert_eq!(
            raise_epoch_floor(id, &keyring, 9).is_err(),
            !matches!(error, Error::KeyringHoldsAnotherKey)
        );
    };
    for error in [
        KeyringError::Absent,
        KeyringError::NoDefault,
        KeyringError::Locked,
        KeyringError::Dismissed,
        KeyringError::TimedOut,
        KeyringError::Ambiguous,
        KeyringError::NotBuilt,
        KeyringError::Failed("x".into()),
    ] {
        keyring.play(Fault::Fails(error.clone()));
        unlock(Error::Keyring(error));
    }
    keyring.play(None);
    keyring.remove(id);
    unlock(Error::KeyringItemMissing);
    assert!(keyring.is_empty());
    keyring.put(id, b"hunter2");
    unlock(Error::KeyringItemNotOurs);
    let other = create_with_keyring(&keyring, &OsRandom).unwrap().vault.id();
    keyring.put(id, &keyring.item(other).unwrap());
    unlock(Error::KeyringHoldsAnotherKey);
    keyring.put(id, &item);
    unlock_with_keyring(id, &slots, &keyring).unwrap();
}

#[test]
fn a_changed_key_under_the_right_key_id_does_not_unlock() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    let (id, slots) = (made.vault.id(), [made.slot]);
    let item = keyring.item(id).unwrap();
    for position in 0..52 {
        let mut other = item.clone();
        other[position] ^= 0x10;
        keyring.put(id, &other);
        assert!(
            unlock_with_keyring(id, &slots, &keyring).is_err(),
            "byte {position}"
        );
    }
}

#[test]
fn the_epoch_floor_only_rises_and_keeps_the_key() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    let (id, slots) = (made.vault.id(), [made.slot]);
    for (epoch, floor) in [
        (5, 5),
        (3, 5),
        (5, 5),
        (6, 6),
        (u64::MAX, u64::MAX),
        (0, u64::MAX),
    ] {
        raise_epoch_floor(id, &keyring, epoch).unwrap();
        let (vault, kept) = unlock_with_keyring(id, &slots, &keyring).unwrap();
        assert_eq!(kept, EpochFloor(floor));
        same_keys(&made.vault, &vault);
    }
    let quiet = keyring.calls();
    raise_epoch_floor(id, &keyring, 1).unwrap();
    assert_eq!(keyring.calls(), quiet + 1, "nothing to raise: read, not written");
    keyring.remove(id);
    assert_eq!(
        raise_epoch_floor(id, &keyring, 7).unwrap_err(),
        Error::KeyringItemMissing
    );
    assert!(keyring.is_empty());
}

#[test]
fn a_way_that_was_not_set_up_is_named_and_the_keyring_is_not_asked() {
    let made = with_passphrase("p");
    let keyring = MemoryKeyring::new();
    let error = unlock_with_keyring(made.vault.id(), &[made.slot], &keyring).unwrap_err();
    assert_eq!(error, Error::NoSuchSlot(SlotKind::Keyring));
    assert_eq!(keyring.calls(), 0);
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    let error = unlock_with_passphrase(made.vault.id(), &[made.slot], &secret("p")).unwrap_err();
    assert_eq!(error, Error::NoSuchSlot(SlotKind::Passphrase));
    let error = unlock_with_passphrase(made.vault.id(), &[], &secret("p")).unwrap_err();
    assert_eq!(error, Error::NoSuchSlot(SlotKind::Passphrase));
}

/// security.md, "How it is shown": every byte flipped, never a wrong key, never a panic. With the checksum made
/// right again, so that what is behind it is tested.
#[test]
fn a_keyring_slot_with_any_bit_flipped_never_opens() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    for position in 0..made.slot.len() - 8 {
        for bit in 0..8 {
            let mut slot = made.slot.clone();
            slot[position] ^= 1 << bit;
            let unsummed = slot_kind(&slot).unwrap_err();
            assert!(
                matches!(unsummed, Error::SlotDamaged | Error::SlotFromNewerVersion),
                "{unsummed:?}"
            );
            resum(&mut slot);
            assert!(
                unlock_with_keyring(made.vault.id(), &[slot], &keyring).is_err(),
                "byte {position}"
            );
        }
    }
}

#[test]
fn a_passphrase_slot_with_any_byte_flipped_never_opens() {
    let made = with_passphrase("p");
    // Damage is seen before anything is computed: else this would say "wrong passphrase".
    for position in 0..made.slot.len() {
        let mut slot = made.slot.clone();
        slot[position] ^= 0x20;
        let error = unlock_with_passphrase(made.vault.id(), &[slot], &secret("p")).unwrap_err();
        assert!(
            matches!(error, Error::SlotDamaged | Error::SlotFromNewerVersion),
            "{error:?}"
        );
    }
    // One of each part behind the checksum: salt, commitment, nonce, key, tag; every one costs a computation.
    for position in [40, 70, 100, 130, 180] {
        let mut slot = made.slot.clone();
        slot[position] ^= 1;
        resum(&mut slot);
        let error = unlock_with_passphrase(made.vault.id(), &[slot], &secret("p")).unwrap_err();
        assert!(
            matches!(error, Error::SlotDamaged | Error::WrongPassphrase),
            "{error:?}"
        );
    }
}

/// security.md, "Keys": parameters read from a file are checked before anything is computed.
#[test]
fn hostile_costs_in_a_slot_are_refused_before_anything_is_computed() {
    let made = with_passphrase("p");
    for (offset, value) in [
        (22, u32::MAX),
        (22, 8),
        (22, 1 << 21),
        (26, u32::MAX),
        (26, 1),
        (30, 0),
        (30, u32::MAX),
    ] {
        let mut slot = made.slot.clone();
        slot[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        resum(&mut slot);
        let error = unlock_with_passphrase(made.vault.id(), &[slot], &secret("p")).unwrap_err();
        assert!(matches!(error, Error::CostOutOfBounds { .. }), "{error:?}");
    }
}

#[test]
fn a_slot_of_another_vault_does_not_open_under_this_ones_id() {
    let made = with_passphrase("p");
    let error = unlock_with_passphrase(VaultId([1; 16]), &[made.slot], &secret("p")).unwrap_err();
    assert_eq!(error, Error::WrongPassphrase);
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    keyring.put(VaultId([1; 16]), &keyring.item(made.vault.id()).unwrap());
    let error = unlock_with_keyring(VaultId([1; 16]), &[made.slot], &keyring).unwrap_err();
    assert_eq!(error, Error::SlotDamaged);
}

#[test]
fn slots_cut_at_any_length_or_made_of_rubbish_are_damaged() {
    let made = with_passphrase("p");
    for length in 0..made.slot.len() {
        assert_eq!(slot_kind(&made.slot[..length]).unwrap_err(), Error::SlotDamaged);
    }
    assert_eq!(
        slot_kind(&[&made.slot[..], b"x"].concat()).unwrap_err(),
        Error::SlotDamaged
    );
    assert_eq!(slot_kind(&[0xFF; 194]).unwrap_err(), Error::SlotDamaged);
}

#[test]
fn slots_of_a_later_kind_or_version_are_told_apart_and_do_not_stand_in_the_way() {
    let made = with_passphrase("p");
    let (mut kind, mut version) = (made.slot.clone(), made.slot.clone());
    kind[5] = 200;
    resum(&mut kind);
    version[4] = 2;
    assert_eq!(slot_kind(&kind).unwrap_err(), Error::SlotFromNewerVersion);
    assert_eq!(slot_kind(&version).unwrap_err(), Error::SlotFromNewerVersion);
    let error = unlock_with_passphrase(made.vault.id(), &[kind.clone()], &secret("p")).unwrap_err();
    assert_eq!(error, Error::SlotFromNewerVersion);
    unlock_with_passphrase(made.vault.id(), &[kind, vec![], made.slot], &secret("p")).unwrap();
}

#[test]
fn of_two_passphrase_slots_either_opens() {
    let keyring = MemoryKeyring::new();
    let (one, two) = (
        with_passphrase("one"),
        create_with_keyring(&keyring, &OsRandom).unwrap(),
    );
    let slots = [two.slot, with_passphrase("other").slot, one.slot];
    unlock_with_passphrase(one.vault.id(), &slots, &secret("one")).unwrap();
}
