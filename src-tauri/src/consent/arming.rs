//! When the user can allow a prompt: some time after it is shown.

use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a prompt must have been on screen, in a window that has the focus, before it can be allowed. A user who was typing
/// or clicking when it appeared must not allow it by accident.
pub(super) const ARM_DELAY: Duration = Duration::from_millis(700);

/// Which prompt is on screen, and since when.
#[derive(Debug, Default)]
pub(super) struct Arming {
    shown: Option<Shown>,
    focus: Focus,
}

#[derive(Debug)]
struct Shown {
    id: String,
    /// The prompt without the number of prompts after it, which the user need not read again.
    content: Value,
    since: Instant,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Focus {
    /// The window system did not report it; a display without a window manager does not.
    #[default]
    Unknown,
    Since(Instant),
    Elsewhere,
}

/// Why a prompt cannot be allowed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooEarly {
    #[error("this permission request is not the one on screen; read the one that is")]
    NotShown,
    #[error("the window does not have the focus; read the permission request and answer again")]
    NoFocus,
    #[error("the permission request has only just appeared; read it and answer again")]
    Unread,
}

impl Arming {
    /// A new window opened, which shows no prompt yet.
    pub(super) fn opened(&mut self) {
        *self = Self::default();
    }

    /// The page got this prompt to show, or none.
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

    /// The prompt on screen.
    pub(super) fn on_screen(&self) -> Option<&str> {
        self.shown.as_ref().map(|shown| shown.id.as_str())
    }

    /// Whether the user has had the time to read the prompt with this id.
    pub(super) fn may_allow(&self, id: &str, now: Instant) -> Result<(), TooEarly> {
        let shown = self.shown.as_ref().filter(|shown| shown.id == id);
        let shown = shown.ok_or(TooEarly::NotShown)?.since;
        let since = match self.focus {
            Focus::Unknown => shown,
            Focus::Since(focused) => shown.max(focused),
            Focus::Elsewhere => return Err(TooEarly::NoFocus),
        };
        if now.saturating_duration_since(since) < ARM_DELAY {
            return Err(TooEarly::Unread);
        }
        Ok(())
    }
}

/// SECURITY.md, "Local interfaces": Allow works after 700 ms in focus.
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JUST_BEFORE: Duration = Duration::from_millis(699);

    fn prompt(id: &str, scope: &str, waiting: u32) -> Value {
        json!({"id": id, "requested_scopes": [scope], "waiting": waiting})
    }

    #[test]
    fn a_yes_counts_once_the_question_was_on_screen_long_enough() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&prompt("a", "repo", 0)), start);
        assert_eq!(arming.may_allow("a", start + JUST_BEFORE), Err(TooEarly::Unread));
        assert_eq!(arming.may_allow("a", start + ARM_DELAY), Ok(()));
    }

    #[test]
    fn a_prompt_that_was_not_shown_cannot_be_allowed_however_long_it_waits() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        let later = start + Duration::from_secs(50);
        assert_eq!(arming.may_allow("a", later), Err(TooEarly::NotShown));
        arming.showed(Some(&prompt("a", "repo", 1)), start);
        assert_eq!(arming.may_allow("b", later), Err(TooEarly::NotShown));
        arming.showed(None, start);
        assert_eq!(arming.may_allow("a", later), Err(TooEarly::NotShown));
    }

    #[test]
    fn a_prompt_whose_content_changes_has_to_be_read_again() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&prompt("a", "read", 0)), start);
        arming.showed(Some(&prompt("a", "write", 0)), start + ARM_DELAY);
        assert_eq!(arming.may_allow("a", start + ARM_DELAY), Err(TooEarly::Unread));
        assert_eq!(arming.may_allow("a", start + 2 * ARM_DELAY), Ok(()));
    }

    #[test]
    fn another_prompt_behind_it_does_not_restart_the_delay() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&prompt("a", "read", 0)), start);
        arming.showed(Some(&prompt("a", "read", 3)), start + ARM_DELAY);
        assert_eq!(arming.may_allow("a", start + ARM_DELAY), Ok(()));
    }

    #[test]
    fn the_delay_runs_in_focus_only_and_restarts_each_time() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&prompt("a", "read", 0)), start);
        let came_back = start + 3 * ARM_DELAY;
        arming.focused(false, start);
        assert_eq!(arming.may_allow("a", came_back), Err(TooEarly::NoFocus));
        arming.focused(true, came_back);
        assert_eq!(
            arming.may_allow("a", came_back + JUST_BEFORE),
            Err(TooEarly::Unread)
        );
        arming.focused(true, came_back + JUST_BEFORE);
        assert_eq!(arming.may_allow("a", came_back + ARM_DELAY), Ok(()));
    }

    #[test]
    fn a_new_window_restarts_the_delay() {
        let (mut arming, start) = (Arming::default(), Instant::now());
        arming.showed(Some(&prompt("a", "read", 0)), start);
        arming.opened();
        assert_eq!(arming.on_screen(), None);
        assert_eq!(arming.may_allow("a", start + ARM_DELAY), Err(TooEarly::NotShown));
    }
}
