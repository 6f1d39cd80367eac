//! A clock that moves only when a test moves it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokenry_core::{Clock, Timestamp};

/// A clock that moves only when a test moves it. Clones show the same time, so a test can keep one.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: Timestamp,
    boot: Duration,
}

impl FixedClock {
    /// A clock that shows `wall` (UTC), on a machine that started an hour ago.
    pub fn at(wall: Timestamp) -> Self {
        let boot = Duration::from_secs(3600);
        Self(Arc::new(Mutex::new(Hands { wall, boot })))
    }

    /// Time passes: both the wall clock and the time since start go on.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        let millis = hands.wall.as_millisecond() + i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2);
        hands.wall = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        hands.boot += by;
    }

    /// Sets the wall clock forwards or back, and leaves the time since start as it is.
    pub fn set(&self, wall: Timestamp) {
        self.hands().wall = wall;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FixedClock {
    /// A clock at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.hands().wall
    }

    fn boottime(&self) -> Duration {
        self.hands().boot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told_and_clones_show_the_same_time() {
        let clock = FixedClock::default();
        let seen = clock.clone();
        assert_eq!(seen.now().to_string(), "2026-01-01T00:00:00Z");
        clock.advance(Duration::from_millis(1500));
        assert_eq!(seen.now().to_string(), "2026-01-01T00:00:01.5Z");
        assert_eq!(seen.boottime(), Duration::from_millis(3_601_500));
    }

    #[test]
    fn setting_the_wall_clock_back_leaves_the_time_since_start() {
        let clock = FixedClock::default();
        clock.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        assert_eq!(clock.boottime(), Duration::from_secs(3600));
    }
}
