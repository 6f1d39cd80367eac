//! Text of others, made fit to show.

/// Text of a provider or another program as it may stand in a window, a terminal or a log: one line, without control
/// characters and without the invisible characters that change how the rest is read (direction marks, joiners, fillers,
/// tags). Line ends and tabs become one space. It is not cut.
pub fn sanitize_for_display(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if ends_a_line(c) {
            gap = true;
            continue;
        }
        if is_hidden(c) || (gap && c == ' ') {
            continue;
        }
        if gap && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        gap = false;
        out.push(c);
    }
    out
}

fn ends_a_line(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters, and Unicode's default ignorable code points but for the variation selectors that emoji use.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_direction_and_invisible_characters_go() {
        assert_eq!(sanitize_for_display("a\u{1b}[31mb\u{202e}c\r\n"), "a[31mbc");
        for hidden in [
            '\0',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200d}',
            '\u{2060}',
            '\u{2065}',
            '\u{206a}',
            '\u{206f}',
            '\u{3164}',
            '\u{fffb}',
            '\u{e0041}',
        ] {
            assert_eq!(sanitize_for_display(&format!("a{hidden}b")), "ab", "{hidden:?}");
        }
        assert_eq!(sanitize_for_display("Zoë ☕️ 你好 �"), "Zoë ☕️ 你好 �");
    }

    #[test]
    fn line_ends_and_tabs_become_one_space() {
        for (text, shown) in [
            ("one.\r\nTwo: 2\r\nThree", "one. Two: 2 Three"),
            ("a \n\n\t b", "a b"),
            ("\n a\u{2028}b\u{85}", "a b"),
            ("a  b ", "a  b "),
            ("a\n\u{202e}b", "a b"),
        ] {
            assert_eq!(sanitize_for_display(text), shown, "{text:?}");
        }
    }
}
