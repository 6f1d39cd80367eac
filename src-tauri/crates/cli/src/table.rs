//! Tables and lists with aligned columns.

use crate::output::{Colour, Style};
use tokenry_contract::sanitize_for_display;
use unicode_width::UnicodeWidthStr;

/// A text and its color.
pub(crate) struct Cell {
    text: String,
    colour: Colour,
}

impl Cell {
    pub(crate) fn coloured(text: &str, colour: Colour) -> Self {
        Self {
            text: sanitize_for_display(text),
            colour,
        }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::coloured(text.as_ref(), Colour::Plain)
    }
}

/// A heading and its rows, with two spaces between the columns.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<Cell>>, style: Style) -> String {
    let heading = headings
        .iter()
        .map(|text| Cell::coloured(text, Colour::Dim))
        .collect();
    let rows: Vec<Vec<Cell>> = std::iter::once(heading).chain(rows).collect();
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(Cell::width)
                .max()
                .unwrap_or(0)
        })
        .collect();
    rows.iter().map(|row| line(row, &widths, style) + "\n").collect()
}

/// Names on the left and values on the right. Empty values are left out.
pub(crate) fn facts<N: AsRef<str>>(facts: Vec<(N, Cell)>, style: Style) -> String {
    let rows: Vec<Vec<Cell>> = facts
        .into_iter()
        .filter(|(_, cell)| !cell.text.is_empty())
        .map(|(name, cell)| vec![Cell::coloured(name.as_ref(), Colour::Dim), cell])
        .collect();
    let width = rows.iter().map(|row| row[0].width()).max().unwrap_or(0);
    rows.iter()
        .map(|row| line(row, &[width, 0], style) + "\n")
        .collect()
}

fn line(row: &[Cell], widths: &[usize], style: Style) -> String {
    let mut line = String::new();
    for (at, (cell, &width)) in row.iter().zip(widths).enumerate() {
        line += &style.paint(&cell.text, cell.colour);
        if at + 1 < row.len() {
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_colours() {
        let rows = || {
            vec![vec![
                "github".into(),
                Cell::coloured("active", Colour::Good),
                "x".into(),
            ]]
        };
        let plain = table(&["NAME", "STATUS", "ÄÖ"], rows(), Style { colour: false });
        assert_eq!(plain, "NAME    STATUS  ÄÖ\ngithub  active  x\n");
        let coloured = table(&["NAME", "STATUS", "ÄÖ"], rows(), Style { colour: true });
        assert!(coloured.contains("\u{1b}[32mactive\u{1b}[0m  x"), "{coloured:?}");
    }

    #[test]
    fn characters_that_fill_two_columns_are_counted_as_two() {
        let rows = vec![vec!["你好".into(), "1".into()], vec!["ab".into(), "2".into()]];
        let text = table(&["N", "M"], rows, Style { colour: false });
        assert_eq!(text, "N     M\n你好  1\nab    2\n");
    }

    #[test]
    fn a_cell_cannot_make_a_line_or_a_terminal_sequence() {
        let text = table(
            &["A"],
            vec![vec!["a\nb\u{1b}[2J\u{9b}31m\u{202e}".into()]],
            Style { colour: false },
        );
        assert_eq!(text, "A\na b[2J31m\n");
    }

    #[test]
    fn facts_without_a_text_are_left_out() {
        let text = facts(
            vec![("a", "1".into()), ("bb", "".into()), ("ccc", "3".into())],
            Style { colour: false },
        );
        assert_eq!(text, "a    1\nccc  3\n");
    }
}
