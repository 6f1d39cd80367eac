//! Making a vault, and unlocking one that exists. Nothing here that unlocks can make a key.

use crate::{
    Cost, Error, Keyring, RecoveryCode, SlotKind, Vault, VaultId,
    id::KeyId,
    item::{EpochFloor, Item},
    key::Key,
    slot::{Opener, Slot},
};
use tokenry_core::{Random, Secret};

/// A vault that was just made. It exists once the caller has committed its slot.
#[derive(Debug)]
pub struct Created {
    /// The vault, unlocked.
    pub vault: Vault,
    /// Its first slot, to be stored with [`Vault::id`].
    pub slot: Vec<u8>,
}

/// Makes a vault that the OS keyring unlocks: writes the keyring, reads it back, and only then returns. The caller
/// has made sure that there is no vault yet, and commits the slot.
///
/// # Errors
/// [`Error::Keyring`], and [`Error::KeyringDidNotKeep`] when the keyring gives back something else than was written.
/// Then there is no vault.
pub fn create_with_keyring(keyring: &dyn Keyring, random: &dyn Random) -> Result<Created, Error> {
    let (id, item) = (VaultId::new(random), Item::new(random));
    let created = create(id, &Opener::Keyring(&item), random)?;
    item.write(id, keyring)?;
    Ok(created)
}

/// Makes a vault that a passphrase unlocks. The caller has made sure that there is no vault yet, and commits the
/// slot. Takes as long as `cost` says.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn create_with_passphrase(
    passphrase: &Secret,
    cost: Cost,
    random: &dyn Random,
) -> Result<Created, Error> {
    create(
        VaultId::new(random),
        &Opener::Passphrase(passphrase, cost),
        random,
    )
}

fn create(id: VaultId, opener: &Opener<'_>, random: &dyn Random) -> Result<Created, Error> {
    let (key_id, data) = (KeyId::new(random), Key::random(random));
    let slot = Slot::wrap(id, (key_id, &data), opener, random)?;
    Ok(Created {
        vault: Vault::new(id, key_id, data),
        slot,
    })
}

/// Unlocks a vault with the OS keyring. Gives the lowest epoch that is acceptable with it.
///
/// Blocks as long as the keyring does, so call it where blocking is fine.
///
/// # Errors
/// [`Error::NoSuchSlot`] without asking the keyring; then one for each state of the keyring: [`Error::Keyring`],
/// [`Error::KeyringItemMissing`], [`Error::KeyringItemNotOurs`], [`Error::KeyringHoldsAnotherKey`]; and
/// [`Error::SlotDamaged`].
pub fn unlock_with_keyring(
    id: VaultId,
    slots: &[Vec<u8>],
    keyring: &dyn Keyring,
) -> Result<(Vault, EpochFloor), Error> {
    let slots = of_kind(slots, SlotKind::Keyring)?;
    let item = Item::read(id, keyring)?;
    let vault = slot_of(&slots, &item)?
        .unwrap(id, &Opener::Keyring(&item))?
        .ok_or(Error::SlotDamaged)?;
    Ok((vault, item.floor))
}

/// Unlocks a vault that takes the OS keyring and a passphrase together. Gives the lowest epoch that is acceptable with
/// it. Takes as long as the slot's cost says, after the keyring has answered.
///
/// # Errors
/// As for [`unlock_with_keyring`] before anything is computed; then as for [`unlock_with_passphrase`].
pub fn unlock_with_keyring_and_passphrase(
    id: VaultId,
    slots: &[Vec<u8>],
    keyring: &dyn Keyring,
    passphrase: &Secret,
) -> Result<(Vault, EpochFloor), Error> {
    let slots = of_kind(slots, SlotKind::KeyringAndPassphrase)?;
    let item = Item::read(id, keyring)?;
    let slot = slot_of(&slots, &item)?;
    let cost = slot.checked_cost()?.ok_or(Error::SlotDamaged)?;
    let vault = slot
        .unwrap(id, &Opener::KeyringAndPassphrase(&item, passphrase, cost))?
        .ok_or(Error::WrongPassphrase)?;
    Ok((vault, item.floor))
}

