//! Times as text, relative to now.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The distance of `at` from `now`: "in 52 min", "3 min ago"; the date beyond two months.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    let Some(span) = span(seconds.saturating_abs()) else {
        return day(at);
    };
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

/// The same, and the time itself (RFC 3339, UTC).
pub(crate) fn both(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", relative(at, now), whole_second(at))
}

/// The day and the minute: "Fri 2027-01-15 09:00 UTC".
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%a %Y-%m-%d %H:%M UTC").to_string()
}

/// RFC 3339 without the fraction.
pub(crate) fn whole_second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take("2026-01-01".len()).collect()
}

fn span(seconds: i64) -> Option<String> {
    match seconds {
        0..100 => Some(format!("{seconds} s")),
        100..6000 => Some(format!("{} min", seconds / MINUTE)),
        6000..172_800 => Some(format!("{} h", seconds / HOUR)),
        172_800..5_184_000 => Some(format!("{} days", seconds / DAY)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> String {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        relative(Timestamp::from_second(1_800_000_000 + seconds).unwrap(), now)
    }

    #[test]
    fn a_time_is_said_in_the_largest_unit_that_still_tells_something() {
        assert_eq!(at(0), "now");
        assert_eq!(at(45), "in 45 s");
        assert_eq!(at(52 * MINUTE + 20), "in 52 min");
        assert_eq!(at(-3 * MINUTE), "3 min ago");
        assert_eq!(at(5 * HOUR), "in 5 h");
        assert_eq!(at(-12 * DAY), "12 days ago");
        assert_eq!(at(90 * DAY), "2027-04-15");
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        assert!(relative(Timestamp::MIN, Timestamp::MAX).starts_with('-'));
        assert!(both(Timestamp::MAX, Timestamp::MIN).starts_with("9999-12-30"));
    }
}
