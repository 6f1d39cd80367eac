//! The running sum over rows.

/// A sum of row terms that is kept up to date by adding and removing single terms, so that a write costs the same
/// at ten rows and at a million. The order of the terms does not matter.
///
/// Addition is modulo 2^256; the terms are keyed ([`crate::Vault::row_sum`]) and the sum is kept sealed, so only
/// the holder of the key could choose rows that leave it unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunningSum([u8; 32]);

impl RunningSum {
    /// The sum as it was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The sum, to keep it: 256 bits, little endian.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Counts a row in.
    pub fn add(&mut self, term: &[u8; 32]) {
        let mut carry = 0;
        for (byte, added) in self.0.iter_mut().zip(term) {
            let total = u16::from(*byte) + u16::from(*added) + carry;
            *byte = total as u8;
            carry = total >> 8;
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, term: &[u8; 32]) {
        let mut borrow = false;
        for (byte, removed) in self.0.iter_mut().zip(term) {
            let (first, under) = byte.overflowing_sub(*removed);
            let (second, under_again) = first.overflowing_sub(u8::from(borrow));
            *byte = second;
            borrow = under || under_again;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::{OsRandom, Random};

    #[test]
    fn the_order_of_terms_does_not_matter_and_removing_undoes_adding() {
        let mut terms = [[0; 32]; 50];
        terms.iter_mut().for_each(|term| OsRandom.fill(term));
        terms[7] = [0xFF; 32];
        let (mut forth, mut back) = (RunningSum::default(), RunningSum::default());
        terms.iter().for_each(|term| forth.add(term));
        terms.iter().rev().for_each(|term| back.add(term));
        assert_eq!(forth, back);
        assert_ne!(forth, RunningSum::default());
        forth = RunningSum::from_bytes(*forth.as_bytes());
        terms.iter().for_each(|term| forth.remove(term));
        assert_eq!(forth, RunningSum::default());
    }

    #[test]
    fn a_carry_runs_through_all_bytes_and_wraps() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut sum = RunningSum::from_bytes([0xFF; 32]);
        sum.add(&one);
        assert_eq!(sum, RunningSum::default());
        sum.remove(&one);
        assert_eq!(sum, RunningSum::from_bytes([0xFF; 32]));
    }
}
