//! Rejected tokens at a real server that rotates refresh tokens, and what the command line asks at a terminal after a
//! sign-in.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use tokenry_e2e::accounts::{
    PASSPHRASE, add, connect_at_sandbox, connect_at_testkit, connection, sandbox_provider, testkit_provider,
    token,
};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};
use tokenry_e2e::terminal::Terminal;
use tokenry_testkit::{Behaviour, Server};

/// One refresh for each token: the refresh token rotates once, and its family lives on.
#[test]
fn a_token_that_was_rejected_is_replaced_once_by_the_command_line() {
    let sandbox = Sandbox::start();
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut provider = sandbox_provider(&sandbox, "sandbox");
    provider["client_secret"] = json!(sandbox.client_secret(CONFIDENTIAL));
    add(&profile, &provider).success();
    connect_at_sandbox(&profile, &sandbox, &["sandbox"], "ada").success();
    let first = token(&profile, "sandbox");
    let report =
        |rejected: &str| profile.tokenry_with(&["token", "sandbox", "--rejected"], &format!("{rejected}\n"));
    let answer = report(&first).success();
    let second = answer.stdout.trim_end();
    assert!(second != first && sandbox.is_active(second));
    assert!(answer.stderr.contains("Refreshed."), "{answer:?}");
    let refreshed_at = connection(&profile, "sandbox")["last_refreshed_at"].clone();

    // The same token again: there is a newer one, and nothing is sent.
    let again = report(&first).success();
    assert_eq!(again.stdout.trim_end(), second);
    assert!(again.stderr.contains("not the current token"), "{again:?}");
    assert_eq!(connection(&profile, "sandbox")["last_refreshed_at"], refreshed_at);

    for _ in 0..2 {
        report(&token(&profile, "sandbox")).success();
    }
    let limited = report(&token(&profile, "sandbox"));
    assert_eq!((limited.code, limited.stdout.as_str()), (21, ""), "{limited:?}");
    assert!(
        sandbox.is_active(&token(&profile, "sandbox")),
        "the grant is whole"
    );
    assert_eq!(report("").code, 10, "no token is no report");
}

/// Where nothing tells whose account it is, the user says so; with `--json` and without a terminal nothing is asked.
#[test]
fn after_a_sign_in_of_an_unknown_account_a_terminal_asks_for_a_label() {
    let server = Server::start(Behaviour::default());
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut provider = testkit_provider(&server, "kit", &json!({"kind": "strict"}));
    provider["userinfo_endpoint"] = json!(null);
    add(&profile, &provider).success();
    connect_at_testkit(&profile, &["kit"]).success();
    assert_eq!(connection(&profile, "kit")["label"], json!(null));

    let mut connect = Terminal::start(&profile.command("tokenry", &["connect", "--no-browser", "kit"]));
    let screen = connect.shows("This command ends when");
    let address = screen
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    Browser::new().open(address);
    connect.shows("kit does not say whose account this is.");
    connect.shows("Label (press Enter for none): ");
    connect.types("a/b\n");
    connect.shows("without /");
    connect.types("work\n");
    let (code, shown) = connect.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("It is called kit/work."), "{shown}");
    assert_eq!(connection(&profile, "kit/work")["label"], "work");
}

#[test]
fn the_same_account_that_is_connected_twice_is_told() {
    let server = Server::start(Behaviour::default());
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &testkit_provider(&server, "kit", &json!({"kind": "strict"})),
    )
    .success();
    connect_at_testkit(&profile, &["kit"]).success();
    let second = connect_at_testkit(&profile, &["kit", "--label", "second"]).success();
    assert!(
        second
            .stderr
            .contains("The same account is also connected as kit."),
        "{second:?}"
    );
}
