//! Changes one value of a TOML text and keeps comments and order.

use crate::json::line_end;
use serde_json::Value;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// The value at a path as text, and how many keys of the path exist.
///
/// # Errors
/// When the text is no TOML, or a value on the way is no table.
pub(crate) fn get(text: &str, path: &[String]) -> Result<(Option<String>, usize), String> {
    let document = parse(text)?;
    let mut table: &dyn TableLike = document.as_table();
    for (depth, key) in path.iter().enumerate() {
        match table.get(key) {
            None | Some(Item::None) => return Ok((None, depth)),
            Some(item) if depth + 1 == path.len() => return Ok((Some(item.to_string()), path.len())),
            Some(item) => table = item.as_table_like().ok_or_else(|| no_table(&path[..=depth]))?,
        }
    }
    Ok((None, 0))
}

/// The value at a path, to look at its parts. Numbers and times are their text.
///
/// # Errors
/// As [`get`].
pub(crate) fn json(text: &str, path: &[String]) -> Result<Option<Value>, String> {
    let mut document = parse(text)?;
    let Some((key, above)) = path.split_last() else {
        return Ok(None);
    };
    let table = table_at(&mut document, above)?;
    let item = table.and_then(|table| table.get(key).filter(|item| !item.is_none()));
    Ok(item.map(item_as_json))
}

fn item_as_json(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        let members = table
            .iter()
            .map(|(key, item)| (key.to_owned(), item_as_json(item)));
        return Value::Object(members.collect());
    }
    match item.as_value() {
        Some(toml_edit::Value::Array(all)) => {
            let all = all.iter().map(|one| item_as_json(&Item::Value(one.clone())));
            Value::Array(all.collect())
        }
        Some(toml_edit::Value::String(text)) => text.value().as_str().into(),
        Some(toml_edit::Value::Boolean(flag)) => (*flag.value()).into(),
        _ => item.to_string().into(),
    }
}

/// Sets the value at a path: a text, a list of texts, or an object of these.
///
/// # Errors
/// As [`get`].
pub(crate) fn set(text: &str, path: &[String], new: &Value) -> Result<String, String> {
    put(text, path, item(new))
}

/// Sets what [`get`] gave.
///
/// # Errors
/// As [`get`].
pub(crate) fn restore(text: &str, path: &[String], old: &str) -> Result<String, String> {
    let old = old.trim();
    // A table is told as its lines, a value as the value.
    let item = match format!("x = {old}").parse::<DocumentMut>() {
        Ok(mut document) => document.remove("x").unwrap_or_default(),
        Err(_) => Item::Table(parse(old)?.as_table().clone()),
    };
    Ok(with_comments(text, &put(text, path, item)?))
}

/// Removes the value at a path, and the tables above it that are empty then and deeper than `kept` keys.
///
/// # Errors
/// As [`get`].
pub(crate) fn remove(text: &str, path: &[String], kept: usize) -> Result<String, String> {
    let mut document = parse(text)?;
    for depth in (kept..path.len()).rev() {
        let is_leaf = depth + 1 == path.len();
        let Some(table) = table_at(&mut document, &path[..depth])? else {
            return Ok(text.to_owned());
        };
        let is_empty = |item: &Item| item.as_table_like().is_some_and(|table| table.is_empty());
        if is_leaf || table.get(&path[depth]).is_some_and(is_empty) {
            table.remove(&path[depth]);
        }
    }
    Ok(with_comments(text, &written(text, &document)))
}

