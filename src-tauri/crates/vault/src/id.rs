//! The ids of vaults and keys.

use std::fmt;
use tokenry_core::Random;

/// Which vault: 16 random bytes, chosen when it is made. Not a secret. Shown in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VaultId(pub [u8; 16]);

impl VaultId {
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self(bytes(random))
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tokenry_core::hex(&self.0))
    }
}

/// Which key: 16 random bytes beside it. Not a secret; it tells "another key" from "damaged".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyId(pub(crate) [u8; 16]);

impl KeyId {
    /// Stands where no key is meant.
    pub(crate) const NONE: Self = Self([0; 16]);

    pub(crate) fn new(random: &dyn Random) -> Self {
        Self(bytes(random))
    }
}

/// Where a record stands. A sealed record opens at the very place it was sealed for and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// The table's name. Every table has keys of its own.
    pub table: &'a str,
    /// The row's integer key.
    pub row: i64,
    /// The record's version; it grows with every write, so that an older copy put back does not open.
    pub version: u64,
    /// The version of the store's schema the record was written under.
    pub schema: u32,
}

pub(crate) fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_id_is_shown_in_lower_case_hex() {
        let id = VaultId([0xAB, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xFF]);
        assert_eq!(id.to_string(), "ab000102030405060708090a0b0c0dff");
    }
}
