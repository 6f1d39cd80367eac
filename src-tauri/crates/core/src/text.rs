/// Makes what somebody else wrote fit to show: control and bidirectional characters gone, cut at 200 characters.
///
/// Everything a provider says is text to us: never HTML, never a link.
pub fn clean(text: &str) -> String {
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
    };
    let mut out: String = text.chars().filter(shown).take(201).collect();
    if out.chars().count() > 200 {
        out.pop();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_go_and_long_text_is_cut() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\r\n"), "a[31mbc");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), 201);
    }
}
