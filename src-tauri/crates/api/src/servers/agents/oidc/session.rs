//! The encrypted session of oidc-agent's clients: an X25519 exchange, and NaCl's secret box.
//!
//! It adds nothing to what the socket itself keeps secret, because neither side knows the other's key beforehand. Clients
//! demand it.

use super::message::Sealed;
use crate::servers::agents::connection::invalid;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crypto_box::{Nonce, PublicKey, SalsaBox, SecretKey, aead::Aead};
use std::io;
use tokenry_core::{OsRandom, Random};
use zeroize::Zeroizing;

/// The bytes of a public key.
pub(super) const KEY_BYTES: usize = 32;
/// The bytes of a nonce.
pub(super) const NONCE_BYTES: usize = 24;
/// How much longer than its plaintext a secret box is.
pub(super) const TAG_BYTES: usize = 16;

pub(super) struct Session {
    public_key: String,
    shared: SalsaBox,
}

impl Session {
    /// A session with the client of this key, with a key of our own that is for this session alone.
    pub(super) fn with(key: &[u8; KEY_BYTES]) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        OsRandom.fill(&mut *bytes);
        let own = SecretKey::from(*bytes);
        Self {
            public_key: STANDARD.encode(own.public_key().as_bytes()),
            shared: SalsaBox::new(&PublicKey::from(*key), &own),
        }
    }

    /// Our key, as the client reads it.
    pub(super) fn public_key(&self) -> &str {
        &self.public_key
    }

    /// What the client sealed.
    pub(super) fn opened(&self, sealed: &Sealed) -> io::Result<Zeroizing<Vec<u8>>> {
        let nonce = Nonce::from(sealed.nonce);
        let opened = self.shared.decrypt(&nonce, sealed.secret_box.as_slice());
        let opened = opened.map_err(|_| invalid("the message does not open with the session's key"))?;
        Ok(Zeroizing::new(opened))
    }

    /// A message to the client.
    pub(super) fn sealed(&self, plain: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut nonce = [0; NONCE_BYTES];
        OsRandom.fill(&mut nonce);
        let secret_box = self.shared.encrypt(&Nonce::from(nonce), plain);
        let secret_box = secret_box.map_err(|_| invalid("the answer is too long"))?;
        let text = format!(
            "{}:{}:{}",
            plain.len(),
            STANDARD.encode(nonce),
            STANDARD.encode(secret_box)
        );
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::agents::{connection::Progress, oidc::message};

    /// The example of NaCl's documentation ("Cryptography in NaCl", section 10): the keys of Alice and Bob.
    #[test]
    fn the_shared_key_is_that_of_nacl() {
        let hex = |text: &str| tokenry_core::from_hex::<32>(text).unwrap();
        let alice = SecretKey::from(hex(
            "77076d0a7318a57d3c16c17251b26645df4c2f92e9c5c3f4e0ee6b2c1e5f2aaa",
        ));
        let bob = SecretKey::from(hex(
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        ));
        let (one, other) = (
            SalsaBox::new(&bob.public_key(), &alice),
            SalsaBox::new(&alice.public_key(), &bob),
        );
        let nonce = Nonce::from([7; NONCE_BYTES]);
        let sealed = one.encrypt(&nonce, b"text".as_slice()).unwrap();
        assert_eq!(sealed.len(), 4 + TAG_BYTES);
        assert_eq!(other.decrypt(&nonce, sealed.as_slice()).unwrap(), b"text");
    }

    #[test]
    fn both_ends_read_each_other_and_a_changed_bit_does_not_open() {
        let (mut client_key, mut ours) = ([0; KEY_BYTES], None);
        OsRandom.fill(&mut client_key);
        let client = SecretKey::from(client_key);
        let server = Session::with(client.public_key().as_bytes());
        let key = STANDARD.decode(server.public_key()).unwrap();
        let key = PublicKey::from(<[u8; KEY_BYTES]>::try_from(key).unwrap());
        let other = Session {
            public_key: String::new(),
            shared: SalsaBox::new(&key, &client),
        };
        let text = other.sealed(b"{\"request\":\"check\"}").unwrap();
        if let Progress::Complete(sealed) = message::sealed(&text, false).unwrap() {
            ours = Some(sealed);
        }
        let mut sealed = ours.unwrap();
        assert_eq!(&**server.opened(&sealed).unwrap(), b"{\"request\":\"check\"}");
        sealed.secret_box[3] ^= 1;
        assert!(server.opened(&sealed).is_err());
    }
}
