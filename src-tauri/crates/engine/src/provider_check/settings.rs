//! What the settings of a provider say by themselves, and what the clocks do.

use tokenry_core::{CheckedItem, Provider, Redirect, Timestamp};

pub(super) const REDIRECT: &str = "redirect_uri";
pub(super) const PKCE: &str = "pkce";

/// How far two clocks may be apart, in seconds: what servers allow for the times in tokens.
const MAX_SKEW_SECONDS: i64 = 120;

/// The settings that make the form of a redirect URI. What is known of a provider names those that it takes.
const FORM_OF_REDIRECT: [&str; 4] = ["redirect", "loopback_host", "loopback_any_port", "deep_link_form"];

/// The end of a client secret is told this many seconds before.
const SECRET_NOTICE_SECONDS: i64 = 30 * 86_400;

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
    let Some(preset) = &provider.preset else {
        let text = "Only a sign-in shows whether the provider knows the redirect URI.";
        return CheckedItem::not_checked(REDIRECT, text);
    };
    let changed = provider.changed_settings();
    let changed: Vec<_> = changed
        .iter()
        .map(String::as_str)
        .filter(|name| FORM_OF_REDIRECT.contains(name))
        .collect();
    if changed.is_empty() {
        let text = format!(
            "The redirect URI has the form that the preset {} knows. Only a sign-in shows whether it is registered.",
            preset.name
        );
        return CheckedItem::not_checked(REDIRECT, text);
    }
    let names = changed.join(", ");
    CheckedItem::warning(
        REDIRECT,
        format!(
            "The redirect URI has another form than the preset {} knows ({names}), so the provider may refuse it.",
            preset.name
        ),
        format!(
            "Set back what was changed, unless a sign-in with {} works.",
            redirect_uri(provider)
        ),
    )
}

/// The end of the secret that the provider gave Tokenry (RFC 7591 §3.2.1), where it told one.
pub(super) fn client_secret(provider: &Provider, now: Timestamp) -> Option<CheckedItem> {
    const NAME: &str = "client_secret";
    let ends_at = provider.client_secret_ends()?;
    let next = format!(
        "Remove {0} and add it again by its address, so that Tokenry registers once more.",
        provider.name
    );
    let day = ends_at.strftime("%Y-%m-%d");
    let left = ends_at.duration_since(now).as_secs();
    Some(if left <= 0 {
        CheckedItem::problem(NAME, format!("The client secret ended on {day}."), next)
    } else if left <= SECRET_NOTICE_SECONDS {
        CheckedItem::warning(NAME, format!("The client secret ends on {day}."), next)
    } else {
        CheckedItem::ok(NAME, format!("The client secret is good until {day}."))
    })
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

    fn provider(members: serde_json::Value) -> Provider {
        let id = tokenry_core::ProviderId::new(&tokenry_core::SystemClock, &tokenry_core::OsRandom);
        let serde_json::Value::Object(members) = members else {
            panic!("{members}")
        };
        let patch = crate::providers::presets::filled_in(members.into()).unwrap();
        let (provider, problems) = Provider::create(id, patch, Timestamp::UNIX_EPOCH).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        provider
    }

    #[test]
    fn a_redirect_that_the_preset_does_not_know_is_a_warning_that_names_the_setting() {
        let of = |more: serde_json::Value| {
            let mut members = serde_json::json!({"client_id": "abc", "preset": {"name": "microsoft"}});
            let serde_json::Value::Object(more) = more else {
                panic!("{more}")
            };
            members.as_object_mut().unwrap().extend(more);
            redirect(&provider(members))
        };
        let as_known = of(serde_json::json!({"default_scopes": ["openid"]}));
        assert_eq!(as_known.result, CheckResult::NotChecked);
        assert!(
            as_known.text.contains("the preset microsoft knows"),
            "{}",
            as_known.text
        );
        for (name, value) in [("loopback_host", "127.0.0.1"), ("redirect", "deep_link")] {
            let item = of(serde_json::json!({ name: value }));
            assert_eq!(item.result, CheckResult::Warning, "{name}");
            assert!(item.text.contains(name), "{}", item.text);
        }
    }

    /// Checklist A6.8.
    #[test]
    fn the_end_of_a_client_secret_is_told_30_days_before() {
        let day = |days: i64| Timestamp::from_second(days * 86_400).unwrap();
        let mut provider = provider(serde_json::json!({
            "name": "example", "client_id": "c1", "client_secret": "s", "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/a", "token_endpoint": "https://as.example/t",
        }));
        assert!(client_secret(&provider, day(0)).is_none());
        provider.registration = Some(tokenry_core::Registration {
            issuer: "https://as.example".to_owned(),
            client_id: "c1".to_owned(),
            client_secret_expires_at: Some(day(100)),
            uri: None,
            access_token: None,
        });
        for (today, result) in [
            (69, CheckResult::Ok),
            (70, CheckResult::Warning),
            (99, CheckResult::Warning),
            (100, CheckResult::Problem),
        ] {
            let item = client_secret(&provider, day(today)).unwrap();
            assert_eq!(item.result, result, "{today}");
            assert!(item.text.contains("1970-04-11"), "{}", item.text);
        }
        provider.client_secret = None;
        assert!(client_secret(&provider, day(100)).is_none());
    }

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
