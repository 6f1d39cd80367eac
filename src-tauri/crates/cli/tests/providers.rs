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
fn add_sends_every_flag_under_the_name_of_its_field() {
    let fake = fake();
    let arguments = "provider add --name github --client-id abc --project p --display-name G --grant-type \
        authorization-code --issuer https://i --issuer-alias i --issuer-alias j --authorization-endpoint https://a --token-endpoint https://t \
        --refresh-endpoint https://f --revocation-endpoint https://r --userinfo-endpoint https://u \
        --token-endpoint-auth-method client_secret_basic --default-scope repo --default-scope user --scope-separator , \
        --use-pkce false --authorize-param prompt=consent --redirect deep-link \
        --authorization-response-iss-parameter-supported true --rotation grace:30 --narrowing exchange";
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
    // Every field there is has been given, so a new one cannot be forgotten here.
    let mut fields: tokenry_contract::CreateProvider = serde_json::from_value(expected.clone()).unwrap();
    fields.client_secret = Some("s".into());
    let all = fake.run(&["provider", "show", "github", "--json"]).ends(0).json();
    let unset = [
        "id",
        "has_client_secret",
        "redirect_uris",
        "created_at",
        "updated_at",
    ];
    for field in all
        .as_object()
        .unwrap()
        .keys()
        .filter(|field| !unset.contains(&field.as_str()))
    {
        assert!(expected.get(field).is_some(), "{field} has no flag");
    }
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
    for unset in [
        "id",
        "has_client_secret",
        "redirect_uris",
        "created_at",
        "updated_at",
        "issuer",
    ] {
        assert!(
            sent.get(unset).is_none() || !provider()[unset].is_null() && unset == "issuer",
            "{sent}"
        );
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
        "--rotation",
        "strict",
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
            seen(what, json!({"client_secret": "", "name": "gh"})),
        ]
    );
    let run = fake.run(&["provider", "edit", "github"]).ends(10);
    assert!(run.err.contains("there is nothing to change"), "{run:?}");
}

#[test]
fn show_and_list_say_that_there_is_a_secret_and_not_which() {
    let fake = fake();
    let run = fake.run(&["provider", "show", "github"]).ends(0);
    assert!(
        run.out.contains("client secret           kept in the vault\n"),
        "{run:?}"
    );
    assert!(
        run.out
            .contains("are replaced; the old one works for 30 s more\n"),
        "{run:?}"
    );
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
