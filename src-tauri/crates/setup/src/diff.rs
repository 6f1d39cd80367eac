//! A change of a text as a diff to look at. Values of secrets in it are masked.

use std::fmt::Write;

/// How many unchanged lines are shown around the change.
const CONTEXT_LINES: usize = 3;

/// The longest part of a line that is shown.
const MAX_LINE_CHARS: usize = 200;

/// How a key ends whose value is not shown.
const SECRET_ENDINGS: &[&str] = &[
    "auth",
    "authorization",
    "cookie",
    "key",
    "key-data",
    "key_data",
    "passwd",
    "password",
    "secret",
    "token",
];

/// The changed lines, `-` before an old one and `+` before a new one, with some lines around them.
#[cfg(test)]
fn diff(before: &str, after: &str) -> String {
    diff_of(before, after, &|_| true)
}

/// The same, with `…` in place of each line that is not to be shown.
pub(crate) fn diff_of(before: &str, after: &str, is_shown: &dyn Fn(&str) -> bool) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let first = old
        .iter()
        .zip(&new)
        .take_while(|(one, other)| one == other)
        .count();
    let rest = old[first..].iter().rev().zip(new[first..].iter().rev());
    let last = rest.take_while(|(one, other)| one == other).count();
    let from = first.saturating_sub(CONTEXT_LINES);
    let mut text = String::new();
    let mut lines = |mark: char, lines: &[&str]| {
        for line in lines {
            let line = if is_shown(line) {
                shown(line)
            } else {
                "…".to_owned()
            };
            let _ = writeln!(text, "{mark}{line}");
        }
    };
    lines(' ', &old[from..first]);
    lines('-', &old[first..old.len() - last]);
    lines('+', &new[first..new.len() - last]);
    let behind = &new[new.len() - last..];
    lines(' ', &behind[..behind.len().min(CONTEXT_LINES)]);
    text
}

fn shown(line: &str) -> String {
    let line = tokenry_contract::sanitize_for_display(&masked(line).replace('\t', "    "));
    if line.chars().count() <= MAX_LINE_CHARS {
        return line;
    }
    // A file on one line: both ends say enough.
    let half = MAX_LINE_CHARS / 2;
    let start: String = line.chars().take(half).collect();
    let end: Vec<char> = line.chars().rev().take(half).collect();
    format!("{start} … {}", end.iter().rev().collect::<String>())
}

/// The line without the user and the password in its URLs. A token can be either of them.
fn without_user_info(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (scheme, url) = rest.split_at(at + 3);
        text += scheme;
        let is_end =
            |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`');
        let authority = &url[..url.find(is_end).unwrap_or(url.len())];
        rest = url;
        if let Some(at) = authority.rfind('@') {
            text.push('…');
            rest = &url[at..];
        }
    }
    text + rest
}

/// The line without the values whose key sounds like a secret.
fn masked(line: &str) -> String {
    let line = without_user_info(line);
    let mut text = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(at) = rest.find([':', '=']) {
        let (key, value) = (&rest[..at], &rest[at + 1..]);
        let name = key.trim_end_matches([' ', '"', '\'']).to_ascii_lowercase();
        text += &rest[..=at];
        rest = value;
        if SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let blanks = value.len() - value.trim_start_matches(' ').len();
            let inner = &value[blanks..];
            let length = match inner.chars().next() {
                // An object or a list: its members are looked at one by one.
                None | Some('{' | '[') => continue,
                Some(quote @ ('"' | '\'')) => quoted_length(inner, quote),
                // A header within a text ends where the text does.
                Some(_) => inner.find(['"', '\'', ',']).unwrap_or(inner.len()),
            };
            text += &value[..blanks];
            text.push('…');
            rest = &inner[length..];
        }
    }
    text + rest
}

/// The length of a text in quotes, with both.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_lines_are_shown_with_some_around_them() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
        assert_eq!(
            diff(before, "1\n2\n3\n4\nx\n6\n7\n8\n"),
            " 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"
        );
        assert_eq!(diff("", "a\nb\n"), "+a\n+b\n");
        assert_eq!(diff("a\n", ""), "-a\n");
        assert_eq!(diff("a\na\n", "a\na\na\n"), " a\n a\n+a\n");
        assert_eq!(diff("a\n", "a\n"), " a\n");
    }

    #[test]
    fn values_of_secrets_are_masked_wherever_they_are() {
        for line in [
            "\"auth\": \"S3CR3T\",",
            "{\"auths\":{\"a\":{\"auth\":\"S3CR3T\\\"S3CR3T\"}}}",
            "    client-key-data: S3CR3T",
            "aws_secret_access_key = S3CR3T",
            "\"args\": [\"--header\", \"Authorization: Bearer S3CR3T\"]",
            "\"GITHUB_TOKEN\":\"S3CR3T\", \"x\": \"y\"",
            "password=S3CR3T S3CR3T",
            "'api_key' : 'S3CR3T'",
            "index-url = https://u:S3CR3T@host/simple",
            "[url \"https://S3CR3T@host/\"] x https://a:S3CR3T@b@c",
        ] {
            assert!(!masked(line).contains("S3CR3T"), "{}", masked(line));
        }
        for line in [
            "\"credHelpers\": {\"ghcr.io\": \"tokenry\"}",
            "keyring-provider = subprocess",
            "url = \"https://host:8080/a@b\"",
            "credential_process = '/usr/bin/tokenry' aws-credential",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    #[test]
    fn a_long_line_is_cut_and_a_terminal_sequence_is_text() {
        assert!(diff("", &"x".repeat(10_000)).chars().count() < 250);
        assert!(!diff("", "\u{1b}[2J").contains('\u{1b}'));
    }
}