/// Unlocks a vault with its recovery code.
///
/// # Errors
/// [`Error::NoSuchSlot`], [`Error::SlotDamaged`]; [`Error::WrongRecoveryCode`].
pub fn unlock_with_recovery_code(
    id: VaultId,
    slots: &[Vec<u8>],
    code: &RecoveryCode,
) -> Result<Vault, Error> {
    for slot in of_kind(slots, SlotKind::RecoveryCode)? {
        if let Some(vault) = slot.unwrap(id, &Opener::RecoveryCode(code))? {
            return Ok(vault);
        }
    }
    Err(Error::WrongRecoveryCode)
}

/// Unlocks a vault with a passphrase. Takes as long as the slot's cost says.
///
/// # Errors
/// [`Error::NoSuchSlot`], [`Error::SlotDamaged`] and [`Error::CostOutOfBounds`] before anything is computed;
/// [`Error::WrongPassphrase`]; [`Error::OutOfMemory`].
pub fn unlock_with_passphrase(id: VaultId, slots: &[Vec<u8>], passphrase: &Secret) -> Result<Vault, Error> {
    for slot in of_kind(slots, SlotKind::Passphrase)? {
        if let Some(cost) = slot.checked_cost()?
            && let Some(vault) = slot.unwrap(id, &Opener::Passphrase(passphrase, cost))?
        {
            return Ok(vault);
        }
    }
    Err(Error::WrongPassphrase)
}

/// Whether there is a slot that could open the vault, before anything is asked for.
///
/// # Errors
/// [`Error::NoSlots`]; and where no slot is of use, what is wrong with one: [`Error::SlotDamaged`],
/// [`Error::SlotFromNewerVersion`], [`Error::CostOutOfBounds`].
pub fn check_slots(slots: &[Vec<u8>]) -> Result<(), Error> {
    let mut wrong = Error::NoSlots;
    for slot in slots {
        match Slot::decode(slot).and_then(|slot| slot.checked_cost()) {
            Ok(_) => return Ok(()),
            Err(error) => wrong = error,
        }
    }
    Err(wrong)
}

/// Raises the lowest acceptable epoch that the OS keyring keeps; never lowers it, and never makes an item.
///
/// # Errors
/// As for [`unlock_with_keyring`], and [`Error::KeyringDidNotKeep`].
pub fn raise_epoch_floor(id: VaultId, keyring: &dyn Keyring, epoch: u64) -> Result<(), Error> {
    let item = Item::read(id, keyring)?;
    if epoch <= item.floor.0 {
        return Ok(());
    }
    Item {
        floor: EpochFloor(epoch),
        ..item
    }
    .write(id, keyring)
}

/// The slot that was wrapped with this key of the keyring.
fn slot_of<'a>(slots: &'a [Slot], item: &Item) -> Result<&'a Slot, Error> {
    let mut slots = slots.iter();
    slots
        .find(|slot| slot.keyring_key == item.key_id)
        .ok_or(Error::KeyringHoldsAnotherKey)
}

/// The slots of one kind. Damaged ones only matter when there is no other: their kind is unknown.
fn of_kind(slots: &[Vec<u8>], kind: SlotKind) -> Result<Vec<Slot>, Error> {
    let mut unreadable = None;
    let mut found = Vec::new();
    for slot in slots {
        match Slot::decode(slot) {
            Ok(slot) if slot.kind == kind => found.push(slot),
            Ok(_) => {}
            Err(error) => unreadable = Some(error),
        }
    }
    if found.is_empty() {
        Err(unreadable.unwrap_or(Error::NoSuchSlot(kind)))
    } else {
        Ok(found)
    }
}
