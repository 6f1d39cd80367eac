//! Sets of OAuth scopes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A set of scope tokens in the order they were given, each once (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Splits an answer's `scope` at spaces and commas: servers in the wild use both.
    pub fn parse(text: &str) -> Self {
        text.split([' ', ','])
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The tokens joined as a provider wants them, mostly by a space.
    pub fn join(&self, separator: &str) -> String {
        self.0.join(separator)
    }

    /// Whether there is no scope at all; then none is sent, since an empty `scope=` is an error to many servers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether this token is in the set. Case matters (RFC 6749 §3.3).
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|s| s == token)
    }

    /// Those of `self` that `granted` does not have.
    pub fn missing_from(&self, granted: &Self) -> Self {
        self.iter()
            .filter(|s| !granted.contains(s))
            .map(str::to_owned)
            .collect()
    }

    /// Those of `self` that `other` has too, sorted: equal sets are equal texts then.
    #[must_use]
    pub fn common_with(&self, other: &Self) -> Self {
        let mut common: Vec<_> = self.0.iter().filter(|s| other.contains(s)).cloned().collect();
        common.sort_unstable();
        Self(common)
    }

    /// Whether `most` has all of these.
    pub fn is_within(&self, most: &Self) -> bool {
        self.iter().all(|scope| most.contains(scope))
    }

    /// Whether a text can be one scope token: printable ASCII without space, `"` and `\` (RFC 6749 §3.3).
    pub fn is_token(text: &str) -> bool {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    }
}

impl FromIterator<String> for Scopes {
    fn from_iter<I: IntoIterator<Item = String>>(tokens: I) -> Self {
        let mut set = Self::default();
        for token in tokens {
            if !set.contains(&token) {
                set.0.push(token);
            }
        }
        set
    }
}

impl From<Vec<String>> for Scopes {
    fn from(tokens: Vec<String>) -> Self {
        tokens.into_iter().collect()
    }
}

impl From<Scopes> for Vec<String> {
    fn from(scopes: Scopes) -> Self {
        scopes.0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_split_at_spaces_and_commas_and_keep_their_order_once() {
        assert_eq!(Scopes::parse("b a,,b  c").to_string(), "b a c");
        assert!(Scopes::parse(" ").is_empty());
    }

    #[test]
    fn what_was_asked_and_not_granted_is_named() {
        let asked = Scopes::parse("read write");
        assert_eq!(asked.missing_from(&Scopes::parse("read")).to_string(), "write");
    }

    #[test]
    fn what_two_sets_share_is_the_same_text_in_whatever_order_they_were_given() {
        let (one, other) = (Scopes::parse("c a b"), Scopes::parse("b c d"));
        assert_eq!(one.common_with(&other).to_string(), "b c");
        assert_eq!(one.common_with(&other), other.common_with(&one));
        assert!(one.common_with(&other).is_within(&one));
        assert!(!one.is_within(&other));
    }
}
