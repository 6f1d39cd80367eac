//! `tokenry connect`.

#![allow(clippy::unwrap_used)]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicU32, Ordering};
use support::objects::*;
use support::{Fake, Run, Seen, error};

/// An engine whose flow waits for one question and then ends like this.
fn fake(redirect: &'static str, end: Value, connections: Value) -> Fake {
    fake_where(redirect, end, connections, (200, json!({"success": true})))
}

/// The same, with what it answers when it is to open the browser.
fn fake_where(redirect: &'static str, end: Value, connections: Value, opened: (u16, Value)) -> Fake {
    let asked = AtomicU32::new(0);
    Fake::new(move |what| match what {
        "GET /v1/oauth-providers/github" => (200, provider()),
        "GET /v1/connections" => (200, connections.clone()),
        _ if what.ends_with("/authorize") => (200, started(redirect)),
        _ if what.starts_with("GET /v1/flows/") => match asked.fetch_add(1, Ordering::SeqCst) {
            0 => (200, flow("waiting")),
            _ => (200, end.clone()),
        },
        _ if what.ends_with("/open") => opened.clone(),
        "POST /v1/callback" => (200, json!({"success": true, "connection_id": CONNECTION})),
        _ if what == format!("GET /v1/connections/{CONNECTION}") => (200, connection()),
        _ => support::not_found(what),
    })
}

/// The body of the request that started the flow.
fn asked_for(fake: &Fake) -> Value {
    let start = fake
        .seen()
        .into_iter()
        .find(|seen| seen.what.ends_with("/authorize"))
        .unwrap();
    assert_eq!(
        start.what,
        format!("POST /v1/oauth-providers/{PROVIDER}/authorize")
    );
    start.body
}

#[test]
fn without_a_browser_the_address_is_the_first_line_and_the_end_is_0() {
    let fake = fake("loopback", flow("connected"), json!([]));
    let run = fake.run(&["connect", "github", "--no-browser"]).ends(0);
    assert_eq!(run.out, "http://127.0.0.1:4711/begin/x\n");
    assert!(
        run.err.ends_with("Connected github as alice@example.com.\n"),
        "{run:?}"
    );
    assert_eq!(asked_for(&fake), json!({}));
    let polls = fake
        .seen()
        .into_iter()
        .filter(|seen| seen.what.ends_with("?wait_seconds=20&refusals_seen=0"))
        .count();
    assert_eq!(polls, 2);
    assert!(!opens(&fake));
}

/// The provider refuses an unknown redirect URI on a page of its own, of which no program hears.
#[test]
fn without_a_response_the_terminal_asks_once_whether_the_provider_knows_the_address() {
    let asked = AtomicU32::new(0);
    let fake = Fake::new(move |what| match what {
        "GET /v1/oauth-providers/github" => {
            let mut provider = provider();
            provider["register_url"] = "https://github.example/apps".into();
            (200, provider)
        }
        "GET /v1/connections" => (200, json!([])),
        _ if what.ends_with("/authorize") => (200, started("loopback")),
        _ if what.starts_with("GET /v1/flows/") => match asked.fetch_add(1, Ordering::SeqCst) {
            0 => (200, flow("waiting")),
            1 | 2 => {
                let mut late = flow("waiting");
                let end = jiff::Timestamp::now() + std::time::Duration::from_secs(579);
                late["expires_at"] = end.to_string().into();
                late["redirect_uri"] = "http://127.0.0.1:4711/cb/github".into();
                (200, late)
            }
            _ => (200, flow("connected")),
        },
        _ if what == format!("GET /v1/connections/{CONNECTION}") => (200, connection()),
        _ => support::not_found(what),
    });
    let run = fake.run(&["connect", "github", "--no-browser"]).ends(0);
    let asks = "does the provider know http://127.0.0.1:4711/cb/github? Register exactly this URI at \
                https://github.example/apps,";
    assert_eq!(run.err.matches(asks).count(), 1, "{run:?}");
}

