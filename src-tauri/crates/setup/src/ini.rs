//! Reads a configuration file as Python's configparser does. pip and botocore read theirs with it.

/// A file. Lines that configparser would refuse are left out, and `error` names the first of them.
#[derive(Debug)]
pub(crate) struct Ini<'a> {
    pub(crate) sections: Vec<Section<'a>>,
    /// The number of the first line that cannot be read, beginning with 1.
    pub(crate) error: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) name: String,
    /// The index of the line of its header.
    pub(crate) start: usize,
    /// The index behind its last line.
    pub(crate) end: usize,
    pub(crate) options: Vec<IniOption<'a>>,
}

#[derive(Debug)]
pub(crate) struct IniOption<'a> {
    /// In lower case.
    pub(crate) key: String,
    /// Further lines of the value are joined with line ends.
    pub(crate) value: String,
    /// The index of its first line, and that line.
    pub(crate) start: usize,
    pub(crate) line: &'a str,
    /// Whether the value has more than one line.
    pub(crate) is_long: bool,
}

impl<'a> Ini<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let mut ini = Self {
            sections: Vec::new(),
            error: None,
        };
        let (mut indent, mut has_option, mut count) = (0, false, 0);
        for (at, line) in text.lines().enumerate() {
            count = at + 1;
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let own = line.len() - line.trim_start().len();
            let last = ini.sections.last_mut().and_then(|last| last.options.last_mut());
            if let Some(last) = last.filter(|_| has_option && own > indent) {
                last.value = format!("{}\n{content}", last.value);
                last.is_long = true;
                continue;
            }
            indent = own;
            if content.starts_with('[') && content.rfind(']').is_some_and(|end| end > 1) {
                ini.begin_section(content, at);
                has_option = false;
            } else {
                has_option = ini.add_option(content, at, line);
            }
        }
        if let Some(last) = ini.sections.last_mut() {
            last.end = count;
        }
        ini
    }

    fn begin_section(&mut self, content: &str, at: usize) {
        let name = section_name(content);
        let is_repeated = self.section(content).is_some();
        // Versions of Python differ in where a name ends that has such a bracket behind it.
        if is_repeated || content.matches(']').count() > 1 {
            self.fail(at);
        }
        if let Some(last) = self.sections.last_mut() {
            last.end = at;
        }
        self.sections.push(Section {
            name,
            start: at,
            end: at + 1,
            options: Vec::new(),
        });
    }

    fn add_option(&mut self, content: &str, at: usize, line: &'a str) -> bool {
        let option = content.split_once(['=', ':']);
        let option = option.map(|(key, value)| (key.trim_end().to_lowercase(), value.trim()));
        let Some((key, value)) = option.filter(|(key, _)| !key.is_empty()) else {
            self.fail(at);
            return false;
        };
        let Some(section) = self.sections.last_mut() else {
            self.fail(at);
            return false;
        };
        let is_repeated = section.options.iter().any(|one| one.key == key);
        section.options.push(IniOption {
            key,
            value: value.to_owned(),
            start: at,
            line,
            is_long: false,
        });
        if is_repeated {
            self.fail(at);
        }
        true
    }

    fn fail(&mut self, at: usize) {
        self.error.get_or_insert(at + 1);
    }

    /// The section of a heading such as `[global]`.
    pub(crate) fn section(&self, heading: &str) -> Option<&Section<'a>> {
        let name = section_name(heading);
        self.sections.iter().find(|section| section.name == name)
    }

    /// Each section, key and value.
    fn values(&self) -> Vec<(&str, &str, &str)> {
        let mut values: Vec<_> = self
            .sections
            .iter()
            .flat_map(|section| {
                let options = section.options.iter();
                options.map(|one| (section.name.as_str(), one.key.as_str(), one.value.as_str()))
            })
            .collect();
        values.sort_unstable();
        values
    }
}

