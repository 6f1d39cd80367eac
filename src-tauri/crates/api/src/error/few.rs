use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many lines may be written at once, and one more in each of these spans.
const AT_ONCE: u32 = 500;
const ONE_MORE: Duration = Duration::from_millis(200);

/// Keeps what callers did wrong from filling the log: each gets a line, until it is too many.
pub(super) struct Few(Mutex<State>);

struct State {
    left: u32,
    since: Option<Instant>,
    untold: u64,
}

impl Few {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State {
            left: AT_ONCE,
            since: None,
            untold: 0,
        }))
    }

    /// How many lines were left out before this one; `None` when this one is left out, too.
    pub(super) fn admits(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *state.since.get_or_insert(now);
        let more = now.duration_since(since).as_millis() / ONE_MORE.as_millis();
        if more > 0 {
            let more = u32::try_from(more).unwrap_or(AT_ONCE);
            state.left = state.left.saturating_add(more).min(AT_ONCE);
            state.since = Some(now);
        }
        if state.left == 0 {
            state.untold += 1;
            return None;
        }
        state.left -= 1;
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Local interfaces": what one program repeats fills no log.
    #[test]
    fn a_hundred_thousand_errors_are_a_few_hundred_lines_and_the_rest_is_counted() {
        let (few, begun) = (Few::new(), Instant::now());
        let told = (0..100_000).filter_map(|_| few.admits(begun)).count();
        assert_eq!(told, 500);
        assert_eq!(few.admits(begun + ONE_MORE), Some(99_500));
        assert_eq!(few.admits(begun + ONE_MORE), None);
        assert_eq!(few.admits(begun + Duration::from_secs(3600)), Some(1));
    }
}
