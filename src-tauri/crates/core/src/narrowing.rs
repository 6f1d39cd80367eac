//! The audiences and resources that a token may be narrowed to.

use crate::Narrowing;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most targets that are remembered for one connection, of each kind.
const MAX_TARGETS: usize = 64;

/// The audiences and resources that a provider is known to serve for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownTargets {
    /// Values of `audience`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub audiences: BTreeSet<String>,
    /// Values of `resource`, as they were sent (RFC 8707 §2).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub resources: BTreeSet<String>,
}

impl KnownTargets {
    /// The targets among the parameters of a request; other parameters are ignored.
    pub fn among<K: AsRef<str>, V: Into<String>>(parameters: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut targets = Self::default();
        for (name, value) in parameters {
            match name.as_ref() {
                "audience" => insert(&mut targets.audiences, value.into()),
                "resource" => insert(&mut targets.resources, value.into()),
                _ => {}
            }
        }
        targets
    }

    /// Adds these.
    pub fn extend(&mut self, other: Self) {
        other
            .audiences
            .into_iter()
            .for_each(|target| insert(&mut self.audiences, target));
        other
            .resources
            .into_iter()
            .for_each(|target| insert(&mut self.resources, target));
    }

    /// Adds the audience and the resource of a request that was answered.
    pub fn add(&mut self, to: &Narrowing) {
        if let Some(audience) = &to.audience {
            insert(&mut self.audiences, audience.clone());
        }
        if let Some(resource) = &to.resource {
            insert(&mut self.resources, resource.clone());
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.audiences.is_empty() && self.resources.is_empty()
    }
}

fn insert(targets: &mut BTreeSet<String>, target: String) {
    if targets.len() < MAX_TARGETS {
        targets.insert(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_audience_and_resource_are_targets_and_at_most_64_of_each_are_kept() {
        let pairs = [
            ("audience", "api"),
            ("resource", "urn:a"),
            ("resource", "urn:b"),
            ("scope", "x"),
        ];
        let targets = KnownTargets::among(pairs);
        assert_eq!(targets.audiences, ["api".to_owned()].into());
        assert_eq!(targets.resources, ["urn:a".to_owned(), "urn:b".to_owned()].into());
        let many = KnownTargets::among((0..100).map(|number| ("audience", number.to_string())));
        assert_eq!(many.audiences.len(), MAX_TARGETS);
    }
}
