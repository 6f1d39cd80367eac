//! Adding ways to unlock, and unlocking with them.

use crate::{
    Cost, Created, EpochFloor, Error, Fault, KeyringError, MemoryKeyring, NewSlot, Place, RecoveryCode,
    SlotKind, Vault, create_with_keyring, create_with_passphrase, raise_epoch_floor, slot_kind,
    unlock_with_keyring, unlock_with_keyring_and_passphrase, unlock_with_passphrase,
    unlock_with_recovery_code,
};
use tokenry_core::{OsRandom, Secret};

const PLACE: Place<'_> = Place {
    table: "t",
    row: 1,
    version: 1,
    schema: 1,
};
const FLOOR: EpochFloor = EpochFloor(7);

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn cheap() -> Cost {
    Cost::cheapest_allowed()
}

fn with_passphrase() -> Created {
    create_with_passphrase(&secret("first passphrase"), cheap(), &OsRandom).unwrap()
}

fn add(vault: &Vault, new: &NewSlot<'_>) -> Vec<u8> {
    vault.new_slot(new, FLOOR, &OsRandom).unwrap()
}

fn same_keys(one: &Vault, other: &Vault) {
    let sealed = one.seal(PLACE, b"x", &OsRandom).unwrap();
    assert_eq!(*other.open(PLACE, &sealed).unwrap(), b"x");
}

#[test]
fn every_kind_of_slot_opens_the_same_vault() {
    let (made, keyring) = (with_passphrase(), MemoryKeyring::new());
    let (id, code) = (made.vault.id(), RecoveryCode::new(&OsRandom));
    let both = secret("second passphrase");
    let slots = [
        made.slot,
        add(&made.vault, &NewSlot::Keyring(&keyring)),
        add(
            &made.vault,
            &NewSlot::KeyringAndPassphrase(&keyring, &both, cheap()),
        ),
        add(&made.vault, &NewSlot::RecoveryCode(&code)),
    ];
    let kinds = slots.each_ref().map(|slot| slot_kind(slot).unwrap());
    assert_eq!(
        kinds,
        [
            SlotKind::Passphrase,
            SlotKind::Keyring,
            SlotKind::KeyringAndPassphrase,
            SlotKind::RecoveryCode
        ]
    );
    assert_eq!(keyring.len(), 1, "both slots use one item");
    let first = secret("first passphrase");
    same_keys(&made.vault, &unlock_with_passphrase(id, &slots, &first).unwrap());
    let (vault, floor) = unlock_with_keyring(id, &slots, &keyring).unwrap();
    same_keys(&made.vault, &vault);
    assert_eq!(floor, FLOOR);
    let (vault, floor) = unlock_with_keyring_and_passphrase(id, &slots, &keyring, &both).unwrap();
    same_keys(&made.vault, &vault);
    assert_eq!(floor, FLOOR);
    same_keys(
        &made.vault,
        &unlock_with_recovery_code(id, &slots, &code).unwrap(),
    );
}

#[test]
fn keyring_and_passphrase_take_both() {
    let (made, keyring) = (with_passphrase(), MemoryKeyring::new());
    let (id, passphrase) = (made.vault.id(), secret("second passphrase"));
    let slots = [add(
        &made.vault,
        &NewSlot::KeyringAndPassphrase(&keyring, &passphrase, cheap()),
    )];
    let wrong = unlock_with_keyring_and_passphrase(id, &slots, &keyring, &secret("other passphrase"));
    assert_eq!(wrong.unwrap_err(), Error::WrongPassphrase);
    let alone = unlock_with_passphrase(id, &slots, &passphrase);
    assert_eq!(alone.unwrap_err(), Error::NoSuchSlot(SlotKind::Passphrase));
    let alone = unlock_with_keyring(id, &slots, &keyring);
    assert_eq!(alone.unwrap_err(), Error::NoSuchSlot(SlotKind::Keyring));
    keyring.remove(id);
    let gone = unlock_with_keyring_and_passphrase(id, &slots, &keyring, &passphrase);
    assert_eq!(gone.unwrap_err(), Error::KeyringItemMissing);
    let other = MemoryKeyring::new();
    made.vault
        .new_slot(&NewSlot::Keyring(&other), FLOOR, &OsRandom)
        .unwrap();
    let other = unlock_with_keyring_and_passphrase(id, &slots, &other, &passphrase);
    assert_eq!(other.unwrap_err(), Error::KeyringHoldsAnotherKey);
}

