//! The table of results.

use crate::sample::Sample;
use serde_json::{Value, json};
use std::fmt::Write;

/// One line of the table.
pub(crate) struct Row {
    what: String,
    ours: String,
    other: String,
    result: String,
    aim: String,
    json: Value,
}

impl Row {
    /// Two samples side by side; the result is how many times the other one ours takes.
    pub(crate) fn ratio(what: &str, ours: &Sample, other: (&str, &Sample), aim: f64) -> Self {
        let (name, other) = other;
        let ratio = ours.median() / other.median();
        Self {
            what: what.to_owned(),
            ours: spread(ours),
            other: format!("{name}: {}", spread(other)),
            result: format!("{ratio:.2} ×"),
            aim: format!("{aim} ×"),
            json: json!({"ours": numbers(ours), "other": numbers(other), "ratio": ratio, "aim": aim}),
        }
    }

    /// A time that is what it is.
    pub(crate) fn time(what: &str, ours: &Sample, aim_ms: f64) -> Self {
        Self::beyond(what, ours, &[], aim_ms)
    }

    /// A time less the times of what cannot be spared.
    pub(crate) fn beyond(what: &str, ours: &Sample, others: &[(&str, &Sample)], aim_ms: f64) -> Self {
        let rest = ours.median() - others.iter().map(|(_, sample)| sample.median()).sum::<f64>();
        let named = |(name, sample): &(&str, &Sample)| format!("{name}: {}", spread(sample));
        let parts = others
            .iter()
            .map(|(name, sample)| json!({"name": name, "ms": numbers(sample)}));
        Self {
            what: what.to_owned(),
            ours: spread(ours),
            other: others.iter().map(named).collect::<Vec<_>>().join("; "),
            result: format!("{} ms", short(rest)),
            aim: format!("{aim_ms} ms"),
            json: json!({
                "ours": numbers(ours), "others": parts.collect::<Vec<_>>(), "rest_ms": rest, "aim_ms": aim_ms
            }),
        }
    }

    /// What so large a part of a sample stays below, from 0 to 1.
    pub(crate) fn slowest(what: &str, ours: &Sample, part: f64, aim_ms: f64) -> Self {
        let time = ours.at(part);
        Self {
            result: format!("{} ms", short(time)),
            json: json!({"ours": numbers(ours), "part": part, "at_part_ms": time, "aim_ms": aim_ms}),
            ..Self::time(what, ours, aim_ms)
        }
    }

    /// A number that is no time.
    pub(crate) fn count(what: &str, count: f64, unit: &str, aim: f64) -> Self {
        Self {
            what: what.to_owned(),
            ours: String::new(),
            other: String::new(),
            result: format!("{} {unit}", short(count)),
            aim: format!("{aim} {unit}"),
            json: json!({"count": count, "unit": unit, "aim": aim}),
        }
    }

    /// Says something more about what was measured.
    pub(crate) fn note(mut self, note: &str) -> Self {
        self.json["note"] = note.into();
        if !self.other.is_empty() {
            self.other.push_str("; ");
        }
        self.other.push_str(note);
        self
    }
}

/// All lines.
#[derive(Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }

    /// As Markdown, which a terminal shows well enough.
    pub(crate) fn table(&self) -> String {
        let mut text = "\nTimes in milliseconds: median (10 % below – 90 % below).\n\n".to_owned();
        text.push_str("| what | ours | beside it | result | aim |\n|---|---|---|---|---|\n");
        for row in &self.0 {
            let Row {
                what,
                ours,
                other,
                result,
                aim,
                ..
            } = row;
            let _ = writeln!(
                text,
                "| {what} | {ours} | {other} | **{result}** | at most {aim} |"
            );
        }
        text
    }

    /// The part of the table that the README quotes.
    pub(crate) fn short_table(&self) -> String {
        let mut text = "| what | result | at most |\n|---|---|---|\n".to_owned();
        for Row {
            what, result, aim, ..
        } in &self.0
        {
            let _ = writeln!(text, "| {what} | {result} | {aim} |");
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        self.0
            .iter()
            .map(|row| {
                let mut value = row.json.clone();
                value["what"] = row.what.as_str().into();
                value
            })
            .collect()
    }
}

fn spread(sample: &Sample) -> String {
    format!(
        "{} ({} – {})",
        short(sample.median()),
        short(sample.at(0.1)),
        short(sample.at(0.9))
    )
}

fn numbers(sample: &Sample) -> Value {
    json!({"median": sample.median(), "p10": sample.at(0.1), "p90": sample.at(0.9), "slowest": sample.slowest()})
}

/// Three digits that count.
fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}
