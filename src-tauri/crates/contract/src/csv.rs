//! Events and audits as CSV (RFC 4180), for spreadsheets.

use crate::{App, Audit, AuditEntry, Connection, Credential, Event, OAuthProvider};
use serde::Serialize;
use std::{collections::HashMap, fmt::Write};
use uuid::Uuid;

/// A spreadsheet takes a cell that begins with one of these for a formula, in full width too.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// One record with its line end. A cell that a spreadsheet would run as a formula gets an apostrophe in front.
fn record<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let is_formula =
            cell.starts_with(['\t', '\r', '\n']) || cell.trim_start().starts_with(FORMULA_STARTS);
        if !is_formula && !cell.contains([',', '"', '\r', '\n', ';']) && cell.trim() == cell {
            line.push_str(cell);
            continue;
        }
        line.push('"');
        if is_formula {
            line.push('\'');
        }
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    }
    line + "\r\n"
}

/// The names of providers, connections, credentials and apps by their ids.
pub type Names = HashMap<Uuid, String>;

/// Collects the names. A connection is also a credential; it keeps its name as a connection, as `tokenry` takes it.
pub fn names_of(
    providers: Vec<OAuthProvider>,
    credentials: Vec<Credential>,
    connections: Vec<Connection>,
    apps: Vec<App>,
) -> Names {
    let providers = providers.into_iter().map(|provider| (provider.id, provider.name));
    let credentials = credentials
        .into_iter()
        .map(|credential| (credential.id, credential.name));
    let connections = connections
        .into_iter()
        .map(|connection| (connection.id, connection.name));
    let apps = apps.into_iter().map(|app| (app.id, app.name));
    providers
        .chain(credentials)
        .chain(connections)
        .chain(apps)
        .collect()
}

const EVENT_COLUMNS: [&str; 23] = [
    "at",
    "kind",
    "outcome",
    "caller",
    "program",
    "pid",
    "app",
    "app_id",
    "provider",
    "provider_id",
    "connection",
    "connection_id",
    "credential",
    "credential_id",
    "rule",
    "grant_id",
    "detail",
    "token_expires_at",
    "token_scope",
    "request_id",
    "count",
    "first_at",
    "id",
];

const AUDIT_COLUMNS: [&str; 17] = [
    "caller",
    "program",
    "app",
    "app_id",
    "connection",
    "connection_id",
    "credential",
    "credential_id",
    "handed_out",
    "refused",
    "failed",
    "first",
    "last",
    "scopes",
    "rules",
    "valid_until",
    "unknown_end",
];

/// The record with the names of the columns.
pub fn event_csv_header() -> String {
    record(EVENT_COLUMNS)
}

/// An event as one record. Names that are not known are empty.
pub fn event_csv(event: &Event, names: &Names) -> String {
    let name = |id: Option<Uuid>| id.and_then(|id| names.get(&id).cloned()).unwrap_or_default();
    record(
        [
            event.at.to_string(),
            word(&event.kind),
            word(&event.outcome),
            word(&event.caller),
            text(event.program.as_ref()),
            text(event.pid),
            name(event.app_id),
            text(event.app_id),
            name(event.provider_id),
            text(event.provider_id),
            name(event.connection_id),
            text(event.connection_id),
            name(event.credential_id),
            text(event.credential_id),
            event.rule.as_ref().map(word).unwrap_or_default(),
            text(event.grant_id),
            text(event.detail.as_ref()),
            text(event.token_expires_at),
            text(event.token_scope.as_ref()),
            text(event.request_id),
            event.count.to_string(),
            text(event.first_at),
            event.id.to_string(),
        ]
        .iter()
        .map(String::as_str),
    )
}

/// An audit as CSV, with the names of the columns in the first record.
pub fn audit_csv(audit: &Audit) -> String {
    let entries = audit.entries.iter().map(audit_record);
    std::iter::once(record(AUDIT_COLUMNS)).chain(entries).collect()
}

