//! What a server says of why it refused. RFC 6749 §5.2 has `error` and `error_description`; servers in the wild have
//! dozens of other names and shapes for the two.

use crate::json::{Object, Value};
use tokenry_core::clean;
use zeroize::Zeroizing;

/// The most texts that are shown, and how deep they are looked for.
const MAX_TEXTS: usize = 5;
const MAX_DEPTH: usize = 4;

/// Where a code may stand, the best place first. Names are compared without case, `_` and `-`.
const CODES: [&str; 11] = [
    "error",
    "errortype",
    "type",
    "errorcode",
    "errcode",
    "errorname",
    "status",
    "code",
    "faultcode",
    "errorsubtype",
    "suberror",
];

/// Where a sentence may stand.
const TEXTS: [&str; 22] = [
    "errordescription",
    "errormessage",
    "errormsg",
    "errmsg",
    "message",
    "messages",
    "msg",
    "errorsummary",
    "title",
    "detail",
    "details",
    "errordetail",
    "description",
    "reason",
    "errorreason",
    "cause",
    "faultstring",
    "usermessage",
    "errorusermsg",
    "developermessage",
    "hint",
    "errorhint",
];

/// Where either may stand deeper down.
const NESTED: [&str; 16] = [
    "error",
    "errors",
    "fault",
    "faults",
    "exception",
    "exceptions",
    "errorcauses",
    "innererror",
    "message",
    "messages",
    "detail",
    "details",
    "status",
    "response",
    "result",
    "meta",
];

/// What a server said, cleaned and without any secret that was sent to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// `error` (RFC 6749 §5.2), or what stands in its place.
    pub(crate) error: Option<String>,
    /// Everything else, in one line.
    pub(crate) description: Option<String>,
}

/// The words of an answer; `sent` are the secrets of the request, which a server may repeat.
pub(crate) fn of(value: &Value, sent: &[Zeroizing<String>]) -> Words {
    let mut found = Found {
        sent,
        codes: Vec::new(),
        texts: Vec::new(),
    };
    found.known(value, 0);
    if found.is_empty() {
        found.anywhere(value, 0);
    }
    found.words()
}

/// The HTTP status that stands inside of an answer, where it is one of a failure.
pub(crate) fn inner_status(object: &Object) -> Option<u16> {
    let of = |object: &Object| {
        let number = |name: &str| find(object, name).and_then(number);
        [
            "status",
            "statuscode",
            "httpstatus",
            "httpcode",
            "code",
            "errorcode",
        ]
        .into_iter()
        .filter_map(number)
        .find(|status| (400..600).contains(status))
    };
    of(object).or_else(|| match find(object, "error") {
        Some(Value::Object(inner)) => of(inner),
        _ => None,
    })
}

/// Whether a code says that the server cannot answer now, and nothing of what was sent.
pub(crate) fn is_transient(code: &str) -> bool {
    matches!(
        plain(code).as_str(),
        "temporarilyunavailable"
            | "serviceunavailable"
            | "unavailable"
            | "servererror"
            | "internalerror"
            | "internalservererror"
            | "serverbusy"
            | "backenderror"
            | "slowdown"
            | "ratelimited"
            | "ratelimit"
            | "ratelimitexceeded"
            | "toomanyrequests"
            | "requestlimitexceeded"
            | "throttled"
            | "throttling"
            | "throttlingexception"
            | "quotaexceeded"
            | "resourceexhausted"
            | "timeout"
            | "requesttimeout"
            | "gatewaytimeout"
            | "deadlineexceeded"
    )
}

