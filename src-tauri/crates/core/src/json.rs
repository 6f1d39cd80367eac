//! What is wrong with JSON, told by field and without any value.

use crate::clean;

/// Makes a field and a problem of serde's message about a value that could not be read. `path` is where it was found
/// (`.` for the whole, which is called `whole`). The value is never repeated, since it may be a secret.
pub fn json_problem(path: &str, whole: &str, text: &str) -> (String, String) {
    let at = if path == "." {
        whole.to_owned()
    } else {
        clean(path)
    };
    let named = || clean(text.split('`').nth(1).unwrap_or_default());
    let expected = text.rsplit_once(", expected ").map(|(_, what)| what);
    // The path of a field inside another one ends at the outer one.
    let inside = || match path {
        "." => named(),
        _ => format!("{at}.{}", named()),
    };
    if text.starts_with("missing field") {
        return (inside(), "is missing".to_owned());
    }
    if text.starts_with("duplicate field") {
        return (inside(), "is given twice".to_owned());
    }
    if text.starts_with("unknown field") {
        // The field is the caller's own word, and it may hold anything, so it is not parsed out of the sentence.
        let is_whole = path.rsplit('.').next() == Some(named().as_str());
        let field = if is_whole { at } else { inside() };
        let expected = expected.unwrap_or("nothing");
        return (field, format!("is not known here: expected {expected}"));
    }
    match expected {
        Some(what) => (at, format!("must be {what}")),
        None => (at, "cannot be read".to_owned()),
    }
}
