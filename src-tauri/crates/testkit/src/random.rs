//! Predictable randomness.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokenry_core::Random;

/// Predictable bytes: the same seed gives the same sequence, and no two calls give the same bytes. Clones go on
/// with one common sequence.
#[derive(Debug, Clone, Default)]
pub struct SequenceRandom {
    seed: u64,
    calls: Arc<AtomicU64>,
}

impl SequenceRandom {
    /// The sequence of this seed, from its beginning.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            calls: Arc::default(),
        }
    }
}

impl Random for SequenceRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        for (block, chunk) in bytes.chunks_mut(32).enumerate() {
            let mut hash = Sha256::new();
            hash.update(self.seed.to_le_bytes());
            hash.update(call.to_le_bytes());
            hash.update(block.to_le_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn draw(random: &SequenceRandom) -> [u8; 40] {
        let mut bytes = [0; 40];
        random.fill(&mut bytes);
        bytes
    }

    #[test]
    fn one_seed_gives_one_sequence_of_distinct_values() {
        let (a, b) = (SequenceRandom::new(7), SequenceRandom::new(7));
        let drawn: Vec<_> = (0..1000).map(|_| draw(&a)).collect();
        assert_eq!(drawn, (0..1000).map(|_| draw(&b)).collect::<Vec<_>>());
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 1000);
        assert_ne!(draw(&SequenceRandom::new(8)), drawn[0]);
    }
}
