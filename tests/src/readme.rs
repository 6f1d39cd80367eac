//! The README, whose lines tests paste.

const README: &str = include_str!("../../README.md");

/// The first block of this language (`sh`, `json`) that holds this text.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn block(language: &str, text: &str) -> &'static str {
    // A closing fence has no language, so what follows one begins with a line end.
    let fenced = README
        .split("\n```")
        .filter_map(|part| part.strip_prefix(language));
    let mut blocks = fenced.filter_map(|part| part.strip_prefix('\n'));
    blocks
        .find(|block| block.contains(text))
        .unwrap_or_else(|| panic!("the README has no block of {language} with {text}"))
}
