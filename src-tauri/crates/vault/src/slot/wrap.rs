//! Wrapping: what unlocks the slot goes through HKDF-SHA256 into an encryption key and a commitment. The commitment
//! is stored and compared in constant time before anything is decrypted, so a slot opens with one key only. The
//! slot's own parameters and the vault's id are in the derivation and in the associated data.

use super::{Slot, SlotKind};
use crate::{
    Cost, Error, RecoveryCode, Vault, VaultId,
    encode::prefixed,
    id::{KeyId, bytes},
    item::Item,
    key::{Key, expand},
};
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokenry_core::{Random, Secret};
use zeroize::Zeroizing;

const LABEL: &[u8] = b"tokenry slot 1";

/// What a slot is opened with.
pub(crate) enum Opener<'a> {
    Keyring(&'a Item),
    KeyringAndPassphrase(&'a Item, &'a Secret, Cost),
    Passphrase(&'a Secret, Cost),
    RecoveryCode(&'a RecoveryCode),
}

impl Opener<'_> {
    fn kind(&self) -> SlotKind {
        match self {
            Self::Keyring(_) => SlotKind::Keyring,
            Self::KeyringAndPassphrase(..) => SlotKind::KeyringAndPassphrase,
            Self::Passphrase(..) => SlotKind::Passphrase,
            Self::RecoveryCode(_) => SlotKind::RecoveryCode,
        }
    }

    fn secret(&self, salt: &[u8; 32]) -> Result<Key, Error> {
        match self {
            Self::Keyring(item) => Ok(Key::copied(item.key.bytes())),
            Self::KeyringAndPassphrase(item, passphrase, cost) => Ok(both(
                item.key.bytes(),
                cost.stretch(passphrase, salt)?.bytes(),
                salt,
            )),
            Self::Passphrase(passphrase, cost) => cost.stretch(passphrase, salt),
            Self::RecoveryCode(code) => Ok(code.key(salt)),
        }
    }

    /// The id of the keyring's key and the cost, as they stand in the slot.
    fn parameters(&self) -> (KeyId, [u32; 3]) {
        match self {
            Self::Keyring(item) => (item.key_id, [0; 3]),
            Self::KeyringAndPassphrase(item, _, cost) => (item.key_id, cost.parts()),
            Self::Passphrase(_, cost) => (KeyId::NONE, cost.parts()),
            Self::RecoveryCode(_) => (KeyId::NONE, [0; 3]),
        }
    }
}

/// One key of two: without either of them it is unknown.
fn both(keyring: &[u8; 32], passphrase: &[u8; 32], salt: &[u8; 32]) -> Key {
    let mut joined = Zeroizing::new([0; 64]);
    joined[..32].copy_from_slice(keyring);
    joined[32..].copy_from_slice(passphrase);
    Key::derived(
        &Hkdf::<Sha256>::new(Some(salt), &joined[..]),
        b"tokenry keyring and passphrase 1",
    )
}

impl Slot {
    /// Wraps a data key; gives the slot's bytes.
    pub(crate) fn wrap(
        vault: VaultId,
        (key_id, data): (KeyId, &Key),
        opener: &Opener<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let (keyring_key, cost) = opener.parameters();
        let mut slot = Self {
            kind: opener.kind(),
            keyring_key,
            cost,
            salt: bytes(random),
            commitment: [0; 32],
            nonce: bytes(random),
            wrapped: [0; 48],
            tag: [0; 16],
        };
        let keys = Wrapping::new(&slot, vault, opener)?;
        let mut inside = Zeroizing::new([0; 48]);
        inside[..16].copy_from_slice(&key_id.0);
        inside[16..].copy_from_slice(data.bytes());
        let tag = keys
            .cipher()
            .encrypt_inout_detached(
                &slot.nonce.into(),
                &slot.associated(vault),
                inside.as_mut_slice().into(),
            )
            .map_err(|_| Error::SlotDamaged)?;
        (slot.commitment, slot.wrapped, slot.tag) = (*keys.commitment(), *inside, tag.into());
        Ok(slot.encode())
    }

    /// Unwraps the data key. `None`: this is not what the slot was wrapped with.
    pub(crate) fn unwrap(&self, vault: VaultId, opener: &Opener<'_>) -> Result<Option<Vault>, Error> {
        let keys = Wrapping::new(self, vault, opener)?;
        if !bool::from(keys.commitment().ct_eq(&self.commitment)) {
            return Ok(None);
        }
        let mut inside = Zeroizing::new(self.wrapped);
        let (nonce, tag): (&XNonce, &Tag) = ((&self.nonce).into(), (&self.tag).into());
        keys.cipher()
            .decrypt_inout_detached(nonce, &self.associated(vault), inside.as_mut_slice().into(), tag)
            .map_err(|_| Error::SlotDamaged)?;
        let (key_id, data) = inside.split_first_chunk::<16>().ok_or(Error::SlotDamaged)?;
        let data: &[u8; 32] = data.try_into().map_err(|_| Error::SlotDamaged)?;
        Ok(Some(Vault::new(vault, KeyId(*key_id), Key::copied(data))))
    }

    fn associated(&self, vault: VaultId) -> Vec<u8> {
        prefixed(&[LABEL, &vault.0, &self.parameters()])
    }
}

/// The encryption key and the commitment.
struct Wrapping(Zeroizing<[[u8; 32]; 2]>);

impl Wrapping {
    fn new(slot: &Slot, vault: VaultId, opener: &Opener<'_>) -> Result<Self, Error> {
        let secret = opener.secret(&slot.salt)?;
        let root = Hkdf::<Sha256>::new(Some(&slot.salt), secret.bytes());
        let mut keys = Self(Zeroizing::new([[0; 32]; 2]));
        expand(&root, &slot.associated(vault), keys.0.as_flattened_mut());
        Ok(keys)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0[0]).into())
    }

    fn commitment(&self) -> &[u8; 32] {
        &self.0[1]
    }
}
