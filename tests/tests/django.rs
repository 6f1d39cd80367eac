//! The main job at a second real authorization server, django-oauth-toolkit: it differs from the Sandbox in its login
//! page, in what a refresh does to the tokens before it, and in how it answers.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connecting, stop, token};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::django::{CONFIDENTIAL, Django, Rotation};
use tokenry_e2e::process::{Finished, Running, wait_for};
use tokenry_e2e::profile::Profile;
use url::Url;

/// A profile with an engine on it, and the server as its provider `django`.
struct Stage {
    profile: Profile,
    django: Django,
    engine: Option<Running>,
}

/// As most users have it: nothing is said about how the server rotates.
fn stage() -> Stage {
    stage_at(Django::start(), &Value::Null)
}

fn stage_at(django: Django, rotation: &Value) -> Stage {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &django.provider(rotation)).success();
    Stage {
        profile,
        django,
        engine: Some(engine),
    }
}

impl Stage {
    fn tokenry(&self, arguments: &[&str]) -> Finished {
        self.profile.tokenry(arguments)
    }

    fn connect(&self, arguments: &[&str], user: &str) -> Finished {
        self.django.connect(&self.profile, arguments, user)
    }

    fn token(&self, name: &str) -> String {
        token(&self.profile, name)
    }
}

