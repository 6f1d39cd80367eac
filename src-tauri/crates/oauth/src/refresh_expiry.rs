//! How long a refresh token lives, as a token response tells it.

use crate::expiry::{seconds, time};
use crate::json::Object;
use jiff::Timestamp;

/// How long a token lives, as an answer tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// So many seconds from now.
    Seconds(u64),
    /// Until this time.
    Until(Timestamp),
}

/// No RFC has this one: the names are those of GitHub, Slack and others, of Keycloak, and of Intuit.
pub(crate) fn of(members: &Object) -> Option<Lifetime> {
    const IN: [&str; 3] = [
        "refresh_token_expires_in",
        "refresh_expires_in",
        "x_refresh_token_expires_in",
    ];
    const AT: [&str; 2] = ["refresh_token_expires_at", "refresh_expires_at"];
    let is_clear = |name: &&&str| !members.is_ambiguous(name);
    let told = IN.iter().filter(is_clear).find_map(|name| seconds(members, name));
    let until = || {
        AT.iter()
            .filter(is_clear)
            .find_map(|name| time(members.get(name)?))
    };
    told.map(Lifetime::Seconds)
        .or_else(|| until().map(Lifetime::Until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn the_end_of_a_refresh_token_has_many_names_and_rubbish_is_unknown() {
        let until = |text: &str| Some(Lifetime::Until(text.parse().unwrap()));
        for (written, told) in [
            (
                r#"{"refresh_token_expires_in":15552000}"#,
                Some(Lifetime::Seconds(15_552_000)),
            ),
            (r#"{"refresh_expires_in":"1800"}"#, Some(Lifetime::Seconds(1800))),
            (r#"{"refresh_expires_in":0}"#, Some(Lifetime::Seconds(0))),
            (
                r#"{"x_refresh_token_expires_in":8726400}"#,
                Some(Lifetime::Seconds(8_726_400)),
            ),
            (
                r#"{"refresh_token_expires_at":1800000000}"#,
                until("2027-01-15T08:00:00Z"),
            ),
            (
                r#"{"refresh_token_expires_at":"1800000000000"}"#,
                until("2027-01-15T08:00:00Z"),
            ),
            (
                r#"{"refresh_token_expires_at":"2027-01-15T09:00:00+01:00"}"#,
                until("2027-01-15T08:00:00Z"),
            ),
            (
                r#"{"refresh_token_expires_in":null,"refresh_expires_in":60}"#,
                Some(Lifetime::Seconds(60)),
            ),
            (r#"{"refresh_token_expires_in":-1}"#, None),
            (r#"{"refresh_token_expires_at":"soon"}"#, None),
            (r#"{"refresh_token_expires_at":1e300}"#, None),
            (r#"{"refresh_token_expires_at":[1800000000]}"#, None),
            ("{}", None),
        ] {
            assert_eq!(of(&json::object(written.as_bytes()).unwrap()), told, "{written}");
        }
    }
}
