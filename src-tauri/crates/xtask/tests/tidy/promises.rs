//! Each promise of SECURITY.md names the tests that show it.

use crate::tree::{files, text};
use std::collections::BTreeSet;

/// Where the promises begin and where they end.
const BEGIN: &str = "\n## How it works\n";
const END: &str = "\n## Known limits\n";
const SHOWN_BY: &str = "Shown by: ";

/// The bullets between the two headings, each with its lines joined.
fn promises() -> Vec<String> {
    let security = text("SECURITY.md").unwrap();
    let (_, rest) = security.split_once(BEGIN).unwrap();
    let (part, _) = rest.split_once(END).unwrap();
    part.split("\n- ")
        .skip(1)
        .map(|bullet| {
            let lines = bullet.lines().take_while(|line| !line.is_empty());
            lines.map(str::trim).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// The names behind "Shown by: ", or `None` when the promise does not end with them.
fn shown_by(promise: &str) -> Option<Vec<&str>> {
    let (_, names) = promise.rsplit_once(SHOWN_BY)?;
    names.split(", ").map(quoted_name).collect()
}

fn quoted_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('`')?.strip_suffix('`')?;
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(is_part).then_some(name)
}

/// The names of all test functions in a file.
fn tests_of(source: &str) -> Vec<String> {
    let mut lines = source.lines().map(str::trim);
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if line != "#[test]" && !line.starts_with("#[tokio::test") {
            continue;
        }
        // Other attributes may stand between.
        let function = lines.by_ref().find(|line| !line.starts_with('#'));
        let name = function
            .and_then(|line| line.split_once("fn "))
            .and_then(|(_, rest)| rest.split_once('('));
        names.extend(name.map(|(name, _)| name.to_owned()));
    }
    names
}

#[test]
fn each_promise_of_security_md_names_tests_that_exist() {
    let sources = files().into_iter().filter(|file| file.ends_with(".rs"));
    let tests: BTreeSet<String> = sources
        .filter_map(|file| text(&file))
        .flat_map(|source| tests_of(&source))
        .collect();
    assert!(tests.len() > 1000, "only {} tests were found", tests.len());
    let promises = promises();
    assert!(promises.len() > 50, "only {} promises were found", promises.len());
    let mut wrong = Vec::new();
    for promise in &promises {
        let start: String = promise.chars().take(80).collect();
        match shown_by(promise) {
            None => wrong.push(format!(
                "\"{start}…\" does not end with: {SHOWN_BY}`a_test`, `another_test`"
            )),
            Some(names) => wrong.extend(
                names
                    .into_iter()
                    .filter(|name| !tests.contains(*name))
                    .map(|name| format!("\"{start}…\" names the test {name}, which does not exist")),
            ),
        }
    }
    assert!(wrong.is_empty(), "SECURITY.md:\n{}", wrong.join("\n"));
}

/// A paragraph would be a promise that nothing holds to its tests.
#[test]
fn everything_that_security_md_promises_is_a_bullet() {
    let security = text("SECURITY.md").unwrap();
    let (_, rest) = security.split_once(BEGIN).unwrap();
    let (part, _) = rest.split_once(END).unwrap();
    let (introduction, sections) = part.split_once("\n### ").unwrap();
    assert_eq!(introduction.trim().lines().count(), 1, "{introduction}");
    for section in sections.split("\n### ") {
        let (name, text) = section.split_once('\n').unwrap();
        let stray = text
            .lines()
            .find(|line| !line.is_empty() && !line.starts_with("- ") && !line.starts_with("  "));
        assert_eq!(stray, None, "in \"{name}\"");
    }
}

#[test]
fn a_promise_without_tests_or_with_loose_words_behind_them_is_noticed() {
    assert_eq!(shown_by("It holds. Shown by: `a`, `b`"), Some(vec!["a", "b"]));
    for bad in [
        "It holds.",
        "It holds. Shown by: a",
        "It holds. Shown by: `a` and `b`",
        "It holds. Shown by: `a`.",
    ] {
        assert_eq!(shown_by(bad), None, "{bad}");
    }
    let source = "#[test]\nfn one() {}\n#[tokio::test(start_paused = true)]\n#[cfg(unix)]\nasync fn two() {}\nfn no() {}";
    assert_eq!(tests_of(source), ["one", "two"]);
}
