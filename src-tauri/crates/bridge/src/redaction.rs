//! Finds a token in what a server answers: as it is, or escaped for JSON or a URL.

use crate::token::Token;

/// What takes the place of a token.
const PLACEHOLDER: &str = "(token removed)";

/// The text without the token. Where the text was cut, an end that could be the beginning of the token is removed too.
pub(crate) fn removed_from(text: &str, token: &Token, is_cut: bool) -> String {
    without(token.secret(), text, is_cut)
}

/// Whether bytes contain the token.
pub(crate) fn is_in(bytes: &[u8], token: &Token) -> bool {
    let text = String::from_utf8_lossy(bytes);
    removed_from(&text, token, false) != text
}

fn without(secret: &[u8], text: &str, is_cut: bool) -> String {
    let spellings: Vec<_> = secret.iter().map(|byte| spellings(*byte)).collect();
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match found(&spellings, rest.as_bytes()) {
            Found::Whole(length) => {
                kept.push_str(PLACEHOLDER);
                rest = rest.get(length..).unwrap_or_default();
            }
            Found::Beginning if is_cut => break,
            Found::Beginning | Found::Nothing => {
                kept.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    kept
}

/// How a character of a token can be written: percent-encoded (RFC 3986, 2.1), escaped in JSON (RFC 8259, 7), or as it
/// is. Servers differ in which characters they escape, so each can be written in each way.
fn spellings(byte: u8) -> Vec<Vec<u8>> {
    let mut all = vec![
        format!("%{byte:02x}").into_bytes(),
        format!("\\u{byte:04x}").into_bytes(),
    ];
    if b"/\\\"".contains(&byte) {
        all.push(vec![b'\\', byte]);
    }
    all.push(vec![byte]);
    all
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The token, in so many bytes.
    Whole(usize),
    /// The text ends within what could be the token.
    Beginning,
    Nothing,
}

/// What a text begins with.
fn found(token: &[Vec<Vec<u8>>], text: &[u8]) -> Found {
    let mut rest = text;
    for spellings in token {
        let is_first = |one: &&Vec<u8>| rest.get(..one.len()).is_some_and(|start| is_same(start, one));
        if let Some(spelling) = spellings.iter().find(is_first) {
            rest = &rest[spelling.len()..];
        } else if spellings
            .iter()
            .any(|one| one.get(..rest.len()).is_some_and(|start| is_same(start, rest)))
        {
            return Found::Beginning;
        } else {
            return Found::Nothing;
        }
    }
    match text.len() - rest.len() {
        0 => Found::Nothing,
        length => Found::Whole(length),
    }
}

/// Hexadecimal digits of an escape can be upper or lower case. A character that is not escaped is compared as it is.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    match (a, b) {
        ([a], [b]) => a == b,
        _ => a.eq_ignore_ascii_case(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"ya29.A/b+C~d-E_f==";

    fn removed(text: &str) -> String {
        without(SECRET, text, false)
    }

    #[test]
    fn a_token_is_removed_as_it_is_and_escaped_for_json_or_a_url() {
        for spelling in [
            "ya29.A/b+C~d-E_f==",
            r"ya29.A\/b+C~d-E_f==",
            r"ya29.A\u002fb\u002BC~d-E_f\u003d\u003D",
            "ya29.A%2Fb%2BC~d-E_f%3D%3D",
            "ya29.A%2fb%2bC~d-E_f%3d%3d",
            "ya29.A/b%2BC%7Ed-E_f==",
            "%79a29%2EA%2Fb%2BC%7ed%2dE%5Ff%3D%3D",
        ] {
            let text = format!("é {spelling}, {spelling}{spelling}!");
            assert_eq!(
                removed(&text),
                "é (token removed), (token removed)(token removed)!",
                "{spelling}"
            );
        }
        for other in [
            "ya29.A/b+C~d-E_f=",
            "YA29.A/b+C~d-E_f==",
            "ya29.A/b C~d-E_f==",
            "",
            "%",
            "\\",
        ] {
            assert_eq!(removed(other), other);
        }
        assert_eq!(removed("ya29.ya29.A/b+C~d-E_f=="), "ya29.(token removed)");
        assert_eq!(without(b"", "text", true), "text");
    }

    #[test]
    fn no_beginning_of_a_token_stays_at_the_end_of_a_text_that_was_cut() {
        for spelling in [
            "ya29.A/b+C~d-E_f==",
            r"ya29.A\/b\u002BC~d-E_f==",
            "ya29.A%2Fb%2BC~d-E_f%3D%3D",
        ] {
            for length in 1..spelling.len() {
                let text = format!("text: {}", &spelling[..length]);
                assert_eq!(without(SECRET, &text, true), "text: ", "{text}");
                assert_eq!(removed(&text), text, "it was not cut");
            }
        }
        assert_eq!(without(SECRET, "text", true), "text");
    }
}
