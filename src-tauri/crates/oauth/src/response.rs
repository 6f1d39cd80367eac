//! Reads a response of a provider.

use crate::failure::told;
use crate::json::{self, Flaw, Object, Value};
use crate::paths::{self, Paths};
use crate::words::Words;
use crate::{Failure, words};
use jiff::Timestamp;
use std::time::Duration;
use zeroize::Zeroizing;

/// The longest body that is read, in bytes.
pub(crate) const LIMIT: usize = 256 * 1024;

/// A response, of the provider or of a server in between.
pub(crate) struct Response {
    pub host: String,
    pub status: u16,
    pub media: Media,
    pub retry_after: Option<Duration>,
    /// The server's own clock.
    pub date: Option<Timestamp>,
    /// The version of what it answers (RFC 9110 §8.8.3).
    pub etag: Option<String>,
    /// What it asks for before it answers (RFC 9110 §11.6.1).
    pub challenges: Vec<String>,
    /// Whether it brought a nonce for proofs (RFC 9449 §8.2).
    pub brought_nonce: bool,
    /// As much of the body as came, decoded.
    pub body: Zeroizing<Vec<u8>>,
    /// Why that is not all of it.
    pub cut: Option<Cut>,
    /// The secrets of the request: a server may repeat them in what it says.
    pub sent: Vec<Zeroizing<String>>,
    /// Where the provider puts the members of a token answer, where that is not as in RFC 6749.
    pub paths: Paths,
}

/// Why there is no whole body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    TooLong,
    TimedOut,
    Broken,
    Damaged,
    UnknownCoding,
}

impl Cut {
    fn words(self) -> &'static str {
        match self {
            Self::TooLong => "it is longer than 256 KiB",
            Self::TimedOut => "it did not end in time",
            Self::Broken => "the connection broke off",
            Self::Damaged => "its compressed data is damaged or ends too early",
            Self::UnknownCoding => "it is compressed in a way that was not asked for and is not known",
        }
    }
}

/// What the body claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Form,
    Html,
    /// RFC 7519 §10.3.1.
    Jwt,
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
            "application/jwt" => Self::Jwt,
            "text/html" | "application/xhtml+xml" => Self::Html,
            json if json == "application/json" || json.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

/// The members of a token answer, and what is wrong with it otherwise.
pub(crate) struct TokenMembers {
    pub(crate) members: Object,
    pub(crate) wrong: Vec<String>,
    /// Whether members may be missing because a part of the answer could not be read.
    pub(crate) is_incomplete: bool,
    /// Whether it says that it is an error.
    pub(crate) says_error: bool,
    /// The answer as it came; nothing where parts of it had to be searched for.
    pub(crate) whole: Value,
}

/// A body as far as it could be read.
struct Parsed {
    value: Value,
    flaw: Option<Flaw>,
    is_json: bool,
}

impl Response {
    /// The members of a success, or what the answer means instead. Judged by the status first, because that is
    /// what a proxy or an overloaded server sets, and by the body after.
    pub(crate) fn members(&self) -> Result<Object, Failure> {
        if self.is_of_another() {
            return Err(self.interfered());
        }
        if !self.is_success() {
            return Err(self.not_a_success());
        }
        if let Some(cut) = self.cut {
            return Err(self.unreadable(cut.words()));
        }
        match self.parse() {
            Some(Parsed {
                flaw: Some(flaw @ (Flaw::Truncated | Flaw::Malformed | Flaw::TooDeep)),
                ..
            }) => Err(self.unreadable(flaw.words())),
            Some(parsed) if self.says_error(&parsed.value) => Err(self.refused(&parsed)),
            Some(Parsed {
                value: Value::Object(object),
                ..
            }) => Ok(object),
            Some(_) => Err(self.unreadable("it is not a JSON object")),
            None if self.media == Media::Html => Err(self.interfered()),
            None => Err(self.unreadable("it is neither JSON nor a form")),
        }
    }

