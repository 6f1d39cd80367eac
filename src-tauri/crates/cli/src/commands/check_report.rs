//! Prints what a check found.

use crate::failure::Failure;
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, table};
use tokenry_contract::{CheckReport, CheckResult, CheckedItem};

/// Prints a report. A problem in it is exit code 1.
pub(crate) fn print(report: &CheckReport, output: &Output) -> Result<(), Failure> {
    output.data(report, |style| text(report, style))?;
    match report.result {
        CheckResult::Problem => Err(Failure::problem_found()),
        CheckResult::Ok | CheckResult::Warning | CheckResult::NotChecked => Ok(()),
    }
}

fn text(report: &CheckReport, style: Style) -> String {
    let rows = report.checks.iter().flat_map(rows).collect();
    table(&["CHECK", "RESULT", ""], rows, style)
}

/// What was found, and what to do below it.
fn rows(item: &CheckedItem) -> Vec<Vec<Cell>> {
    let (word, colour) = match item.result {
        CheckResult::Ok => ("ok", Colour::Good),
        CheckResult::Warning => ("warning", Colour::Busy),
        CheckResult::Problem => ("PROBLEM", Colour::Bad),
        CheckResult::NotChecked => ("not checked", Colour::Dim),
    };
    let name = item.name.replace('_', " ");
    let found = vec![
        Cell::from(name),
        Cell::coloured(word, colour),
        Cell::from(&item.text),
    ];
    let next = item.next.as_ref().map(|next| {
        let next = format!("→ {next}");
        vec![Cell::from(""), Cell::from(""), Cell::from(next)]
    });
    [Some(found), next].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_stands_below_what_was_found() {
        let report = CheckReport::from(vec![
            CheckedItem::ok("clock", "Right."),
            CheckedItem::problem("token_endpoint", "Wrong.\u{1b}[2J", "Correct it."),
        ]);
        let text = text(&report, Style { colour: false });
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[1], "clock           ok       Right.");
        assert!(lines[2].starts_with("token endpoint  PROBLEM  Wrong.") && !text.contains('\u{1b}'));
        assert_eq!(lines[3].trim_start(), "→ Correct it.");
    }
}
