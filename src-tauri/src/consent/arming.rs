//! When a yes counts: some time after its person could see what it is for.

use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a question must have been on the screen, in a window that has the focus, before it can be allowed: whoever
/// was typing or clicking when it came up must not have allowed it.
pub(super) const ARMS_AFTER: Duration = Duration::from_millis(700);

/// What is on the screen, and since when.
#[derive(Debug, Default)]
pub(super) struct Arming {
    shown: Option<Shown>,
    focus: Focus,
}

#[derive(Debug)]
struct Shown {
    id: String,
    /// All of the question but how many wait behind it, which its person need not read again.
    content: Value,
    since: Instant,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Focus {
    /// This window system never said; a display without a window manager does not.
    #[default]
    NeverSaid,
    Since(Instant),
    Elsewhere,
}

/// Why a yes does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooEarly {
    #[error("this question is not the one on the screen; look at the one that is")]
    NotShown,
    #[error("the window does not have the focus; look at the question and answer again")]
    NoFocus,
    #[error("the question came up only just now; read it and answer again")]
    Unread,
}

impl Arming {
    /// A new window, which shows nothing yet.
    pub(super) fn opened(&mut self) {
        *self = Self::default();
    }

    /// The page was handed this question to show, or none.
    pub(super) fn showed(&mut self, prompt: Option<&Value>, now: Instant) {
        let shown = prompt.and_then(|prompt| {
            let id = prompt.get("id")?.as_str()?.to_owned();
            let mut content = prompt.clone();
            if let Some(fields) = content.as_object_mut() {
                fields.remove("waiting");
            }
            Some(Shown {
                id,
                content,
                since: now,
            })
        });
        match (&self.shown, &shown) {
            (Some(before), Some(after)) if before.content == after.content => {}
            _ => self.shown = shown,
        }
    }

    pub(super) fn focused(&mut self, focused: bool, now: Instant) {
        match (focused, &self.focus) {
            (true, Focus::Since(_)) => {}
            (true, _) => self.focus = Focus::Since(now),
            (false, _) => self.focus = Focus::Elsewhere,
        }
    }

    /// The question on the screen.
    pub(super) fn on_the_screen(&self) -> Option<&str> {
        self.shown.as_ref().map(|shown| shown.id.as_str())
    }

    /// Whether its person has had the time to read the question with this id.
    pub(super) fn may_allow(&self, id: &str, now: Instant) -> Result<(), TooEarly> {
        let shown = self.shown.as_ref().filter(|shown| shown.id == id);
        let shown = shown.ok_or(TooEarly::NotShown)?.since;
        let since = match self.focus {
            Focus::NeverSaid => shown,
            Focus::Since(focused) => shown.max(focused),
            Focus::Elsewhere => return Err(TooEarly::NoFocus),
        };
        if now.saturating_duration_since(since) < ARMS_AFTER {
            return Err(TooEarly::Unread);
        }
        Ok(())
    }
}

/// security.md, "Doors": Allow arms after 700 ms in focus.
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JUST_BEFORE: Duration = Duration::from_millis(699);

    fn question(id: &str, scope: &str, waiting: u32) -> Value {
        json!({"id": id, "requested_scopes": [scope], "waiting": waiting})
    }

    #[test]
    fn a_yes_counts_once_the_question_was_on_the_screen_long_enough() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&question("a", "repo", 0)), start);
        assert_eq!(arming.may_allow("a", start + JUST_BEFORE), Err(TooEarly::Unread));
        assert_eq!(arming.may_allow("a", start + ARMS_AFTER), Ok(()));
    }

    #[test]
    fn a_question_that_was_never_shown_cannot_be_allowed_however_long_it_waited() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        let later = start + Duration::from_secs(50);
        assert_eq!(arming.may_allow("a", later), Err(TooEarly::NotShown));
        arming.showed(Some(&question("a", "repo", 1)), start);
        assert_eq!(arming.may_allow("b", later), Err(TooEarly::NotShown));
        arming.showed(None, start);
        assert_eq!(arming.may_allow("a", later), Err(TooEarly::NotShown));
    }

    #[test]
    fn a_question_whose_content_changes_has_to_be_read_again() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&question("a", "read", 0)), start);
        arming.showed(Some(&question("a", "write", 0)), start + ARMS_AFTER);
        assert_eq!(arming.may_allow("a", start + ARMS_AFTER), Err(TooEarly::Unread));
        assert_eq!(arming.may_allow("a", start + 2 * ARMS_AFTER), Ok(()));
    }

    #[test]
    fn another_one_that_waits_behind_it_does_not_start_it_anew() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&question("a", "read", 0)), start);
        arming.showed(Some(&question("a", "read", 3)), start + ARMS_AFTER);
        assert_eq!(arming.may_allow("a", start + ARMS_AFTER), Ok(()));
    }

    #[test]
    fn the_time_runs_in_focus_only_and_from_the_beginning_each_time() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&question("a", "read", 0)), start);
        let came_back = start + 3 * ARMS_AFTER;
        arming.focused(false, start);
        assert_eq!(arming.may_allow("a", came_back), Err(TooEarly::NoFocus));
        arming.focused(true, came_back);
        assert_eq!(
            arming.may_allow("a", came_back + JUST_BEFORE),
            Err(TooEarly::Unread)
        );
        arming.focused(true, came_back + JUST_BEFORE);
        assert_eq!(arming.may_allow("a", came_back + ARMS_AFTER), Ok(()));
    }

    #[test]
    fn a_new_window_begins_anew() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&question("a", "read", 0)), start);
        arming.opened();
        assert_eq!(arming.on_the_screen(), None);
        assert_eq!(arming.may_allow("a", start + ARMS_AFTER), Err(TooEarly::NotShown));
    }
}
