//! Times and formats of exports, and the query of a request.

use crate::http::{encoded, path};
use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    Table,
    /// CSV for spreadsheets (RFC 4180)
    Csv,
    /// One JSON object per line
    JsonLines,
}

/// A moment, or how long ago it was: `2027-01-31T12:00:00Z`, `90m`, `24h`, `7d`.
pub(crate) fn since(text: &str) -> Result<Timestamp, &'static str> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let expected = "expected a time like 2027-01-31T12:00:00Z (RFC 3339), or how long ago: 90m, 24h, 7d";
    let unit = text.chars().next_back().ok_or(expected)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(expected),
    };
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| expected)?;
    let ago = count
        .checked_mul(seconds)
        .filter(|ago| *ago >= 0)
        .ok_or(expected)?;
    Timestamp::now()
        .checked_sub(SignedDuration::from_secs(ago))
        .map_err(|_| expected)
}

/// The target of a request, with the parameters that are given.
pub(crate) fn target(segments: &[&str], parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let query: Vec<_> = given
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let path = path(segments);
    if query.is_empty() {
        path
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_how_long_ago_it_was() {
        let now = Timestamp::now().as_second();
        for (text, ago) in [
            ("0s", 0),
            ("90m", 5_400),
            ("24h", 86_400),
            ("7d", 604_800),
            ("2w", 1_209_600),
        ] {
            let found = since(text).unwrap().as_second();
            assert!((now - ago..=now - ago + 5).contains(&found), "{text}");
        }
        assert_eq!(
            since("2027-01-31T12:00:00Z"),
            Ok("2027-01-31T12:00:00Z".parse().unwrap())
        );
        for wrong in [
            "",
            "d",
            "-1d",
            "1y",
            "1.5h",
            "yesterday",
            "99999999999999999999d",
            "9999999999d",
            "1ü",
        ] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
