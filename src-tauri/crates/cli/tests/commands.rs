//! Each command: what it asks the engine, what it prints where, and how it ends.

mod support;

use serde_json::json;
use support::objects::*;
use support::{Fake, error, run, seen};

#[test]
fn token_prints_the_token_alone() {
    let fake = Fake::only("POST /v1/connections/github/token", 200, token());
    fake.run(&["token", "github"]).ends(0).says("gho_abc\n", "");
    assert_eq!(
        fake.seen(),
        [seen("POST /v1/connections/github/token", json!(null))]
    );
}

#[test]
fn token_can_ask_for_a_life_and_for_the_whole_answer() {
    let fake = Fake::only("POST /v1/connections/github%2Fmy%20work/token", 200, token());
    let arguments = ["token", "github/my work", "--min-valid", "300", "--json"];
    assert_eq!(fake.run(&arguments).ends(0).json(), token());
    assert_eq!(fake.seen()[0].body, json!({"min_valid_seconds": 300}));
}

#[test]
fn token_can_ask_for_less_and_for_one_audience() {
    let fake = Fake::only("POST /v1/connections/github/token", 200, token());
    let less = ["token", "github", "--scope", "read", "--scope", "write"];
    let there = ["--audience", "api", "--resource", "https://api.example.com"];
    fake.run(&[&less[..], &there[..]].concat())
        .ends(0)
        .says("gho_abc\n", "");
    let asked = json!({"scope": "read write", "audience": "api", "resource": "https://api.example.com"});
    assert_eq!(fake.seen()[0].body, asked);
}

#[test]
fn every_error_code_has_its_exit_code_and_leaves_standard_output_empty() {
    for (code, exit) in [
        ("validation_error", 10),
        ("conflict", 16),
        ("needs_reauth", 17),
        ("vault_locked", 20),
    ] {
        let fake = Fake::new(move |_| (400, error(code, "It went wrong.")));
        let run = fake.run(&["token", "github"]).ends(exit);
        assert!(
            run.out.is_empty() && run.err.starts_with("error: it went wrong.\n  next: "),
            "{run:?}"
        );
        let run = fake.run(&["--json", "token", "github"]).ends(exit);
        assert_eq!(
            (run.out.as_str(), run.json_error()),
            ("", error(code, "It went wrong."))
        );
    }
}

#[test]
fn an_error_names_its_fields_and_what_the_provider_said() {
    let fake = Fake::new(|_| {
        let mut error = error("provider_error", "the provider said no; look at its settings");
        error["error"]["details"] = json!({"fields": {"client_id": "is unknown"},
            "provider_error": "invalid_client", "retry_after_seconds": 30});
        (502, error)
    });
    let expected = "error: the provider said no; look at its settings\n  client_id: is unknown\n  the provider says: \
                    invalid_client\n  try again after: 30 s\n";
    fake.run(&["refresh", "github"]).ends(23).says("", expected);
}

#[test]
fn an_unknown_name_is_answered_with_the_closest_ones() {
    let fake = Fake::new(|what| match what {
        "GET /v1/oauth-providers" => (200, json!([provider(), machine()])),
        "GET /v1/connections" => (200, json!([connection()])),
        _ => support::not_found(what),
    });
    for arguments in [
        ["token", "gihub"],
        ["refresh", "githubb"],
        ["disconnect", "gitub"],
        ["connect", "gthub"],
        ["status", "Github"],
    ] {
        let run = fake.run(&arguments).ends(15);
        assert!(run.err.ends_with("  next: Did you mean `github`?\n"), "{run:?}");
    }
    let run = fake.run(&["token", "mashine"]).ends(15);
    assert!(run.err.ends_with("  next: Did you mean `machine`?\n"), "{run:?}");
    let run = fake.run(&["token", "machine"]).ends(15);
    assert!(!run.err.contains("Did you mean"), "{run:?}");
}

