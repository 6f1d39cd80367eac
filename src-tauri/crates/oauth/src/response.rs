use crate::Failure;
use crate::json::{self, Object};
use jiff::Timestamp;
use std::time::Duration;
use zeroize::Zeroizing;

/// The longest body that is read, in bytes.
pub(crate) const LIMIT: usize = 256 * 1024;

/// What came back, whoever sent it.
pub(crate) struct Response {
    pub host: String,
    pub status: u16,
    pub media: Media,
    pub retry_after: Option<Duration>,
    /// The server's own clock.
    pub date: Option<Timestamp>,
    pub body: Result<Zeroizing<Vec<u8>>, Cut>,
}

/// Why there is no whole body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    TooLong,
    TimedOut,
    Broken,
}

impl Cut {
    fn words(self) -> &'static str {
        match self {
            Self::TooLong => "it is longer than 256 KiB",
            Self::TimedOut => "it did not end in time",
            Self::Broken => "the connection broke off",
        }
    }
}

/// What the body claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Form,
    Html,
    Other,
}

impl Media {
    pub(crate) fn of(content_type: &str) -> Self {
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "text/html" | "application/xhtml+xml" => Self::Html,
            json if json == "application/json" || json.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

impl Response {
    /// The members of a success, or what the answer means instead. Judged by the status first, because that is
    /// what a proxy or an overloaded server sets, and by the body after.
    pub(crate) fn members(&self) -> Result<Object, Failure> {
        if matches!(self.status, 408 | 425 | 429 | 300..=399) || self.status >= 500 {
            return Err(self.interfered());
        }
        let body = match &self.body {
            Ok(body) => body,
            Err(cut) => return Err(self.unreadable(cut.words())),
        };
        if json::looks_like_html(body) {
            return Err(self.interfered());
        }
        let (members, is_json) = match self.parse(body) {
            Ok(parsed) => parsed,
            Err(_) if self.media == Media::Html => return Err(self.interfered()),
            Err(malformed) => return Err(self.unreadable(malformed)),
        };
        match members.error() {
            Some(_) if self.is_success() && members.has_text("access_token") => {
                Err(self.unreadable("it holds a token and an error at once"))
            }
            Some((error, description)) => Err(self.refused(error, description, is_json)),
            None if self.is_success() => Ok(members),
            None => Err(self.interfered()),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn is_html(&self) -> bool {
        self.media == Media::Html || self.body.as_ref().is_ok_and(|body| json::looks_like_html(body))
    }

    fn parse(&self, body: &[u8]) -> Result<(Object, bool), &'static str> {
        let form = matches!(self.media, Media::Form | Media::Other) && !json::starts_an_object(body);
        if form {
            Ok((json::form(body)?, false))
        } else {
            Ok((json::object(body)?, true))
        }
    }

    fn refused(&self, error: String, description: Option<String>, is_json: bool) -> Failure {
        let credible = is_json && matches!(self.status, 200..=299 | 400 | 401);
        match error.as_str() {
            "temporarily_unavailable" | "server_error" | "slow_down" => self.interfered_with(format!(
                "{} cannot answer at the moment ({error}). Try again in a while.",
                self.host
            )),
            "invalid_grant" if self.media == Media::Html => self.interfered(),
            "invalid_grant" if credible => Failure::InvalidGrant { description },
            _ => Failure::Rejected {
                error,
                description,
                status: self.status,
            },
        }
    }

    /// A 2xx that cannot be read may have been a success; any other status was none.
    fn unreadable(&self, why: &str) -> Failure {
        if !self.is_success() {
            return self.interfered();
        }
        let message = format!("{} answered, but the answer cannot be read: {why}.", self.host);
        Failure::Unanswered { message }
    }

    pub(crate) fn interfered(&self) -> Failure {
        let Self { host, status, .. } = self;
        self.interfered_with(match status {
            300..=399 => format!(
                "{host} answered with a redirect (HTTP {status}), which is never followed. Check the address."
            ),
            408 | 425 | 429 => format!("{host} asks us to wait (HTTP {status}). Try again in a while."),
            500.. => format!("{host} has a problem of its own (HTTP {status}). Try again in a while."),
            _ if self.is_html() => format!(
                "A web page came in place of an answer from {host} (HTTP {status}), perhaps from a proxy or the \
                 sign-in page of a network. Check your network."
            ),
            _ => format!(
                "{host} did not answer as an authorization server does (HTTP {status}). Check the address and \
                 your network."
            ),
        })
    }

    fn interfered_with(&self, message: String) -> Failure {
        Failure::Interfered {
            status: self.status,
            message,
            retry_after: self.retry_after,
        }
    }
}

/// `Retry-After` in seconds or as a date, between one second and one hour (RFC 9110 §10.2.3). A date is measured
/// against the server's own `Date`, so that no clock of ours has to agree with it.
pub(crate) fn retry_after(value: &str, date: Option<Timestamp>) -> Option<Duration> {
    let value = value.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => u64::MAX,
        Err(_) => {
            let wait = http_date(value)?.duration_since(date?).as_secs();
            wait.try_into().unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.clamp(1, 3600)))
}

/// A date as HTTP writes it (RFC 9110 §5.6.7); the two obsolete forms are not read.
pub(crate) fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value.trim())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checklist A4.12: `Retry-After` as seconds or as a date, clamped to 1 s..1 h.
    #[test]
    fn retry_after_is_read_in_both_forms_and_kept_between_a_second_and_an_hour() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(date.is_some());
        for (value, seconds) in [
            ("120", 120),
            (" 5 ", 5),
            ("0", 1),
            ("86400", 3600),
            ("99999999999999999999999999", 3600),
            ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
            ("Sun, 06 Nov 1994 08:49:00 GMT", 1),
            ("Sat, 06 Nov 2094 08:49:00 GMT", 3600),
        ] {
            assert_eq!(
                retry_after(value, date),
                Some(Duration::from_secs(seconds)),
                "{value}"
            );
        }
        for rubbish in ["", "-5", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "١٢"] {
            assert_eq!(retry_after(rubbish, date), None, "{rubbish}");
        }
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:51:37 GMT", None), None);
    }

    #[test]
    fn media_types_are_read_without_case_and_parameters() {
        assert_eq!(Media::of("Application/JSON; charset=utf-8"), Media::Json);
        assert_eq!(Media::of("application/problem+json"), Media::Json);
        assert_eq!(Media::of("text/HTML;charset=x"), Media::Html);
        assert_eq!(Media::of("application/x-www-form-urlencoded"), Media::Form);
        assert_eq!(Media::of(""), Media::Other);
    }
}
