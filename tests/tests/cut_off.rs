//! `tokenry revoke` and `tokenry audit` with the real programs and a real authorization server: what was handed out is
//! refused afterwards, and what a provider did not revoke is never called revoked.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_sandbox, connect_at_testkit, token};
use tokenry_e2e::process::wait_for;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};
use tokenry_e2e::socket::{ask, ask_as};
use tokenry_testkit::{Behaviour, Ended, Server, http};

const PROVIDER_ERROR: i32 = 23;

/// What the provider's own API says of a token.
fn userinfo(sandbox: &Sandbox, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let endpoint = sandbox.endpoint("userinfo_endpoint");
    http::get(&endpoint, &[("authorization", &bearer)])
        .unwrap()
        .status
}

/// The app `backup` with a grant for this connection, and its token.
fn app(profile: &Profile, connection: &str) -> String {
    let app = ask(profile, "POST", "/v1/apps", &json!({"name": "backup"})).1;
    let grant = json!({"app": "backup", "scopes": ["tokens:read"], "connections": [connection]});
    assert_eq!(ask(profile, "POST", "/v1/grants", &grant).0, 200);
    app["token"].as_str().unwrap().to_owned()
}

fn token_of(profile: &Profile, app: &str, connection: &str) -> (u16, Value) {
    let path = format!("/v1/connections/{connection}/token");
    ask_as(profile, app, "POST", &path, &json!({}))
}

/// Two programs have a copy of a token: after the connection is cut off, the provider takes neither.
#[test]
fn after_a_connection_is_cut_off_the_provider_refuses_every_copy_of_its_tokens() {
    let (profile, sandbox) = (Profile::headless(), Sandbox::start());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut provider = accounts::sandbox_provider(&sandbox, "sandbox");
    provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
    add(&profile, &provider).success();
    connect_at_sandbox(&profile, &sandbox, &["sandbox"], "Ada Lovelace").success();
    let app = app(&profile, "sandbox");
    let first = token_of(&profile, &app, "sandbox").1["access_token"].clone();
    let first = first.as_str().unwrap();
    profile.tokenry(&["refresh", "sandbox"]).success();
    let second = token(&profile, "sandbox");
    assert!(first != second);
    assert_eq!(
        [userinfo(&sandbox, first), userinfo(&sandbox, &second)],
        [200, 200]
    );

    let audit = profile.tokenry(&["audit", "--connection", "sandbox"]).success();
    assert!(
        audit.stdout.contains("backup") && audit.stdout.contains("/tokenry"),
        "{audit:?}"
    );
    let cut = profile.tokenry(&["revoke", "--connection", "sandbox"]).success();
    assert!(
        cut.stdout.contains("revoked") && !cut.stdout.contains("not revoked"),
        "{cut:?}"
    );
    assert!(cut.stderr.contains("Ended: 1 grant"), "{cut:?}");
    assert_eq!(
        [userinfo(&sandbox, first), userinfo(&sandbox, &second)],
        [401, 401],
        "every copy is refused"
    );

    assert_eq!(token_of(&profile, &app, "sandbox").0, 403, "the grant is gone");
    let refused = profile.tokenry(&["token", "sandbox"]);
    assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
    assert!(refused.stderr.contains("you cut it off"), "{refused:?}");
    let listed = accounts::connection(&profile, "sandbox");
    assert_eq!(
        (&listed["status"], &listed["reason"]),
        (&json!("needs_reauth"), &json!("cut_off"))
    );
    // A new sign-in makes it usable again, and not for the app.
    connect_at_sandbox(&profile, &sandbox, &["sandbox"], "Ada Lovelace").success();
    assert_eq!(userinfo(&sandbox, &token(&profile, "sandbox")), 200);
    assert_eq!(token_of(&profile, &app, "sandbox").0, 403);
}

#[test]
fn a_provider_that_did_not_revoke_is_named_with_the_end_of_its_tokens() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let rotation = json!({"kind": "strict"});
    let mut without = accounts::testkit_provider(&server, "without", &rotation);
    without["revocation_endpoint"] = Value::Null;
    add(&profile, &without).success();
    connect_at_testkit(&profile, &["without"]).success();
    let taken = token(&profile, "without");
    let cut = profile.tokenry(&["revoke", "--connection", "without"]);
    assert_eq!(cut.code, PROVIDER_ERROR, "{cut:?}");
    assert!(cut.stdout.contains("not revoked: the provider cannot"), "{cut:?}");
    assert!(
        cut.stdout.contains("STILL VALID AT") && cut.stdout.contains(" min ("),
        "{cut:?}"
    );
    assert!(
        cut.stderr.contains("without") && cut.stderr.contains("website"),
        "{cut:?}"
    );
    assert!(server.accepts(&taken), "that is the truth");
    assert_ne!(profile.tokenry(&["token", "without"]).code, 0);
}