    /// The members of a token answer (RFC 6749 §5.1), as far as they can be read, under their standard names. Whatever is
    /// wrong with the rest is noted beside them. `is_first` says that the answer is not to a refresh: see
    /// [`paths::standard`].
    pub(crate) fn token_members(&self, is_first: bool) -> Result<TokenMembers, Failure> {
        if !self.is_success() {
            return Err(self.members().err().unwrap_or_else(|| self.interfered()));
        }
        let parsed = self.parse().filter(|_| !json::looks_like_html(&self.body));
        let flaw = parsed.as_ref().and_then(|parsed| parsed.flaw);
        let is_whole_json = parsed.as_ref().is_some_and(|parsed| parsed.is_json) && !is_unreliable(flaw);
        let mut is_incomplete = self.cut.is_some() && !is_whole_json;
        let mut wrong: Vec<String> = self.cut.iter().map(|cut| cut.words().to_owned()).collect();
        wrong.extend(
            flaw.filter(|_| self.cut.is_none())
                .map(|flaw| flaw.words().to_owned()),
        );
        let standard = parsed
            .as_ref()
            .map(|parsed| paths::standard(&parsed.value, &self.paths, is_first))
            .filter(|standard| has_token(standard) && !is_unreliable(flaw));
        let (members, says_error, whole) = match (parsed, standard) {
            (Some(Parsed { value, .. }), Some(standard)) => {
                let says_error = self.says_error(&value);
                if says_error {
                    let words = self.words(&value);
                    let error = words.error.unwrap_or_default();
                    wrong.push(format!(
                        "it holds tokens and an error at once: {error}{}",
                        told(&words.description)
                    ));
                }
                (standard.into_object(), says_error, value)
            }
            // Something in it or around it is no JSON: what is needed is searched for.
            (parsed, _) if is_unreliable(flaw) || (parsed.is_none() && self.may_hold_tokens()) => {
                is_incomplete = true;
                if parsed.is_none() {
                    wrong.push(Flaw::JunkAround.words().to_owned());
                }
                let written = |name| paths::written(name, &self.paths);
                (json::salvage(&self.body, written), false, Value::Other)
            }
            (parsed, _) => return Err(self.without_tokens(parsed)),
        };
        if !members.has_text("access_token") && !members.has_text("refresh_token") {
            return Err(match self.members() {
                Err(failure) => failure,
                Ok(_) => self.unreadable("it holds no token"),
            });
        }
        Ok(TokenMembers {
            members,
            wrong,
            is_incomplete,
            says_error,
            whole,
        })
    }

    /// The code of a refusal, in whatever status and shape it came.
    pub(crate) fn error_code(&self) -> Option<String> {
        let parsed = self.parse().filter(|_| !json::looks_like_html(&self.body))?;
        self.words(&parsed.value).error
    }

    /// What a success without any token means: a refusal, where it says so in words.
    fn without_tokens(&self, parsed: Option<Parsed>) -> Failure {
        if let Err(failure) = self.members() {
            return failure;
        }
        match parsed {
            Some(parsed) if self.words(&parsed.value).error.is_some() => self.refused(&parsed),
            _ => Failure::Unanswered {
                message: format!("{} answered without an access token.", self.host),
            },
        }
    }

