//! The part of YAML that `gh` and `glab` write: maps of plain or quoted texts, by their indentation. Whatever is more
//! than that is an error of its line.

use crate::secret_input::SecretText;
use zeroize::Zeroizing;

/// One value, by the keys that lead to it.
pub(super) struct Entry {
    pub(super) keys: Vec<String>,
    /// `None` where a map follows, or nothing.
    pub(super) value: Option<SecretText>,
    pub(super) line: usize,
}

/// A line that is no such map.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) text: &'static str,
}

/// Deeper than any of these files.
const MAX_DEPTH: usize = 8;

/// All entries, in their order, and the first line that is not understood at each place.
pub(super) fn read(text: &str) -> (Vec<Entry>, Vec<Wrong>) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut wrong = Vec::new();
    // The indentations and keys of the maps around a line.
    let mut around: Vec<(usize, String)> = Vec::new();
    // What is deeper than a line that is not understood belongs to it.
    let mut skipped: Option<usize> = None;
    for (at, raw) in text.split('\n').enumerate() {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let line = at + 1;
        let content = raw.trim_start_matches(' ');
        let indent = raw.len() - content.len();
        if content.is_empty()
            || content.starts_with('#')
            || (indent == 0 && content == "---" && entries.is_empty())
        {
            continue;
        }
        if skipped.is_some_and(|outer| indent > outer) {
            continue;
        }
        skipped = None;
        around.retain(|(outer, _)| *outer < indent);
        match pair(content) {
            Ok(_) if around.len() >= MAX_DEPTH => {
                wrong.push(Wrong {
                    line,
                    text: "it is nested too deeply",
                });
                skipped = Some(indent);
            }
            Ok((key, value)) => {
                let keys: Vec<String> = around
                    .iter()
                    .map(|(_, key)| key.clone())
                    .chain([key.clone()])
                    .collect();
                if entries.iter().any(|entry| entry.keys == keys) {
                    wrong.push(Wrong {
                        line,
                        text: "its key is repeated",
                    });
                    skipped = Some(indent);
                    continue;
                }
                around.push((indent, key));
                entries.push(Entry { keys, value, line });
            }
            Err(text) => {
                wrong.push(Wrong { line, text });
                skipped = Some(indent);
            }
        }
    }
    (entries, wrong)
}

/// `key: value`, or `key:`.
fn pair(content: &str) -> Result<(String, Option<SecretText>), &'static str> {
    if content.contains(|c: char| c.is_control()) {
        return Err("it has a tab or a control character");
    }
    if content == "-" || content.starts_with("- ") || content.starts_with("? ") {
        return Err("it is a list, and a map is expected");
    }
    let (key, rest) = match content.starts_with(['"', '\'']) {
        true => {
            let (key, rest) = quoted(content)?;
            (
                key.to_string(),
                rest.strip_prefix(':').ok_or("there is no `:` after its key")?,
            )
        }
        false => {
            let colon = content
                .find(": ")
                .or_else(|| content.strip_suffix(':').map(str::len));
            let colon = colon.ok_or("there is no `:` in it")?;
            (content[..colon].trim_end().to_owned(), &content[colon + 1..])
        }
    };
    if key.is_empty() || key.starts_with(['&', '*', '!', '{', '[', '|', '>', '%', '@', '`']) {
        return Err("its key is not a plain text");
    }
    Ok((key, value(rest.trim_start_matches(' '))?))
}

fn value(text: &str) -> Result<Option<SecretText>, &'static str> {
    // `glab` writes `!!null` before a token that it once had none of.
    let text = text
        .strip_prefix("!!null ")
        .or_else(|| text.strip_prefix("!!str "))
        .unwrap_or(text)
        .trim_start();
    match text.chars().next() {
        None | Some('#') => Ok(None),
        Some('"' | '\'') => {
            let (value, rest) = quoted(text)?;
            let rest = rest.trim_start();
            match rest.is_empty() || rest.starts_with('#') {
                true => Ok(Some(value)),
                false => Err("something follows its quoted value"),
            }
        }
        Some('&' | '*' | '!' | '|' | '>' | '{' | '[' | '%' | '@' | '`') => {
            Err("its value is not a plain text")
        }
        Some(_) => {
            let plain = text.split_once(" #").map_or(text, |(plain, _)| plain).trim_end();
            match plain {
                "" | "~" | "null" => Ok(None),
                plain if plain.contains(": ") || plain.ends_with(':') => Err("its value is not a plain text"),
                plain => Ok(Some(Zeroizing::new(plain.to_owned()))),
            }
        }
    }
}

/// A quoted text, and what follows it.
fn quoted(text: &str) -> Result<(SecretText, &str), &'static str> {
    const OPEN: &str = "its quotes do not end on its line";
    let mut letters = text.char_indices();
    let (_, quote) = letters.next().ok_or(OPEN)?;
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' if quote == '\'' && text[at + 1..].starts_with('\'') => {
                letters.next();
                value.push('\'');
            }
            letter if letter == quote => return Ok((value, &text[at + letter.len_utf8()..])),
            '\\' if quote == '"' => match letters.next() {
                Some((_, escaped @ ('"' | '\\' | '/'))) => value.push(escaped),
                _ => return Err("its value has an escape that is not understood"),
            },
            letter => value.push(letter),
        }
    }
    Err(OPEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Vec<String> {
        let (entries, _) = read(text);
        let line = |entry: Entry| {
            let value = entry
                .value
                .map_or_else(|| "-".to_owned(), |value| value.to_string());
            format!("{}={value}", entry.keys.join("/"))
        };
        entries.into_iter().map(line).collect()
    }

    #[test]
    fn maps_of_plain_and_quoted_texts_are_read() {
        let text = "# c\r\ngithub.com:\r\n    user: ada # who\r\n    oauth_token: 'a''b#c'\r\n    users:\r\n        ada:\r\n\"x y\": \"a\\\"\\\\\"\r\nt: !!null glpat-1\nn: ~\n";
        assert_eq!(
            flat(text),
            [
                "github.com=-",
                "github.com/user=ada",
                "github.com/oauth_token=a'b#c",
                "github.com/users=-",
                "github.com/users/ada=-",
                "x y=a\"\\",
                "t=glpat-1",
                "n=-"
            ]
        );
    }

    #[test]
    fn what_is_more_than_that_is_an_error_of_its_line_and_of_nothing_else() {
        for odd in [
            "a",
            "- a",
            "a: &x b",
            "a: *x",
            "a: {b: c}",
            "a: [b]",
            "a: |\n  many\n  lines: x",
            "a: \"open",
            "a: 'open",
            "a: \"\\x41\"",
            "a: 'b' c",
            "\ta: b",
            "a: b\0c",
            "a: b: c",
            "? a",
            ": b",
            "<<: *x",
            "good: 2",
        ] {
            let (entries, wrong) = read(&format!("good: 1\n{odd}\nlast: 3\n"));
            assert_eq!(wrong.len(), 1, "{odd:?}");
            assert_eq!(wrong[0].line, 2, "{odd:?}");
            let keys: Vec<_> = entries.iter().map(|entry| entry.keys.join("/")).collect();
            assert_eq!(keys, ["good", "last"], "{odd:?}");
        }
        let deep: String = (0..40)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        assert_eq!(read(&deep).1.len(), 1);
        assert_eq!(read(&"a: b\n".repeat(1000)).1.len(), 999);
    }
}
