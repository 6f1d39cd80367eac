//! Lines that are added at the end of a text, and taken out again.

use crate::json::line_end;
use serde::{Deserialize, Serialize};

/// Lines, below a heading such as `[profile work]` where the format has headings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// The heading.
    pub(crate) heading: Option<String>,
    /// The lines below it.
    pub(crate) lines: Vec<String>,
    /// Whether the lines go below a heading that is there: in some formats a heading must not be repeated.
    #[serde(default)]
    pub(crate) is_merged: bool,
}

impl Block {
    fn all(&self) -> impl Iterator<Item = &str> {
        self.heading.iter().chain(&self.lines).map(String::as_str)
    }

    /// Whether the text has these lines.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.place(text).is_some()
    }

    /// Adds the lines, unless they are there.
    pub(crate) fn add(&self, text: &str) -> String {
        if self.is_in(text) {
            return text.to_owned();
        }
        let end = line_end(text);
        let below = self.heading.as_deref().filter(|_| self.is_merged);
        if let Some(at) = below.and_then(|heading| end_of_line(text, heading)) {
            let lines: String = self.lines.iter().map(|line| format!("{line}{end}")).collect();
            let (before, after) = text.split_at(at);
            let gap = if before.ends_with('\n') { "" } else { end };
            return format!("{before}{gap}{lines}{after}");
        }
        let mut new = text.to_owned();
        if !new.is_empty() && !new.ends_with('\n') {
            new += end;
        }
        for line in self.all() {
            new += line;
            new += end;
        }
        new
    }

    /// Takes the lines out. The heading stays where another line is below it now. `None` when the lines are not there.
    pub(crate) fn remove(&self, text: &str) -> Option<String> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (start, at) = self.place(text)?;
        let heading = usize::from(self.heading.is_some());
        let (between, rest) = (&lines[start + heading..at], &lines[at + self.lines.len()..]);
        let is_in_use = self.heading.is_some()
            && between
                .iter()
                .chain(rest)
                .map(|line| line.trim())
                .find(|line| !line.is_empty() && !line.starts_with(['#', ';']))
                .is_some_and(|line| !line.starts_with('['));
        let kept = start + usize::from(is_in_use);
        Some(lines[..kept].concat() + &between.concat() + &rest.concat())
    }

    /// The numbers of the first line, and of the first one below the heading. Other lines may be between them where
    /// the heading must not be repeated.
    fn place(&self, text: &str) -> Option<(usize, usize)> {
        let lines: Vec<&str> = text.lines().collect();
        let Some(heading) = self.heading.as_deref().filter(|_| self.is_merged) else {
            let ours: Vec<&str> = self.all().collect();
            let at = lines
                .windows(ours.len().max(1))
                .rposition(|found| found == ours)?;
            return Some((at, at + usize::from(self.heading.is_some())));
        };
        let (mut section, mut found) = (None, None);
        for (number, line) in lines.iter().enumerate() {
            if line.trim() == heading {
                section = Some(number);
            } else if line.trim_start().starts_with('[') {
                section = None;
            } else if let Some(start) = section
                && lines[number..].starts_with(&self.lines.iter().map(String::as_str).collect::<Vec<_>>())
            {
                found = Some((start, number));
            }
        }
        found
    }
}

/// Where the line ends that is this one.
fn end_of_line(text: &str, line: &str) -> Option<usize> {
    let mut end = 0;
    for one in text.split_inclusive('\n') {
        end += one.len();
        if one.trim() == line {
            return Some(end);
        }
    }
    None
}

/// The line of a key below a heading, in the formats of pip and of AWS.
pub(crate) fn line<'a>(text: &'a str, heading: &str, key: &str) -> Option<&'a str> {
    let start = end_of_line(text, heading)?;
    let mut section = text[start..]
        .lines()
        .take_while(|line| !line.trim_start().starts_with('['));
    section.find(|line| line.split_once('=').is_some_and(|(name, _)| name.trim() == key))
}

/// The value of such a key.
pub(crate) fn value<'a>(text: &'a str, heading: &str, key: &str) -> Option<&'a str> {
    let (_, value) = line(text, heading, key)?.split_once('=')?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_below_a_heading_that_must_not_be_repeated() {
        let block = Block {
            is_merged: true,
            ..block()
        };
        for (before, after) in [
            ("[a]\ny = 2\n[b]\n", "[a]\nx = \nx = 1\ny = 2\n[b]\n"),
            ("[a]", "[a]\nx = \nx = 1\n"),
            ("[b]\n", "[b]\n[a]\nx = \nx = 1\n"),
        ] {
            assert_eq!(block.add(before), after);
            assert_eq!(block.add(after), after);
        }
        let removed = block.remove("[a]\nx = \nx = 1\ny = 2\n[b]\n");
        assert_eq!(removed.as_deref(), Some("[a]\ny = 2\n[b]\n"));
        let moved = "[a]\ny = 2\nx = \nx = 1\n[b]\n";
        assert_eq!(block.add(moved), moved);
        assert_eq!(block.remove(moved).as_deref(), Some("[a]\ny = 2\n[b]\n"));
        assert_eq!(value("[b]\nk=0\n[a]\n k = 1 \n[c]\n", "[a]", "k"), Some("1"));
        assert_eq!(value("[a]\n[c]\nk = 1\n", "[a]", "k"), None);
    }

    fn block() -> Block {
        Block {
            is_merged: false,
            heading: Some("[a]".into()),
            lines: vec!["x = ".into(), "x = 1".into()],
        }
    }

    #[test]
    fn lines_are_added_once_and_taken_out_again() {
        for (before, after) in [
            ("", "[a]\nx = \nx = 1\n"),
            ("[b]\ny = 2\n", "[b]\ny = 2\n[a]\nx = \nx = 1\n"),
            ("# c\r\n", "# c\r\n[a]\r\nx = \r\nx = 1\r\n"),
        ] {
            assert_eq!(block().add(before), after);
            assert_eq!(block().add(after), after);
            assert_eq!(block().remove(after).as_deref(), Some(before));
        }
        assert_eq!(block().add("y"), "y\n[a]\nx = \nx = 1\n");
    }

    #[test]
    fn a_heading_that_others_use_meanwhile_stays() {
        let removed = |text: &str| block().remove(text);
        let used = "[a]\nx = \nx = 1\n# note\nz = 3\n[b]\n";
        assert_eq!(removed(used).as_deref(), Some("[a]\n# note\nz = 3\n[b]\n"));
        let free = "[a]\nx = \nx = 1\n\n# of b\n[b]\n";
        assert_eq!(removed(free).as_deref(), Some("\n# of b\n[b]\n"));
        assert_eq!(removed("[a]\nx = 1\n"), None);
    }
}
