use super::session::Who;
use std::{collections::HashMap, time::Duration};
use tokenry_core::Timestamp;

/// How long nobody is asked again after a first no, and the longest that grows to.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After this long without another no, all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// Who was told no, and how long they are not to come again.
#[derive(Default)]
pub(super) struct Pauses(HashMap<Option<Who>, Pause>);

#[derive(Clone, Copy)]
struct Pause {
    since: Timestamp,
    length: Duration,
}

impl Pauses {
    /// A no: each makes the pause three times as long.
    pub(super) fn denied(&mut self, who: Option<Who>, now: Timestamp) {
        self.0
            .retain(|_, pause| now.duration_since(pause.since).unsigned_abs() < FORGOTTEN);
        let length = self
            .0
            .get(&who)
            .map_or(FIRST, |before| (before.length * 3).min(LONGEST));
        self.0.insert(who, Pause { since: now, length });
    }

    /// A yes: the person wants it after all.
    pub(super) fn allowed(&mut self, who: &Option<Who>) {
        self.0.remove(who);
    }

    /// How long there is still to wait.
    pub(super) fn left(&self, who: &Option<Who>, now: Timestamp) -> Option<Duration> {
        let pause = self.0.get(who)?;
        let gone = now.duration_since(pause.since);
        if gone.is_negative() {
            return None;
        }
        pause
            .length
            .checked_sub(gone.unsigned_abs())
            .filter(|left| !left.is_zero())
    }
}
