//! When a token is refreshed, and how long to wait after a failure.

use std::time::Duration;
use tokenry_core::{Random, Timestamp};

/// How long a token must still live for a caller, in milliseconds: what it asked for, at least 30 s, but never more
/// than 80 % of what the provider grants, or one caller could force a refresh at every call.
pub(super) fn required_validity(asked: Duration, obtained_at: Timestamp, expires_at: Timestamp) -> i64 {
    let life = (expires_at.as_millisecond() - obtained_at.as_millisecond()).max(0);
    let asked = i64::try_from(asked.as_millis()).unwrap_or(i64::MAX).max(30_000);
    asked.min(life / 5 * 4)
}

/// A lifetime so short, in milliseconds, that a token is only fetched on request.
const SHORT_LIFETIME_MS: i64 = 10_000;

/// When a token is due for its refresh: `leeway` seconds before its end, or by default at 80 % of its life ± 10 %, at
/// the latest 60 s before its end; and never in the first half of its life.
pub(super) fn refresh_at(
    obtained_at: Timestamp,
    expires_at: Timestamp,
    leeway: Option<u32>,
    random: &dyn Random,
) -> Timestamp {
    let start = obtained_at.as_millisecond();
    let life = (expires_at.as_millisecond() - start).max(0);
    if life < SHORT_LIFETIME_MS {
        // Kept fresh by the schedule, it would be a request every few seconds. A caller that needs one asks for it.
        return Timestamp::from_millisecond(start + 60_000).unwrap_or(expires_at);
    }
    let due = match leeway {
        // Up to 10 % earlier, so that not all are due at once.
        Some(seconds) => life - (f64::from(seconds) * 1000.0 * (1.0 + fraction(random) * 0.1)) as i64,
        None => (life as f64 * (0.8 + (fraction(random) - 0.5) * 0.2)) as i64,
    };
    let latest = if leeway.is_some() { life } else { life - 60_000 };
    let due = due.min(latest).max(life / 2);
    Timestamp::from_millisecond(start + due).unwrap_or(expires_at)
}

/// How long to wait after the `attempt`th failure in a row: full jitter below a doubling limit, between 1 s and
/// 5 min. What the provider asked for counts when it is longer.
pub(crate) fn backoff(attempt: u32, retry_after: Option<Duration>, random: &dyn Random) -> Duration {
    let limit = 2_f64.powi(attempt.clamp(1, 9) as i32).min(300.0);
    let jitter = Duration::from_secs_f64((limit * fraction(random)).max(1.0));
    retry_after.map_or(jitter, |asked| asked.max(jitter))
}

/// How long after a refusal that keeps coming with the same words it is tried again.
pub(super) const REFUSED_RETRY_INTERVAL: Duration = Duration::from_secs(3600);

/// A number in 0..1.
fn fraction(random: &dyn Random) -> f64 {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::OsRandom;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_refresh_is_due_at_80_percent_of_the_life_and_a_minute_before_the_end() {
        for _ in 0..1000 {
            let due = refresh_at(at(0), at(3600), None, &OsRandom).as_second();
            assert!((2519..=3240).contains(&due), "{due}");
            let short = refresh_at(at(0), at(300), None, &OsRandom).as_second();
            assert!((150..=240).contains(&short), "{short}");
            let tiny = refresh_at(at(0), at(10), None, &OsRandom).as_second();
            assert!((5..=9).contains(&tiny), "{tiny}");
            assert_eq!(refresh_at(at(0), at(9), None, &OsRandom).as_second(), 60);
            let early = refresh_at(at(0), at(3600), Some(600), &OsRandom).as_second();
            assert!((2940..=3000).contains(&early), "{early}");
            let half = refresh_at(at(0), at(3600), Some(4000), &OsRandom).as_second();
            assert_eq!(half, 1800, "never in the first half");
            let late = refresh_at(at(0), at(3600), Some(5), &OsRandom).as_second();
            assert!((3594..=3595).contains(&late), "{late}");
        }
    }

    #[test]
    fn a_caller_cannot_ask_for_more_than_four_fifths_of_what_the_provider_grants() {
        assert_eq!(
            required_validity(Duration::from_secs(7200), at(0), at(3600)),
            2_880_000
        );
        assert_eq!(required_validity(Duration::ZERO, at(0), at(3600)), 30_000);
        assert_eq!(required_validity(Duration::ZERO, at(0), at(5)), 4_000);
        assert_eq!(
            required_validity(Duration::from_secs(600), at(0), at(3600)),
            600_000
        );
    }

    #[test]
    fn backoff_stays_between_a_second_and_five_minutes_and_honours_retry_after() {
        for attempt in 0..40 {
            let wait = backoff(attempt, None, &OsRandom);
            assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(300));
        }
        assert!(backoff(1, Some(Duration::from_secs(3600)), &OsRandom) == Duration::from_secs(3600));
    }
}
