use super::Refused;
use crate::form;
use zeroize::Zeroizing;

/// The longest address that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

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

/// Microsoft's words on why somebody was refused have line ends (its AADSTS errors). They are only shown, and cleaned
/// before that; refusing them would leave a person waiting for a flow that is over.
pub(super) const PROSE: &str = "error_description";

fn parameters(query: &str) -> Result<Query, Refused> {
    let parameters = form::parse_with_prose(query, Some(PROSE))?;
    for (number, (name, _)) in parameters.iter().enumerate() {
        if parameters[..number].iter().any(|(other, _)| other == name) {
            return Err(Refused::RepeatedParameter);
        }
    }
    Ok(Query(parameters))
}
