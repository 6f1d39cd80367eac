//! QR codes in a terminal.

use crate::output::{Style, write_err};
use qrcode::{Color, EcLevel, QrCode};
use rustix::termios::tcgetwinsize;
use std::io::{self, IsTerminal};

/// The light modules around a code. ISO/IEC 18004 asks for four; scanners do with two.
const MARGIN: usize = 2;

/// Of a terminal that does not know its width.
const USUAL_COLUMNS: usize = 80;

/// Shows a text as a QR code where the terminal has room for it. Returns whether it did.
pub(crate) fn show(text: &str) -> bool {
    let columns = tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    let columns = if columns == 0 { USUAL_COLUMNS } else { columns };
    let style = Style::of_stderr();
    let Some(lines) = lines(text).filter(|lines| io::stderr().is_terminal() && fits(lines, columns)) else {
        return false;
    };
    for line in lines {
        write_err(&(style.inverse(&line) + "\n"));
    }
    true
}

fn fits(lines: &[String], columns: usize) -> bool {
    lines.first().is_some_and(|line| line.chars().count() <= columns)
}

/// Two rows of modules in each line. A light module is a filled half: on a dark terminal it is light as it has to be, and
/// where there are colors they make the terminal dark.
fn lines(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let is_light = |x: usize, y: usize| {
        let at = |n: usize| n.checked_sub(MARGIN).filter(|n| *n < width);
        at(x)
            .zip(at(y))
            .is_none_or(|(x, y)| colors[y * width + x] == Color::Light)
    };
    let size = width + 2 * MARGIN;
    let module = |x, y| match (is_light(x, y), is_light(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let rows = (0..size).step_by(2);
    Some(rows.map(|y| (0..size).map(|x| module(x, y)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules of the first finder pattern stand where a scanner looks for them.
    #[test]
    fn a_code_has_a_light_margin_and_its_finder_patterns() {
        let lines = lines("https://as.example/device?user_code=WDJB-MJHT").unwrap();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines[0], "█".repeat(width));
        let start: Vec<String> = lines[1..5]
            .iter()
            .map(|line| line.chars().take(10).collect())
            .collect();
        assert_eq!(start, ["██ ▄▄▄▄▄ █", "██ █   █ █", "██ █▄▄▄█ █", "██▄▄▄▄▄▄▄█"]);
        assert!(fits(&lines, width) && !fits(&lines, width - 1));
        assert!(
            super::lines(&"x".repeat(4000)).is_none(),
            "no code holds that much"
        );
    }
}