/// The name of the section in a line such as `[profile x] # mine`. botocore splits it as a shell does, so blanks and
/// quotes in it mean nothing.
pub(crate) fn section_name(line: &str) -> String {
    let inner = line.trim().strip_prefix('[').unwrap_or_default();
    let inner = inner.split_once(']').map_or(inner, |(inner, _)| inner);
    if !inner.starts_with("profile") {
        return inner.to_owned();
    }
    match words(inner).as_deref() {
        // `[profile default]` and `[default]` are the same profile.
        Some([_, name]) if name == "default" => name.clone(),
        Some([first, name]) if first == "profile" => format!("profile {name}"),
        _ => inner.to_owned(),
    }
}

/// The words of a text as a shell splits them. `None` when a quote is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().push(chars.next()?),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Whether `after` is `before` with this one line in the section of the heading, and with all other values as they were. A
/// line above an indented one would get that one as a part of its value.
pub(crate) fn is_only_change(before: &str, after: &str, heading: &str, line: &str) -> bool {
    let (before, after) = (Ini::read(before), Ini::read(after));
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let (name, key) = (section_name(heading), key.trim().to_lowercase());
    let ours = (name.as_str(), key.as_str(), value.trim());
    let mut expected = before.values();
    expected.retain(|(section, option, _)| (*section, *option) != (ours.0, ours.1));
    expected.push(ours);
    expected.sort_unstable();
    after.error.is_none() && after.values() == expected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String, String)> {
        let ini = Ini::read(text);
        let values = ini.values().into_iter();
        values
            .map(|(one, two, three)| (one.to_owned(), two.to_owned(), three.to_owned()))
            .collect()
    }

    #[test]
    fn a_section_has_the_name_that_botocore_reads() {
        for line in [
            "[profile x]",
            "[profile x] # mine",
            "[profile  x]",
            "[profile \"x\"]",
            "[profile 'x'];y",
            "  [profile\tx ]",
        ] {
            assert_eq!(section_name(line), "profile x", "{line}");
        }
        assert_eq!(section_name("[profile default]"), section_name("[default]"));
        assert_eq!(section_name("[profile \"x]"), "profile \"x");
        assert_ne!(section_name("[ global ]"), section_name("[global]"));
    }

    #[test]
    fn options_are_read_as_configparser_reads_them() {
        for text in [
            "[a] ; mine\nk: v\n",
            "[a]\nK=v\n",
            "  [a]\n  k = v\n",
            "# c\n[a]\n# c\n\nk = v\n\n",
        ] {
            assert_eq!(
                values(text),
                [("a".to_owned(), "k".to_owned(), "v".to_owned())],
                "{text}"
            );
        }
        let nested = Ini::read("[a]\ns3 =\n  k = 1\n  [b]\nz = 2\n[c]\n");
        assert_eq!(nested.values(), [("a", "s3", "\nk = 1\n[b]"), ("a", "z", "2")]);
        assert_eq!((nested.sections[0].end, nested.error), (5, None));
        for (text, line) in [
            ("k = v\n", 1),
            ("[a]\nnothing\n", 2),
            ("[a]\n[a]\n", 2),
            ("[a]\nk = 1\nK = 2\n", 3),
            ("[a] ; ]\n", 1),
            ("[]\n", 1),
        ] {
            assert_eq!(Ini::read(text).error, Some(line), "{text}");
        }
    }

    #[test]
    fn a_change_that_another_line_would_join_is_recognized() {
        let is_only = |before, after| is_only_change(before, after, "[a]", "k = v");
        assert!(is_only("[a] # c\nz = 1\n", "[a] # c\nk = v\nz = 1\n"));
        assert!(is_only("[a]\nk = 0\n", "[a]\nk = v\n"));
        assert!(!is_only("[a]\n  z = 1\n", "[a]\nk = v\n  z = 1\n"));
        assert!(!is_only("[a]\nk = 0\n", "[a]\nk = v\nk = 0\n"));
    }
}
