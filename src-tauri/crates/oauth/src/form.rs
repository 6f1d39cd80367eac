//! The form encoding (RFC 6749 appendix B), read strictly: nothing is guessed at and nothing is repaired.

use zeroize::Zeroizing;

/// The most parameters that are looked at.
const MOST: usize = 32;

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
    parse_with_prose(text, None)
}

/// The same, where the value of one parameter is prose and may have line ends, percent-encoded.
pub(crate) fn parse_with_prose(
    text: &str,
    prose: Option<&str>,
) -> Result<Vec<(String, Zeroizing<String>)>, FormError> {
    let mut parameters = Vec::new();
    for (number, pair) in text.split('&').enumerate() {
        if number >= MOST {
            return Err(FormError::TooMany);
        }
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key)?;
        let value = if prose == Some(key.as_str()) {
            checked(decoded(value)?, |c| matches!(c, '\r' | '\n' | '\t'))?
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
}
