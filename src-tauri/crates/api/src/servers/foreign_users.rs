//! Connections of other users, which are rejected and logged in few lines.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// At most one line in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Logs connections of other users: the first at once, and then at most once a minute how many there were. So a thousand
/// connections a second do not write a thousand lines.
#[derive(Default)]
pub(super) struct ForeignUsers(Mutex<State>);

#[derive(Default)]
struct State {
    count: u64,
    logged_at: Option<Instant>,
}

impl ForeignUsers {
    /// Counts one more connection to this server.
    pub(super) fn rejected(&self, server: &str) {
        if let Some(count) = self.count(Instant::now()) {
            tracing::warn!("connections of another user to {server} were rejected: {count}");
        }
    }

    /// How many to log now, if any.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        let is_due = state
            .logged_at
            .is_none_or(|at| now.duration_since(at) >= LOG_INTERVAL);
        is_due.then(|| {
            state.logged_at = Some(now);
            std::mem::take(&mut state.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SECURITY.md, "Local interfaces": connections of another user do not fill the log.
    #[test]
    fn a_thousand_rejected_connections_are_two_lines_of_the_log() {
        let (rejected, begun) = (ForeignUsers::default(), Instant::now());
        let logged: Vec<_> = (0..1000).filter_map(|_| rejected.count(begun)).collect();
        assert_eq!(logged, [1]);
        assert_eq!(rejected.count(begun + LOG_INTERVAL), Some(1000));
    }
}
