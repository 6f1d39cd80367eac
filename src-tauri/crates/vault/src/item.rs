//! What the OS keyring keeps for a vault, 60 bytes:
//!
//! ```text
//! magic (4) ‖ key id (16) ‖ key (32) ‖ epoch floor (8, little endian)
//! ```

use crate::{Error, Keyring, VaultId, id::KeyId, key::Key};
use tokenry_core::Random;
use zeroize::Zeroizing;

const MAGIC: [u8; 4] = *b"Tky1";
const SIZE: usize = 60;

/// The lowest epoch of the manifest that is still acceptable. A vault below it was put back from an older copy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EpochFloor(pub u64);

pub(crate) struct Item {
    pub(crate) key_id: KeyId,
    pub(crate) key: Key,
    pub(crate) floor: EpochFloor,
}

impl Item {
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self {
            key_id: KeyId::new(random),
            key: Key::random(random),
            floor: EpochFloor(0),
        }
    }

    /// Reads the vault's item. A missing one is an error and never a reason to make another: this is asked for
    /// vaults that exist.
    pub(crate) fn read(id: VaultId, keyring: &dyn Keyring) -> Result<Self, Error> {
        let bytes = keyring.read(id)?.ok_or(Error::KeyringItemMissing)?;
        Self::decode(&bytes).ok_or(Error::KeyringItemNotOurs)
    }

    /// Writes the item and reads it back: a keyring that says "done" and keeps nothing would cost everything.
    pub(crate) fn write(&self, id: VaultId, keyring: &dyn Keyring) -> Result<(), Error> {
        let bytes = self.encode();
        keyring.write(id, &bytes)?;
        let kept = keyring
            .read(id)?
            .is_some_and(|kept| subtle::ConstantTimeEq::ct_eq(&kept[..], &bytes[..]).into());
        if kept {
            Ok(())
        } else {
            Err(Error::KeyringDidNotKeep)
        }
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SIZE));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.key_id.0);
        bytes.extend_from_slice(self.key.bytes());
        bytes.extend_from_slice(&self.floor.0.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (key_id, rest) = rest.split_first_chunk::<16>()?;
        let (key, floor) = rest.split_first_chunk::<32>()?;
        let floor = u64::from_le_bytes(floor.try_into().ok()?);
        Some(Self {
            key_id: KeyId(*key_id),
            key: Key::copied(key),
            floor: EpochFloor(floor),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::OsRandom;

    /// security.md, "Keys": the OS keyring item is 60 bytes.
    #[test]
    fn an_item_is_60_bytes_and_reads_back() {
        let item = Item {
            floor: EpochFloor(u64::MAX - 1),
            ..Item::new(&OsRandom)
        };
        let bytes = item.encode();
        assert_eq!(bytes.len(), 60);
        let back = Item::decode(&bytes).unwrap();
        assert_eq!(
            (back.key_id, back.key.bytes(), back.floor),
            (item.key_id, item.key.bytes(), item.floor)
        );
    }

    #[test]
    fn any_other_length_or_magic_is_not_ours() {
        let bytes = Item::new(&OsRandom).encode();
        for length in 0..60 {
            assert!(Item::decode(&bytes[..length]).is_none());
        }
        assert!(Item::decode(&[&bytes[..], b"x"].concat()).is_none());
        for position in 0..4 {
            let mut other = bytes.clone();
            other[position] ^= 1;
            assert!(Item::decode(&other).is_none());
        }
    }
}
