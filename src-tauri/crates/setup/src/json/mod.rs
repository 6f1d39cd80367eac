//! Changes one member of a JSON text and leaves every other byte as it is.

mod mask;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) use mask::mask;
use parse::{Content, Member, Node, end_of_comments, parse};
use serde_json::Value;

/// How deep a new member is indented where the text does not show it.
const INDENT: &str = "  ";

/// The value at a path, and how many keys of the path exist.
///
/// # Errors
/// When the text is no JSON, when it has a key of the path twice, or when a value on the way is no object.
pub(crate) fn get(text: &str, path: &[String]) -> Result<(Option<Value>, usize), String> {
    if is_blank(text) {
        return Ok((None, 0));
    }
    let root = parse(text)?;
    let mut node = &root;
    for (depth, key) in path.iter().enumerate() {
        match member(members(node, &path[..depth])?, key)? {
            Some(found) => node = &found.value,
            None => return Ok((None, depth)),
        }
    }
    Ok((Some(node.value()), path.len()))
}

/// Sets the value at a path.
///
/// # Errors
/// As [`get`].
pub(crate) fn set(text: &str, path: &[String], value: &Value) -> Result<String, String> {
    if is_blank(text) {
        let mut whole = value.clone();
        for key in path.iter().rev() {
            whole = Value::Object([(key.clone(), whole)].into_iter().collect());
        }
        return Ok(pretty(&whole, "", INDENT, "\n") + "\n");
    }
    let root = parse(text)?;
    let mut node = &root;
    for (depth, key) in path.iter().enumerate() {
        let all = members(node, &path[..depth])?;
        let Some(found) = member(all, key)? else {
            return checked(
                insert(text, &root, node, &path[depth..], value),
                path,
                Some(value),
            );
        };
        node = &found.value;
    }
    if node.value() == *value {
        return Ok(text.to_owned());
    }
    let indent = indent_at(text, node.start);
    let new = pretty(value, indent, unit(text, &root), line_end(text));
    let changed = format!("{}{new}{}", &text[..node.start], &text[node.end..]);
    checked(changed, path, Some(value))
}

/// Removes the value at a path, and the objects above it that are empty then and deeper than `kept` keys.
///
/// # Errors
/// As [`get`].
pub(crate) fn remove(text: &str, path: &[String], kept: usize) -> Result<String, String> {
    if is_blank(text) {
        return Ok(text.to_owned());
    }
    let root = parse(text)?;
    let mut node = &root;
    let mut parents = Vec::new();
    for (depth, key) in path.iter().enumerate() {
        let all = members(node, &path[..depth])?;
        let Some(found) = member(all, key)? else {
            return Ok(text.to_owned());
        };
        parents.push((node, found));
        node = &found.value;
    }
    // The outermost object that held nothing but our value, and that was not there before.
    let mut cut = parents.len().saturating_sub(1);
    while cut > kept && matches!(&parents[cut].0.content, Content::Object(all) if all.len() == 1) {
        cut -= 1;
    }
    let Some((object, found)) = parents.get(cut) else {
        return Ok(text.to_owned());
    };
    checked(cut_out(text, &root, object, found), &path[..=cut], None)
}

fn is_blank(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim().is_empty()
}

/// The changed text, which must be what was meant: a mistake of ours must not cost the user a file.
fn checked(text: String, path: &[String], value: Option<&Value>) -> Result<String, String> {
    match get(&text, path) {
        Ok((found, _)) if found.as_ref() == value => Ok(text),
        _ => Err("cannot be changed without damage".to_owned()),
    }
}

fn members<'a>(node: &'a Node, path: &[String]) -> Result<&'a [Member], String> {
    match &node.content {
        Content::Object(members) => Ok(members),
        _ if path.is_empty() => Err("no object at its top".to_owned()),
        _ => Err(format!("no object at `{}`", path.join("."))),
    }
}

fn member<'a>(members: &'a [Member], key: &str) -> Result<Option<&'a Member>, String> {
    let mut found = members.iter().filter(|member| member.key == key);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(format!("`{key}` twice in one object")),
        (one, None) => Ok(one),
    }
}

