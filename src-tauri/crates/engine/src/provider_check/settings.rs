//! What the settings of a provider say by themselves, and what the clocks do.

use tokenry_core::{CheckedItem, Provider, Redirect, Timestamp};

pub(super) const REDIRECT: &str = "redirect_uri";
pub(super) const PKCE: &str = "pkce";

/// How far two clocks may be apart, in seconds: what servers allow for the times in tokens.
const MAX_SKEW_SECONDS: i64 = 120;

/// The redirect URI that a sign-in would send, as far as it is known before one.
pub(super) fn redirect_uri(provider: &Provider) -> String {
    let own = provider.redirect_uris().into_iter().next();
    // A client that signs in by itself has none, and the code of a check is made up anyway.
    own.unwrap_or_else(|| "http://127.0.0.1/".to_owned())
}

/// Whether a sign-in can use its redirect, by the settings alone.
pub(super) fn redirect(provider: &Provider) -> CheckedItem {
    if provider.settings.redirect == Redirect::DeepLink && !provider.settings.use_pkce {
        return CheckedItem::problem(
            REDIRECT,
            "A deep link needs PKCE, and PKCE is off.",
            "Turn use_pkce on, or use the loopback redirect.",
        );
    }
    let text = "Only a sign-in shows whether the provider knows the redirect URI.";
    CheckedItem::not_checked(REDIRECT, text)
}

pub(super) fn pkce(provider: &Provider) -> CheckedItem {
    match provider.settings.use_pkce {
        true => CheckedItem::ok(PKCE, "Sign-ins use PKCE."),
        false => CheckedItem::warning(
            PKCE,
            "PKCE is off, so a code that another program catches is worth tokens.",
            "Turn use_pkce on, unless the provider refuses it.",
        ),
    }
}

/// Compares our clock with the provider's.
pub(crate) fn clock(theirs: Option<Timestamp>, ours: Timestamp) -> CheckedItem {
    let Some(theirs) = theirs else {
        return CheckedItem::not_checked("clock", "No provider told its time.");
    };
    let seconds = ours.duration_since(theirs).as_secs();
    if seconds.abs() <= MAX_SKEW_SECONDS {
        return CheckedItem::ok("clock", "This computer's clock agrees with the provider's.");
    }
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    CheckedItem::problem(
        "clock",
        format!(
            "This computer's clock is {} s {direction} the provider's.",
            seconds.abs()
        ),
        "Set the clock: `timedatectl set-ntp true`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::CheckResult;

    #[test]
    fn a_clock_may_be_two_minutes_off() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (ours, result) in [
            (1_000, CheckResult::Ok),
            (1_120, CheckResult::Ok),
            (880, CheckResult::Ok),
            (1_121, CheckResult::Problem),
            (879, CheckResult::Problem),
        ] {
            let item = clock(Some(at(1_000)), at(ours));
            assert_eq!(item.result, result, "{ours}");
            assert_eq!(item.text.contains("behind"), ours == 879, "{}", item.text);
        }
        assert_eq!(clock(None, at(0)).result, CheckResult::NotChecked);
    }
}
