//! `tokenry audit`: who got what.

use super::show;
use crate::args::AuditArgs;
use crate::engine::Engine;
use crate::export::{Format, target};
use crate::failure::Failure;
use crate::http::{Method, Request};
use crate::output::{Colour, Output, Style, write_out};
use crate::table::{Cell, table};
use crate::time::{both, whole_second};
use jiff::Timestamp;
use tokenry_contract::{Audit, AuditEntry, audit_csv};

pub(crate) fn run(args: &AuditArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let parameters = [
        ("program", args.program.clone()),
        ("app", args.app.clone()),
        ("connection", args.connection.clone()),
        ("credential", args.credential.clone()),
        ("since", args.since.map(|since| since.to_string())),
    ];
    let request = Request::new(Method::Get, target(&["v1", "audit"], &parameters));
    let audit: Audit = engine.ask(&request)?;
    match args.format {
        Some(Format::Csv) => write_out(audit_csv(&audit).as_bytes())?,
        Some(Format::JsonLines) => write_out(&lines(&audit.entries)?)?,
        Some(Format::Table) | None => {
            output.data(&audit, |style| text(&audit.entries, Timestamp::now(), style))?;
        }
    }
    notes(&audit, output);
    Ok(())
}

/// What the table leaves out.
fn notes(audit: &Audit, output: &Output) {
    match audit.from {
        Some(from) if !audit.entries.is_empty() => {
            output.say(&format!("The activity log goes back to {}.", whole_second(from)));
        }
        Some(from) => output.say(&format!(
            "No requests match. The activity log goes back to {}.",
            whole_second(from)
        )),
        None => output.say("The activity log is empty."),
    }
    if audit.left_out > 0 {
        output.say(&format!(
            "{} requests of more requesters are not listed. Use --program, --app, --connection or --since.",
            audit.left_out
        ));
    }
    if audit.damaged_lines > 0 {
        output.say(&format!(
            "{} lines of the log are missing or damaged and not counted: `tokenry events --verify`.",
            audit.damaged_lines
        ));
    }
}

fn lines(entries: &[AuditEntry]) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, entry).map_err(Failure::invalid_response)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn text(entries: &[AuditEntry], now: Timestamp, style: Style) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let row = |entry: &AuditEntry| -> Vec<Cell> {
        let refused = match entry.refused + entry.failed {
            0 => Cell::from("0"),
            count => Cell::coloured(&count.to_string(), Colour::Bad),
        };
        let rules: Vec<_> = entry.rules.iter().map(|rule| show::words(&rule.rule)).collect();
        vec![
            Cell::from(who(entry)),
            Cell::from(what(entry)),
            Cell::from(entry.handed_out.to_string()),
            refused,
            Cell::from(whole_second(entry.first)),
            Cell::from(whole_second(entry.last)),
            Cell::from(rules.join(", ")),
            Cell::from(end(entry, now)),
        ]
    };
    let headings = [
        "WHO",
        "WHAT",
        "HANDED OUT",
        "REFUSED",
        "FIRST",
        "LAST",
        "BY",
        "VALID UNTIL",
    ];
    table(&headings, entries.iter().map(row).collect(), style)
}

/// What was handed out and may still be valid.
pub(super) fn still_valid(entries: &[AuditEntry], now: Timestamp, style: Style) -> String {
    let row = |entry: &AuditEntry| -> Vec<Cell> {
        vec![
            Cell::from(who(entry)),
            Cell::from(what(entry)),
            Cell::from(whole_second(entry.last)),
            Cell::coloured(&end(entry, now), Colour::Bad),
        ]
    };
    let headings = ["STILL VALID AT", "WHAT", "LAST HANDED OUT", "VALID UNTIL"];
    table(&headings, entries.iter().map(row).collect(), style)
}

fn who(entry: &AuditEntry) -> String {
    let app = entry.app.clone().or(entry.app_id.map(|id| format!("app {id}")));
    match (app, &entry.program) {
        (Some(app), Some(program)) => format!("{app} ({program})"),
        (Some(app), None) => app,
        (None, Some(program)) => program.clone(),
        (None, None) if entry.caller == tokenry_contract::CallerKind::Ui => "you, in the window".to_owned(),
        (None, None) => show::words(&entry.caller),
    }
}

fn what(entry: &AuditEntry) -> String {
    let id = entry.connection_id.or(entry.credential_id);
    let name = entry.connection.clone().or(entry.credential.clone());
    name.or(id.map(|id| id.to_string()))
        .unwrap_or_else(|| "–".to_owned())
}

fn end(entry: &AuditEntry, now: Timestamp) -> String {
    match entry.valid_until {
        _ if entry.credential_id.is_some() && entry.handed_out > 0 => "changed at its service".to_owned(),
        Some(at) if entry.unknown_end > 0 => format!("{} at least", both(at, now)),
        Some(at) => both(at, now),
        None if entry.unknown_end > 0 => "unknown".to_owned(),
        None => "–".to_owned(),
    }
}
