//! Exports, checks and cutting off: what each asks the engine, what it prints, and how it ends.

mod support;

use serde_json::{Value, json};
use support::{Fake, seen};

const CONFLICT: i32 = 16;
const PROVIDER_ERROR: i32 = 23;

fn event(number: u32, count: u64, detail: &str) -> Value {
    json!({"id": format!("01900000-0000-7000-8000-{number:012}"), "at": "2027-01-15T08:00:00Z",
        "kind": "token_handed_out", "caller": "program", "program": detail, "pid": 7, "provider_id": null,
        "connection_id": null, "credential_id": null, "app_id": null, "outcome": "refused", "rule": "denied",
        "grant_id": null, "detail": detail, "count": count})
}

/// Three pages: a line that repeats is on each, with its newest state first.
fn paged() -> Fake {
    Fake::new(|what| match what {
        "GET /v1/events?limit=500" => (
            200,
            json!({"events": [event(1, 9, "=cmd"), event(2, 1, "a\"b,c\nd")], "next": 40}),
        ),
        "GET /v1/events?limit=500&before=40" => (200, json!({"events": [event(1, 5, "=cmd")], "next": 20})),
        "GET /v1/events?limit=500&before=20" => (
            200,
            json!({"events": [event(3, 1, "last"), event(1, 1, "=cmd")], "next": null}),
        ),
        _ => (200, json!([])),
    })
}

#[test]
fn an_export_holds_every_event_of_every_page_once() {
    let run = paged().run(&["events", "--format", "json-lines"]).ends(0);
    let lines: Vec<Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let counts: Vec<_> = lines.iter().map(|line| line["count"].as_u64().unwrap()).collect();
    assert_eq!((counts, run.err.as_str()), (vec![9, 1, 1], ""));
    let some = paged()
        .run(&["events", "--format", "json-lines", "--limit", "2"])
        .ends(0);
    assert_eq!(some.out.lines().count(), 2);
}

/// What a program calls itself is a text in a spreadsheet, and stays in its cell.
#[test]
fn hostile_text_in_an_export_is_neither_a_formula_nor_a_new_record() {
    let run = paged().run(&["events", "--format", "csv"]).ends(0);
    assert_eq!(run.out.matches("\r\n").count(), 4, "{run:?}");
    assert!(run.out.contains("\"'=cmd\""), "{run:?}");
    assert!(!run.out.contains(",=cmd"), "{run:?}");
    assert!(run.out.contains("\"a\"\"b,c\nd\""), "{run:?}");
    assert!(run.out.starts_with("at,kind,outcome,caller,program,"), "{run:?}");
}

#[test]
fn a_log_that_is_not_whole_is_told_with_its_lines_and_an_exit_code() {
    let check = |whole: bool| {
        let problems = match whole {
            true => json!([]),
            false => json!([{"first_line": 4, "last_line": 6, "kind": "missing"}]),
        };
        json!({"whole": whole, "lines": 9, "first_line": 1, "last_line": 12, "first_at": "2027-01-01T00:00:00Z",
            "last_at": "2027-01-15T08:00:00Z", "problems": problems, "more_problems": 0})
    };
    let whole = Fake::only("GET /v1/events/verify", 200, check(true));
    let run = whole.run(&["events", "--verify"]).ends(0);
    assert_eq!(
        run.out,
        "whole: 9 lines (1 to 12), from 2027-01-01T00:00:00Z to 2027-01-15T08:00:00Z, an unbroken chain\n"
    );
    let cut = Fake::only("GET /v1/events/verify", 200, check(false));
    let run = cut.run(&["events", "--verify"]).ends(CONFLICT);
    assert!(run.out.contains("lines 4 to 6 are missing"), "{run:?}");
    assert_eq!(
        cut.run(&["--json", "events", "--verify"])
            .ends(CONFLICT)
            .out
            .lines()
            .count(),
        1
    );
    whole.run(&["events", "--verify", "--limit", "3"]).ends(2);
}

#[test]
fn an_audit_is_asked_for_with_what_is_given() {
    let target =
        "GET /v1/audit?program=%2Fusr%2Fbin%2Fa%20b&connection=github%2Fwork&since=2027-01-01T00%3A00%3A00Z";
    let empty = json!({"entries": [], "from": null, "left_out": 0, "damaged_lines": 2});
    let fake = Fake::only(target, 200, empty);
    let filters = ["--program", "/usr/bin/a b", "--connection", "github/work"];
    let since = ["--since", "2027-01-01T00:00:00Z"];
    let run = fake.run(&[&["audit"], &filters[..], &since].concat()).ends(0);
    assert!(run.err.contains("2 lines of the log are missing"), "{run:?}");
    let csv = fake
        .run(&[&["audit"], &filters[..], &since, &["--format", "csv"]].concat())
        .ends(0);
    assert_eq!(csv.out.lines().count(), 1, "the header alone");
    fake.run(&["audit", "--since", "yesterday"]).ends(2);
}

#[test]
fn a_connection_that_was_not_revoked_has_an_exit_code_of_its_own() {
    for (revoked, exit) in [
        (json!("yes"), 0),
        (json!(null), 0),
        (json!("pending"), PROVIDER_ERROR),
    ] {
        let connection = json!({"id": "01900000-0000-7000-8000-000000000001", "name": "github", "revoked": revoked,
            "tokens_expire_at": null});
        let answer = json!({"grants": 1, "app_tokens": 0, "sessions": 0, "prompts": 0, "sign_ins": 0,
            "connections": [connection], "still_valid": []});
        let fake = Fake::only("POST /v1/revoke", 200, answer);
        let run = fake.run(&["revoke", "--connection", "github"]).ends(exit);
        assert!(run.err.contains("Ended: 1 grant."), "{run:?}");
        assert_eq!(
            fake.seen(),
            [seen("POST /v1/revoke", json!({"connection": "github"}))]
        );
    }
    for wrong in [&["revoke"][..], &["revoke", "--all", "--app", "x"]] {
        Fake::new(|_| (200, json!({}))).run(wrong).ends(2);
    }
}

#[test]
fn a_damaged_vault_is_told_part_by_part_with_an_exit_code() {
    let status = json!({"version": "0.1.0", "pid": 1, "window": false, "providers": 0, "connections": {},
        "vault": {"state": "unlocked", "slots": ["keyring"], "read_only": false, "code": null, "message": null}});
    let check = json!({"whole": false, "parts": [{"part": "tokens", "whole": false, "text": "x"},
        {"part": "manifest", "whole": true, "text": "agrees"}], "problems": [{"part": "tokens", "row": 7,
        "name": "git\u{1b}[31mhub", "text": "it does not open"}], "more_problems": 2});
    let fake = Fake::new(move |what| match what {
        "GET /v1/status" => (200, status.clone()),
        _ => (200, check.clone()),
    });
    let run = fake.run(&["vault", "check"]).ends(CONFLICT);
    assert!(
        run.out.contains("tokens    WRONG") && run.out.contains("manifest  ok     agrees"),
        "{run:?}"
    );
    assert!(
        run.out.contains("tokens  7    git[31mhub  it does not open"),
        "{run:?}"
    );
    assert!(
        run.out.contains("and 2 more") && run.err.contains("3 found"),
        "{run:?}"
    );
}
