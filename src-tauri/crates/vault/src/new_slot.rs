//! A further way to unlock a vault that is open: the same data key, wrapped once more.

use crate::{
    Cost, EpochFloor, Error, Keyring, RecoveryCode, Vault,
    item::Item,
    slot::{Opener, Slot},
};
use tokenry_core::{Random, Secret};

/// What a new slot is to be opened with.
pub enum NewSlot<'a> {
    /// The OS keyring alone.
    Keyring(&'a dyn Keyring),
    /// The OS keyring and a passphrase together.
    KeyringAndPassphrase(&'a dyn Keyring, &'a Secret, Cost),
    /// A passphrase alone.
    Passphrase(&'a Secret, Cost),
    /// A recovery code.
    RecoveryCode(&'a RecoveryCode),
}

impl Vault {
    /// Wraps the data key for a further way to unlock. No record changes. The caller commits the slot, and then removes
    /// the one that it replaces, in one transaction.
    ///
    /// For the keyring: an item of this vault that is there is used again, so that each slot which it opens stays good;
    /// otherwise one is written and read back before this returns. `floor` is the lowest acceptable epoch of a new item.
    ///
    /// Blocks as long as the keyring and the cost say.
    ///
    /// # Errors
    /// [`Error::Keyring`], [`Error::KeyringDidNotKeep`], [`Error::OutOfMemory`]; then there is no slot.
    pub fn new_slot(
        &self,
        new: &NewSlot<'_>,
        floor: EpochFloor,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let wrap = |opener: &Opener<'_>| Slot::wrap(self.id(), self.data_key(), opener, random);
        match new {
            NewSlot::Keyring(keyring) => wrap(&Opener::Keyring(&self.item(*keyring, floor, random)?)),
            NewSlot::KeyringAndPassphrase(keyring, passphrase, cost) => {
                let item = self.item(*keyring, floor, random)?;
                wrap(&Opener::KeyringAndPassphrase(&item, passphrase, *cost))
            }
            NewSlot::Passphrase(passphrase, cost) => wrap(&Opener::Passphrase(passphrase, *cost)),
            NewSlot::RecoveryCode(code) => wrap(&Opener::RecoveryCode(code)),
        }
    }

    /// The keyring's item of this vault. One that Tokenry did not write opens nothing, so it is replaced.
    fn item(&self, keyring: &dyn Keyring, floor: EpochFloor, random: &dyn Random) -> Result<Item, Error> {
        match Item::read(self.id(), keyring) {
            Err(Error::KeyringItemMissing | Error::KeyringItemNotOurs) => {}
            found => return found,
        }
        let item = Item {
            floor,
            ..Item::new(random)
        };
        item.write(self.id(), keyring)?;
        Ok(item)
    }
}