    /// Whether a body that starts as nothing that can be read may still be an answer: a PHP notice before the JSON,
    /// for example. A web page ends otherwise.
    fn may_hold_tokens(&self) -> bool {
        self.cut.is_some() && !json::looks_like_html(&self.body) || self.body.trim_ascii_end().ends_with(b"}")
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn is_html(&self) -> bool {
        self.media == Media::Html || json::looks_like_html(&self.body)
    }

    /// A redirect, a server that is overloaded or broken, a proxy that wants a password, or a web page.
    fn is_of_another(&self) -> bool {
        matches!(self.status, ..200 | 300..=399 | 407 | 408 | 425 | 429 | 500..)
            || json::looks_like_html(&self.body)
    }

    fn parse(&self) -> Option<Parsed> {
        if json::starts_as_json(&self.body) {
            let json::Read { value, flaw } = json::read(&self.body)?;
            let is_json = true;
            return Some(Parsed { value, flaw, is_json });
        }
        // The last value of a form that was cut may be incomplete.
        let whole = match self.cut {
            None => &self.body[..],
            Some(_) => &self.body[..self.body.iter().rposition(|byte| *byte == b'&').unwrap_or(0)],
        };
        let form = json::form(whole, self.media == Media::Form)?;
        let flaw = form.repeats_with_other_values().then_some(Flaw::RepeatedKey);
        Some(Parsed {
            value: Value::Object(form),
            flaw,
            is_json: false,
        })
    }

    /// What a 4xx means: a refusal where the server said so in JSON, in a form, or with nothing at all.
    fn not_a_success(&self) -> Failure {
        if self.cut.is_some() {
            return self.interfered();
        }
        if json::is_blank(&self.body) {
            return Failure::Rejected {
                error: format!("HTTP {}", self.status),
                description: None,
                status: self.status,
            };
        }
        match self.parse() {
            Some(Parsed {
                flaw: Some(Flaw::Truncated | Flaw::Malformed),
                ..
            })
            | None => self.interfered(),
            Some(parsed) => self.refused(&parsed),
        }
    }

    /// Whether a 2xx says that it is none, as some servers do.
    fn says_error(&self, value: &Value) -> bool {
        let Value::Object(object) = value else {
            return false;
        };
        let own = self.paths.get("error").and_then(|path| paths::at(value, path));
        let standard = ["error", "errors"].iter().filter_map(|name| object.get(name));
        own.map(|(value, _)| value)
            .into_iter()
            .chain(standard)
            .any(is_error)
    }

    /// What a server says of why it refused: where the provider's settings say that it stands, else where it is found.
    fn words(&self, value: &Value) -> Words {
        let mut words = words::of(value, &self.sent);
        let own = |name: &str| {
            let (found, _) = paths::at(value, self.paths.get(name)?)?;
            words::shown(found, &self.sent)
        };
        words.error = own("error").or(words.error);
        words.description = own("error_description").or(words.description);
        words
    }

    fn refused(&self, parsed: &Parsed) -> Failure {
        let words = self.words(&parsed.value);
        let error = words.error.unwrap_or_else(|| format!("HTTP {}", self.status));
        let description = words.description;
        let (inner_status, code) = match &parsed.value {
            Value::Object(object) => (words::inner_status(object), object.text("error")),
            _ => (None, None),
        };
        if words::is_transient(&error) || inner_status.is_some_and(is_transient) {
            let told = told(&description);
            return self.interfered_with(format!(
                "{} cannot answer at the moment: {error}{told}. Try again in a while.",
                self.host
            ));
        }
        let is_well_formed = parsed.is_json && parsed.flaw.is_none() && self.media != Media::Html;
        let is_credible = is_well_formed && matches!(self.status, 200..=299 | 400 | 401);
        if is_credible && code.is_some_and(|code| code.expose() == "invalid_grant") {
            return Failure::InvalidGrant { description };
        }
        Failure::Rejected {
            error,
            description,
            status: self.status,
        }
    }

    /// A 2xx that cannot be read may have been a success; any other status was none.
    pub(crate) fn unreadable(&self, why: &str) -> Failure {
        if !self.is_success() {
            return self.interfered();
        }
        let message = format!("{} answered, but the answer cannot be read: {why}.", self.host);
        Failure::Unanswered { message }
    }

    pub(crate) fn interfered(&self) -> Failure {
        let Self { host, status, .. } = self;
        let said = self.said();
        self.interfered_with(match status {
            300..=399 => format!(
                "{host} answered with a redirect (HTTP {status}), which is never followed. Check the address."
            ),
            407 => format!(
                "A proxy on the way to {host} wants a user name and a password (HTTP 407). Check your proxy settings."
            ),
            408 | 425 | 429 => {
                format!("{host} asks us to wait (HTTP {status}{said}). Try again in a while.")
            }
            500.. => format!("{host} has a problem of its own (HTTP {status}{said}). Try again in a while."),
            _ if self.is_html() => format!(
                "A web page came in place of an answer from {host} (HTTP {status}), perhaps from a proxy or the \
                 sign-in page of a network. Check your network."
            ),
            _ => format!(
                "{host} did not answer as an authorization server does (HTTP {status}{said}). Check the address and \
                 your network."
            ),
        })
    }

    /// The words of an answer that is no refusal.
    fn said(&self) -> String {
        let value = match self.parse() {
            Some(parsed) if !json::looks_like_html(&self.body) => parsed.value,
            _ => return String::new(),
        };
        let words = self.words(&value);
        let error = words.error.map_or_else(String::new, |error| format!(": {error}"));
        error + &told(&words.description)
    }

    fn interfered_with(&self, message: String) -> Failure {
        Failure::Interfered {
            status: self.status,
            message,
            retry_after: self.retry_after,
        }
    }
}

/// Statuses that ask to come again later.
fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// Whether members may have been passed over.
fn is_unreliable(flaw: Option<Flaw>) -> bool {
    matches!(flaw, Some(Flaw::Malformed | Flaw::Truncated))
}

fn has_token(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.has_text("access_token") || object.has_text("refresh_token"))
}

/// Whether what stands in the place of an error is one.
fn is_error(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.expose().trim().is_empty(),
        Value::Number(number) => number != "0",
        Value::List(values) => !values.is_empty(),
        // TikTok sends `"error": {"code": "ok"}` with every success.
        Value::Object(inner) => {
            let code = inner.text("code").map(|code| code.expose().to_ascii_lowercase());
            inner.members().next().is_some() && !matches!(code.as_deref(), Some("ok" | "success"))
        }
        Value::True => true,
        Value::Other => false,
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
mod tests;