/// A provider that cannot be reached: access ends here at once, and what is owed is done when it is back.
#[test]
fn an_unreachable_provider_is_named_and_tried_again() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &accounts::testkit_provider(&server, "kit", &json!({"kind": "strict"})),
    )
    .success();
    connect_at_testkit(&profile, &["kit"]).success();
    token(&profile, "kit");
    server.set(|behaviour| {
        behaviour.revocation_fault =
            Some(tokenry_testkit::Fault::TemporarilyUnavailable { retry_after: Some(1) })
    });
    let cut = profile.tokenry(&["revoke", "--all", "--json"]);
    assert_eq!(cut.code, PROVIDER_ERROR, "{cut:?}");
    let answer = cut.json();
    assert_eq!(answer["connections"][0]["revoked"], "pending", "{answer}");
    assert_eq!(answer["still_valid"][0]["connection"], "kit", "{answer}");
    assert_ne!(profile.tokenry(&["token", "kit"]).code, 0);
    assert_eq!(server.families()[0].ended, None);
    // What is owed survives the end of the engine.
    accounts::stop(engine);
    server.set(|behaviour| behaviour.revocation_fault = None);
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    wait_for("the revocation", || {
        (server.families()[0].ended == Some(Ended::Revoked)).then_some(())
    });
}

#[test]
fn a_program_needs_consent_to_cut_off_and_an_app_is_cut_off_by_its_name() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let provider = accounts::testkit_provider(&server, "kit", &json!({"kind": "strict"}));
    add(&profile, &provider).success();
    connect_at_testkit(&profile, &["kit"]).success();
    let app = app(&profile, "kit");
    assert_eq!(token_of(&profile, &app, "kit").0, 200);
    accounts::stop(engine);

    let arguments = [
        "--vault",
        "passphrase",
        "--passphrase-fd",
        "0",
        "--approve",
        "never",
    ];
    let engine = profile.serve_with(&arguments, &format!("{PASSPHRASE}\n"));
    let refused = profile.tokenry(&["revoke", "--app", "backup"]);
    assert!(
        refused.code != 0 && refused.stderr.contains("consent"),
        "{refused:?}"
    );
    assert_eq!(token_of(&profile, &app, "kit").0, 200);
    accounts::stop(engine);

    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let cut = profile.tokenry(&["revoke", "--app", "backup"]).success();
    assert!(
        cut.stdout.contains("STILL VALID AT") && cut.stdout.contains("backup"),
        "{cut:?}"
    );
    assert_eq!(token_of(&profile, &app, "kit").0, 403);
    assert_eq!(profile.tokenry(&["revoke"]).code, 2, "one of the three is needed");
    assert_eq!(profile.tokenry(&["revoke", "--all", "--app", "backup"]).code, 2);
}

/// Everything of the log, as a spreadsheet and as lines; and whether the log is whole.
#[test]
fn the_log_and_the_audit_are_exported_whole_and_checked() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let provider = accounts::testkit_provider(&server, "kit", &json!({"kind": "strict"}));
    add(&profile, &provider).success();
    connect_at_testkit(&profile, &["kit", "--label", "=1+1"]).success();
    let taken: Vec<String> = (0..30).map(|_| token(&profile, "kit/=1+1")).collect();
    let verified = profile.tokenry(&["events", "--verify"]).success();
    assert!(verified.stdout.starts_with("whole: "), "{verified:?}");
    let lines = profile
        .tokenry(&["events", "--format", "json-lines"])
        .success()
        .stdout;
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let handed_out = events.iter().filter(|event| event["kind"] == "token_handed_out");
    assert_eq!(handed_out.count(), taken.len());
    let csv = profile.tokenry(&["events", "--format", "csv"]).success().stdout;
    assert_eq!(
        csv.matches("\r\n").count(),
        events.len() + 1,
        "each event once, and the header"
    );
    assert!(
        csv.contains("\"'kit/=1+1\"") || csv.contains(",kit/=1+1,"),
        "{csv}"
    );
    assert!(!csv.contains(&taken[0]) && !lines.contains(&taken[0]));
    let none = profile.tokenry(&[
        "events",
        "--format",
        "json-lines",
        "--since",
        "2099-01-01T00:00:00Z",
    ]);
    assert_eq!(none.success().stdout, "");
    let audit = ["audit", "--since", "1h", "--program", "tokenry", "--format"];
    let lines = profile
        .tokenry(&[&audit[..], &["json-lines"]].concat())
        .success()
        .stdout;
    let entry: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&entry["handed_out"], &entry["connection"]),
        (&json!(30), &json!("kit/=1+1"))
    );
    let csv = profile.tokenry(&[&audit[..], &["csv"]].concat()).success().stdout;
    assert_eq!(csv.lines().count(), 2, "{csv}");
}
