//! The query of a redirect URL.

use super::Refused;
use crate::form;
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// A longer redirect URL is refused.
pub(super) const MAX_URL_BYTES: usize = 16 * 1024;

/// The parameters whose values are only shown, the standard one first. Microsoft's have line ends, other servers
/// write Latin-1 or leave them unencoded; refusing them would leave the user waiting for a flow that is over.
pub(super) const PROSE: [&str; 3] = ["error_description", "error_message", "error_reason"];

/// The parameters of an answer, decoded, each name once.
pub(super) struct Query(Vec<(String, Zeroizing<String>)>);

impl Query {
    /// A value that is there and not empty: an empty one is as good as none (RFC 6749 §3.1).
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.even_empty(key).filter(|value| !value.is_empty())
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<(String, Secret)> {
        let copied =
            |(name, value): &(String, Zeroizing<String>)| (name.clone(), Secret::new(value.to_string()));
        self.0.iter().map(copied).collect()
    }

    /// A value that is there. For `iss`, where an empty one is wrong and not missing.
    pub(super) fn even_empty(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Judges the whole text, then takes it apart into what is before the `?` and the parameters behind it. A fragment
/// is cut off first: servers append `#_` or `#_=_` (RFC 9700 §4.1.3), and no parameter of ours is ever in one.
pub(super) fn split(raw: &str) -> Result<(&str, Query), Refused> {
    if raw.len() > MAX_URL_BYTES {
        return Err(Refused::TooLong);
    }
    let raw = raw.split('#').next().unwrap_or_default();
    if raw.chars().any(char::is_control) {
        return Err(Refused::ControlCharacter);
    }
    let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
    if !is_plain(address) || !query.split('&').all(|pair| is_plain(pair) || is_prose(pair)) {
        return Err(Refused::IllegalCharacter);
    }
    Ok((address, parameters(query)?))
}

/// The first `state` in a text that need not be an answer. It only says whom to tell about a refusal.
pub(super) fn claimed_state(raw: &str) -> Option<String> {
    let raw = raw.get(..raw.len().min(MAX_URL_BYTES))?.split('#').next()?;
    let (_, query) = raw.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == "state")?;
    form::decode(value).ok()
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_prose(pair: &str) -> bool {
    let name = pair.split_once('=').map(|(name, _)| name);
    name.and_then(|name| form::decode(name).ok())
        .is_some_and(|name| PROSE.contains(&name.as_str()))
}

fn parameters(query: &str) -> Result<Query, Refused> {
    let parameters = form::parse_with_prose(query, &PROSE)?;
    for (number, (name, _)) in parameters.iter().enumerate() {
        if parameters[..number].iter().any(|(other, _)| other == name) {
            return Err(Refused::RepeatedParameter);
        }
    }
    Ok(Query(parameters))
}
