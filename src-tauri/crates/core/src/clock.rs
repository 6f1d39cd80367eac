use jiff::Timestamp;
use std::time::Duration;

/// Where the engine gets its time from, so that every branch can be tested at any hour.
pub trait Clock: Send + Sync {
    /// The wall clock in UTC, cut to milliseconds.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start that runs on while the machine sleeps. Never goes back.
    fn boottime(&self) -> Duration;
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
