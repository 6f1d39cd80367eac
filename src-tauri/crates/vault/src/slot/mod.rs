//! A slot: the vault's data key, wrapped for one way of unlocking.

mod format;
mod wrap;

pub(crate) use format::Slot;
pub(crate) use wrap::Opener;

use crate::Error;
use tokenry_core::SlotKind;

/// The number of a kind in the format of a slot.
fn kind_number(kind: SlotKind) -> u8 {
    match kind {
        SlotKind::Keyring => 1,
        SlotKind::KeyringAndPassphrase => 2,
        SlotKind::Passphrase => 3,
        SlotKind::RecoveryCode => 4,
    }
}

fn kind_of_number(found: u8) -> Option<SlotKind> {
    [
        SlotKind::Keyring,
        SlotKind::KeyringAndPassphrase,
        SlotKind::Passphrase,
        SlotKind::RecoveryCode,
    ]
    .into_iter()
    .find(|kind| kind_number(*kind) == found)
}

/// What a slot is for. Needs no key and proves nothing: a slot is believed when it unlocks.
///
/// # Errors
/// [`Error::SlotDamaged`], or [`Error::SlotFromNewerVersion`] for a kind or a version that we do not know.
pub fn slot_kind(slot: &[u8]) -> Result<SlotKind, Error> {
    Ok(Slot::decode(slot)?.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_slot_kinds_are_frozen() {
        for (kind, number) in [
            (SlotKind::Keyring, 1),
            (SlotKind::KeyringAndPassphrase, 2),
            (SlotKind::Passphrase, 3),
            (SlotKind::RecoveryCode, 4),
        ] {
            assert_eq!((kind_number(kind), kind_of_number(number)), (number, Some(kind)));
        }
        assert_eq!((kind_of_number(0), kind_of_number(5)), (None, None));
    }
}
