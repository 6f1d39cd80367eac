//! Kebab-case names.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A kebab-case name: lower-case letters, digits and single hyphens, starting with a letter, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text cannot be a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to 64 lower-case letters, digits and single hyphens, starting with a letter, like my-provider"
)]
pub struct InvalidName;

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let fits = !text.is_empty()
            && text.len() <= 64
            && text.as_bytes()[0].is_ascii_lowercase()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.ends_with('-')
            && !text.contains("--");
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kebab_case_is_a_name() {
        for good in ["a", "github", "my-provider-2"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "", "-a", "a-", "a--b", "A", "2a", "a_b", "a/b", "..", "a b", "ä", "a\n", &long,
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
