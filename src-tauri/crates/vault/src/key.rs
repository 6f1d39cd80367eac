//! Keys in memory, wiped when they are dropped.

use crate::encode::length;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokenry_core::Random;
use zeroize::Zeroizing;

/// 32 secret bytes that stay at one place on the heap and are wiped there.
pub(crate) struct Key(Box<Zeroizing<[u8; 32]>>);

impl Key {
    fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Self(Box::new(Zeroizing::new([0; 32])));
        fill(&mut key.0);
        key
    }

    pub(crate) fn random(random: &dyn Random) -> Self {
        Self::filled(|bytes| random.fill(bytes))
    }

    pub(crate) fn copied(from: &[u8; 32]) -> Self {
        Self::filled(|bytes| bytes.copy_from_slice(from))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one purpose, by HKDF-SHA256 (RFC 5869).
    pub(crate) fn derived(root: &Hkdf<Sha256>, info: &[u8]) -> Self {
        Self::filled(|bytes| expand(root, info, bytes))
    }
}

/// HKDF-Expand into the buffer (RFC 5869 §2.3).
#[expect(clippy::expect_used, reason = "we derive 32 or 64 bytes; the limit is 8160")]
pub(crate) fn expand(root: &Hkdf<Sha256>, info: &[u8], out: &mut [u8]) {
    root.expand(info, out).expect("a short output");
}

/// HMAC-SHA256 (RFC 2104) over the parts, each after its length.
#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
pub(crate) fn mac(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("any key length");
    for part in parts {
        mac.update(&length(part));
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Secrets in memory": what holds a key wipes itself. The compiler checks it.
    #[test]
    fn every_holder_of_key_bytes_wipes_itself() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        wiped(&*Key::copied(&[7; 32]).0);
        wiped(&Sha256::default()); // HMAC and HKDF are made of these
        wiped(&<chacha20poly1305::XChaCha20Poly1305 as chacha20poly1305::KeyInit>::new(&[7; 32].into()));
    }

    #[test]
    fn a_mac_depends_on_where_one_part_ends() {
        let key = Key::copied(&[7; 32]);
        assert_ne!(mac(&key, &[b"ab", b"c"]), mac(&key, &[b"a", b"bc"]));
    }
}