/// A text that may be shown, where this value is one.
pub(crate) fn shown(value: &Value, sent: &[Zeroizing<String>]) -> Option<String> {
    match value {
        Value::Text(text) => Some(without_secrets(text.expose(), sent)).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn without_secrets(text: &str, sent: &[Zeroizing<String>]) -> String {
    let mut text = Zeroizing::new(text.to_owned());
    for secret in sent {
        if text.contains(secret.as_str()) {
            text = Zeroizing::new(text.replace(secret.as_str(), "…"));
        }
    }
    clean(text.trim()).trim().to_owned()
}

struct Found<'a> {
    sent: &'a [Zeroizing<String>],
    codes: Vec<String>,
    texts: Vec<String>,
}

impl Found<'_> {
    fn is_empty(&self) -> bool {
        self.codes.is_empty() && self.texts.is_empty()
    }

    /// Looks where codes and texts are known to stand.
    fn known(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(object) => {
                for name in CODES {
                    if let Some(value) = find(object, name) {
                        self.code(value);
                    }
                }
                for name in TEXTS {
                    if let Some(value) = find(object, name) {
                        self.text(value);
                    }
                }
                for name in NESTED {
                    match find(object, name) {
                        Some(inner @ (Value::Object(_) | Value::List(_))) if depth < MAX_DEPTH => {
                            self.known(inner, depth + 1);
                        }
                        _ => {}
                    }
                }
            }
            Value::List(values) => {
                for value in values.iter().take(MAX_TEXTS) {
                    match value {
                        Value::Text(_) => self.text(value),
                        inner if depth < MAX_DEPTH => self.known(inner, depth + 1),
                        _ => {}
                    }
                }
            }
            Value::Text(_) if depth == 0 => self.text(value),
            _ => {}
        }
    }

    /// Looks everywhere, and takes a list of texts as what is said of the field that has it.
    fn anywhere(&mut self, value: &Value, depth: usize) {
        let Value::Object(object) = value else { return };
        for (name, value) in object.members() {
            match value {
                Value::Object(_) if depth < MAX_DEPTH => {
                    self.known(value, depth + 1);
                    self.anywhere(value, depth + 1);
                }
                Value::List(values) => {
                    for value in values.iter().take(MAX_TEXTS) {
                        match value {
                            Value::Text(text) => self.push_text(&format!("{name}: {}", text.expose())),
                            inner if depth < MAX_DEPTH => self.known(inner, depth + 1),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn code(&mut self, value: &Value) {
        let code = match value {
            Value::Text(text) => self.shown(text.expose()),
            Value::Number(number) if number.trim_start_matches(['-', '0']).is_empty() => return,
            Value::Number(number) => self.shown(number),
            _ => return,
        };
        let is_address = code.contains("://") || code.starts_with("about:");
        let is_vague = matches!(
            code.to_ascii_lowercase().as_str(),
            "error" | "fail" | "failed" | "failure"
        );
        if !code.is_empty() && !is_address && !is_vague && !self.codes.contains(&code) {
            self.codes.push(code);
        }
    }

    fn text(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.push_text(text.expose()),
            Value::List(values) => {
                for value in values.iter().take(MAX_TEXTS) {
                    if let Value::Text(text) = value {
                        self.push_text(text.expose());
                    }
                }
            }
            _ => {}
        }
    }

    fn push_text(&mut self, text: &str) {
        let text = self.shown(text);
        let is_new = !self.texts.iter().any(|known| known.eq_ignore_ascii_case(&text));
        if !text.is_empty() && is_new && self.texts.len() < MAX_TEXTS {
            self.texts.push(text);
        }
    }

    fn shown(&self, text: &str) -> String {
        without_secrets(text, self.sent)
    }

    /// The first code that is a word, else the first text, else a number.
    fn words(self) -> Words {
        let Self { codes, mut texts, .. } = self;
        let is_number = |code: &String| code.bytes().all(|byte| byte.is_ascii_digit());
        let (numbers, mut names): (Vec<_>, Vec<_>) = codes.into_iter().partition(is_number);
        let is_status = |code: &String| matches!(code.parse(), Ok(100..=599));
        let error = if !names.is_empty() {
            Some(names.remove(0))
        } else if let Some(number) = numbers
            .into_iter()
            .find(|code| texts.is_empty() || !is_status(code))
        {
            Some(number)
        } else if !texts.is_empty() {
            Some(texts.remove(0))
        } else {
            None
        };
        texts.extend(names);
        texts.retain(|text| {
            error
                .as_ref()
                .is_none_or(|error| !error.eq_ignore_ascii_case(text))
        });
        let mut line = String::new();
        for text in texts {
            match line.chars().last() {
                None => {}
                Some('.' | '!' | '?' | ':' | ';') => line.push(' '),
                Some(_) => line.push_str("; "),
            }
            line.push_str(&text);
        }
        let description = Some(clean(&line)).filter(|line| !line.is_empty());
        Words { error, description }
    }
}

fn find<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object
            .members()
            .find(|(key, _)| plain(key) == name)
            .map(|(_, value)| value)
    })
}

/// A name without what servers write differently.
fn plain(name: &str) -> String {
    name.chars()
        .take(64)
        .filter(|c| !matches!(c, '_' | '-' | ' ' | '.'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => number.parse().ok(),
        Value::Text(text) => text.expose().trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
