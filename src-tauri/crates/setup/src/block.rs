//! Lines that are added at the end of a text, and taken out again.

use crate::ini::{Ini, Section, section_name};
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
    /// Whether the heading was there before. It then stays after the undo.
    #[serde(default)]
    pub(crate) had_heading: bool,
}

impl Block {
    /// The heading and the lines.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
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
        if let Some(section) = self.section(&Ini::read(text)) {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let key = |line: &str| line.split_once('=').map(|(key, _)| key.trim().to_lowercase());
            let keys: Vec<_> = self.lines.iter().filter_map(|line| key(line)).collect();
            // An option must not be there twice.
            let is_old = |at: &usize| {
                let mut options = section.options.iter();
                options.any(|one| one.start == *at && !one.is_long && keys.contains(&one.key))
            };
            let ours: String = self.lines.iter().map(|line| format!("{line}{end}")).collect();
            let (before, after) = lines.split_at(section.start + 1);
            let before = before.concat();
            let gap = if before.ends_with('\n') { "" } else { end };
            let after = after.iter().zip(section.start + 1..);
            let after: String = after
                .filter(|(_, at)| !is_old(at))
                .map(|(line, _)| *line)
                .collect();
            return format!("{before}{gap}{ours}{after}");
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

    /// Notes whether the heading is there before the change.
    pub(crate) fn observe(&mut self, text: &str) {
        self.had_heading = self.section(&Ini::read(text)).is_some();
    }

    /// Whether another block has the same lines.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.heading, &self.lines, self.is_merged) == (&other.heading, &other.lines, other.is_merged)
    }

    /// Takes the lines out. The heading stays where it was there before, or where another line is below it now. `None` when
    /// the lines are not there.
    pub(crate) fn remove(&self, text: &str) -> Option<String> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (start, at) = self.place(text)?;
        let heading = usize::from(self.heading.is_some());
        let (between, rest) = (&lines[start + heading..at], &lines[at + self.lines.len()..]);
        let mut below = between.iter().chain(rest).map(|line| line.trim()).peekable();
        let is_comment = |line: &str| line.starts_with(['#', ';']);
        // A comment directly below the heading is about its section.
        let is_in_use = below.peek().is_some_and(|line| is_comment(line))
            || below
                .find(|line| !line.is_empty() && !is_comment(line))
                .is_some_and(|line| !line.starts_with('['));
        let kept = start + usize::from(heading == 1 && (is_in_use || self.had_heading));
        Some(lines[..kept].concat() + &between.concat() + &rest.concat())
    }

    /// The section that the lines go into, where the heading must not be repeated.
    fn section<'a, 'b>(&self, ini: &'b Ini<'a>) -> Option<&'b Section<'a>> {
        let heading = self.heading.as_deref().filter(|_| self.is_merged)?;
        ini.section(heading)
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
        let ini = Ini::read(text);
        let name = section_name(heading);
        let mut sections = ini.sections.iter().filter(|section| section.name == name);
        sections.find_map(|section| {
            let below = &lines[section.start + 1..section.end];
            let at = below
                .windows(self.lines.len().max(1))
                .position(|found| found == self.lines)?;
            Some((section.start, section.start + 1 + at))
        })
    }
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
        let old = "[a] ; mine\ny = 2\nX = 0\n";
        assert_eq!(block.add(old), "[a] ; mine\nx = \nx = 1\ny = 2\n");
    }

    #[test]
    fn a_heading_that_was_there_before_stays() {
        for before in ["[a]\n", "[a] # mine\n[b]\ny = 2\n", "[b]\n\n[a]\n\n"] {
            let mut block = Block {
                is_merged: true,
                ..block()
            };
            block.observe(before);
            assert_eq!(block.remove(&block.add(before)).as_deref(), Some(before));
        }
    }

    fn block() -> Block {
        Block {
            is_merged: false,
            had_heading: false,
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