#[test]
fn list_shows_the_connections() {
    let fake = Fake::only("GET /v1/connections", 200, json!([connection()]));
    let run = fake.run(&["list"]).ends(0);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(
        lines[0],
        "NAME    STATUS  ACCOUNT            EXPIRES     REFRESHED  USED"
    );
    assert_eq!(
        lines[1],
        "github  active  alice@example.com  9000-01-01  –          –"
    );
    assert_eq!(
        fake.run(&["list", "--json"]).ends(0).json(),
        json!([connection()])
    );
}

#[test]
fn an_empty_list_says_in_words_what_to_do_and_is_empty_as_json() {
    let fake = Fake::new(|_| (200, json!([])));
    for arguments in [&["list"][..], &["provider", "list"]] {
        let run = fake.run(arguments).ends(0);
        assert!(run.out.is_empty() && run.err.contains("`tokenry "), "{run:?}");
    }
    fake.run(&["list", "--json"]).ends(0).says("[]\n", "");
}

#[test]
fn status_shows_the_engine_or_one_connection() {
    let fake = Fake::new(|what| match what {
        "GET /v1/status" => (200, status("unlocked", &["keyring"])),
        "GET /v1/connections/github" => (200, connection()),
        _ => support::not_found(what),
    });
    let run = fake.run(&["status"]).ends(0);
    assert!(run.out.contains("vault        unlocked\n"), "{run:?}");
    assert_eq!(
        fake.run(&["status", "--json"]).ends(0).json(),
        status("unlocked", &["keyring"])
    );
    let run = fake.run(&["status", "github"]).ends(0);
    assert!(run.out.contains("status     active\n"), "{run:?}");
    assert_eq!(
        fake.run(&["status", "github", "--json"]).ends(0).json(),
        connection()
    );
}

#[test]
fn refresh_and_disconnect_say_what_became_of_it() {
    let fake = Fake::new(|what| match what {
        "POST /v1/connections/github/refresh" => (200, connection()),
        "DELETE /v1/connections/github" => (200, json!({"success": true, "revoked": "pending"})),
        _ => support::not_found(what),
    });
    fake.run(&["refresh", "github"])
        .ends(0)
        .says("", "Refreshed github. The access token expires 9000-01-01.\n");
    assert_eq!(
        fake.run(&["refresh", "github", "--json"]).ends(0).json(),
        connection()
    );
    let run = fake.run(&["disconnect", "github"]).ends(0);
    assert!(
        run.out.is_empty() && run.err.contains("Revocation pending"),
        "{run:?}"
    );
    let run = fake.run(&["disconnect", "github", "--json"]).ends(0);
    assert_eq!(run.json(), json!({"success": true, "revoked": "pending"}));
    for (revoked, says) in [
        ("no", "did not revoke"),
        ("pending", "keeps trying"),
        ("unsupported", "does not support revocation"),
    ] {
        let answer = json!({"success": true, "revoked": revoked, "detail": "as.example answered 404 there."});
        let fake = Fake::new(move |_| (200, answer.clone()));
        let run = fake.run(&["disconnect", "github"]).ends(0);
        assert!(
            run.err.contains(says) && run.err.ends_with("as.example answered 404 there.\n"),
            "{run:?}"
        );
        assert!(!run.err.contains("could not be reached"), "{run:?}");
    }
}

#[test]
fn events_are_read_page_by_page() {
    let event = json!({"id": FLOW, "at": "2026-01-01T00:00:00Z", "kind": "locked", "caller": "ui", "program": null,
        "pid": null, "provider_id": null, "connection_id": null, "credential_id": null,
        "app_id": null, "outcome": "done", "rule": null, "grant_id": null, "detail": null, "count": 1});
    let page = json!({"events": [event], "next": 17});
    let answer = page.clone();
    let fake = Fake::new(move |what| match what {
        "GET /v1/events?limit=1&before=20" | "GET /v1/events" => (200, answer.clone()),
        _ => (200, json!([])),
    });
    let run = fake.run(&["events", "--limit", "1", "--before", "20"]).ends(0);
    assert!(run.out.contains("2026-01-01T00:00:00Z  locked  done"), "{run:?}");
    assert_eq!(run.err, "Older events: `tokenry events --before 17`.\n");
    let run = fake.run(&["events", "--json"]).ends(0);
    assert_eq!((run.json(), run.err.as_str()), (page, ""));
}