/// The new text with the comments of the old one that it lost: toml_edit takes those above a key or a heading for a part
/// of it. The new text is the old one without some lines.
fn with_comments(old: &str, new: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (
        old.split_inclusive('\n').collect(),
        new.split_inclusive('\n').collect(),
    );
    let pairs = before.iter().zip(&after);
    let first = pairs.take_while(|(one, other)| one == other).count();
    let rest = before[first..].iter().rev().zip(after[first..].iter().rev());
    let last = rest.take_while(|(one, other)| one == other).count();
    let (lost, kept) = (
        &before[first..before.len() - last],
        &after[first..after.len() - last],
    );
    let mut kept_comments: Vec<&str> = kept.iter().filter_map(|line| comment(line)).collect();
    let end = line_end(old);
    // Blank lines stay between comments, and above the first one.
    let (mut comments, mut blank) = (String::new(), String::new());
    for line in lost {
        if line.trim().is_empty() {
            blank += line;
        } else if let Some(comment) = comment(line) {
            if let Some(at) = kept_comments.iter().position(|kept| *kept == comment) {
                kept_comments.remove(at);
                continue;
            }
            comments += &std::mem::take(&mut blank);
            comments = comments + comment + end;
        }
    }
    let at = after.len() - last;
    let above = after[..at].concat();
    let gap = if comments.is_empty() || above.is_empty() || above.ends_with('\n') {
        ""
    } else {
        end
    };
    above + gap + &comments + &after[at..].concat()
}

/// The comment in a line of TOML.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}').trim();
    // A `#` within a text is not one: only the rest of a line that is whole without it.
    let mut starts = line.match_indices('#').map(|(at, _)| at);
    let start = starts.find(|&at| {
        let code = line[..at].trim();
        let element = format!("x = [{code}]");
        [code, &element]
            .iter()
            .any(|code| code.parse::<DocumentMut>().is_ok())
            || code.ends_with('[')
            || code == "]"
    });
    start.map(|at| &line[at..])
}

/// The text with `…` in place of the texts and numbers below keys that `is_secret` names, but for those that are `kept`.
///
/// # Errors
/// When the text is not TOML.
pub(crate) fn mask(text: &str, is_secret: fn(&str) -> bool, kept: &[&str]) -> Result<String, String> {
    let mut document = parse(text)?;
    mask_table(document.as_table_mut(), false, is_secret, kept);
    Ok(written(text, &document))
}

fn mask_table(table: &mut dyn TableLike, is_below: bool, is_secret: fn(&str) -> bool, kept: &[&str]) {
    for (key, item) in table.iter_mut() {
        let is_below = is_below || is_secret(key.get());
        match item {
            Item::ArrayOfTables(all) => all
                .iter_mut()
                .for_each(|table| mask_table(table, is_below, is_secret, kept)),
            Item::Table(table) => mask_table(table, is_below, is_secret, kept),
            Item::Value(value) => mask_value(value, is_below, is_secret, kept),
            Item::None => {}
        }
    }
}

fn mask_value(value: &mut toml_edit::Value, is_below: bool, is_secret: fn(&str) -> bool, kept: &[&str]) {
    match value {
        toml_edit::Value::InlineTable(table) => mask_table(table, is_below, is_secret, kept),
        toml_edit::Value::Array(all) => all
            .iter_mut()
            .for_each(|one| mask_value(one, is_below, is_secret, kept)),
        toml_edit::Value::Boolean(_) => {}
        _ if !is_below || value.as_str().is_some_and(|text| kept.contains(&text)) => {}
        _ => {
            let decor = value.decor().clone();
            *value = "…".into();
            *value.decor_mut() = decor;
        }
    }
}

/// Whether the value at a path is this one.
pub(crate) fn is(text: &str, path: &[String], expected: &Value) -> Result<bool, String> {
    Ok(json(text, path)?.as_ref() == Some(expected))
}