#[test]
fn an_account_is_connected_used_refreshed_and_given_up() {
    let stage = stage();
    let connected = stage.connect(&["django"], "ada").success();
    assert!(
        connected
            .stderr
            .contains("Connected django as ada.lovelace@example.com."),
        "{connected:?}"
    );
    let first = stage.token("django");
    let scopes = stage.django.scopes(&first).unwrap();
    assert_eq!(
        scopes,
        ["email", "openid", "profile", "read", "write"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!(
        stage.token("django"),
        first,
        "a token that lives is not fetched again"
    );

    let mut before = first;
    for _ in 0..3 {
        stage.tokenry(&["refresh", "django"]).success();
        let now = stage.token("django");
        assert!(now != before && stage.django.accepts(&now));
        assert!(!stage.django.accepts(&before), "the server ends the one before");
        before = now;
    }

    let gone = stage.tokenry(&["disconnect", "django"]).success();
    assert!(
        gone.stderr.contains("The provider revoked its tokens."),
        "{gone:?}"
    );
    assert!(!stage.django.accepts(&before));
    assert_eq!(stage.tokenry(&["list", "--json"]).success().json(), json!([]));
}

/// OpenID Connect Core §3.1.2.1: the server puts the nonce into the id_token, and a sign-in with a wrong one fails.
#[test]
fn a_sign_in_sends_a_nonce_and_takes_the_id_token_that_repeats_it() {
    let stage = stage();
    let (connect, address) = connecting(&stage.profile, &["django"]);
    let mut browser = Browser::new();
    stage.django.agree(&mut browser, &address, "ada");
    connect.wait().success();
    let sent = browser.visited.iter().find_map(|visited| {
        let url = Url::parse(visited).unwrap();
        let mut pairs = url.query_pairs();
        pairs
            .find(|(name, _)| name == "nonce")
            .map(|(_, nonce)| nonce.len())
    });
    assert!(sent.is_some_and(|length| length >= 22), "{:?}", browser.visited);
}

#[test]
fn a_confidential_client_connects_with_its_secret_in_the_body_and_by_basic() {
    for method in ["client_secret_post", "client_secret_basic"] {
        let (profile, django) = (Profile::headless(), Django::start());
        let _engine = profile.serve_with_passphrase(PASSPHRASE);
        let mut provider = django.provider(&Value::Null);
        provider["client_id"] = CONFIDENTIAL.into();
        provider["client_secret"] = django.client_secret(CONFIDENTIAL).into();
        provider["token_endpoint_auth_method"] = method.into();
        add(&profile, &provider).success();
        django.connect(&profile, &["django"], "grace").success();
        profile.tokenry(&["refresh", "django"]).success();
        assert!(django.accepts(&token(&profile, "django")), "{method}");
    }
}

#[test]
fn a_user_who_cancels_is_told_that_nothing_was_connected() {
    let stage = stage();
    let (connect, address) = connecting(&stage.profile, &["django"]);
    stage.django.deny(&mut Browser::new(), &address, "ada");
    let denied = connect.wait();
    assert_eq!(denied.code, 13, "{denied:?}");
    assert_eq!(stage.tokenry(&["list", "--json"]).success().json(), json!([]));
}

#[test]
fn the_schedule_refreshes_in_time_without_any_request() {
    let stage = stage_at(Django::with(Rotation::Plain, 10), &Value::Null);
    stage.connect(&["django"], "ada").success();
    let first = stage.token("django");
    wait_for("the scheduled refresh", || {
        (!stage.django.accepts(&first)).then_some(())
    });
    wait_for("the new token", || {
        let connection = accounts::connection(&stage.profile, "django");
        let refreshed = connection["last_refreshed_at"].is_string();
        (refreshed && connection["status"] == "active").then_some(())
    });
    assert!(stage.django.accepts(&stage.token("django")));
}

#[test]
fn two_accounts_are_kept_apart_and_one_of_them_outlives_the_other() {
    let stage = stage();
    stage.connect(&["django", "--label", "home"], "ada").success();
    stage.connect(&["django", "--label", "work"], "grace").success();
    for (name, email) in [
        ("home", "ada.lovelace@example.com"),
        ("work", "grace.hopper@example.com"),
    ] {
        let connection = accounts::connection(&stage.profile, name);
        assert_eq!(connection["account"]["email"], email);
    }
    stage.tokenry(&["refresh", "home"]).success();
    stage.tokenry(&["disconnect", "home"]).success();
    stage.tokenry(&["refresh", "work"]).success();
    assert!(stage.django.accepts(&stage.token("work")));
}

#[test]
fn a_program_gets_tokens_by_client_credentials() {
    let stage = stage();
    add(&stage.profile, &stage.django.service()).success();
    stage.tokenry(&["connect", "service"]).success();
    let first = stage.token("service");
    stage.tokenry(&["refresh", "service"]).success();
    let second = stage.token("service");
    assert!(second != first && stage.django.accepts(&second));
    let gone = stage.tokenry(&["disconnect", "service"]).success();
    assert!(
        gone.stderr.contains("The provider revoked its tokens."),
        "{gone:?}"
    );
    assert!(!stage.django.accepts(&second));
}

/// A profile that was copied before a refresh holds a token that was replaced since. It is sent only when the user has
/// accepted the older copy.
#[test]
fn a_replaced_token_from_an_old_copy_that_was_accepted_needs_a_new_sign_in() {
    let mut stage = stage_at(Django::with(Rotation::Strict, 300), &json!({"kind": "strict"}));
    stage.connect(&["django"], "ada").success();
    assert_eq!(stop(stage.engine.take().unwrap()).code, 0);
    let copy = stage.profile.scratch().join("copy");
    copy_folder(stage.profile.home(), &copy);
    stage.engine = Some(stage.profile.serve_with_passphrase(PASSPHRASE));
    stage.tokenry(&["refresh", "django"]).success();
    let newest = stage.token("django");
    assert_eq!(stop(stage.engine.take().unwrap()).code, 0);

    std::fs::remove_dir_all(stage.profile.home()).unwrap();
    std::fs::rename(copy, stage.profile.home()).unwrap();
    stage.engine = Some(stage.profile.serve_with_passphrase(PASSPHRASE));
    let unsent = stage.tokenry(&["refresh", "django"]);
    assert_eq!(unsent.code, 16, "{unsent:?}");
    assert!(unsent.stderr.contains("tokenry vault accept-older"), "{unsent:?}");
    assert!(stage.django.accepts(&newest), "nothing was sent");
    stage.tokenry(&["vault", "accept-older"]).success();
    let refused = stage.tokenry(&["refresh", "django"]);
    assert_eq!(refused.code, 17, "{refused:?}");
    assert!(refused.stderr.contains("tokenry connect django"), "{refused:?}");
    assert_eq!(
        accounts::connection(&stage.profile, "django")["status"],
        "needs_reauth"
    );
    assert!(!stage.django.accepts(&newest), "the server ended the whole grant");
    stage.connect(&["django"], "ada").success();
    stage.tokenry(&["refresh", "django"]).success();
    assert!(stage.django.accepts(&stage.token("django")));
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    let mode = std::fs::metadata(from).unwrap().permissions();
    std::fs::set_permissions(to, mode).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy_folder(&entry.path(), &target);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
