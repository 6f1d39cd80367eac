//! Query and form parameters of the authorization server.

use super::error::{OAuthError, OAuthErrorCode::InvalidRequest};
use tokenry_core::Secret;
use tokenry_oauth::form::{self, FormError};
use zeroize::Zeroizing;

/// The longest query or form that is looked at, in bytes.
pub(super) const MAX_FORM_BYTES: usize = 64 << 10;

/// The parameters of a request. An empty one counts as omitted (RFC 6749 §3.1, §3.2).
pub(super) struct Parameters(Vec<(String, Zeroizing<String>)>);

impl Parameters {
    pub(super) fn parse(text: &str) -> Result<Self, FormError> {
        form::parse(text).map(Self)
    }

    /// Those of a form in a body, none of them repeated.
    pub(super) fn of_body(bytes: &[u8]) -> Result<Self, OAuthError> {
        if bytes.len() > MAX_FORM_BYTES {
            return Err(InvalidRequest.because("the form is longer than 64 KiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidRequest.because("the form is no UTF-8"))?;
        let parameters = Self::parse(text)
            .map_err(|wrong| InvalidRequest.because(format!("the form cannot be read: {wrong}")))?;
        match parameters.has_repeated() {
            true => Err(InvalidRequest.because("a parameter is given twice")),
            false => Ok(parameters),
        }
    }

    /// Whether any name comes twice, known or not (RFC 6749 §3.1).
    pub(super) fn has_repeated(&self) -> bool {
        let mut names = self.0.iter().map(|(name, _)| name).enumerate();
        names.any(|(at, name)| self.0[..at].iter().any(|(other, _)| other == name))
    }

    /// A parameter that is given once and not empty. One that is given twice counts as wrong, not as either of them.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value.as_str()),
            _ => None,
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| InvalidRequest.because(format!("{name} is missing")))
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(|value| Secret::new(value.to_owned()))
    }

    pub(super) fn required_secret(&self, name: &str) -> Result<Secret, OAuthError> {
        self.required(name).map(|value| Secret::new(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A13.9.
    #[test]
    fn an_empty_parameter_is_as_good_as_none_and_a_repeated_one_is_neither() {
        let read = Parameters::parse("a=1&b=&c=2&c=3&d").unwrap();
        assert_eq!(read.get("a"), Some("1"));
        for name in ["b", "c", "d", "e"] {
            assert_eq!(read.get(name), None, "{name}");
        }
        assert!(read.has_repeated());
        assert!(!Parameters::parse("a=1&b=1").unwrap().has_repeated());
        for body in [
            &b"a=1&a=1"[..],
            b"a=1&%61=2",
            b"x=%",
            &[0xff],
            &[b'a'; MAX_FORM_BYTES + 1],
        ] {
            let error = Parameters::of_body(body).err().unwrap();
            assert_eq!(error.code, InvalidRequest);
        }
    }
}
