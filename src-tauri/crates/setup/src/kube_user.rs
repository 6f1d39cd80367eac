//! A user of a kubeconfig that runs Tokenry. kubectl sorts and formats the whole file with each change, so the user is
//! compared by its values, not by its lines.

use crate::json::line_end;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::Range;

const HEADING: &str = "users:";

/// How kubectl writes a list without users.
const EMPTY: &[&str] = &["users: []", "users: null"];

/// The first argument of each user that Tokenry wrote.
const COMMAND: &str = "kubectl-credential";

/// Where the program of a user is.
const EXEC: &str = "user/exec/";

/// What else a user of Tokenry can have below [`EXEC`]. A user with further values is the user's own.
const OTHER_KEYS: &[&str] = &["apiVersion", "env", "interactiveMode", "provideClusterInfo"];

/// An argument that the user may add, as the note after the setup says.
const ID_TOKEN: &str = "--id-token";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KubeUser {
    pub(crate) name: String,
    command: String,
    args: Vec<String>,
}

/// The list of users in a file.
struct Users<'a> {
    lines: Vec<&'a str>,
    /// The number of the line of the heading, if there is one.
    heading: Option<usize>,
    /// How far the items are indented.
    indent: usize,
    items: Vec<Range<usize>>,
}

impl KubeUser {
    pub(crate) fn new(name: &str, command: &str, connection: &str) -> Self {
        Self {
            name: name.to_owned(),
            command: command.to_owned(),
            args: vec![COMMAND.to_owned(), format!("--connection={connection}")],
        }
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        Users::read(text).is_some_and(|users| users.position_of(self).is_some())
    }

    /// Whether the name is taken by a user that runs something else.
    pub(crate) fn is_taken(&self, text: &str) -> bool {
        Users::read(text).is_some_and(|users| {
            let named = users.named(&self.name);
            named.is_some_and(|range| !users.runs_tokenry(&range))
        })
    }

    /// Adds the user, or replaces an older one of Tokenry with this name.
    ///
    /// # Errors
    /// When the name is taken, or when the file is not written as kubectl writes it: then lines cannot be added.
    pub(crate) fn add(&self, text: &str) -> Result<String, String> {
        let users = Users::read(text).ok_or("a list of users that kubectl did not write")?;
        if users.position_of(self).is_some() {
            return Ok(text.to_owned());
        }
        if self.is_taken(text) {
            return Err(format!("another user called {}", self.name));
        }
        let end = line_end(text);
        let mut new: String = self
            .lines()
            .iter()
            .map(|line| format!("{:1$}{line}{end}", "", users.indent))
            .collect();
        if let Some(range) = users.named(&self.name) {
            return Ok(users.replaced(range, &new));
        }
        new.insert_str(0, &format!("{HEADING}{end}"));
        match users.heading {
            Some(at) => Ok(users.replaced(at..at + 1, &new)),
            None => {
                let gap = if text.is_empty() || text.ends_with('\n') {
                    ""
                } else {
                    end
                };
                Ok(format!("{text}{gap}{new}"))
            }
        }
    }

    /// Removes the user. `None` when it is not there, or is no longer the one that was added.
    pub(crate) fn remove(&self, text: &str) -> Option<String> {
        let users = Users::read(text)?;
        let range = users.position_of(self)?;
        if users.items.len() > 1 {
            return Some(users.replaced(range, ""));
        }
        let heading = users.heading?;
        let between = users.lines[heading + 1..range.start].concat();
        let empty = format!("{}{}{between}", EMPTY[0], line_end(text));
        Some(users.replaced(heading..range.end, &empty))
    }

    /// A string of JSON is one of YAML, too.
    fn lines(&self) -> Vec<String> {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut lines = vec![
            format!("- name: {}", quoted(&self.name)),
            "  user:".to_owned(),
            "    exec:".to_owned(),
            // Each kubectl that runs a program for a token knows this version.
            "      apiVersion: client.authentication.k8s.io/v1beta1".to_owned(),
            format!("      command: {}", quoted(&self.command)),
            "      args:".to_owned(),
        ];
        lines.extend(self.args.iter().map(|arg| format!("      - {}", quoted(arg))));
        lines.push("      interactiveMode: Never".to_owned());
        lines.push("      provideClusterInfo: false".to_owned());
        lines
    }
}

