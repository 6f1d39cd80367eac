//! One sealed record:
//!
//! ```text
//! version (1) ‖ id of the data key (16) ‖ nonce (24, random) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! XChaCha20-Poly1305 with the table's key. The associated data are, each after its length: a label, the vault's
//! id, the key's id, table, row, record version and schema version, so a record moved, swapped or put back does not
//! open.

use crate::{
    Error, Place, VaultId,
    encode::prefixed,
    id::{KeyId, bytes},
    key::Key,
    pad::{BUCKET, pad, padded_len, unpadded_len},
};
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use tokenry_core::Random;
use zeroize::Zeroizing;

/// The most bytes one record may hold: 16 MiB.
pub const MAX_PLAINTEXT: usize = 16 << 20;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"tokenry record 1";
const HEAD: usize = 1 + 16 + NONCE;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Which key seals a record, and whose it is.
pub(crate) struct Sealer<'a> {
    pub(crate) vault: VaultId,
    pub(crate) key_id: KeyId,
    pub(crate) key: &'a Key,
}

impl Sealer<'_> {
    pub(crate) fn seal(
        &self,
        place: Place<'_>,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(Error::TooLarge {
                table: place.table.to_owned(),
                size: plaintext.len(),
            });
        }
        let nonce: [u8; NONCE] = bytes(random);
        // Sized at once: growing would leave a copy of the plaintext behind.
        let mut sealed = Vec::with_capacity(HEAD + padded_len(plaintext.len()) + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key_id.0);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        pad(&mut sealed, HEAD);
        let body = sealed.get_mut(HEAD..).unwrap_or_default();
        let tag = self
            .cipher()
            .encrypt_inout_detached(&nonce.into(), &self.associated(place), body.into());
        let Ok(tag) = tag else {
            zeroize::Zeroize::zeroize(&mut sealed);
            return Err(Error::TooLarge {
                table: place.table.to_owned(),
                size: plaintext.len(),
            });
        };
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.opened(place, sealed).ok_or_else(|| Error::RecordDamaged {
            table: place.table.to_owned(),
        })
    }

    fn opened(&self, place: Place<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.len() > HEAD + padded_len(MAX_PLAINTEXT) + TAG {
            return None;
        }
        let (version, rest) = sealed.split_first()?;
        let (key_id, rest) = rest.split_first_chunk::<16>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (body, tag) = rest.split_last_chunk::<TAG>()?;
        if *version != VERSION || *key_id != self.key_id.0 || body.len() % BUCKET != 0 {
            return None;
        }
        let mut plain = Zeroizing::new(body.to_vec());
        let (nonce, tag): (&XNonce, &Tag) = (nonce.into(), tag.into());
        self.cipher()
            .decrypt_inout_detached(nonce, &self.associated(place), plain.as_mut_slice().into(), tag)
            .ok()?;
        let length = unpadded_len(&plain)?;
        plain.truncate(length);
        Some(plain)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.bytes().into())
    }

    fn associated(&self, place: Place<'_>) -> Vec<u8> {
        prefixed(&[
            LABEL,
            &self.vault.0,
            &self.key_id.0,
            place.table.as_bytes(),
            &place.row.to_le_bytes(),
            &place.version.to_le_bytes(),
            &place.schema.to_le_bytes(),
        ])
    }
}
