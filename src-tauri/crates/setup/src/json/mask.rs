//! Hides values in a JSON text that is shown.

use super::parse::{Content, Node, parse};
use serde_json::Value;
use std::ops::Range;

/// The text with `…` in place of the texts and numbers below keys that `is_secret` names, but for those that are `kept`.
///
/// # Errors
/// When the text is not JSON.
pub(crate) fn mask(text: &str, is_secret: fn(&str) -> bool, kept: &[&str]) -> Result<String, String> {
    if super::is_blank(text) {
        return Ok(text.to_owned());
    }
    let mut hidden = Vec::new();
    collect(&parse(text)?, false, is_secret, kept, &mut hidden);
    let (mut masked, mut from) = (String::with_capacity(text.len()), 0);
    for range in hidden {
        masked = masked + &text[from..range.start] + "\"…\"";
        from = range.end;
    }
    Ok(masked + &text[from..])
}

fn collect(
    node: &Node,
    is_below: bool,
    is_secret: fn(&str) -> bool,
    kept: &[&str],
    hidden: &mut Vec<Range<usize>>,
) {
    match &node.content {
        Content::Object(members) => members.iter().for_each(|one| {
            let is_below = is_below || is_secret(&one.key);
            collect(&one.value, is_below, is_secret, kept, hidden);
        }),
        Content::Array(items) => items
            .iter()
            .for_each(|item| collect(item, is_below, is_secret, kept, hidden)),
        Content::Scalar(Value::Bool(_) | Value::Null) => {}
        Content::Scalar(value) => {
            if is_below && !value.as_str().is_some_and(|text| kept.contains(&text)) {
                hidden.push(node.start..node.end);
            }
        }
    }
}
