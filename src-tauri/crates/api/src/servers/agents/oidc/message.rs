//! What a client of oidc-agent sends. Nothing says where a message ends but the message itself.

use super::session::{KEY_BYTES, NONCE_BYTES, TAG_BYTES};
use crate::servers::agents::connection::{MAX_MESSAGE_BYTES, Progress, invalid};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use std::io;

/// A request. Unknown members are ignored, as in oidc-agent.
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) request: String,
    #[serde(default)]
    pub(super) account: Option<String>,
    #[serde(default)]
    pub(super) issuer: Option<String>,
    #[serde(default)]
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) audience: Option<String>,
    #[serde(default)]
    pub(super) min_valid_period: Period,
}

/// How long a token has to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Period {
    Seconds(u64),
    /// The client wants a new one: a negative number.
    New,
}

impl Default for Period {
    fn default() -> Self {
        Self::Seconds(0)
    }
}

impl TryFrom<Value> for Period {
    type Error = &'static str;

    /// A number, or a text with one.
    fn try_from(value: Value) -> Result<Self, Self::Error> {
        const WRONG: &str = "min_valid_period must be a number of seconds";
        let number = match &value {
            Value::Null => return Ok(Self::default()),
            Value::Number(number) => number.as_f64().ok_or(WRONG)?,
            Value::String(text) if text.is_empty() => return Ok(Self::default()),
            Value::String(text) => text.parse::<i64>().map_err(|_| WRONG)? as f64,
            _ => return Err(WRONG),
        };
        Ok(match number < 0.0 {
            true => Self::New,
            // Beyond the largest integer it saturates.
            false => Self::Seconds(number as u64),
        })
    }
}

impl Request {
    /// Reads a whole message. An error repeats nothing of it.
    pub(super) fn read(bytes: &[u8]) -> io::Result<Self> {
        let object = bytes.trim_ascii_end();
        let object = object.strip_suffix(b"\0").unwrap_or(object);
        let first = object.trim_ascii_start().first();
        let read = serde_json::from_slice::<Self>(object)
            .ok()
            .filter(|_| first == Some(&b'{'));
        let mut read = read.ok_or_else(|| invalid("the message is not a JSON object with a request"))?;
        let values = [
            &mut read.account,
            &mut read.issuer,
            &mut read.scope,
            &mut read.audience,
        ];
        for value in values {
            if value
                .as_deref()
                .is_some_and(|text| text.contains(|c: char| c.is_control()))
            {
                return Err(invalid("a value holds a control character"));
            }
            value.take_if(|text| text.is_empty());
        }
        Ok(read)
    }
}

/// The first message of a client.
pub(super) enum Start {
    /// A request in plain text.
    Plain(Request),
    /// The key of an encrypted session.
    Key([u8; KEY_BYTES]),
}

/// Reads the first message.
pub(super) fn start(bytes: &[u8], is_last: bool) -> io::Result<Progress<Start>> {
    let text = bytes.trim_ascii_start();
    match text.first() {
        None => Ok(Progress::Incomplete),
        Some(b'{') => {
            let mut objects = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
            match objects.next() {
                Some(Err(error)) if error.is_eof() && !is_last => Ok(Progress::Incomplete),
                _ => Request::read(text).map(Start::Plain).map(Progress::Complete),
            }
        }
        Some(_) => {
            let key = text.trim_ascii_end();
            if key.len() < text_bytes(KEY_BYTES) && !is_last {
                return Ok(Progress::Incomplete);
            }
            let key = STANDARD.decode(key).ok().and_then(|key| key.try_into().ok());
            let key = key.ok_or_else(|| invalid("the message is neither a JSON object nor a key"))?;
            Ok(Progress::Complete(Start::Key(key)))
        }
    }
}

/// A message of an encrypted session.
pub(super) struct Sealed {
    pub(super) nonce: [u8; NONCE_BYTES],
    pub(super) secret_box: Vec<u8>,
}

/// Reads `LENGTH:NONCE:BOX`, where the length is that of the plaintext, and the rest is base64.
pub(super) fn sealed(bytes: &[u8], is_last: bool) -> io::Result<Progress<Sealed>> {
    const WRONG: &str = "the message is not a length, a nonce and a secret box";
    let text = std::str::from_utf8(bytes).map_err(|_| invalid(WRONG))?;
    let mut parts = text.splitn(3, ':');
    let (Some(length), Some(nonce), Some(secret_box)) = (parts.next(), parts.next(), parts.next()) else {
        // Its first two parts are short.
        return match is_last || bytes.len() > 2 * text_bytes(NONCE_BYTES) {
            true => Err(invalid(WRONG)),
            false => Ok(Progress::Incomplete),
        };
    };
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = length
        .parse()
        .ok()
        .filter(|length| is_number && *length <= MAX_MESSAGE_BYTES);
    let length: usize = length.ok_or_else(|| invalid(WRONG))?;
    let secret_box = secret_box.trim_ascii_end();
    if secret_box.len() < text_bytes(length + TAG_BYTES) && !is_last {
        return Ok(Progress::Incomplete);
    }
    let nonce = STANDARD
        .decode(nonce)
        .ok()
        .and_then(|nonce| nonce.try_into().ok());
    let secret_box = STANDARD.decode(secret_box).ok();
    match (
        nonce,
        secret_box.filter(|bytes| bytes.len() == length + TAG_BYTES),
    ) {
        (Some(nonce), Some(secret_box)) => Ok(Progress::Complete(Sealed { nonce, secret_box })),
        _ => Err(invalid(WRONG)),
    }
}