/// Inserts a member into `object`, with the objects on the way to it.
fn insert(text: &str, root: &Node, object: &Node, path: &[String], value: &Value) -> String {
    let Content::Object(all) = &object.content else {
        return text.to_owned();
    };
    let (unit, line_end) = (unit(text, root), line_end(text));
    let mut inner = value.clone();
    for key in path[1..].iter().rev() {
        inner = Value::Object([(key.clone(), inner)].into_iter().collect());
    }
    let key = Value::String(path[0].clone());
    let close = object.end - 1;
    let is_one_line = !text[object.start..object.end].contains('\n');
    let Some(last) = all.last() else {
        let outer = indent_at(text, object.start);
        let indent = format!("{outer}{unit}");
        let new = pretty(&inner, &indent, unit, line_end);
        let at = end_of_comments(text, object.start + 1).min(close);
        return format!(
            "{}{line_end}{indent}{key}: {new}{line_end}{outer}{}",
            &text[..at],
            &text[close..]
        );
    };
    let at = last.comma.unwrap_or(last.value.end);
    let comma = if last.comma.is_some() { "" } else { "," };
    if is_one_line {
        return format!("{}{comma} {key}: {inner}{}", &text[..at], &text[at..]);
    }
    let indent = indent_at(text, all[0].start);
    let new = pretty(&inner, indent, unit, line_end);
    // A comment behind the last member is about that one.
    let end = end_of_comments(text, at).min(close);
    let behind = &text[at..end];
    format!(
        "{}{comma}{behind}{line_end}{indent}{key}: {new}{}",
        &text[..at],
        &text[end..]
    )
}

/// Cuts a member out of its object, with one comma and its line.
fn cut_out(text: &str, root: &Node, object: &Node, found: &Member) -> String {
    let Content::Object(all) = &object.content else {
        return text.to_owned();
    };
    let before = all.iter().rfind(|one| one.start < found.start);
    let from = start_of_line(text, found.start);
    let end = found.comma.unwrap_or(found.value.end);
    let is_last = all.last().is_some_and(|last| last.start == found.start);
    if all.len() == 1 {
        let (left, right) = (&text[object.start + 1..from], &text[end..object.end - 1]);
        let rest = format!("{left}{right}");
        let rest = if rest.trim().is_empty() { "" } else { rest.as_str() };
        return format!("{}{rest}{}", &text[..=object.start], &text[object.end - 1..]);
    }
    match before {
        // The comma before it goes, too, unless commas at the end are used here: strict JSON has none. What is between
        // may be a comment.
        Some(before) if is_last && found.comma.is_none() && !has_last_comma(root) => {
            let comma = before.comma.unwrap_or(before.value.end);
            let behind = text.get(comma..from).unwrap_or_default();
            format!("{}{behind}{}", &text[..before.value.end], &text[end..])
        }
        _ => format!("{}{}", &text[..from], &text[end..]),
    }
}

/// Whether an object of the text has a comma after its last member.
fn has_last_comma(node: &Node) -> bool {
    match &node.content {
        Content::Object(all) => {
            all.last().is_some_and(|last| last.comma.is_some())
                || all.iter().any(|one| has_last_comma(&one.value))
        }
        Content::Array(items) => items.iter().any(has_last_comma),
        Content::Scalar(_) => false,
    }
}

/// Where the line begins that this place is the first in: the end of the line before. Else the place without blanks.
fn start_of_line(text: &str, at: usize) -> usize {
    let line = text[..at].trim_end_matches([' ', '\t']);
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line).len()
}

/// The blanks at the beginning of the line of this place.
fn indent_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = &text[start..at];
    let line = line.trim_start_matches('\u{feff}');
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation of one level: that of the first member of the text.
fn unit<'a>(text: &'a str, root: &Node) -> &'a str {
    let Content::Object(all) = &root.content else {
        return INDENT;
    };
    let indent = all.first().map_or("", |first| indent_at(text, first.start));
    if indent.is_empty() { INDENT } else { indent }
}

pub(crate) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A value over several lines. Its first line is not indented.
fn pretty(value: &Value, indent: &str, unit: &str, line_end: &str) -> String {
    let (open, close, lines): (_, _, Vec<String>) = match value {
        Value::Object(all) if !all.is_empty() => {
            let inner = format!("{indent}{unit}");
            let line = |(key, value): (&String, &Value)| {
                let key = Value::String(key.clone());
                format!("{inner}{key}: {}", pretty(value, &inner, unit, line_end))
            };
            ('{', '}', all.iter().map(line).collect())
        }
        other => return other.to_string(),
    };
    let separator = format!(",{line_end}");
    format!(
        "{open}{line_end}{}{line_end}{indent}{close}",
        lines.join(&separator)
    )
}