impl<'a> Users<'a> {
    /// `None` when the file is written in another way than kubectl writes it.
    fn read(text: &'a str) -> Option<Self> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let heading = lines
            .iter()
            .position(|line| line.trim_start().starts_with(HEADING));
        let mut users = Self {
            lines,
            heading,
            indent: 0,
            items: Vec::new(),
        };
        let Some(heading) = heading else {
            return (!text.trim_start().starts_with('{')).then_some(users);
        };
        let found = users.lines[heading].trim_end();
        if EMPTY.contains(&found) {
            return Some(users);
        }
        if found != HEADING {
            return None;
        }
        for at in heading + 1..users.lines.len() {
            let line = users.lines[at];
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if !line.starts_with([' ', '\t']) && !line.starts_with("- ") {
                break;
            }
            let indent = line.len() - line.trim_start().len();
            match users.items.last_mut() {
                None => {
                    users.indent = indent;
                    users.items.push(at..at + 1);
                }
                Some(_) if indent == users.indent && content.starts_with("- ") => {
                    users.items.push(at..at + 1);
                }
                Some(item) => item.end = at + 1,
            }
        }
        let is_item = |item: &Range<usize>| users.lines[item.start].trim_start().starts_with("- ");
        users.items.iter().all(is_item).then_some(users)
    }

    /// The text with other lines in place of these.
    fn replaced(&self, range: Range<usize>, new: &str) -> String {
        self.lines[..range.start].concat() + new + &self.lines[range.end..].concat()
    }

    /// The item of this name.
    fn named(&self, name: &str) -> Option<Range<usize>> {
        let is_it = |item: &&Range<usize>| {
            self.lines[(*item).clone()].iter().any(|line| {
                let content = line.replacen("- ", "  ", 1);
                let depth = content.len() - content.trim_start().len();
                let value = content.trim().strip_prefix("name:").map(str::trim);
                depth == self.indent + 2 && value.and_then(scalar).as_deref() == Some(name)
            })
        };
        self.items.iter().find(is_it).cloned()
    }

    /// The item that is this user.
    fn position_of(&self, user: &KubeUser) -> Option<Range<usize>> {
        let range = self.named(&user.name)?;
        let (command, mut args) = program(&self.lines[range.clone()])?;
        if args.last().is_some_and(|last| last == ID_TOKEN) {
            args.pop();
        }
        (command == user.command && args == user.args).then_some(range)
    }

    fn runs_tokenry(&self, range: &Range<usize>) -> bool {
        let found = program(&self.lines[range.clone()]);
        found.is_some_and(|(_, args)| args.first().is_some_and(|first| first == COMMAND))
    }
}

/// The program of a user, and its arguments. `None` when the user has anything else, or is not understood.
fn program(item: &[&str]) -> Option<(String, Vec<String>)> {
    let (mut command, mut args) = (None, Vec::new());
    for (path, value) in values(item)? {
        match path.strip_prefix(EXEC) {
            Some("command") => command = Some(value),
            Some("args") => args.push(value),
            Some(key) if OTHER_KEYS.contains(&key) => {}
            None if path == "name" => {}
            _ => return None,
        }
    }
    Some((command?, args))
}

