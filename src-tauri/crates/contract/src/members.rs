//! The members of a JSON object, in their order and each once.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// A JSON object whose members are judged one by one: a member that is given twice is an error.
#[derive(Clone, Default, PartialEq)]
pub struct Members(pub Vec<(String, Value)>);

impl From<Members> for Map<String, Value> {
    fn from(members: Members) -> Self {
        members.0.into_iter().collect()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_none_comes_twice() {
        let read = |text: &str| serde_json::from_str::<Members>(text);
        let names: Vec<_> = read(r#"{"b": 1, "a": 2}"#)
            .unwrap()
            .0
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["b", "a"]);
        for wrong in [r#"{"a": 1, "a": 1}"#, "[]", "1", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