fn audit_record(entry: &AuditEntry) -> String {
    let mut rules = String::new();
    for rule in &entry.rules {
        let _ = write!(
            rules,
            "{}{} ({})",
            if rules.is_empty() { "" } else { " " },
            word(&rule.rule),
            rule.count
        );
    }
    record(
        [
            word(&entry.caller),
            text(entry.program.as_ref()),
            text(entry.app.as_ref()),
            text(entry.app_id),
            text(entry.connection.as_ref()),
            text(entry.connection_id),
            text(entry.credential.as_ref()),
            text(entry.credential_id),
            entry.handed_out.to_string(),
            entry.refused.to_string(),
            entry.failed.to_string(),
            entry.first.to_string(),
            entry.last.to_string(),
            entry.scopes.join(" "),
            rules,
            text(entry.valid_until),
            entry.unknown_end.to_string(),
        ]
        .iter()
        .map(String::as_str),
    )
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A word of the contract's enums.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_a_text() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "＋", "－", "＠"] {
            let cell = format!("{start}cmd|' /C calc'!A0");
            assert_eq!(record([cell.as_str()]), format!("\"'{cell}\"\r\n"), "{start:?}");
        }
        assert_eq!(record(["a=b", "a-b", "x@y"]), "a=b,a-b,x@y\r\n");
    }

    /// RFC 4180, section 2, rules 5 to 7.
    #[test]
    fn quotes_commas_and_line_ends_stay_inside_of_their_cell() {
        assert_eq!(
            record(["a,b", "say \"x\"", "one\r\ntwo", "", "ä ö"]),
            "\"a,b\",\"say \"\"x\"\"\",\"one\r\ntwo\",,ä ö\r\n"
        );
        assert_eq!(record([" a", "b "]), "\" a\",\"b \"\r\n");
    }

    #[test]
    fn an_event_has_as_many_cells_as_columns_whatever_is_in_it() {
        let id = "01900000-0000-7000-8000-000000000001";
        let hostile = "=HYPERLINK(\"http://x\",\"y\")\n,";
        let event: Event = serde_json::from_value(json!({
            "id": id, "at": "2027-01-15T08:00:00Z", "kind": "token_handed_out", "caller": "program",
            "program": hostile, "pid": 7, "provider_id": null, "connection_id": id, "outcome": "done",
            "detail": hostile, "token_scope": "-1+1"}))
        .unwrap();
        let names = Names::from([(event.id, "@work".to_owned())]);
        let line = event_csv(&event, &names);
        let cells = parsed(&line);
        assert_eq!(cells.len(), EVENT_COLUMNS.len());
        assert_eq!(
            (cells[4].as_str(), cells[10].as_str()),
            (&*format!("'{hostile}"), "'@work")
        );
        assert_eq!(
            (cells[1].as_str(), cells[18].as_str()),
            ("token_handed_out", "'-1+1")
        );
        assert_eq!(parsed(&event_csv_header()), EVENT_COLUMNS);
    }

    #[test]
    fn an_audit_has_one_record_for_each_entry() {
        let entry = json!({"caller": "app", "program": null, "app_id": null, "app": "backup", "provider_id": null,
            "connection_id": null, "connection": "github", "credential_id": null, "credential": null,
            "handed_out": 3, "refused": 1, "failed": 0, "first": "2027-01-15T08:00:00Z",
            "last": "2027-01-15T09:00:00Z", "scopes": ["read", "write"],
            "rules": [{"rule": "grant", "grant_id": null, "count": 3}], "valid_until": null, "unknown_end": 0});
        let audit: Audit = serde_json::from_value(json!({
            "entries": [entry, entry], "from": null, "left_out": 0, "damaged_lines": 0}))
        .unwrap();
        let text = audit_csv(&audit);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        let cells = parsed(lines[1]);
        assert_eq!(cells.len(), AUDIT_COLUMNS.len());
        assert_eq!(
            (cells[13].as_str(), cells[14].as_str()),
            ("read write", "grant (3)")
        );
    }

    /// The cells of the first record, as RFC 4180 reads them.
    fn parsed(text: &str) -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                '\r' | '\n' if !quoted => break,
                other => cell.push(other),
            }
        }
        cells.push(cell);
        cells
    }
}