fn put(text: &str, path: &[String], item: Item) -> Result<String, String> {
    let mut document = parse(text)?;
    let (Some(key), Some(above)) = (path.last(), path.len().checked_sub(1)) else {
        return Err("cannot be changed without a key".to_owned());
    };
    for depth in 0..above {
        if let Some(table) = table_at(&mut document, &path[..depth])?
            && table.get(&path[depth]).is_none_or(Item::is_none)
        {
            let mut new = Table::new();
            // Its heading is needed only where a value is directly below.
            new.set_implicit(depth + 1 < above || item.is_table());
            table.insert(&path[depth], Item::Table(new));
        }
    }
    let table = table_at(&mut document, &path[..above])?.ok_or_else(|| no_table(&path[..above]))?;
    let mut item = item;
    let decor = table.key(key).map(|key| key.leaf_decor().clone());
    if let (Some(old), Some(new)) = (table.get(key).and_then(Item::as_table), item.as_table_mut()) {
        new.decor_mut().clone_from(old.decor());
    }
    table.insert(key, item);
    // The comments above it.
    if let (Some(decor), Some(mut key)) = (decor, table.key_mut(key)) {
        *key.leaf_decor_mut() = decor;
    }
    Ok(written(text, &document))
}

fn table_at<'a>(
    document: &'a mut DocumentMut,
    path: &[String],
) -> Result<Option<&'a mut dyn TableLike>, String> {
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, key) in path.iter().enumerate() {
        if table.get(key).is_none_or(Item::is_none) {
            return Ok(None);
        }
        let item = table.get_mut(key).and_then(Item::as_table_like_mut);
        table = item.ok_or_else(|| no_table(&path[..=depth]))?;
    }
    Ok(Some(table))
}

fn item(new: &Value) -> Item {
    match new {
        Value::Array(all) => value(all.iter().filter_map(Value::as_str).collect::<Array>()),
        Value::Object(all) => {
            let mut table = Table::new();
            for (key, inner) in all {
                table.insert(key, item(inner));
            }
            Item::Table(table)
        }
        Value::String(text) => value(text),
        Value::Bool(flag) => value(*flag),
        other => value(other.to_string()),
    }
}

fn no_table(path: &[String]) -> String {
    format!("no table at `{}`", path.join("."))
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.parse::<DocumentMut>().map_err(|error| {
        // The error's own text repeats the line, which may hold a secret.
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        format!("an error in line {}", before.matches('\n').count() + 1)
    })
}

