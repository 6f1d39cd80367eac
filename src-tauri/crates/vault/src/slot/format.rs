//! 194 bytes:
//!
//! ```text
//! magic (4) ‖ version (1) ‖ kind (1) ‖ id of the keyring's key (16) ‖ memory KiB, passes, lanes (3 × 4) ‖ salt (32)
//!   ‖ commitment (32) ‖ nonce (24) ‖ wrapped: key id and data key (48) ‖ tag (16) ‖ checksum (8)
//! ```
//!
//! Up to the salt these are the slot's own parameters; what a kind does not use is zero. The checksum is no
//! protection: it tells a damaged slot from a wrong passphrase, before anything slow is computed.

use super::{SlotKind, kind_number, kind_of_number};
use crate::{Cost, Error, id::KeyId};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = *b"Tks\0";
const VERSION: u8 = 1;
const SIZE: usize = 194;

pub(crate) struct Slot {
    pub(crate) kind: SlotKind,
    /// Which key of the keyring, for kinds that need one.
    pub(crate) keyring_key: KeyId,
    /// Memory in KiB, passes and lanes as they were written: not yet checked.
    pub(crate) cost: [u32; 3],
    pub(crate) salt: [u8; 32],
    pub(crate) commitment: [u8; 32],
    pub(crate) nonce: [u8; 24],
    pub(crate) wrapped: [u8; 48],
    pub(crate) tag: [u8; 16],
}

impl Slot {
    /// The bytes that say how the slot is opened.
    pub(crate) fn parameters(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, kind_number(self.kind)]);
        bytes.extend_from_slice(&self.keyring_key.0);
        self.cost
            .iter()
            .for_each(|part| bytes.extend_from_slice(&part.to_le_bytes()));
        bytes.extend_from_slice(&self.salt);
        bytes
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.parameters();
        bytes.extend_from_slice(&self.commitment);
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.wrapped);
        bytes.extend_from_slice(&self.tag);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// What a guess at its passphrase costs; `None` for a kind without one. Nothing is computed.
    pub(crate) fn checked_cost(&self) -> Result<Option<Cost>, Error> {
        let [memory_kib, passes, lanes] = self.cost;
        match self.kind {
            SlotKind::Keyring | SlotKind::RecoveryCode => Ok(None),
            SlotKind::Passphrase | SlotKind::KeyringAndPassphrase => {
                Cost::new(memory_kib, passes, lanes).map(Some)
            }
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(Error::SlotDamaged)?;
        match rest.first() {
            Some(&VERSION) => Self::decode_rest(bytes, &rest[1..]),
            // Another version may have another shape, so only its number is looked at.
            Some(version) if *version > VERSION => Err(Error::SlotFromNewerVersion),
            _ => Err(Error::SlotDamaged),
        }
    }

    fn decode_rest(all: &[u8], mut rest: &[u8]) -> Result<Self, Error> {
        let (body, sum) = all.split_last_chunk::<8>().ok_or(Error::SlotDamaged)?;
        if all.len() != SIZE || *sum != checksum(body) {
            return Err(Error::SlotDamaged);
        }
        let [kind] = take(&mut rest)?;
        Ok(Self {
            kind: kind_of_number(kind).ok_or(Error::SlotFromNewerVersion)?,
            keyring_key: KeyId(take(&mut rest)?),
            cost: [number(&mut rest)?, number(&mut rest)?, number(&mut rest)?],
            salt: take(&mut rest)?,
            commitment: take(&mut rest)?,
            nonce: take(&mut rest)?,
            wrapped: take(&mut rest)?,
            tag: take(&mut rest)?,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(Error::SlotDamaged)?;
    *rest = left;
    Ok(*taken)
}

fn number(rest: &mut &[u8]) -> Result<u32, Error> {
    take(rest).map(u32::from_le_bytes)
}

pub(super) fn checksum(bytes: &[u8]) -> [u8; 8] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut short = [0; 8];
    short.copy_from_slice(&hash[..8]);
    short
}
