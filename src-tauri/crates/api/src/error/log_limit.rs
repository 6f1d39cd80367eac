//! Limits how many errors are logged.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many lines may be written at once. One more is allowed after each interval.
const MAX_BURST: u32 = 500;
const REFILL_INTERVAL: Duration = Duration::from_millis(200);

/// Each error of a caller gets a line of the log, until there are too many.
pub(super) struct LogLimit(Mutex<State>);

struct State {
    left: u32,
    since: Option<Instant>,
    skipped: u64,
}

impl LogLimit {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State {
            left: MAX_BURST,
            since: None,
            skipped: 0,
        }))
    }

    /// How many lines were skipped before this one; `None` when this one is skipped, too.
    pub(super) fn admits(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *state.since.get_or_insert(now);
        let more = now.duration_since(since).as_millis() / REFILL_INTERVAL.as_millis();
        if more > 0 {
            let more = u32::try_from(more).unwrap_or(MAX_BURST);
            state.left = state.left.saturating_add(more).min(MAX_BURST);
            state.since = Some(now);
        }
        if state.left == 0 {
            state.skipped += 1;
            return None;
        }
        state.left -= 1;
        Some(std::mem::take(&mut state.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SECURITY.md, "Local interfaces": what one program repeats does not fill the log.
    #[test]
    fn a_hundred_thousand_errors_are_a_few_hundred_lines_and_the_rest_is_counted() {
        let (limit, begun) = (LogLimit::new(), Instant::now());
        let logged = (0..100_000).filter_map(|_| limit.admits(begun)).count();
        assert_eq!(logged, 500);
        assert_eq!(limit.admits(begun + REFILL_INTERVAL), Some(99_500));
        assert_eq!(limit.admits(begun + REFILL_INTERVAL), None);
        assert_eq!(limit.admits(begun + Duration::from_secs(3600)), Some(1));
    }
}
