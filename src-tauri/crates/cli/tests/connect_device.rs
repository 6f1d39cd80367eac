//! `tokenry connect --device` (RFC 8628).

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::objects::*;
use support::{Fake, Run, command, error, tokenry};

const URI: &str = "https://github.example/login/device";

fn started_on_device() -> Value {
    json!({
        "user_code": "WDJB-MJHT", "verification_uri": URI, "interval": 5, "flow_id": FLOW,
        "connection_id": CONNECTION, "expires_at": "9000-01-01T00:00:00Z"
    })
}

/// An engine whose provider has these endpoints, and that answers this to the start of a sign-in on another device.
fn fake(has_browser: bool, has_device: bool, start: (u16, Value)) -> Fake {
    let mut provider = provider();
    if !has_browser {
        provider["authorization_endpoint"] = Value::Null;
    }
    if has_device {
        provider["device_authorization_endpoint"] = "https://github.example/login/device/code".into();
    }
    Fake::new(move |what| match what {
        "GET /v1/oauth-providers/github" => (200, provider.clone()),
        "GET /v1/connections" => (200, json!([])),
        _ if what.ends_with("/device") => start.clone(),
        _ if what.ends_with("/authorize") => (200, started("loopback")),
        _ if what.ends_with("/open") => (200, json!({"success": true})),
        _ if what.starts_with("GET /v1/flows/") => (200, flow("connected")),
        _ if what == format!("GET /v1/connections/{CONNECTION}") => (200, connection()),
        _ => support::not_found(what),
    })
}

fn started_with(fake: &Fake) -> Vec<(String, Value)> {
    let seen = fake
        .seen()
        .into_iter()
        .filter(|seen| seen.what.starts_with("POST"));
    seen.map(|seen| {
        let last = seen.what.rsplit('/').next().unwrap().to_owned();
        (last, seen.body)
    })
    .collect()
}

#[test]
fn the_page_and_the_code_are_the_two_lines_of_standard_output() {
    let fake = fake(true, true, (200, started_on_device()));
    let arguments = ["connect", "github", "--device", "--label", "work", "--scope", "a"];
    let run = fake.run(&arguments).ends(0);
    assert_eq!(run.out, format!("{URI}\nWDJB-MJHT\n"));
    for says in [
        "On any device, open this page:\n",
        "enter this code:\n",
        "Ctrl-C cancels",
    ] {
        assert!(run.err.contains(says), "{run:?}");
    }
    assert!(
        run.err.ends_with("Connected github as alice@example.com.\n"),
        "{run:?}"
    );
    assert!(!run.err.contains('█'), "a QR code is for terminals");
    let body = json!({"label": "work", "scopes": ["a"]});
    assert_eq!(started_with(&fake), [("device".to_owned(), body)]);

    let run = fake.run(&["connect", "github", "--device", "--json"]).ends(0);
    let lines: Vec<Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines, run.err.as_str()),
        (vec![started_on_device(), connection()], "")
    );
}

#[test]
fn another_device_is_used_where_there_is_no_browser_or_no_other_way() {
    let device = || (200, started_on_device());
    for (has_browser, has_device, display, expected, says) in [
        (
            true,
            true,
            None,
            "device",
            "`tokenry connect github --redirect paste`",
        ),
        (true, true, Some("SSH"), "device", "There is no browser here"),
        (true, true, Some("DISPLAY"), "open", "in your browser"),
        (true, false, None, "open", "in your browser"),
        (false, true, Some("DISPLAY"), "device", "On any device"),
    ] {
        let fake = fake(has_browser, has_device, device());
        let mut command = command(&tokenry(), fake.home.path(), &["connect", "github"]);
        match display {
            Some("SSH") => command.env("SSH_CONNECTION", "1").env("DISPLAY", ":0"),
            Some(name) => command.env(name, ":0"),
            None => &mut command,
        };
        let run = Run::from(command.output().unwrap()).ends(0);
        assert!(run.err.contains(says), "{display:?}: {run:?}");
        let last = started_with(&fake).pop().unwrap().0;
        assert_eq!(last, expected, "{has_browser} {has_device} {display:?}");
    }
}

#[test]
fn a_refused_start_goes_on_with_the_browser_only_where_it_was_tokenrys_choice() {
    let refused = || {
        (
            502,
            error("provider_error", "the provider refused: device_flow_disabled"),
        )
    };
    let chosen = fake(true, true, refused());
    let run = chosen.run(&["connect", "github"]).ends(0);
    assert!(
        run.err.contains("device_flow_disabled") && run.err.contains("needs a browser"),
        "{run:?}"
    );
    chosen.forget();
    chosen.run(&["connect", "github", "--json"]).ends(0);
    let started = started_with(&chosen).remove(0).0;
    assert_eq!(started, "authorize", "a script gets what it asked for");
    for arguments in [&["connect", "github", "--device"][..], &["connect", "github"]] {
        let only = fake(arguments.len() == 3, true, refused());
        let run = only.run(arguments).ends(23);
        assert!(run.err.contains("device_flow_disabled"), "{run:?}");
    }
    let both = ["connect", "github", "--device", "--redirect", "paste"];
    fake(true, true, refused()).run(&both).ends(2);
}
