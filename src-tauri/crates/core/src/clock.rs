//! The clock, as a parameter.

use jiff::Timestamp;
use std::time::Duration;

/// Where the engine gets its time from, so that every branch can be tested at any hour.
pub trait Clock: Send + Sync {
    /// The wall clock in UTC, cut to milliseconds.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start that runs on while the machine sleeps. Never goes back.
    fn boottime(&self) -> Duration;
}

/// The time `by` after `at`. A clock near the end of the calendar gives that end, where `+` would panic.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn boottime(&self) -> Duration {
        #[cfg(target_os = "linux")]
        {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            Duration::new(
                time.tv_sec.try_into().unwrap_or(0),
                time.tv_nsec.try_into().unwrap_or(0),
            )
        }
        // macOS and Windows: `Instant` stops during sleep there, the wall clock does not.
        #[cfg(not(target_os = "linux"))]
        {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_after_the_end_of_the_calendar_is_that_end() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(later(at, Duration::from_secs(60)).as_second(), 1_800_000_060);
        for long in [
            Duration::MAX,
            Duration::from_secs(u64::MAX / 2),
            Duration::from_secs(300_000_000_000),
        ] {
            assert_eq!(later(at, long), Timestamp::MAX);
        }
        assert_eq!(later(Timestamp::MAX, Duration::from_nanos(1)), Timestamp::MAX);
    }
}