/// How long so many bytes are in base64 with padding.
fn text_bytes(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Request {
        match start(text.as_bytes(), false) {
            Ok(Progress::Complete(Start::Plain(request))) => request,
            Ok(Progress::Incomplete) => panic!("incomplete: {text}"),
            _ => panic!("{text}"),
        }
    }

    #[test]
    fn a_request_is_read_whatever_other_members_it_has() {
        let request = plain(
            r#"{"request":"access_token","account":"iam","min_valid_period":"60","scope":"a b","application_hint":"x","x":[1]}"#,
        );
        assert_eq!(request.account.as_deref(), Some("iam"));
        assert_eq!(request.scope.as_deref(), Some("a b"));
        assert_eq!(request.min_valid_period, Period::Seconds(60));
        assert_eq!(request.issuer, None);
        let request = plain("  {\"request\":\"access_token\",\"account\":\"\",\"issuer\":\"https://x\"}\n");
        assert_eq!(
            (request.account, request.issuer.as_deref()),
            (None, Some("https://x"))
        );
    }

    #[test]
    fn a_period_is_a_number_or_a_text_and_negative_means_new() {
        for (text, period) in [
            ("0", Period::Seconds(0)),
            ("3600", Period::Seconds(3600)),
            ("\"3600\"", Period::Seconds(3600)),
            ("\"\"", Period::Seconds(0)),
            ("null", Period::Seconds(0)),
            ("-1", Period::New),
            ("\"-1\"", Period::New),
            ("1e300", Period::Seconds(u64::MAX)),
        ] {
            let request = plain(&format!(
                r#"{{"request":"access_token","min_valid_period":{text}}}"#
            ));
            assert_eq!(request.min_valid_period, period, "{text}");
        }
    }

    #[test]
    fn a_message_that_is_no_request_is_refused() {
        for text in [
            "{}",
            "{\"request\":1}",
            "{\"request\":\"check\"} {\"request\":\"check\"}",
            "{\"request\":\"a\",\"request\":\"b\"}",
            "{\"request\":\"a\",\"account\":[\"b\"]}",
            "{\"request\":\"a\",\"account\":\"b\\n\"}",
            "{\"request\":\"a\",\"account\":\"b\\u0000\"}",
            "{\"request\":\"a\",\"min_valid_period\":\"soon\"}",
            "{\"request\":\"a\",\"min_valid_period\":[]}",
            "{\"request\" \"a\"}",
            "[\"access_token\",\"iam\",null,null,null,1] and more than forty-four bytes of it",
            "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
        ] {
            assert!(start(text.as_bytes(), false).is_err(), "{text}");
        }
        assert!(start(b"{\"request\":\"a\xff\"}", false).is_err());
        assert!(start(b"{\"request\":", true).is_err(), "nothing more comes");
        assert!(start(b"short", true).is_err());
    }

    #[test]
    fn a_part_of_a_message_is_waited_for() {
        let whole = r#"{"request":"access_token","account":"}{"}"#;
        for end in 0..whole.len() {
            let read = start(&whole.as_bytes()[..end], false);
            assert!(matches!(read, Ok(Progress::Incomplete)), "{end}");
        }
        let key = STANDARD.encode([7; KEY_BYTES]);
        for end in 0..key.len() {
            let read = start(&key.as_bytes()[..end], false);
            assert!(matches!(read, Ok(Progress::Incomplete)), "{end}");
        }
        let read = start(key.as_bytes(), false);
        assert!(matches!(read, Ok(Progress::Complete(Start::Key(key))) if key == [7; KEY_BYTES]));
        let whole = format!(
            "2:{}:{}",
            STANDARD.encode([1; NONCE_BYTES]),
            STANDARD.encode([2; 18])
        );
        for end in 0..whole.len() {
            let read = sealed(&whole.as_bytes()[..end], false);
            assert!(matches!(read, Ok(Progress::Incomplete)), "{end}");
        }
        assert!(matches!(
            sealed(whole.as_bytes(), false),
            Ok(Progress::Complete(_))
        ));
    }

    #[test]
    fn a_sealed_message_of_another_form_is_refused() {
        let (nonce, secret_box) = (STANDARD.encode([1; NONCE_BYTES]), STANDARD.encode([2; 18]));
        for text in [
            format!("-2:{nonce}:{secret_box}"),
            format!("+2:{nonce}:{secret_box}"),
            format!("18446744073709551615:{nonce}:{secret_box}"),
            format!("99999:{nonce}:{secret_box}"),
            format!("1:{nonce}:{secret_box}"),
            format!("2:{nonce}x:{secret_box}"),
            format!("2:{nonce}:{secret_box}:"),
            format!("2::{secret_box}"),
            format!(":{nonce}:{secret_box}"),
            "x".repeat(100),
        ] {
            assert!(sealed(text.as_bytes(), false).is_err(), "{text}");
        }
        assert!(sealed(b"2:\xff", false).is_err());
        assert!(sealed(format!("3:{nonce}:").as_bytes(), true).is_err());
    }
}
