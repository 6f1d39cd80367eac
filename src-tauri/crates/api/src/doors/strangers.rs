use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often it is said at most that somebody was turned away.
const EVERY: Duration = Duration::from_secs(60);

/// Tells the log of connections of other users: of the first at once, and then at most once a minute of how many
/// there were. Whoever knocks a thousand times a second writes no thousand lines.
#[derive(Default)]
pub(super) struct Strangers(Mutex<Untold>);

#[derive(Default)]
struct Untold {
    count: u64,
    told: Option<Instant>,
}

impl Strangers {
    /// Counts one more at this door.
    pub(super) fn turned_away(&self, door: &str) {
        if let Some(count) = self.count(Instant::now()) {
            tracing::warn!("connections of another user to {door} were closed: {count}");
        }
    }

    /// How many are to be told of now, if any.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold.count += 1;
        let is_due = untold.told.is_none_or(|told| now.duration_since(told) >= EVERY);
        is_due.then(|| {
            untold.told = Some(now);
            std::mem::take(&mut untold.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Local interfaces": another user's knocking fills no log.
    #[test]
    fn a_thousand_strangers_are_told_of_in_two_lines() {
        let (strangers, begun) = (Strangers::default(), Instant::now());
        let told: Vec<_> = (0..1000).filter_map(|_| strangers.count(begun)).collect();
        assert_eq!(told, [1]);
        assert_eq!(strangers.count(begun + EVERY), Some(1000));
    }
}
