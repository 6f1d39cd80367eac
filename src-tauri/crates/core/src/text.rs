//! Text in sentences, and text of others.

/// Text of others is cut at so many characters.
const MAX_CHARACTERS: usize = 200;

/// Sanitizes a foreign text for display ([`tokenry_contract::sanitize_for_display`]), and cuts it at 200 characters.
///
/// Everything a provider says is text to us: never HTML, never a link.
pub fn clean(text: &str) -> String {
    let mut text = tokenry_contract::sanitize_for_display(text);
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A text that stands inside a sentence: without the full stop at its end.
pub fn within(text: &str) -> &str {
    let text = text.trim_end();
    match text.strip_suffix('.') {
        Some(rest) if !rest.ends_with('.') => rest,
        _ => text,
    }
}

/// A text that stands alone: with one full stop at its end.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Whether something is in a secret that no secret of one line has: a control character or line end, or a byte order
/// mark in front (RFC 6749 appendix A.2). It got in when the secret was copied.
pub fn is_miscopied(secret: &str) -> bool {
    secret
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'))
}

/// A copied id without white space and byte order marks around it.
pub fn trimmed(id: &str) -> &str {
    id.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_with_one_full_stop_or_with_none() {
        for (text, inside, alone) in [
            ("It broke.", "It broke", "It broke."),
            ("it broke", "it broke", "it broke."),
            ("it broke off...", "it broke off...", "it broke off..."),
            ("Really? ", "Really?", "Really?"),
            ("", "", "."),
        ] {
            assert_eq!((within(text), sentence(text).as_str()), (inside, alone));
        }
    }

    #[test]
    fn a_secret_shows_how_it_was_copied() {
        for wrong in [
            "\u{feff}a",
            "a\n",
            "a\r\nb",
            "a\tb",
            "a\0",
            "a\u{7f}",
            "a\u{2028}b",
        ] {
            assert!(is_miscopied(wrong), "{wrong:?}");
        }
        assert!(!is_miscopied(" p4ss wörd! "));
        assert_eq!(trimmed("\u{feff} id\r\n"), "id");
    }

    #[test]
    fn text_of_others_is_made_safe_and_cut() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\r\n"), "a[31mbc");
        assert_eq!(clean(&"x".repeat(5000)), "x".repeat(200) + "…");
        assert_eq!(clean(&"ä".repeat(200)), "ä".repeat(200));
    }
}