#[test]
fn with_a_browser_the_engine_opens_it_and_standard_output_is_empty() {
    let fake = fake("loopback", flow("connected"), json!([]));
    let arguments = [
        "connect",
        "github",
        "--label",
        "work",
        "--scope",
        "a",
        "--scope",
        "b",
        "--redirect",
        "deep-link",
    ];
    let run = fake.run(&arguments).ends(0);
    assert!(
        run.out.is_empty() && run.err.contains("http://127.0.0.1:4711/begin/x\n"),
        "{run:?}"
    );
    assert_eq!(
        asked_for(&fake),
        json!({"label": "work", "scopes": ["a", "b"], "redirect": "deep_link"})
    );
    assert!(opens(&fake));
}

/// Whether the engine was asked to open the browser.
fn opens(fake: &Fake) -> bool {
    fake.seen().iter().any(|seen| seen.what.ends_with("/open"))
}

#[test]
fn where_no_browser_can_be_opened_that_is_said_and_the_address_is_given() {
    let refused = (503, error("oauth_unavailable", "no browser could be opened"));
    let fake = fake_where("loopback", flow("connected"), json!([]), refused);
    let run = fake.run(&["connect", "github"]).ends(0);
    assert!(run.err.contains("no browser could be opened"), "{run:?}");
    // From there on it is as with --no-browser.
    assert_eq!(run.out, "http://127.0.0.1:4711/begin/x\n");
    fake.forget();
    let json = fake.run(&["connect", "github", "--json"]).ends(0);
    assert_eq!(json.err, "");
    let first = json.out.lines().next().map(serde_json::from_str);
    assert_eq!(first.unwrap().ok(), Some(started("loopback")));
}

#[test]
fn as_json_the_start_and_the_end_are_one_line_each() {
    let fake = fake("loopback", flow("connected"), json!([]));
    let run = fake.run(&["connect", "github", "--no-browser", "--json"]).ends(0);
    let lines: Vec<Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines, run.err.as_str()),
        (vec![started("loopback"), connection()], "")
    );
}

#[test]
fn a_flow_that_ends_without_a_connection_ends_with_its_code() {
    let failed = |code: &str| {
        let mut flow = flow("failed");
        flow["code"] = code.into();
        flow["message"] = "The person said no.".into();
        flow
    };
    for (end, code, says) in [
        (failed("consent_denied"), 13, "he person said no."),
        (failed("provider_error"), 23, "he person said no."),
        (flow("cancelled"), 13, "was cancelled"),
        (flow("expired"), 18, "he sign-in expired."),
    ] {
        let run = fake("loopback", end, json!([]))
            .run(&["connect", "github", "--no-browser"])
            .ends(code);
        assert!(run.err.contains(says), "{run:?}");
    }
}

