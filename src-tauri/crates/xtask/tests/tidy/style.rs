//! Words and names that no file may use, and the line that every file begins with. CONTRIBUTING.md says what to write
//! instead.

use crate::tree::{files, text};

/// Words that hide who acts or what is meant.
const PHRASES: &[&str] = &[
    "nobody",
    "somebody",
    "whoever",
    "its person",
    "is a no",
    "none of tokenry's",
    "door",
    "doors",
    "house",
    "porch",
    "knock",
    "knocks",
    "manners",
    "patience",
];

/// Parts of constants that name no limit and no unit, as `MAX_BODY_BYTES` and `IDLE_TIMEOUT` do.
const CONSTANT_PARTS: &[&str] = &["MOST", "LONGEST", "PATIENCE", "LOOK", "QUIET", "STAYS", "GLANCE"];

/// Names of types that a reader of the RFCs or of axum would not guess.
const TYPES: &[&str] = &[
    "Entrance",
    "Hall",
    "Patient",
    "Pace",
    "Told",
    "Ledger",
    "Gate",
    "Life",
    "Places",
    "Ahead",
    "Wanted",
    "Asking",
    "TokenWish",
    "AtHand",
    "Known",
    "Handed",
    "Trouble",
    "Doubtful",
];

/// Where each file begins with one line that says what is in it.
const WITH_FIRST_LINE: &[&str] = &[
    "src-tauri/crates/api/",
    "src-tauri/crates/bridge/",
    "src-tauri/crates/cli/",
    "src-tauri/crates/contract/",
    "src-tauri/crates/core/",
    "src-tauri/crates/engine/",
    "src-tauri/crates/oauth/",
    "src-tauri/crates/peer/",
    "src-tauri/crates/redirect/",
    "src-tauri/crates/serve/",
    "src-tauri/crates/setup/",
    "src-tauri/crates/store/",
    "src-tauri/crates/testkit/",
    "src-tauri/crates/vault/",
    "src-tauri/crates/xtask/",
    "tests/",
];

/// This file has to name them.
const THIS_FILE: &str = "src-tauri/crates/xtask/tests/tidy/style.rs";

fn is_below(file: &str, paths: &[&str]) -> bool {
    paths.iter().any(|path| file.starts_with(path))
}

fn is_one_of(file: &str, endings: &[&str]) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, ending)| endings.contains(&ending))
}

/// The words of a line in lower case, parts of snake_case names too, with one space around each.
fn words(line: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '\'';
    let words = line.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    format!(" {} ", words.join(" "))
}

fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// The constants of a line that name no limit.
fn vague_constants(line: &str) -> Vec<String> {
    let is_constant = |name: &&str| {
        name.len() > 1
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let is_vague = |name: &&str| name.split('_').any(|part| CONSTANT_PARTS.contains(&part));
    identifiers(line)
        .filter(is_constant)
        .filter(is_vague)
        .map(|name| format!("the constant {name}"))
        .collect()
}

/// The types that a line declares under a name of the list.
fn vague_types(line: &str) -> Vec<String> {
    let names: Vec<&str> = identifiers(line).filter(|name| !name.is_empty()).collect();
    names
        .windows(2)
        .filter(|pair| {
            matches!(
                pair[0],
                "struct" | "enum" | "trait" | "type" | "class" | "interface"
            )
        })
        .filter(|pair| TYPES.contains(&pair[1]))
        .map(|pair| format!("the type {}", pair[1]))
        .collect()
}

fn phrases(line: &str) -> Vec<String> {
    let words = words(line);
    PHRASES
        .iter()
        .filter(|phrase| words.contains(&format!(" {phrase} ")))
        .map(|phrase| format!("\"{phrase}\""))
        .collect()
}

/// What a line of this file may not hold. The names of tests in SECURITY.md are checked where the tests are.
fn found(file: &str, line: &str) -> Vec<String> {
    if line.starts_with("  Shown by: ") {
        return Vec::new();
    }
    let mut found = phrases(line);
    if is_one_of(file, &["rs", "ts", "svelte"]) {
        found.extend(vague_constants(line));
        found.extend(vague_types(line));
    }
    found
}

#[test]
fn texts_and_names_are_those_of_the_style_guide() {
    let checked = files()
        .into_iter()
        .filter(|file| is_one_of(file, &["rs", "ts", "svelte", "mjs", "py", "md"]) && file != THIS_FILE);
    let mut wrong = Vec::new();
    for file in checked {
        for (number, line) in text(&file).unwrap_or_default().lines().enumerate() {
            let found = found(&file, line).into_iter();
            wrong.extend(found.map(|what| format!("{file}:{}: {what}", number + 1)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_one_line_that_says_what_is_in_it() {
    let checked = files()
        .into_iter()
        .filter(|file| file.ends_with(".rs") && is_below(file, WITH_FIRST_LINE));
    let missing: Vec<String> = checked
        .filter(|file| !text(file).is_some_and(|text| text.starts_with("//! ")))
        .collect();
    assert!(missing.is_empty(), "no `//!` line:\n{}", missing.join("\n"));
}

#[test]
fn the_style_check_finds_words_names_and_types_and_nothing_else() {
    for (line, what) in [
        ("// Nobody waits.", "\"nobody\""),
        ("fn silence_is_a_no() {", "\"is a no\""),
        ("/// its  person", "\"its person\""),
        (
            "const KEYRING_PATIENCE: Duration",
            "\"patience\" the constant KEYRING_PATIENCE",
        ),
        ("body.len() > MOST", "the constant MOST"),
        ("pub(crate) struct Gate<T> {", "the type Gate"),
        ("export type Places = string;", "the type Places"),
    ] {
        assert_eq!(found("a.rs", line).join(" "), what, "{line}");
    }
    for line in [
        "outdoors, warehouses and most of the longest",
        "is a node",
        "let gate = self.gate;",
        "const MAX_BODY_BYTES: usize = 1;",
        "type Gateway = u8;",
    ] {
        assert_eq!(found("a.rs", line), Vec::<String>::new(), "{line}");
    }
    assert_eq!(found("a.md", "a constant MOST"), Vec::<String>::new());
}