#[test]
fn events_are_filtered_and_a_page_without_any_says_where_to_go_on() {
    let target = "GET /v1/events?app=tool&connection=github%2Fwork&outcome=refused";
    let fake = Fake::only(target, 200, json!({"events": [], "next": 17}));
    let filters = [
        "--app",
        "tool",
        "--connection",
        "github/work",
        "--outcome",
        "refused",
    ];
    let run = fake.run(&[&["events"][..], &filters[..]].concat()).ends(0);
    let older = "Older events: `tokenry events --before 17` with the same filters (there may be none).\n";
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", older));
    fake.run(&["events", "--outcome", "well"]).ends(2);
}

#[test]
fn lock_locks_and_says_so() {
    let fake = Fake::only("POST /v1/lock", 200, json!({"success": true}));
    fake.run(&["lock"]).ends(0).says("", "Locked.\n");
    fake.run(&["lock", "--json"])
        .ends(0)
        .says("{\"success\":true}\n", "");
    assert_eq!(fake.seen()[0], seen("POST /v1/lock", json!(null)));
}

#[test]
fn an_invalid_command_line_ends_with_2_and_sends_nothing() {
    let fake = Fake::new(support::not_found);
    for arguments in [
        &[][..],
        &["tokne", "github"],
        &["token"],
        &["token", "--min-valid", "x", "github"],
        &["connect", "github", "--redirect", "smoke-signal"],
        &["provider", "add", "--name", "github"],
        &[
            "provider",
            "edit",
            "github",
            "--client-secret-stdin",
            "--clear-client-secret",
        ],
        &["events", "--limit", "501"],
    ] {
        let run = fake.run(arguments).ends(2);
        assert!(run.out.is_empty(), "{run:?}");
    }
    assert!(
        fake.run(&["tokne", "x"]).err.contains("'token'"),
        "a typo gets a suggestion"
    );
    assert_eq!(fake.seen(), []);
}

#[test]
fn the_version_and_the_help_need_no_engine() {
    let home = support::home();
    let version = run(home.path(), &["--version"], b"").ends(0);
    assert_eq!(version.out, format!("tokenry {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(home.path(), &["--help"], b"").ends(0).out;
    for word in [
        "TOKENRY_HOME",
        "20  vault_locked",
        "provider",
        "callback",
        "--json",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

/// security.md, "Local interfaces": prompts. A yes says what it is for.
#[test]
fn approve_prints_each_field_that_changes_and_no_value_of_a_secret() {
    let question = json!({
        "id": "01a223b0-538f-7cb9-b796-07b4c2b221b2", "operation": "move_endpoint", "provider": "github",
        "app_proved": false, "requested_scopes": [], "token_scopes": [], "notes": [], "api_scopes": [],
        "choices": [], "credential_choices": [], "for_session": false, "needs_passphrase": false, "asked_at": "2026-01-01T00:00:00Z",
        "ends_at": "2026-01-01T00:01:00Z", "waiting": 0, "is_shown": true, "ahead": 0, "disconnects": 2,
        "disconnecting": ["github", "github/work"],
        "changes": [
            {"field": "use_pkce", "change": "changed", "from": "true", "to": "false"},
            {"field": "client_secret", "change": "changed"},
            {"field": "userinfo_endpoint", "change": "removed", "from": "https://a.example/me"},
            {"field": "label", "change": "set", "to": "a\u{1b}[2J"},
        ],
    });
    let fake = Fake::only("GET /v1/prompts", 200, json!([question]));
    let shown = fake.run(&["approve"]).ends(0).out;
    for line in [
        "use_pkce: true → false",
        "client_secret changes",
        "userinfo_endpoint: https://a.example/me → removed",
        "label: → a",
        "github, github/work",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}
