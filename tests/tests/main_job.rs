//! The main job from one end to the other, with the real programs and a real authorization server: a provider, an
//! account, a token that the server takes, a refresh, and the end of it.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_sandbox, connecting, token};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};

/// A profile with an engine on it, and the Sandbox as its provider `sandbox`.
struct Stage {
    profile: Profile,
    sandbox: Sandbox,
    _engine: Running,
}

fn stage() -> Stage {
    let (profile, sandbox) = (Profile::headless(), Sandbox::start());
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut provider = accounts::sandbox_provider(&sandbox, "sandbox");
    provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
    add(&profile, &provider).success();
    Stage {
        profile,
        sandbox,
        _engine: engine,
    }
}

impl Stage {
    fn tokenry(&self, arguments: &[&str]) -> Finished {
        self.profile.tokenry(arguments)
    }

    fn connect(&self, arguments: &[&str], who: &str) -> Finished {
        connect_at_sandbox(&self.profile, &self.sandbox, arguments, who)
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_provider_comes_from_a_file_its_secret_by_standard_input_and_a_flag_wins() {
    let (profile, sandbox) = (Profile::headless(), Sandbox::start());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let file = profile.scratch().join("provider.json");
    std::fs::write(
        &file,
        accounts::sandbox_provider(&sandbox, "from-file").to_string(),
    )
    .unwrap();
    let arguments = [
        "provider",
        "add",
        "--from",
        file.to_str().unwrap(),
        "--name",
        "sandbox",
    ];
    let arguments = [&arguments[..], &["--client-secret-stdin"]].concat();
    let secret = sandbox.client_secret(CONFIDENTIAL);
    let added = profile.tokenry_with(&arguments, &format!("{secret}\n")).success();
    assert_eq!(added.stdout, "");
    assert!(added.stderr.contains("Added sandbox"), "{added:?}");

    let shown = profile
        .tokenry(&["provider", "show", "sandbox", "--json"])
        .success();
    assert_eq!(shown.json()["has_client_secret"], true);
    assert_eq!(shown.json()["self_registered"], false);
    let port = &shown.json()["loopback_ports"][0];
    let uri = format!("http://127.0.0.1:{port}/cb/sandbox");
    assert_eq!(shown.json()["redirect_uris"][0], uri);
    let register = format!("Register this redirect URI: {uri}\n");
    assert!(added.stderr.contains(&register), "{added:?}");
    assert!(!shown.stdout.contains(secret));
    // The secret that was read is the one that was meant: the server takes it.
    connect_at_sandbox(&profile, &sandbox, &["sandbox"], "Ada Lovelace").success();
    let listed = profile.tokenry(&["provider", "list"]).success().stdout;
    assert!(
        listed.contains("sandbox") && !listed.contains("from-file"),
        "{listed}"
    );
}

#[test]
fn an_account_is_connected_used_refreshed_and_given_up() {
    let stage = stage();
    let connected = stage.connect(&["sandbox"], "Ada Lovelace").success();
    assert_eq!(
        connected.stdout.lines().count(),
        1,
        "the address and nothing else: {connected:?}"
    );
    assert!(
        connected
            .stderr
            .contains("Connected sandbox as ada.lovelace@example.com."),
        "{connected:?}"
    );

    let listed = stage.tokenry(&["list"]).success().stdout;
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(
        row[..3],
        ["sandbox", "active", "ada.lovelace@example.com"],
        "{listed}"
    );

    let first = token(&stage.profile, "sandbox");
    assert!(stage.sandbox.is_active(&first));
    assert_eq!(
        token(&stage.profile, "sandbox"),
        first,
        "a token that lives is not fetched again"
    );

    let refreshed = stage.tokenry(&["refresh", "sandbox"]).success();
    assert!(
        refreshed
            .stderr
            .contains("Refreshed sandbox. The access token expires in "),
        "{refreshed:?}"
    );
    let second = token(&stage.profile, "sandbox");
    assert!(second != first && stage.sandbox.is_active(&second));
    // The refresh token was replaced, and the server ends the grant when an old one comes again.
    stage.tokenry(&["refresh", "sandbox"]).success();
    let third = token(&stage.profile, "sandbox");
    assert!(third != second && stage.sandbox.is_active(&third));

    let gone = stage.tokenry(&["disconnect", "sandbox"]).success();
    assert!(
        gone.stderr.contains("The provider revoked its tokens."),
        "{gone:?}"
    );
    assert!(!stage.sandbox.is_active(&third));
    let asked = stage.tokenry(&["token", "sandbox"]);
    assert_eq!((asked.code, asked.stdout.as_str()), (15, ""), "{asked:?}");
    assert!(asked.stderr.contains("`tokenry connect sandbox`"), "{asked:?}");
    assert_eq!(stage.tokenry(&["list", "--json"]).success().json(), json!([]));
}

/// A real server narrows on refresh, says so, and replaces the refresh token: the grant goes on with the new one.
#[test]
fn a_token_with_fewer_scopes_is_what_the_server_says_and_the_grant_outlives_it() {
    let stage = stage();
    stage.connect(&["sandbox"], "Ada Lovelace").success();
    let whole = token(&stage.profile, "sandbox");
    let narrow = |arguments: &[&str]| {
        let arguments = [&["token", "sandbox", "--json"], arguments].concat();
        stage.tokenry(&arguments).success().json()
    };
    let less = narrow(&["--scope", "openid", "--scope", "email"]);
    let scope: BTreeSet<_> = less["scope"].as_str().unwrap().split(' ').collect();
    assert_eq!(scope, ["email", "openid"].into());
    let text = |answer: &Value| answer["access_token"].as_str().unwrap().to_owned();
    assert!(text(&less) != whole && stage.sandbox.is_active(&text(&less)));
    assert_eq!(narrow(&["--scope", "email openid"]), less, "it is kept");
    // A new refresh token came with it, so the connection's own token is refreshed before it is handed out again.
    let own = token(&stage.profile, "sandbox");
    assert!(own != whole && own != text(&less) && stage.sandbox.is_active(&own));
    assert_eq!(
        accounts::connection(&stage.profile, "sandbox")["notice"],
        Value::Null
    );
    // The server ends the grant when a refresh token comes that was replaced.
    stage.tokenry(&["refresh", "sandbox"]).success();
    let again = token(&stage.profile, "sandbox");
    assert!(again != own && stage.sandbox.is_active(&again));

    // It uses up the refresh token before it checks the resource, so an unknown one is not sent.
    let unknown = stage.tokenry(&["token", "sandbox", "--resource", "https://nowhere.example/"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (10, ""), "{unknown:?}");
    assert!(unknown.stderr.contains("--allow-unknown-target"), "{unknown:?}");
    stage.tokenry(&["refresh", "sandbox"]).success();
    let confirmed = [
        "token",
        "sandbox",
        "--resource",
        "https://nowhere.example/",
        "--allow-unknown-target",
    ];
    let refused = stage.tokenry(&confirmed);
    assert_eq!((refused.code, refused.stdout.as_str()), (23, ""), "{refused:?}");
    assert_eq!(
        accounts::connection(&stage.profile, "sandbox")["status"],
        "active"
    );
    let living = token(&stage.profile, "sandbox");
    assert!(
        stage.sandbox.is_active(&living),
        "the access token is still served"
    );

    let more = stage.tokenry(&["token", "sandbox", "--scope", "admin"]);
    assert_eq!((more.code, more.stdout.as_str()), (10, ""), "{more:?}");
    assert!(more.stderr.contains("it holds"), "{more:?}");
}

#[test]
fn as_json_every_answer_has_the_field_names_of_the_interface() {
    let stage = stage();
    let (connect, line) = connecting(&stage.profile, &["sandbox", "--json"]);
    let flow: Value = serde_json::from_str(&line).unwrap();
    let address = flow["browser_url"].as_str().unwrap();
    stage.sandbox.agree(&mut Browser::new(), address, "Ada Lovelace");
    let connected = connect.wait().success();
    assert_eq!(connected.stderr, "");
    let connection: Value = serde_json::from_str(connected.stdout.lines().nth(1).unwrap()).unwrap();

    let fields = "account bindings captured created_at expires_at flow_id id label last_refreshed_at last_used_at missing_scopes \
                  name notice provider_id provider_name reason refresh_at refreshable requested_scopes scopes \
                  sign_in_again_before status trouble updated_at";
    assert_eq!(keys(&connection), fields.split_whitespace().collect());
    assert_eq!(connection["account"]["email"], "ada.lovelace@example.com");
    assert_eq!(
        stage.tokenry(&["list", "--json"]).json()[0]["id"],
        connection["id"]
    );
    assert_eq!(
        accounts::connection(&stage.profile, "sandbox")["status"],
        "active"
    );

    let token = stage.tokenry(&["token", "sandbox", "--json"]).success().json();
    assert_eq!(
        keys(&token),
        ["access_token", "expires_at", "scope", "token_type"].into()
    );
    assert!(stage.sandbox.is_active(token["access_token"].as_str().unwrap()));
    assert!(
        stage.tokenry(&["refresh", "sandbox", "--json"]).success().json()["last_refreshed_at"].is_string()
    );
    let status = accounts::engine(&stage.profile);
    assert_eq!(
        keys(&status),
        ["connections", "pid", "providers", "vault", "version", "window"].into()
    );
    assert_eq!(status["vault"]["slots"], json!(["passphrase"]));

    let gone = stage
        .tokenry(&["disconnect", "sandbox", "--json"])
        .success()
        .json();
    assert_eq!(gone, json!({"success": true, "revoked": "yes"}));
    let failed = stage.tokenry(&["token", "sandbox", "--json"]);
    let error: Value = serde_json::from_str(&failed.stderr).unwrap();
    assert_eq!((failed.code, &error["error"]["code"]), (15, &json!("not_found")));
}

#[test]
fn a_program_gets_tokens_by_client_credentials_with_no_browser() {
    let stage = stage();
    add(
        &stage.profile,
        &accounts::sandbox_service(&stage.sandbox, "service"),
    )
    .success();
    let connected = stage.tokenry(&["connect", "service"]).success();
    assert!(connected.stderr.contains("Connected service."), "{connected:?}");
    let first = token(&stage.profile, "service");
    assert!(stage.sandbox.is_active(&first));
    stage.tokenry(&["refresh", "service"]).success();
    let second = token(&stage.profile, "service");
    assert!(second != first && stage.sandbox.is_active(&second));
    stage.tokenry(&["disconnect", "service"]).success();
    assert!(!stage.sandbox.is_active(&second));
}

#[test]
fn a_person_who_says_no_is_told_that_nothing_was_connected() {
    let stage = stage();
    let (connect, address) = connecting(&stage.profile, &["sandbox"]);
    let landing = stage.sandbox.deny(&mut Browser::new(), &address, "Ada Lovelace");
    assert!(landing.page().1.contains("denied at the provider"), "{landing:?}");
    let denied = connect.wait();
    assert_eq!(denied.code, 13, "{denied:?}");
    assert!(denied.stderr.contains("nothing was connected"), "{denied:?}");
    assert_eq!(stage.tokenry(&["list", "--json"]).success().json(), json!([]));
}

#[test]
fn a_wrong_client_secret_is_told_with_what_to_check_and_mended_by_an_edit() {
    let stage = stage();
    stage
        .profile
        .tokenry_with(
            &["provider", "edit", "sandbox", "--client-secret-stdin"],
            "not the secret at all",
        )
        .success();
    let (connect, address) = connecting(&stage.profile, &["sandbox"]);
    stage.sandbox.agree(&mut Browser::new(), &address, "Ada Lovelace");
    let refused = connect.wait();
    assert_eq!(refused.code, 23, "{refused:?}");
    for part in [
        "invalid_client",
        "Check the client id, the client secret and how they are sent",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let secret = stage.sandbox.client_secret(CONFIDENTIAL);
    stage
        .profile
        .tokenry_with(&["provider", "edit", "sandbox", "--client-secret-stdin"], secret)
        .success();
    stage.connect(&["sandbox"], "Ada Lovelace").success();
}

#[test]
fn an_address_that_the_browser_could_not_open_is_pasted() {
    let stage = stage();
    let arguments = ["sandbox", "--redirect", "paste"];
    let (connect, address) = connecting(&stage.profile, &arguments);
    let mut browser = Browser::new();
    // We do not listen there: the browser shows an error page, or reaches another program that has that port by now.
    stage.sandbox.agree(&mut browser, &address, "Ada Lovelace");
    let bar = browser.visited.last().unwrap();
    assert!(bar.contains("/cb/sandbox?code="), "{bar}");

    let garbled = stage
        .profile
        .tokenry_with(&["callback", "-"], "https://example.com/?code=1&state=2");
    // No sign-in has this state.
    assert_eq!(garbled.code, 18, "{garbled:?}");
    let taken = stage
        .profile
        .tokenry_with(&["callback", "-"], &format!("{bar}\n"))
        .success();
    assert!(
        taken
            .stderr
            .contains("Connected sandbox as ada.lovelace@example.com."),
        "{taken:?}"
    );
    connect.wait().success();
    assert!(stage.sandbox.is_active(&token(&stage.profile, "sandbox")));
    let again = stage.profile.tokenry_with(&["callback", "-"], bar);
    assert_eq!(again.code, 18, "an answer is taken once: {again:?}");
    assert_eq!(
        accounts::connection(&stage.profile, "sandbox")["status"],
        "active"
    );
}

#[test]
fn two_accounts_at_one_provider_are_told_apart_by_their_labels() {
    let stage = stage();
    stage
        .connect(&["sandbox", "--label", "home"], "Ada Lovelace")
        .success();
    stage
        .connect(&["sandbox", "--label", "work"], "Grace Hopper")
        .success();
    for (name, email) in [
        ("sandbox/home", "ada.lovelace@example.com"),
        ("work", "grace.hopper@example.com"),
    ] {
        let connection = accounts::connection(&stage.profile, name);
        assert_eq!(connection["account"]["email"], email);
    }
    let (home, work) = (
        token(&stage.profile, "home"),
        token(&stage.profile, "sandbox/work"),
    );
    assert!(home != work && stage.sandbox.is_active(&home) && stage.sandbox.is_active(&work));

    let which = stage.tokenry(&["token", "sandbox"]);
    assert_eq!((which.code, which.stdout.as_str()), (16, ""), "{which:?}");
    for name in ["sandbox/home", "sandbox/work"] {
        assert!(which.stderr.contains(name), "{which:?}");
    }
    let taken = stage
        .profile
        .tokenry(&["connect", "sandbox", "--label", "work", "--no-browser"]);
    assert_eq!(taken.code, 16, "{taken:?}");
    stage.tokenry(&["disconnect", "home"]).success();
    assert_eq!(
        token(&stage.profile, "sandbox"),
        work,
        "the other one is untouched"
    );
}
