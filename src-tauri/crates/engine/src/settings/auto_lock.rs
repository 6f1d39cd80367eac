//! The settings of auto-lock: what changes, and in which words the user sees it.

use crate::{Error, access::consent::Differences};
use tokenry_core::{AutoLock, Settings};

/// A day. A longer wait is as good as none.
const MAX_IDLE_MINUTES: u32 = 24 * 60;

/// When the vault locks by itself from now on. `None` leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AutoLockChange {
    /// After so many minutes in which the user is idle; 0 is never.
    pub idle_minutes: Option<u32>,
    /// When the screen is locked.
    pub screen_lock: Option<bool>,
    /// When the machine suspends.
    pub suspend: Option<bool>,
    /// When another user's session becomes the active one.
    pub user_switch: Option<bool>,
}

impl AutoLockChange {
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.idle_minutes {
            Some(minutes) if minutes > MAX_IDLE_MINUTES => Err(Error::field(
                "idle_minutes",
                format!("must be 1 to {MAX_IDLE_MINUTES}, or 0 to turn it off"),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn applied_to(&self, before: AutoLock) -> AutoLock {
        AutoLock {
            idle_minutes: match self.idle_minutes {
                Some(minutes) => (minutes > 0).then_some(minutes),
                None => before.idle_minutes,
            },
            screen_lock: self.screen_lock.unwrap_or(before.screen_lock),
            suspend: self.suspend.unwrap_or(before.suspend),
            user_switch: self.user_switch.unwrap_or(before.user_switch),
        }
    }
}

/// Each setting of auto-lock that changes: its field in the API, its value before and after.
fn changed(before: Settings, after: Settings) -> Vec<(&'static str, String, String)> {
    let switch = |field, before: bool, after: bool| (field, on_or_off(before), on_or_off(after));
    let (was, is) = (before.auto_lock, after.auto_lock);
    let mut rows = vec![
        (
            "idle_minutes",
            minutes(was.idle_minutes),
            minutes(is.idle_minutes),
        ),
        switch("screen_lock", was.screen_lock, is.screen_lock),
        switch("suspend", was.suspend, is.suspend),
        switch("user_switch", was.user_switch, is.user_switch),
        switch(
            "tokens_while_locked",
            before.tokens_while_locked,
            after.tokens_while_locked,
        ),
    ];
    rows.retain(|(_, before, after)| before != after);
    rows
}

fn on_or_off(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

fn minutes(minutes: Option<u32>) -> String {
    minutes.map_or_else(|| "off".to_owned(), |minutes| minutes.to_string())
}

/// As a question shows them.
pub(super) fn differences(before: Settings, after: Settings) -> Differences {
    let mut differences = Differences::default();
    for (field, before, after) in changed(before, after) {
        differences.decisive(field, Some(before), Some(after));
    }
    differences
}

/// As the activity log has them.
pub(super) fn words(before: Settings, after: Settings) -> Vec<String> {
    let changed = changed(before, after).into_iter();
    changed
        .map(|(field, before, after)| format!("{field}: {before} → {after}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_minutes_turn_the_idle_lock_off_and_more_than_a_day_is_refused() {
        let change = |minutes| AutoLockChange {
            idle_minutes: Some(minutes),
            ..AutoLockChange::default()
        };
        let on = change(15).applied_to(AutoLock::default());
        assert_eq!(on.idle_minutes, Some(15));
        assert_eq!(AutoLockChange::default().applied_to(on), on);
        assert_eq!(change(0).applied_to(on).idle_minutes, None);
        assert!(change(1440).check().is_ok());
        assert!(change(1441).check().is_err() && change(u32::MAX).check().is_err());
    }

    #[test]
    fn the_log_and_the_prompt_name_only_what_changes() {
        let before = Settings::default();
        let mut after = before;
        after.auto_lock.idle_minutes = Some(15);
        after.tokens_while_locked = true;
        assert_eq!(
            words(before, after),
            ["idle_minutes: off → 15", "tokens_while_locked: off → on"]
        );
        assert!(differences(before, before).is_empty() && !differences(before, after).is_empty());
    }
}
