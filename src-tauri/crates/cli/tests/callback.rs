//! `tokenry callback`.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::objects::*;
use support::{Fake, error, seen};

/// security.md, "How it is shown": no secret in arguments.
#[test]
fn callback_takes_the_address_from_standard_input_and_refuses_it_as_an_argument() {
    let fake = Fake::new(|what| match what {
        "POST /v1/callback" => (200, json!({"success": true, "connection_id": CONNECTION})),
        _ if what == format!("GET /v1/connections/{CONNECTION}") => (200, connection()),
        _ => support::not_found(what),
    });
    let url = "http://127.0.0.1:1/cb/github?code=c&state=s";
    let line = format!("{url}\n");
    fake.run_with(&["callback"], line.as_bytes())
        .ends(0)
        .says("", "Connected github as alice@example.com.\n");
    fake.run_with(&["callback", "-"], line.as_bytes()).ends(0);
    let json = fake.run_with(&["callback", "--json"], line.as_bytes());
    assert_eq!(json.ends(0).json(), connection());
    let as_argument = fake.run(&["callback", url]).ends(10);
    for part in [
        "other users of this machine",
        "Nothing was sent",
        "`tokenry callback`",
    ] {
        assert!(as_argument.err.contains(part), "{as_argument:?}");
    }
    assert!(!as_argument.err.contains("code=c"), "{as_argument:?}");
    let callbacks: Vec<_> = fake
        .seen()
        .into_iter()
        .filter(|seen| seen.what.starts_with("POST"))
        .collect();
    assert_eq!(
        callbacks,
        vec![seen("POST /v1/callback", json!({ "url": url })); 3]
    );
}

#[test]
fn a_refused_address_ends_with_its_code() {
    let fake = Fake::new(|_| {
        (
            422,
            error(
                "validation_error",
                "the redirect was refused; open sign-ins stay open",
            ),
        )
    });
    let run = fake
        .run_with(&["callback"], b"http://x/?code=s3cr3t-canary")
        .ends(10);
    assert!(!run.err.contains("s3cr3t"), "{run:?}");
    let run = fake.run_with(&["callback"], b"").ends(10);
    assert!(run.err.contains("is empty"), "{run:?}");
}
