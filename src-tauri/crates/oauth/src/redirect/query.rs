use super::Refused;
use zeroize::Zeroizing;

/// The longest address that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// The most parameters that are looked at.
const MOST: usize = 32;

/// The parameters of an answer, decoded, each name once.
pub(super) struct Query(Vec<(String, Zeroizing<String>)>);

impl Query {
    /// A value that is there and not empty: an empty one is as good as none (RFC 6749 §3.1).
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.even_empty(key).filter(|value| !value.is_empty())
    }

    /// A value that is there. For `iss`, where an empty one is wrong and not missing.
    pub(super) fn even_empty(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Judges the whole text, then takes it apart into what is before the `?` and the parameters behind it.
pub(super) fn split(raw: &str) -> Result<(&str, Query), Refused> {
    if raw.len() > LONGEST {
        return Err(Refused::TooLong);
    }
    if raw.chars().any(char::is_control) {
        return Err(Refused::ControlCharacter);
    }
    if !raw.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Refused::IllegalCharacter);
    }
    if raw.contains('#') {
        return Err(Refused::Fragment);
    }
    let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
    Ok((address, parameters(query)?))
}

fn parameters(query: &str) -> Result<Query, Refused> {
    let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
    for (number, pair) in query.split('&').enumerate() {
        if number >= MOST {
            return Err(Refused::TooManyParameters);
        }
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key)?;
        if parameters.iter().any(|(other, _)| *other == key) {
            return Err(Refused::RepeatedParameter);
        }
        parameters.push((key, Zeroizing::new(decode(value)?)));
    }
    Ok(Query(parameters))
}

/// Decodes as a form does (RFC 6749 appendix B), and takes nothing that is wrongly encoded or decodes to a control
/// character.
fn decode(text: &str) -> Result<String, Refused> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next())? * 16 + hex(rest.next())?,
            plain => plain,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| Refused::BadEncoding)?;
    if text.chars().any(char::is_control) {
        Err(Refused::ControlCharacter)
    } else {
        Ok(text)
    }
}

fn hex(digit: Option<u8>) -> Result<u8, Refused> {
    let value = digit.and_then(|digit| char::from(digit).to_digit(16));
    value
        .and_then(|value| value.try_into().ok())
        .ok_or(Refused::BadEncoding)
}
