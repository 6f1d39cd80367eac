//! Where a provider puts the members of its answers: names joined by dots, in which a number is the place in a list.

use crate::json::{Object, Value};
use std::collections::BTreeMap;

/// From the standard name of a member to its path.
pub(crate) type Paths = BTreeMap<String, String>;

/// The members that say where the others of a mapped answer are.
const TOKENS: [&str; 2] = ["access_token", "refresh_token"];

/// The value at a path, and whether it came with different values. What is no object, list or number on the way leads
/// nowhere.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<(&'a Value, bool)> {
    let mut found = (value, false);
    for segment in path.split('.') {
        found = match found.0 {
            Value::Object(object) => (object.get(segment)?, found.1 || object.is_ambiguous(segment)),
            Value::List(values) => (values.get(segment.parse::<usize>().ok()?)?, found.1),
            _ => return None,
        };
    }
    (!path.is_empty()).then_some(found)
}

/// An answer whose members have their standard names and places.
///
/// In the first answer of a sign-in a mapped member is at its path or nowhere: a member with the standard name may be of
/// another token there. A refresh may be answered in the standard form, and its refresh token must not be lost: then the
/// standard names count.
pub(crate) fn standard(value: &Value, paths: &Paths, is_first: bool) -> Value {
    let found: Vec<_> = paths
        .iter()
        .map(|(name, path)| (name, path, at(value, path)))
        .collect();
    let is_token = |name: &String| TOKENS.contains(&name.as_str());
    let maps_tokens = found.iter().any(|(name, ..)| is_token(name));
    let has_tokens = found
        .iter()
        .any(|(name, _, value)| is_token(name) && value.is_some());
    let is_mapped = maps_tokens && (is_first || has_tokens);
    let mut object = match value {
        Value::Object(object) => object.clone(),
        _ => Object::default(),
    };
    for (name, path, value) in found {
        match value {
            Some((value, is_ambiguous)) => object.set(name, value.clone(), is_ambiguous),
            // An empty path says that the provider means something else by this name.
            None if path.is_empty() || is_mapped => object.remove(name),
            None => {}
        }
    }
    Value::Object(object)
}

/// The name that a member has in the text of an answer: the last one of its path.
pub(crate) fn written<'a>(name: &'a str, paths: &'a Paths) -> &'a str {
    let path = paths.get(name).map(String::as_str).unwrap_or_default();
    let last = path.rsplit('.').find(|segment| segment.parse::<usize>().is_err());
    last.filter(|segment| !segment.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn value(text: &str) -> Value {
        json::read(text.as_bytes()).unwrap().value
    }

    fn paths(of: &[(&str, &str)]) -> Paths {
        of.iter()
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()))
            .collect()
    }

    fn token(value: &Value) -> Option<&str> {
        match value {
            Value::Object(object) => object.text("access_token").map(tokenry_core::Secret::expose),
            _ => None,
        }
    }

    #[test]
    fn a_path_leads_through_objects_and_lists_and_through_nothing_else() {
        let answer = value(r#"{"a":{"b":[{"c":"x"},7]},"t":"text","n":5,"z":null}"#);
        for (path, found) in [
            ("a.b.0.c", true),
            ("a.b.1", true),
            ("t", true),
            ("z", true),
            ("a.b.2", false),
            ("a.b.-1", false),
            ("a.b.c", false),
            ("a.b.99999999999999999999999", false),
            ("t.0", false),
            ("n.x", false),
            ("z.x", false),
            ("a..b", false),
            (".a", false),
            ("", false),
            ("a.b.0.c.", false),
        ] {
            assert_eq!(at(&answer, path).is_some(), found, "{path}");
        }
        let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
        assert!(at(&value(&deep), &"a.".repeat(199)).is_none());
    }

    /// Slack: the bot's token has the standard place, and the user's is deeper.
    #[test]
    fn the_first_answer_is_read_at_the_paths_alone_and_a_refresh_in_both_forms() {
        let slack = paths(&[
            ("access_token", "authed_user.access_token"),
            ("scope", "authed_user.scope"),
        ]);
        let both = value(r#"{"access_token":"bot","scope":"b","authed_user":{"access_token":"user"}}"#);
        let plain = value(r#"{"access_token":"user"}"#);
        let bot = value(r#"{"access_token":"bot","authed_user":{"id":"U1"}}"#);
        assert_eq!(token(&standard(&both, &slack, true)), Some("user"));
        assert_eq!(token(&standard(&both, &slack, false)), Some("user"));
        assert!(matches!(standard(&both, &slack, true), Value::Object(o) if o.get("scope").is_none()));
        assert_eq!(token(&standard(&bot, &slack, true)), None);
        assert_eq!(token(&standard(&plain, &slack, false)), Some("user"));
        let kept = paths(&[("expires_in", "ttl"), ("token_type", "")]);
        let other = value(r#"{"access_token":"a","expires_in":5,"token_type":"bot"}"#);
        let read = standard(&other, &kept, true).into_object();
        assert!(read.get("expires_in").is_some() && read.get("token_type").is_none());
    }

    #[test]
    fn a_value_that_comes_twice_on_its_path_is_ambiguous() {
        let twice = value(r#"{"d":{"t":"one","t":"two"}}"#);
        let read = standard(&twice, &paths(&[("access_token", "d.t")]), true).into_object();
        assert!(read.is_ambiguous("access_token"));
        assert_eq!(
            written("access_token", &paths(&[("access_token", "d.0.t.1")])),
            "t"
        );
        assert_eq!(written("scope", &paths(&[("scope", "")])), "scope");
    }
}