/// Else an answer that comes minutes later would still connect the account.
#[test]
fn an_interrupted_connect_calls_its_flow_off() {
    let fake = Fake::new(|what| match what {
        "GET /v1/oauth-providers/github" => (200, provider()),
        "GET /v1/connections" => (200, json!([])),
        _ if what.ends_with("/authorize") => (200, started("loopback")),
        _ if what.starts_with("GET /v1/flows/") => (200, flow("waiting")),
        _ if what.starts_with("DELETE /v1/flows/") => (200, json!({"success": true})),
        _ => support::not_found(what),
    });
    for signal in [Signal::INT, Signal::TERM] {
        let arguments = ["connect", "github", "--no-browser"];
        let mut command = support::command(&support::tokenry(), fake.home.path(), &arguments);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let asks = |seen: &Seen| seen.what.starts_with("GET /v1/flows/");
        // It waits for the sign-in by then, and asks nothing else.
        while !fake.seen().iter().any(asks) {
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = Run::from(child.wait_with_output().unwrap()).ends(128 + signal.as_raw());
        assert!(
            ended.err.ends_with("\n\nCancelled. Nothing was connected.\n"),
            "{ended:?}"
        );
        let last = fake.seen().pop().unwrap();
        assert_eq!(last.what, format!("DELETE /v1/flows/{FLOW}"));
        fake.forget();
    }
}

#[test]
fn what_was_not_granted_is_said() {
    let fake = Fake::new(|what| match what {
        "POST /v1/callback" => (200, json!({"success": true, "connection_id": CONNECTION})),
        _ => {
            let mut connection = connection();
            connection["missing_scopes"] = json!(["admin"]);
            (200, connection)
        }
    });
    let run = fake.run_with(&["callback"], b"http://x/cb?code=1").ends(0);
    assert!(run.err.ends_with("Not granted: admin.\n"), "{run:?}");
}

/// A provider that gave no refresh token, for example.
#[test]
fn what_is_wrong_with_a_new_connection_from_the_start_is_a_warning() {
    let fake = Fake::new(|what| match what {
        "POST /v1/callback" => (200, json!({"success": true, "connection_id": CONNECTION})),
        _ => {
            let mut connection = connection();
            connection["trouble"] = json!({
                "at": "2026-01-01T00:00:00Z", "message": "No refresh token came. Ask for offline_access.",
                "attempts": 1, "next_try_at": null
            });
            (200, connection)
        }
    });
    let run = fake.run_with(&["callback"], b"http://x/cb?code=1").ends(0);
    let warning = "\nwarning: No refresh token came. Ask for offline_access.\n";
    assert!(run.err.ends_with(warning), "{run:?}");
}

#[test]
fn a_connection_that_needs_it_is_renewed() {
    for (name, connections) in [
        ("github", json!([broken()])),
        ("github", json!([broken(), machine_connection()])),
    ] {
        let fake = fake("loopback", flow("connected"), connections);
        let run = fake.run(&["connect", name, "--no-browser"]).ends(0);
        assert!(run.err.starts_with("Signing in to github again.\n"), "{run:?}");
        assert_eq!(asked_for(&fake), json!({"connection": CONNECTION}));
    }
}

/// The name means what it means in `tokenry token`; another account still gets a connection of its own.
#[test]
fn a_provider_is_named_for_its_own_connection_and_the_only_one() {
    let labelled = |label: &str| {
        let mut connection = machine_connection();
        connection["provider_id"] = PROVIDER.into();
        connection["id"] = FLOW.into();
        connection["label"] = label.into();
        connection["status"] = "active".into();
        connection
    };
    let status = |mut connection: Value, status: &str| {
        connection["status"] = status.into();
        connection
    };
    for (connections, renewed) in [
        (json!([connection()]), Some(CONNECTION)),
        (json!([labelled("ci"), connection()]), Some(CONNECTION)),
        (json!([labelled("ci")]), Some(FLOW)),
        (json!([labelled("ci"), machine_connection()]), Some(FLOW)),
        (
            json!([status(labelled("ci"), "paused"), connection()]),
            Some(CONNECTION),
        ),
        (json!([labelled("ci"), labelled("work")]), None),
        (json!([status(connection(), "pending")]), None),
        (json!([status(connection(), "disconnecting")]), None),
        (json!([]), None),
    ] {
        let fake = fake("loopback", flow("connected"), connections.clone());
        fake.run(&["connect", "github", "--no-browser"]).ends(0);
        let expected = match renewed {
            Some(id) => json!({"connection": id, "allow_further": true}),
            None => json!({}),
        };
        assert_eq!(asked_for(&fake), expected, "{connections}");
    }
}

/// Not after ten silent minutes.
#[test]
fn an_answer_that_was_refused_is_told_while_it_waits() {
    let asked = AtomicU32::new(0);
    let fake = Fake::new(move |what| match what {
        "GET /v1/oauth-providers/github" => (200, provider()),
        "GET /v1/connections" => (200, json!([])),
        _ if what.ends_with("/authorize") => (200, started("loopback")),
        _ if what.starts_with("GET /v1/flows/") => {
            let mut waiting = flow("waiting");
            waiting["refusals"] = 1.into();
            waiting["code"] = "validation_error".into();
            waiting["message"] = "The address has a parameter twice.".into();
            match asked.fetch_add(1, Ordering::SeqCst) {
                0 => assert!(what.ends_with("&refusals_seen=0"), "{what}"),
                _ => assert!(what.ends_with("&refusals_seen=1"), "{what}"),
            }
            match asked.load(Ordering::SeqCst) {
                1 | 2 => (200, waiting),
                _ => (200, flow("connected")),
            }
        }
        _ => (200, connection()),
    });
    let run = fake.run(&["connect", "github", "--no-browser"]).ends(0);
    let told = "Rejected a response: The address has a parameter twice. Still waiting.\n";
    assert_eq!(run.err.matches(told).count(), 1, "{run:?}");
    assert_eq!(run.out, "http://127.0.0.1:4711/begin/x\n");
}

/// A connection of another provider.
fn machine_connection() -> Value {
    let mut connection = broken();
    connection["provider_id"] = FLOW.into();
    connection
}

#[test]
fn a_connection_that_is_well_is_joined_by_another_one() {
    let fake = fake("loopback", flow("connected"), json!([connection()]));
    fake.run(&["connect", "github", "--label", "work", "--no-browser"])
        .ends(0);
    assert_eq!(asked_for(&fake), json!({"label": "work"}));
}

#[test]
fn a_connection_can_be_named_to_renew_it() {
    let fake = Fake::new(|what| match what {
        "GET /v1/connections/github%2Fwork" => (200, connection()),
        _ if what == format!("GET /v1/oauth-providers/{PROVIDER}") => (200, provider()),
        _ if what.ends_with("/authorize") => (200, started("loopback")),
        _ if what.starts_with("GET /v1/flows/") => (200, flow("connected")),
        _ if what == format!("GET /v1/connections/{CONNECTION}") => (200, connection()),
        _ => support::not_found(what),
    });
    fake.run(&["connect", "github/work", "--no-browser"]).ends(0);
    assert_eq!(asked_for(&fake)["connection"], CONNECTION);
}

#[test]
fn client_credentials_connect_at_once() {
    let fake = Fake::new(|what| match what {
        "GET /v1/oauth-providers/machine" => (200, machine()),
        _ if what == format!("POST /v1/oauth-providers/{PROVIDER}/connect") => {
            (200, json!({"success": true}))
        }
        _ => support::not_found(what),
    });
    fake.run(&["connect", "machine"])
        .ends(0)
        .says("", "Connected machine.\n");
    fake.run(&["connect", "machine", "--label", "a", "--json"])
        .ends(0)
        .says("{\"success\":true}\n", "");
    let bodies: Vec<Value> = fake
        .seen()
        .into_iter()
        .filter(|seen| seen.what.starts_with("POST"))
        .map(|seen| seen.body)
        .collect();
    assert_eq!(bodies, [json!({}), json!({"label": "a"})]);
}

#[test]
fn a_connection_of_client_credentials_that_is_named_is_renewed() {
    let fake = Fake::new(|what| match what {
        "GET /v1/connections/machine%2Fwork" => {
            let mut work = connection();
            (work["label"], work["provider_id"]) = ("work".into(), PROVIDER.into());
            (200, work)
        }
        _ if what == format!("GET /v1/oauth-providers/{PROVIDER}") => (200, machine()),
        _ if what == format!("POST /v1/oauth-providers/{PROVIDER}/connect") => {
            (200, json!({"success": true}))
        }
        _ => support::not_found(what),
    });
    fake.run(&["connect", "machine/work"])
        .ends(0)
        .says("", "Connected machine/work.\n");
    let sent = fake.seen().into_iter().find(|seen| seen.what.starts_with("POST"));
    assert_eq!(sent.unwrap().body, json!({"label": "work"}));
}

#[test]
fn an_engine_that_is_away_for_a_moment_is_asked_again() {
    let asked = AtomicU32::new(0);
    let fake = Fake::raw(move |what| {
        let (status, body) = match what {
            "GET /v1/oauth-providers/github" => (200, provider()),
            "GET /v1/connections" => (200, json!([])),
            _ if what.ends_with("/authorize") => (200, started("loopback")),
            _ if what.starts_with("GET /v1/flows/") => match asked.fetch_add(1, Ordering::SeqCst) {
                0 => return Vec::new(),
                _ => (200, flow("connected")),
            },
            _ => (200, connection()),
        };
        support::response(status, &body.to_string())
    });
    fake.run(&["connect", "github", "--no-browser"]).ends(0);
}

#[test]
fn a_paste_without_a_terminal_waits_for_tokenry_callback() {
    let fake = fake("paste", flow("connected"), json!([]));
    let run = fake
        .run(&["connect", "github", "--no-browser", "--redirect", "paste"])
        .ends(0);
    assert!(run.err.contains("`tokenry callback`"), "{run:?}");
    assert_eq!(asked_for(&fake), json!({"redirect": "paste"}));
}