/// The document, with the beginning and the line ends that the text has.
fn written(text: &str, document: &DocumentMut) -> String {
    let mut new = document.to_string();
    let is_crlf = text.contains("\r\n") && !text.replace("\r\n", "").contains('\n');
    if is_crlf {
        new = new.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    if text.starts_with('\u{feff}') && !new.starts_with('\u{feff}') {
        new.insert(0, '\u{feff}');
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Without blanks and line ends, which mean nothing between values.
    fn squeezed(text: &str) -> String {
        text.split_whitespace().collect()
    }

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_value_is_set_and_removed_and_comments_stay() {
        for (before, at, new, after) in [
            ("", "a/b/c", json!("x"), "[a.b]\nc = \"x\"\n"),
            (
                "# top\n[a.b] # here\nd = 1 # one\n",
                "a/b/c",
                json!(["x", "y"]),
                "# top\n[a.b] # here\nd = 1 # one\nc = [\"x\", \"y\"]\n",
            ),
            (
                "model = \"m\"\n\n[other]\nx = 1\n",
                "mcp_servers/docs",
                json!({"command": "/t", "args": ["mcp"]}),
                "model = \"m\"\n\n[other]\nx = 1\n\n[mcp_servers.docs]\nargs = [\"mcp\"]\ncommand = \"/t\"\n",
            ),
            ("x = 1\r\n", "y", json!("z"), "x = 1\r\ny = \"z\"\r\n"),
            (
                "a = { b = 1 }\n",
                "a/c",
                json!("x"),
                "a = { b = 1 , c = \"x\" }\n",
            ),
        ] {
            let (at, kept) = (path(at), get(before, &path(at)).unwrap().1);
            let set = set(before, &at, &new).unwrap();
            assert_eq!(set, after);
            assert!(is(&set, &at, &new).unwrap() && !is(before, &at, &new).unwrap());
            assert_eq!(remove(&set, &at, kept).unwrap().trim_end(), before.trim_end());
        }
    }

    #[test]
    fn comments_of_the_user_stay_when_a_value_is_removed() {
        for (text, at, after) in [
            ("# top\n\nx = 1\n", "x", "# top\n"),
            ("# mine\nx = 1 # why\ny = 2\n", "x", "# mine\n# why\ny = 2\n"),
            (
                "[a]\ny = 1\n# mine\nx = 1\n\n# b\n[b]\n",
                "a/x",
                "[a]\ny = 1\n# mine\n\n# b\n[b]\n",
            ),
            (
                "y = 1\n\n# mine\n[a.b] # here\n# in\nx = \"#no\"\n# end\n",
                "a/b",
                "y = 1\n\n# mine\n# here\n# in\n# end\n",
            ),
            ("# mine\r\n[a.b]\r\nx = 1\r\n[c]\r\n", "a/b", "# mine\r\n[c]\r\n"),
            (
                "[a]\nx = [\n  1, # one\n  # two\n]\n[b]\n",
                "a/x",
                "# one\n# two\n[b]\n",
            ),
            ("a = { x = 1, y = 2 } # mine\n", "a/x", "a = { y = 2 } # mine\n"),
            ("z = 1\n# mine\nx = '#'", "x", "z = 1\n# mine\n"),
        ] {
            assert_eq!(remove(text, &path(at), 0).unwrap(), after, "{text}");
        }
    }

    #[test]
    fn a_comment_written_since_stays_when_an_old_table_comes_back() {
        let text = "[a.b]\n# first\nx = 1\n";
        let at = path("a/b");
        let old = get(text, &at).unwrap().0.unwrap();
        let now = set(text, &at, &json!({"y": "2"})).unwrap();
        let now = now.replace("y =", "# second\ny =") + "\n# c\n[c]\n";
        let back = restore(&now, &at, &old).unwrap();
        for part in ["# first\n", "# second\n", "x = 1\n", "\n# c\n[c]\n"] {
            assert_eq!(back.matches(part).count(), 1, "{back}");
        }
    }

    #[test]
    fn comments_above_a_value_stay_when_it_is_replaced() {
        for (text, at, new) in [
            ("# mine\nx = 1\n", "x", json!("new")),
            ("[a]\n# mine\nx = 1\n", "a/x", json!("new")),
            (
                "y = 1\n# mine\n[a.b] # here\nx = 1\n",
                "a/b",
                json!({"command": "new"}),
            ),
        ] {
            let new = set(text, &path(at), &new).unwrap();
            assert!(new.contains("# mine\n") && new.contains("new"), "{new}");
            assert_eq!(text.contains("# here"), new.contains("# here"), "{new}");
        }
    }

    #[test]
    fn an_old_value_comes_back() {
        for (text, at) in [
            ("a = \"old\"\n", "a"),
            ("[a.b]\nc = [\"old\"] # why\n", "a/b/c"),
            ("[a.b]\ncommand = \"old\"\n", "a/b"),
        ] {
            let at = path(at);
            let old = get(text, &at).unwrap().0.unwrap();
            let changed = set(text, &at, &json!("new")).unwrap();
            assert_ne!(changed, text);
            let back = restore(&changed, &at, &old).unwrap();
            assert_eq!(
                get(&back, &at).unwrap().0.map(|text| squeezed(&text)),
                Some(squeezed(&old))
            );
        }
    }

    #[test]
    fn what_is_no_toml_is_an_error_that_repeats_nothing() {
        for text in ["x", "a = ", "[a\n", "a = 1\na = 2\n", "a = \"s3cret\n"] {
            let error = set(text, &path("a/b"), &json!("x")).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert_eq!(
            set("a = 1\n", &path("a/b"), &json!("x")).unwrap_err(),
            "no table at `a`"
        );
    }
}
