//! A text that is not shown and is wiped.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use subtle::ConstantTimeEq;

/// A text that is never shown: its `Debug` is redacted, its memory is wiped, and it is read only by the one
/// word that can be searched for, [`Secret::expose`].
///
/// It can be serialised, because sealed records are. The types of the API do not contain it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// Bytes as hexadecimal digits, which no cookie, header or path has to encode.
    pub fn hex(bytes: &[u8]) -> Self {
        Self::new(std::mem::take(&mut *crate::hex(bytes)))
    }

    /// The text itself. Every caller of this is a place to look at.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Whether two secrets are the same, in a time that tells only whether their lengths differ (RFC 6749 §10.12).
pub fn same_secret(a: &Secret, b: &Secret) -> bool {
    same_bytes(a.expose().as_bytes(), b.expose().as_bytes())
}

/// The same for hashes.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug() {
        assert!(!format!("{:?}", Secret::new("hunter2".into())).contains("hunter2"));
    }
}