/// The values of an item, each with the keys that lead to it. `None` when it is not understood.
fn values(item: &[&str]) -> Option<Vec<(String, String)>> {
    let mut values = Vec::new();
    // The keys above a line, and how far each is indented.
    let mut above: Vec<(usize, String)> = Vec::new();
    for line in logical_lines(item) {
        let content = line.trim();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let element = content.strip_prefix("- ");
        // The elements of a list can be indented as its key is.
        above.retain(|(of_key, _)| *of_key < indent || (element.is_some() && *of_key == indent));
        let keys: Vec<&str> = above.iter().map(|(_, key)| key.as_str()).collect();
        let keys = keys.join("/");
        if let Some(element) = element {
            values.push((keys, scalar(element.trim())?));
            continue;
        }
        let (key, value) = content.split_once(':')?;
        if !key.chars().all(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        if value.is_empty() {
            above.push((indent, key.to_owned()));
            continue;
        }
        let separator = if keys.is_empty() { "" } else { "/" };
        values.push((
            format!("{keys}{separator}{key}"),
            scalar(value.strip_prefix(' ')?.trim())?,
        ));
    }
    Some(values)
}

/// The lines of an item without comments, each with the further lines of its value: kubectl breaks a long text.
fn logical_lines(item: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (number, line) in item.iter().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        match lines.last_mut() {
            _ if number == 0 => lines.push(line.trim_end().replacen("- ", "  ", 1)),
            Some(last) if indent(line) > indent(last) && !last.ends_with(':') => {
                last.push(' ');
                last.push_str(content);
            }
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    lines
}

/// A value on one line. `None` for one that is written in another way.
fn scalar(text: &str) -> Option<String> {
    if text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let inner = rest.strip_suffix('\'')?;
        let is_whole = !inner.replace("''", "").contains('\'');
        return is_whole.then(|| inner.replace("''", "'"));
    }
    let is_plain = !text.starts_with(['{', '[', '|', '>', '&', '*', '!', '%', '@', '`'])
        && !text.contains(" #")
        && !text.contains(": ")
        && !text.ends_with(':');
    (is_plain || text == "[]").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> KubeUser {
        KubeUser::new("tokenry", "/opt/my bin/tokenry", "corp")
    }

    /// What `kubectl config set-cluster` makes of it.
    const SORTED: &str = "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: t\n- name: tokenry\n  user:\n    \
        exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n      - kubectl-credential\n      - \
        --connection=corp\n      command: /opt/my bin/tokenry\n      env: null\n      interactiveMode: Never\n      \
        provideClusterInfo: false\n";

    #[test]
    fn a_user_that_kubectl_wrote_in_its_own_way_is_recognized_and_removed() {
        assert!(user().is_in(SORTED));
        assert_eq!(user().add(SORTED).as_deref(), Ok(SORTED));
        assert_eq!(
            user().remove(SORTED).unwrap(),
            "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: t\n"
        );
        let broken = SORTED.replace("/my bin", "/my\n        bin");
        assert!(user().is_in(&broken) && user().remove(&broken) == user().remove(SORTED));
        let with_id_token = SORTED.replace("=corp\n", "=corp\n      - --id-token\n");
        assert!(user().is_in(&with_id_token));
    }

    #[test]
    fn a_user_with_other_values_is_not_ours() {
        for text in [
            SORTED.replace("=corp", "=other"),
            SORTED.replace("my bin/", ""),
            SORTED.replace("env: null", "env:\n      - name: A\n        value: b"),
            SORTED.replace("    exec:", "    token: mine\n    exec:"),
            SORTED.replace("name: tokenry", "name: other"),
            SORTED.replace("/opt/my bin/tokenry", "|\n        /opt/my bin/tokenry"),
        ] {
            assert!(!user().is_in(&text), "{text}");
            assert_eq!(user().remove(&text), None, "{text}");
        }
    }

    #[test]
    fn a_user_is_added_and_removed_whatever_is_around_it() {
        for (before, after) in [
            ("users:\n- name: a\n  user: {}\n", None),
            (
                "kind: Config\nusers:\n# note\n\n  - name: a\n    user: {}\n# end\n",
                None,
            ),
            ("users: []\nkind: Config\n", None),
            ("users: null\n# mine\n", Some("users: []\n# mine\n")),
            ("kind: Config", Some("kind: Config\nusers: []\n")),
            ("kind: Config\r\n", Some("kind: Config\r\nusers: []\r\n")),
        ] {
            let added = user().add(before).unwrap();
            assert!(user().is_in(&added), "{added}");
            assert_eq!(
                user().remove(&added).as_deref(),
                Some(after.unwrap_or(before)),
                "{added}"
            );
        }
    }

    #[test]
    fn an_older_user_of_tokenry_is_replaced_and_another_one_is_not() {
        let moved = KubeUser::new("tokenry", "/new/tokenry", "work");
        let text = moved.add(SORTED).unwrap();
        assert!(moved.is_in(&text) && !user().is_in(&text), "{text}");
        assert_eq!(text.matches("name:").count(), 2);
        for text in [
            "users:\n- name: tokenry\n  user: {}\n",
            "users:\n  - user: {}\n    name: \"tokenry\"\n",
            "kind: Config\nusers:\n- name: 'tokenry'\n",
        ] {
            assert!(user().is_taken(text) && user().add(text).is_err(), "{text:?}");
        }
        assert!(!user().is_taken("contexts:\n- name: tokenry\nusers:\n- name: other\nx:\n- name: tokenry\n"));
    }

    #[test]
    fn a_file_that_kubectl_did_not_write_is_refused() {
        for text in [
            "users: # note\n- name: a\n",
            "x:\n  users:\n  - name: a\n",
            "{\"users\": []}",
            "users: [{name: a}]\n",
            "users:\n  name: a\n",
        ] {
            assert!(user().add(text).is_err(), "{text:?}");
        }
    }
}
