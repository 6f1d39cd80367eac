//! An app that waits for a refresh while what it may have is taken away, with the real programs: security.md, "Keys"
//! (lock) and "Refresh" (an exchange that is under way is committed).
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_testkit, token};
use tokenry_e2e::process::{TIMEOUT, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::socket::{ask, ask_as};
use tokenry_testkit::{Behaviour, Fault, Kind, Server};

const TOKEN: &str = "/v1/connections/kit/token";

/// What an app hears whose token is being refreshed while this happens.
fn told_when(meanwhile: impl FnOnce(&Profile, &str)) -> (u16, Value) {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let rotation = json!({"kind": "strict"});
    add(&profile, &accounts::testkit_provider(&server, "kit", &rotation)).success();
    server.set(|behaviour| behaviour.token_life = 2);
    connect_at_testkit(&profile, &["kit"]).success();
    let ended = token(&profile, "kit");
    let app = ask(&profile, "POST", "/v1/apps", &json!({"name": "backup"})).1;
    let grant = json!({"app": "backup", "scopes": ["tokens:read"], "connections": ["kit"]});
    let grant = ask(&profile, "POST", "/v1/grants", &grant).1;
    server.set(|behaviour| behaviour.token_life = 3600);
    wait_for("the end of the token", || (!server.accepts(&ended)).then_some(()));
    server.queue(Fault::Gate);
    let app = app["token"].as_str().unwrap();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_as(&profile, app, "POST", TOKEN, &json!({})));
        let is_waiting = |log: &[tokenry_testkit::Request]| log.iter().any(|sent| sent.kind == Kind::Refresh);
        assert!(server.wait_until(TIMEOUT, is_waiting));
        meanwhile(&profile, grant["id"].as_str().unwrap());
        server.release();
        asking.join().unwrap()
    })
}

#[test]
fn an_app_that_waits_gets_its_token_when_nothing_happens_meanwhile() {
    let (status, answer) = told_when(|_, _| {});
    assert!(status == 200 && answer["access_token"].is_string(), "{status}");
}

#[test]
fn an_app_that_waits_gets_nothing_when_the_vault_is_locked_meanwhile() {
    let (status, answer) = told_when(|profile, _| {
        profile.tokenry(&["lock"]).success();
    });
    assert!(status >= 400 && answer["access_token"].is_null(), "{answer}");
    assert_eq!(answer["error"]["code"], "vault_locked", "{answer}");
}

#[test]
fn an_app_that_waits_gets_nothing_when_it_was_locked_and_opened_again_meanwhile() {
    let (status, answer) = told_when(|profile, _| {
        profile.tokenry(&["lock"]).success();
        let unlock = ["unlock", "--passphrase-fd", "0"];
        profile.tokenry_with(&unlock, PASSPHRASE).success();
    });
    assert!(status >= 400 && answer["access_token"].is_null(), "{answer}");
}

#[test]
fn an_app_that_waits_gets_nothing_when_its_grant_is_taken_away_meanwhile() {
    let (status, answer) = told_when(|profile, grant| {
        let taken = ask(profile, "DELETE", &format!("/v1/grants/{grant}"), &Value::Null);
        assert!(taken.0 < 300, "{taken:?}");
    });
    assert_eq!(
        (status, &answer["error"]["code"]),
        (403, &json!("permission_denied"))
    );
}