#[test]
fn another_recovery_code_and_another_vaults_code_do_not_open_it() {
    let (made, code) = (with_passphrase(), RecoveryCode::new(&OsRandom));
    let slots = [add(&made.vault, &NewSlot::RecoveryCode(&code))];
    let other = RecoveryCode::new(&OsRandom);
    let wrong = unlock_with_recovery_code(made.vault.id(), &slots, &other);
    assert_eq!(wrong.unwrap_err(), Error::WrongRecoveryCode);
    let elsewhere = unlock_with_recovery_code(with_passphrase().vault.id(), &slots, &code);
    assert_eq!(elsewhere.unwrap_err(), Error::WrongRecoveryCode);
}

/// security.md, "Keys": each slot's own parameters are part of what it is wrapped with.
#[test]
fn a_slot_changed_into_another_kind_does_not_open() {
    use sha2::{Digest, Sha256};
    let (made, keyring) = (with_passphrase(), MemoryKeyring::new());
    let code = RecoveryCode::new(&OsRandom);
    let mut slot = add(&made.vault, &NewSlot::Keyring(&keyring));
    slot[5] = 4;
    let end = slot.len() - 8;
    let hash = Sha256::digest(&slot[..end]);
    slot[end..].copy_from_slice(&hash[..8]);
    assert_eq!(slot_kind(&slot).unwrap(), SlotKind::RecoveryCode);
    let opened = unlock_with_recovery_code(made.vault.id(), &[slot], &code);
    assert_eq!(opened.unwrap_err(), Error::WrongRecoveryCode);
}

/// security.md, "Keys": a keyring item that is there is never replaced by another key.
#[test]
fn an_item_that_is_there_is_used_again_and_opens_the_older_slot_too() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    let id = made.vault.id();
    raise_epoch_floor(id, &keyring, 40).unwrap();
    let item = keyring.item(id).unwrap();
    let slots = [made.slot, add(&made.vault, &NewSlot::Keyring(&keyring))];
    assert_eq!(keyring.item(id).unwrap(), item);
    for slot in slots {
        let (vault, floor) = unlock_with_keyring(id, &[slot], &keyring).unwrap();
        same_keys(&made.vault, &vault);
        assert_eq!(floor, EpochFloor(40), "the floor is not lowered");
    }
}

#[test]
fn a_keyring_item_that_was_lost_or_garbled_is_made_anew_for_a_new_slot() {
    let keyring = MemoryKeyring::new();
    let made = create_with_keyring(&keyring, &OsRandom).unwrap();
    let id = made.vault.id();
    for spoil in [(&|| keyring.remove(id)) as &dyn Fn(), &|| {
        keyring.put(id, b"hunter2")
    }] {
        spoil();
        let slot = add(&made.vault, &NewSlot::Keyring(&keyring));
        let (vault, floor) = unlock_with_keyring(id, &[slot], &keyring).unwrap();
        same_keys(&made.vault, &vault);
        assert_eq!(floor, FLOOR);
    }
}

#[test]
fn a_keyring_that_fails_or_does_not_keep_makes_no_slot() {
    let (vault, keyring) = (with_passphrase().vault, MemoryKeyring::new());
    let locked = KeyringError::Locked;
    for (fault, expected) in [
        (Fault::Fails(locked.clone()), Error::Keyring(locked.clone())),
        (Fault::FailsToWrite(locked.clone()), Error::Keyring(locked)),
        (Fault::Forgets, Error::KeyringDidNotKeep),
        (Fault::Garbles, Error::KeyringDidNotKeep),
    ] {
        keyring.play(fault);
        let made = vault.new_slot(&NewSlot::Keyring(&keyring), FLOOR, &OsRandom);
        assert_eq!(made.unwrap_err(), expected);
        keyring.play(None);
        keyring.remove(vault.id());
    }
}

#[test]
fn a_changed_byte_of_a_slot_of_each_kind_opens_nothing() {
    let (made, keyring) = (with_passphrase(), MemoryKeyring::new());
    let (id, code) = (made.vault.id(), RecoveryCode::new(&OsRandom));
    let slot = add(&made.vault, &NewSlot::RecoveryCode(&code));
    for at in 0..slot.len() {
        let mut changed = slot.clone();
        changed[at] ^= 1;
        assert!(unlock_with_recovery_code(id, &[changed], &code).is_err(), "{at}");
    }
    let passphrase = secret("second passphrase");
    let slot = add(
        &made.vault,
        &NewSlot::KeyringAndPassphrase(&keyring, &passphrase, cheap()),
    );
    for at in (0..slot.len()).step_by(7) {
        let mut changed = slot.clone();
        changed[at] ^= 1;
        let opened = unlock_with_keyring_and_passphrase(id, &[changed], &keyring, &passphrase);
        assert!(opened.is_err(), "{at}");
    }
}
