//! Randomness, as a parameter.

/// Where random bytes come from. One implementation for the program, and a predictable one in tests.
pub trait Random: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's random number generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    /// # Panics
    /// When the operating system has no randomness to give: going on would make guessable keys.
    #[expect(clippy::expect_used, reason = "there is no safe way on without randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}
