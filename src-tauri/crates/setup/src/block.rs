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
        let at = self.place(text)?;
        let count = self.all().count();
        let rest = &lines[at + count..];
        let is_in_use = self.heading.is_some()
            && rest
                .iter()
                .map(|line| line.trim())
                .find(|line| !line.is_empty() && !line.starts_with(['#', ';']))
                .is_some_and(|line| !line.starts_with('['));
        let kept = at + usize::from(is_in_use);
        Some(lines[..kept].concat() + &rest.concat())
    }

    /// The number of the first line.
    fn place(&self, text: &str) -> Option<usize> {
        let lines: Vec<&str> = text.lines().collect();
        let ours: Vec<&str> = self.all().collect();
        lines.windows(ours.len().max(1)).rposition(|found| found == ours)
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

/// The value of a key below a heading, in the formats of pip and of AWS.
pub(crate) fn value<'a>(text: &'a str, heading: &str, key: &str) -> Option<&'a str> {
    let start = end_of_line(text, heading)?;
    let section = text[start..]
        .lines()
        .take_while(|line| !line.trim_start().starts_with('['));
    let mut pairs = section.filter_map(|line| line.split_once('='));
    pairs
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
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
