//! The cost of Argon2id, measured on this machine.

use crate::{Error, key::Key};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::time::Duration;
use tokenry_core::{Clock, Secret, SystemClock};
use zeroize::{Zeroize, Zeroizing};

const MEMORY_KIB: std::ops::RangeInclusive<u32> = 19 * 1024..=1024 * 1024;
const PASSES: std::ops::RangeInclusive<u32> = 2..=10;
const LANES: std::ops::RangeInclusive<u32> = 1..=16;

/// How long one guess at a passphrase shall take on this machine.
const TARGET: Duration = Duration::from_millis(500);
/// Raising stops here, so that a vault made on a big machine can be opened on a small one.
const MAX_MEASURED_KIB: u32 = 256 * 1024;

/// What one guess at a passphrase costs: Argon2id version 1.3 (RFC 9106). A value of this type is within the bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// What is used where nothing was measured: 64 MiB, 3 passes, 4 lanes (RFC 9106 §4).
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 4,
    };

    /// A cost of this many KiB, passes and lanes.
    ///
    /// # Errors
    /// [`Error::CostOutOfBounds`] outside 19 MiB to 1 GiB, 2 to 10 passes and 1 to 16 lanes. Nothing is computed
    /// for it, so parameters from a file can neither weaken a vault nor stall the machine.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        let within = MEMORY_KIB.contains(&memory_kib) && PASSES.contains(&passes) && LANES.contains(&lanes);
        within
            .then_some(Self {
                memory_kib,
                passes,
                lanes,
            })
            .ok_or(Error::CostOutOfBounds {
                memory_kib,
                passes,
                lanes,
            })
    }

    /// The least that is accepted: 19 MiB, 2 passes, 1 lane. For tests.
    pub fn cheapest_allowed() -> Self {
        Self {
            memory_kib: *MEMORY_KIB.start(),
            passes: *PASSES.start(),
            lanes: *LANES.start(),
        }
    }

    /// The standard cost, raised towards half a second on this machine. Takes as long as the standard cost does.
    pub fn measured() -> Self {
        Self::measured_by(&SystemClock)
    }

    /// The same by another clock.
    pub fn measured_by(clock: &dyn Clock) -> Self {
        let start = clock.boottime();
        match Self::STANDARD.stretch(&Secret::new(String::new()), &[0; 32]) {
            Ok(_) => Self::STANDARD.raised(clock.boottime().saturating_sub(start)),
            // Too little memory now: the standard cost may still do later, and creating will say if not.
            Err(_) => Self::STANDARD,
        }
    }

    /// Memory first, since that is what guessing machines lack, then passes. Never lower than it was.
    fn raised(self, took: Duration) -> Self {
        let mut cost = self;
        let mut budget = TARGET.as_micros() / took.as_micros().max(1);
        while budget >= 2 && cost.memory_kib * 2 <= MAX_MEASURED_KIB {
            cost.memory_kib *= 2;
            budget /= 2;
        }
        let passes = u128::from(cost.passes) * budget.max(1);
        cost.passes = u32::try_from(passes).unwrap_or(u32::MAX).min(*PASSES.end());
        cost
    }

    /// Memory in KiB, passes and lanes.
    pub(crate) fn parts(self) -> [u32; 3] {
        [self.memory_kib, self.passes, self.lanes]
    }

    /// Turns a passphrase into a key.
    pub(crate) fn stretch(self, passphrase: &Secret, salt: &[u8; 32]) -> Result<Key, Error> {
        let unfit = |_| Error::OutOfMemory {
            memory_kib: self.memory_kib,
        };
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(unfit)?;
        let mut memory = Memory::new(params.block_count()).ok_or(Error::OutOfMemory {
            memory_kib: self.memory_kib,
        })?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.expose().as_bytes(), salt, &mut *key, &mut memory.0)
            .map_err(unfit)?;
        Ok(Key::copied(&key))
    }
}

/// The blocks Argon2 works on. They would tell the passphrase to a guesser for almost nothing, so they are wiped.
struct Memory(Vec<Block>);

impl Memory {
    fn new(blocks: usize) -> Option<Self> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(blocks).ok()?;
        memory.resize(blocks, Block::new());
        Some(Self(memory))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Keys": parameters read from a file are checked against a floor and a ceiling before anything
    /// is computed.
    #[test]
    fn costs_outside_the_bounds_are_refused_at_once() {
        for (memory, passes, lanes) in [
            (0, 3, 4),
            (19 * 1024 - 1, 3, 4),
            (1024 * 1024 + 1, 3, 4),
            (u32::MAX, 3, 4),
            (65536, 1, 4),
            (65536, 11, 4),
            (65536, u32::MAX, 4),
            (65536, 3, 0),
            (65536, 3, 17),
            (65536, 3, u32::MAX),
        ] {
            assert!(matches!(
                Cost::new(memory, passes, lanes),
                Err(Error::CostOutOfBounds { .. })
            ));
        }
        assert_eq!(Cost::new(19 * 1024, 2, 1).unwrap(), Cost::cheapest_allowed());
        assert!(Cost::new(1024 * 1024, 10, 16).is_ok());
    }

    #[test]
    fn a_fast_machine_pays_more_and_a_slow_one_never_less_than_the_standard() {
        let raised = |millis| Cost::STANDARD.raised(Duration::from_millis(millis)).parts();
        assert_eq!(raised(5000), [65536, 3, 4]);
        assert_eq!(raised(400), [65536, 3, 4]);
        assert_eq!(raised(200), [131_072, 3, 4]);
        assert_eq!(raised(100), [262_144, 3, 4]);
        assert_eq!(raised(60), [262_144, 6, 4]);
        assert_eq!(raised(0), [262_144, 10, 4]);
    }

    #[test]
    fn the_measured_cost_is_within_the_bounds() {
        let [memory, passes, lanes] = Cost::measured().parts();
        assert!(Cost::new(memory, passes, lanes).is_ok());
        assert!(memory >= 65536 && passes >= 3 && lanes == 4);
    }
}
