//! `tokenry provider`: what of files, flags and secrets reaches the engine.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::objects::*;
use support::{Fake, seen};

fn fake() -> Fake {
    Fake::new(|what| match what {
        "POST /v1/oauth-providers" => (201, provider()),
        "GET /v1/oauth-providers" => (200, json!([provider()])),
        "GET /v1/oauth-providers/github" | "PUT /v1/oauth-providers/github" => (200, provider()),
        "DELETE /v1/oauth-providers/github" | "DELETE /v1/oauth-providers/github?disconnect=true" => {
            (200, json!({"success": true}))
        }
        _ => support::not_found(what),
    })
}

/// What was sent to add a provider.
fn added(fake: &Fake) -> Value {
    let seen = fake.seen().pop().unwrap();
    assert_eq!(seen.what, "POST /v1/oauth-providers");
    seen.body
}

#[test]
fn add_sends_every_flag_and_every_setting_under_its_name() {
    let fake = fake();
    let arguments = "provider add --name github --client-id abc --project p --display-name G --grant-type \
        authorization-code --issuer https://i --set issuer_aliases=i,j --authorization-endpoint https://a --token-endpoint https://t \
        --set refresh_endpoint=https://f --set revocation_endpoint=https://r --userinfo-endpoint https://u \
        --token-endpoint-auth-method client_secret_basic --default-scope repo --default-scope user --set scope_separator=, \
        --set use_pkce=false --set authorize_params.prompt=consent --redirect deep-link \
        --set authorization_response_iss_parameter_supported=true --set rotation.kind=grace --set rotation.seconds=30 \
        --set narrowing=exchange";
    let run = fake
        .run(&arguments.split_whitespace().collect::<Vec<_>>())
        .ends(0);
    assert!(
        run.out.is_empty() && run.err.starts_with("Added github."),
        "{run:?}"
    );
    let expected = json!({"name": "github", "client_id": "abc", "project": "p", "display_name": "G",
        "grant_type": "authorization_code", "issuer": "https://i", "issuer_aliases": ["i", "j"],
        "authorization_endpoint": "https://a",
        "token_endpoint": "https://t", "refresh_endpoint": "https://f", "revocation_endpoint": "https://r",
        "userinfo_endpoint": "https://u", "token_endpoint_auth_method": "client_secret_basic",
        "default_scopes": ["repo", "user"], "scope_separator": ",", "use_pkce": false,
        "authorize_params": {"prompt": "consent"}, "redirect": "deep_link",
        "authorization_response_iss_parameter_supported": true, "rotation": {"kind": "grace", "seconds": 30}, "narrowing": "exchange"});
    assert_eq!(added(&fake), expected);
}

#[test]
fn add_takes_a_file_and_a_flag_wins() {
    let fake = fake();
    let file = fake.home.path().join("p.json");
    std::fs::write(&file, r#"{"name": "github", "client_id": "abc", "unknown": 1}"#).unwrap();
    let path = file.to_str().unwrap();
    let run = fake
        .run(&["provider", "add", "--from", path, "--client-id", "def", "--json"])
        .ends(0);
    assert_eq!(run.json(), provider());
    // The engine judges what it does not know: nothing is dropped on the way.
    assert_eq!(
        added(&fake),
        json!({"name": "github", "client_id": "def", "unknown": 1})
    );
    fake.run_with(&["provider", "add", "--from", "-"], b"{\"name\": \"x\"}")
        .ends(0);
    assert_eq!(added(&fake), json!({"name": "x"}));
}

#[test]
fn what_show_prints_can_be_given_to_add() {
    let fake = fake();
    let file = fake.home.path().join("p.json");
    let shown = fake.run(&["provider", "show", "github", "--json"]).ends(0).out;
    std::fs::write(&file, format!("\u{feff}{shown}")).unwrap();
    let path = file.to_str().unwrap();
    let run = fake
        .run(&["provider", "add", "--from", path, "--name", "other"])
        .ends(0);
    let sent = added(&fake);
    assert_eq!(sent["name"], "other");
    assert_eq!(sent["client_id"], provider()["client_id"]);
    for read_only in tokenry_contract::OAuthProvider::READ_ONLY {
        assert!(sent.get(read_only).is_none(), "{sent}");
    }
    for (field, value) in provider().as_object().unwrap() {
        let is_set = field != "name" && !tokenry_contract::OAuthProvider::READ_ONLY.contains(&field.as_str());
        assert!(!is_set || sent[field] == *value, "{field}: {sent}");
    }
    let has_secret = provider()["has_client_secret"] == true;
    assert_eq!(run.err.contains("--client-secret-stdin"), has_secret, "{run:?}");
}

#[test]
fn a_file_that_is_not_there_or_broken_is_an_error_that_names_it() {
    let fake = fake();
    let broken = fake.home.path().join("broken.json");
    std::fs::write(&broken, "{\"name\": }").unwrap();
    for (path, says) in [
        ("not-there.json", "No such file"),
        (broken.to_str().unwrap(), "line 1 column 10"),
    ] {
        let run = fake.run(&["provider", "add", "--from", path]).ends(10);
        assert!(
            run.err.contains(path) && run.err.contains(says) && run.err.contains("\n  next: "),
            "{run:?}"
        );
    }
    let run = fake.run(&["provider", "add", "--from", "/dev/zero"]).ends(10);
    assert!(run.err.contains("more than"), "{run:?}");
    assert_eq!(fake.seen(), []);
}

#[test]
fn edit_sends_only_what_is_given_and_an_empty_text_clears() {
    let fake = fake();
    fake.run(&[
        "provider",
        "edit",
        "github",
        "--issuer",
        "",
        "--set",
        "rotation=strict",
    ])
    .ends(0);
    fake.run(&[
        "provider",
        "edit",
        "github",
        "--clear-client-secret",
        "--name",
        "gh",
    ])
    .ends(0);
    let what = "PUT /v1/oauth-providers/github";
    assert_eq!(
        fake.seen(),
        [
            seen(what, json!({"issuer": "", "rotation": {"kind": "strict"}})),
            seen(what, json!({"client_secret": null, "name": "gh"})),
        ]
    );
    let run = fake.run(&["provider", "edit", "github"]).ends(10);
    assert!(run.err.contains("there is nothing to change"), "{run:?}");
}

#[test]
fn show_and_list_say_that_there_is_a_secret_and_not_which() {
    let fake = fake();
    let run = fake.run(&["provider", "show", "github"]).ends(0);
    assert!(run.out.contains(" stored, not shown\n"), "{run:?}");
    assert!(run.out.contains(" grace (seconds 30)\n"), "{run:?}");
    let run = fake.run(&["provider", "list"]).ends(0);
    assert!(
        run.out
            .ends_with("github  authorization code  loopback  abc        github.com\n"),
        "{run:?}"
    );
    assert_eq!(
        fake.run(&["provider", "list", "--json"]).ends(0).json(),
        json!([provider()])
    );
}

#[test]
fn remove_disconnects_only_when_told_to() {
    let fake = fake();
    fake.run(&["provider", "remove", "github"])
        .ends(0)
        .says("", "Removed github.\n");
    fake.run(&["provider", "remove", "github", "--disconnect", "--json"])
        .ends(0)
        .says("{\"success\":true}\n", "");
    let asked: Vec<String> = fake.seen().into_iter().map(|seen| seen.what).collect();
    assert_eq!(
        asked,
        [
            "DELETE /v1/oauth-providers/github",
            "DELETE /v1/oauth-providers/github?disconnect=true"
        ]
    );
}
