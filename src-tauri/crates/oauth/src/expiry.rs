//! When an access token ends, in all forms in which providers say so.

use crate::json::{Object, Value};
use crate::response::Response;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use tokenry_core::{ProviderSettings, Secret};
use zeroize::Zeroizing;

/// Ten years, in seconds.
const MAX_LIFETIME_SECONDS: f64 = 10.0 * 365.25 * 24.0 * 3600.0;

/// From this number on a time is in milliseconds since 1970: in seconds it would be the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;
/// No time is so late, in seconds or in milliseconds.
const FIRST_NONSENSE: f64 = 1e14;

/// How long an access token lives, or until when, as far as the answer or the provider's settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Expiry {
    /// In seconds, at most ten years.
    pub(crate) in_seconds: Option<u64>,
    /// By the server's clock, where it did not say what time it is there.
    pub(crate) at: Option<Timestamp>,
}

/// The token's own `exp` where the settings say so, else `expires_in`, else `expires_at`, else the default of the
/// provider. What is negative or unreadable says nothing.
pub(crate) fn of(
    members: &Object,
    access_token: Option<&Secret>,
    settings: &ProviderSettings,
    response: &Response,
) -> Expiry {
    let jwt = access_token.filter(|_| settings.expiry_from_jwt).and_then(exp);
    if let Some(end) = jwt {
        return until(end, response.date);
    }
    let is_clear = |name: &&str| !members.is_ambiguous(name);
    if let Some(seconds) = Some("expires_in")
        .filter(is_clear)
        .and_then(|_| expires_in(members))
    {
        return seconds_from_now(seconds);
    }
    let end = Some("expires_at")
        .filter(is_clear)
        .and_then(|name| time(members.get(name)?));
    match (end, settings.default_expires_in) {
        (Some(end), _) => until(end, response.date),
        (None, Some(seconds)) => seconds_from_now(u64::from(seconds)),
        (None, None) => Expiry::default(),
    }
}

fn seconds_from_now(seconds: u64) -> Expiry {
    Expiry {
        in_seconds: Some(seconds),
        at: None,
    }
}

/// A time by the server's clock, measured against that clock where it is known: ours may be wrong.
fn until(end: Timestamp, date: Option<Timestamp>) -> Expiry {
    let Some(date) = date else {
        return Expiry {
            in_seconds: None,
            at: Some(end),
        };
    };
    let seconds = (end.as_second() - date.as_second()).max(0) as f64;
    seconds_from_now(seconds.min(MAX_LIFETIME_SECONDS) as u64)
}

/// A number, a float or a text. What is negative or no number is unknown.
fn expires_in(members: &Object) -> Option<u64> {
    seconds(members, "expires_in")
}

/// The same of any member.
pub(crate) fn seconds(members: &Object, name: &str) -> Option<u64> {
    let seconds = members.number(name).filter(|seconds| *seconds >= 0.0)?;
    Some(seconds.min(MAX_LIFETIME_SECONDS) as u64)
}

/// Seconds or milliseconds since 1970, or RFC 3339.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::Number(number) => number.as_str(),
        Value::Text(text) => text.expose().trim(),
        _ => return None,
    };
    match text.parse::<f64>() {
        Ok(number) => since_1970(number),
        Err(_) => text.parse().ok(),
    }
}

fn since_1970(number: f64) -> Option<Timestamp> {
    let number = Some(number).filter(|number| (1.0..FIRST_NONSENSE).contains(number))?;
    let millis = if number >= FIRST_MILLISECONDS {
        number
    } else {
        number * 1000.0
    };
    Timestamp::from_millisecond(millis as i64).ok()
}

/// The `exp` of a JWT (RFC 7519 §4.1.4). Its signature does not matter: the token came from the provider.
fn exp(token: &Secret) -> Option<Timestamp> {
    let mut parts = token.expose().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
    let claims = crate::json::object(&payload).ok()?;
    claims.number("exp").and_then(since_1970)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn members(text: &str) -> Object {
        json::object(text.as_bytes()).unwrap()
    }

    #[test]
    fn expires_in_may_be_a_number_a_float_or_a_text_and_rubbish_is_unknown() {
        for (written, seconds) in [
            ("3600", Some(3600)),
            ("3599.9", Some(3599)),
            ("\"3600\"", Some(3600)),
            ("\" 3600.0 \"", Some(3600)),
            ("0", Some(0)),
            ("1e300", Some(315_576_000)),
            ("18446744073709551615", Some(315_576_000)),
            ("-1", None),
            ("null", None),
            ("\"\"", None),
            ("\"NaN\"", None),
            ("\"soon\"", None),
            ("[3600]", None),
            ("{}", None),
            ("true", None),
        ] {
            let members = members(&format!(r#"{{"expires_in":{written}}}"#));
            assert_eq!(expires_in(&members), seconds, "{written}");
        }
        assert_eq!(expires_in(&members("{}")), None);
    }

    #[test]
    fn a_time_is_in_seconds_milliseconds_or_rfc_3339_and_nothing_else() {
        for (written, seconds) in [
            ("1800000000", Some(1_800_000_000)),
            ("1800000000.9", Some(1_800_000_000)),
            ("\"1800000000\"", Some(1_800_000_000)),
            ("1800000000000", Some(1_800_000_000)),
            ("\" 2027-01-15T08:00:00Z \"", Some(1_800_000_000)),
            ("\"2027-01-15T09:00:00.000+01:00\"", Some(1_800_000_000)),
            ("0", None),
            ("-5", None),
            ("1e14", None),
            ("1e400", None),
            ("\"inf\"", None),
            ("\"NaN\"", None),
            ("\"2027-01-15T08:00:00\"", None),
            ("\"2027-99-15T08:00:00Z\"", None),
            ("\"\"", None),
            ("[]", None),
            ("true", None),
        ] {
            let members = members(&format!(r#"{{"expires_at":{written}}}"#));
            let found = members.get("expires_at").and_then(time);
            assert_eq!(found.map(|at| at.as_second()), seconds, "{written}");
        }
    }

    #[test]
    fn the_end_of_a_jwt_is_read_and_of_anything_else_it_is_unknown() {
        let jwt = |payload: &str| Secret::new(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload)));
        assert_eq!(
            exp(&jwt(r#"{"exp":1800000000}"#)).map(|at| at.as_second()),
            Some(1_800_000_000)
        );
        for other in [
            jwt(r#"{"exp":-1}"#),
            jwt(r#"{"exp":"later"}"#),
            jwt(r#"{"exp":1e99}"#),
            jwt(r#"{}"#),
            jwt("[]"),
            jwt(r#"{"exp":1,"exp":1800000000}"#),
            Secret::new("opaque".into()),
            Secret::new("a.b.c".into()),
            Secret::new("..".into()),
        ] {
            assert_eq!(exp(&other), None, "{}", other.expose());
        }
    }

    #[test]
    fn a_time_is_measured_against_the_clock_of_the_server() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(until(at(1000), Some(at(400))), seconds_from_now(600));
        assert_eq!(until(at(1000), Some(at(2000))), seconds_from_now(0));
        assert_eq!(
            until(at(9_000_000_000), Some(at(0))),
            seconds_from_now(315_576_000)
        );
        assert_eq!(until(at(1000), None).at, Some(at(1000)));
    }
}
