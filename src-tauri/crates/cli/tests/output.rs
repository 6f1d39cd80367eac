//! A command fails when its standard output cannot take the result.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::objects::*;
use support::{Fake, Run};

fn fake() -> Fake {
    Fake::new(|what| match what {
        "POST /v1/connections/github/token" => (200, token()),
        "GET /v1/connections" => (200, json!([connection()])),
        "POST /v1/apps" => (201, json!({"app": app(), "token": "tokenry_app_x"})),
        _ => support::not_found(what),
    })
}

fn app() -> serde_json::Value {
    json!({"id": "01900000-0000-7000-8000-0000000000aa", "name": "backup", "redirect_uris": [], "public": false,
        "grants": [], "created_at": "2026-01-01T00:00:00Z", "last_used_at": null})
}

/// Runs the program with its standard output as a shell redirects it.
fn redirected(fake: &Fake, arguments: &str, to: &str) -> Run {
    let script = format!("exec {} {arguments} {to}", support::tokenry().display());
    let mut shell = support::command("/bin/sh".as_ref(), fake.home.path(), &["-c", &script]);
    shell.output().unwrap().into()
}

#[test]
fn a_closed_or_full_standard_output_is_an_error() {
    let fake = fake();
    let fails = |arguments: &str, to: &str| {
        let run = redirected(&fake, arguments, to).ends(22);
        assert!(
            run.err.contains("annot write to standard output"),
            "{arguments} {to}: {run:?}"
        );
    };
    for arguments in ["token github", "token github --json", "list", "list --json"] {
        fails(arguments, ">/dev/full");
        redirected(&fake, arguments, ">/dev/null").ends(0);
    }
    for arguments in ["token github", "token github --json"] {
        fails(arguments, ">&-");
    }
}

/// A daemon's standard streams are often `/dev/null`, opened for reading and writing.
#[test]
fn a_command_that_hands_out_no_secret_runs_where_standard_output_is_a_daemons() {
    redirected(&fake(), "list", "1<>/dev/null").ends(0);
}

#[test]
fn nothing_is_asked_for_that_could_not_be_handed_over() {
    let fake = fake();
    for arguments in ["token github", "app add backup"] {
        redirected(&fake, arguments, ">&-").ends(22);
    }
    assert!(fake.seen().is_empty());
}

#[test]
fn a_pipe_without_a_reader_is_an_error() {
    let fake = fake();
    let mut command = support::command(&support::tokenry(), fake.home.path(), &["token", "github"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = command
        .stdout(writer)
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(22));
}
