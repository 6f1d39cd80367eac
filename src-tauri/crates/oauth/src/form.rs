//! The form encoding (RFC 6749 appendix B), read strictly: nothing is guessed at and nothing is repaired.

use zeroize::Zeroizing;

const MAX_PARAMETERS: usize = 32;

/// Why a text is no form. None of these shows anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More than 32 parameters.
    #[error("it has more than 32 parameters")]
    TooMany,
    /// A control character, as it is or percent-encoded.
    #[error("it holds control characters")]
    ControlCharacter,
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("it is wrongly encoded")]
    BadEncoding,
}

/// The parameters, decoded, in their order. A name may come twice; that is for the caller to judge.
///
/// # Errors
/// [`FormError`].
pub fn parse(text: &str) -> Result<Vec<(String, Zeroizing<String>)>, FormError> {
    parse_with_prose(text, &[])
}

/// The same, where the values of some parameters are prose: see [`prose`].
pub(crate) fn parse_with_prose(
    text: &str,
    of_prose: &[&str],
) -> Result<Vec<(String, Zeroizing<String>)>, FormError> {
    let mut parameters = Vec::new();
    for (number, pair) in text.split('&').enumerate() {
        if number >= MAX_PARAMETERS {
            return Err(FormError::TooMany);
        }
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key)?;
        let value = if of_prose.contains(&key.as_str()) {
            prose(value)?
        } else {
            decode(value)?
        };
        parameters.push((key, Zeroizing::new(value)));
    }
    Ok(parameters)
}

/// One name or value.
///
/// # Errors
/// [`FormError`].
pub fn decode(text: &str) -> Result<String, FormError> {
    checked(decoded(text)?, |_| false)
}

/// A text that is only shown. It may have line ends, and bytes that are not UTF-8: servers send Windows-1252, which
/// has all of Latin-1. A percent sign that encodes nothing stands for itself.
fn prose(text: &str) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let encoded = match (byte, behind) {
            (b'%', [high, low, ..]) => hex(Some(*high)).ok().zip(hex(Some(*low)).ok()),
            _ => None,
        };
        rest = if encoded.is_some() { &behind[2..] } else { behind };
        bytes.push(match (encoded, byte) {
            (Some((high, low)), _) => high * 16 + low,
            (None, b'+') => b' ',
            (None, plain) => plain,
        });
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| windows_1252(*byte)));
    }
    checked(text, |c| matches!(c, '\r' | '\n' | '\t'))
}

/// A byte from 0x80 on, in Windows-1252.
fn windows_1252(byte: u8) -> char {
    const FROM_80: &str = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ";
    match byte {
        0x80..=0x9f => FROM_80
            .chars()
            .nth(usize::from(byte - 0x80))
            .unwrap_or('\u{fffd}'),
        latin_1 => char::from(latin_1),
    }
}

fn checked(text: String, may: fn(char) -> bool) -> Result<String, FormError> {
    if text.chars().any(|c| c.is_control() && !may(c)) {
        Err(FormError::ControlCharacter)
    } else {
        Ok(text)
    }
}

fn decoded(text: &str) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next())? * 16 + hex(rest.next())?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::BadEncoding)
}

fn hex(digit: Option<u8>) -> Result<u8, FormError> {
    let value = digit.and_then(|digit| char::from(digit).to_digit(16));
    value
        .and_then(|value| value.try_into().ok())
        .ok_or(FormError::BadEncoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it_and_not_otherwise() {
        let read = parse("a=b+c%2Bd&&e&a=%C3%A4").unwrap();
        let shown: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(shown, [("a", "b c+d"), ("e", ""), ("a", "ä")]);
        for (text, wrong) in [
            ("a=%", FormError::BadEncoding),
            ("a=%4", FormError::BadEncoding),
            ("a=%zz", FormError::BadEncoding),
            ("a=%ff", FormError::BadEncoding),
            ("a=%00", FormError::ControlCharacter),
            ("a%0d%0a=b", FormError::ControlCharacter),
            ("a=b\nc", FormError::ControlCharacter),
            (&"a&".repeat(33), FormError::TooMany),
        ] {
            assert_eq!(parse(text).unwrap_err(), wrong, "{text}");
        }
    }

    #[test]
    fn prose_is_read_as_utf_8_and_else_as_windows_1252() {
        let read = |value: &str| {
            let read = parse_with_prose(&format!("words={value}"), &["words"]);
            read.map(|parameters| parameters[0].1.to_string())
        };
        for (written, meant) in [
            ("Acc%E8s+refus%E9", "Accès refusé"),
            ("Acc%C3%A8s+refus%C3%A9", "Accès refusé"),
            ("Accès refusé", "Accès refusé"),
            ("%93no%94 %80%81 %C3%A8%E8", "“no” €\u{fffd} èè"),
            ("100%25, 100%, %zz%4", "100%, 100%, %zz%4"),
            ("one%0d%0atwo", "one\r\ntwo"),
        ] {
            assert_eq!(read(written).as_deref(), Ok(meant), "{written}");
        }
        for control in ["%00", "%1b", "%7f", "%C2%85", "\u{1b}"] {
            assert_eq!(read(control), Err(FormError::ControlCharacter), "{control:?}");
        }
        assert_eq!(parse("words=%E8").unwrap_err(), FormError::BadEncoding);
    }
}
