//! Random bytes fetched ahead, for the ids of events.

use crate::locks;
use std::sync::{Arc, Mutex};
use tokenry_core::Random;

/// So much is fetched at once: 64 ids.
const BUFFER_BYTES: usize = 640;

/// Random bytes for ids of the activity log, fetched ahead: they have to be unique and are no secret, and a system
/// call for each would be a good part of what a hand-out costs. Keys and nonces never come from here.
pub(crate) struct BufferedRandom {
    random: Arc<dyn Random>,
    left: Mutex<Vec<u8>>,
}

impl BufferedRandom {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self {
            random,
            left: Mutex::default(),
        }
    }
}

impl Random for BufferedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut left = locks::lock(&self.left);
        if left.len() < bytes.len() {
            left.resize(BUFFER_BYTES.max(bytes.len()), 0);
            self.random.fill(&mut left);
        }
        let rest = left.len() - bytes.len();
        bytes.copy_from_slice(&left[rest..]);
        left.truncate(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::OsRandom;

    #[test]
    fn no_byte_is_given_twice_however_many_are_asked_for() {
        let ahead = BufferedRandom::new(Arc::new(OsRandom));
        let mut seen = std::collections::HashSet::new();
        for length in [16, 600, 40, 2000, 16, 624] {
            let mut bytes = vec![0; length];
            ahead.fill(&mut bytes);
            for piece in bytes.chunks_exact(8) {
                assert!(seen.insert(piece.to_vec()), "{piece:?} came twice");
            }
        }
    }
}
