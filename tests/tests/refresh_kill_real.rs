//! `kill -9` at every step of a refresh at real authorization servers: the grant goes on where the server allows it,
//! and where it cannot, the user is told and one sign-in mends it (SECURITY.md, "Refresh").
//!
//! The engine has to be built with the feature `fault-injection`.
#![allow(clippy::unwrap_used)]

use tokenry_e2e::accounts::token;
use tokenry_e2e::crash::{Crash, KnownRotation, Party, STEPS, is_sent, leaves_an_open_end};
use tokenry_e2e::django::{Django, Rotation};
use tokenry_e2e::sandbox::Sandbox;

fn django(rotation: Rotation) -> KnownRotation {
    KnownRotation(Django::with(rotation, 300), rotation)
}

/// A request without an answer is repeated, and the grant goes on by itself.
fn survives_every_step(party: impl Party, name: &str) {
    let mut crash = Crash::new(party);
    crash.connect(&[name]);
    for step in STEPS {
        let before = crash.die_at(name, step);
        let kept = step == "Committed" || leaves_an_open_end(step);
        let is_settled = |now: &serde_json::Value| now["status"] == "active" && before.is_past(now) == kept;
        crash.settled(name, is_settled);
        assert_eq!(token(&crash.profile, name) != before.token, kept, "{step}");
        crash.is_whole(name);
    }
}

/// A request without an answer is never repeated: the user hears of it, and the same connection is renewed.
fn tells_the_user(party: impl Party, name: &str, keeps_access_tokens: bool) {
    let mut crash = Crash::new(party);
    crash.connect(&[name]);
    let id = crash.status(name)["id"].clone();
    for step in STEPS {
        let before = crash.die_at(name, step);
        if leaves_an_open_end(step) {
            let told = crash.settled(name, |now| now["status"] == "needs_reauth");
            assert_eq!(told["reason"], "lost_response", "{step}");
            let lives = keeps_access_tokens || !is_sent(step);
            assert_eq!(crash.party.accepts(&before.token), lives, "{step}");
            crash.connect(&[name]);
        } else {
            let after = crash.status(name);
            assert_eq!(after["status"], "active", "{step}");
            assert_eq!(before.is_past(&after), step == "Committed", "{step}");
        }
        crash.is_whole(name);
        assert_eq!(crash.status(name)["id"], id, "{step}: no second connection");
    }
}

#[test]
fn django_without_rotation_loses_nothing() {
    survives_every_step(django(Rotation::None), "django");
}

#[test]
fn django_with_a_grace_period_loses_nothing() {
    survives_every_step(django(Rotation::Grace), "django");
}

#[test]
fn django_with_reuse_protection_never_sees_a_token_twice() {
    tells_the_user(django(Rotation::Strict), "django", false);
}

/// What a new user has: a server whose rotation is unknown. The access token is used up first; then there is
/// nothing to lose by asking once.
#[test]
fn django_as_it_is_installed_is_asked_once_more_when_the_access_token_has_ended() {
    let rotation = Rotation::Plain;
    // Too short for the schedule: a refresh happens when the test asks for one.
    let mut crash = Crash::new(KnownRotation(Django::with(rotation, 8), rotation));
    crash.connect(&["django"]);
    for step in ["Journalled", "Answered"] {
        let before = crash.die_at("django", step);
        let settled = crash.settled("django", |now| {
            now["status"] == "needs_reauth" || now["status"] == "active" && before.is_past(now)
        });
        assert_eq!(
            settled["status"] == "needs_reauth",
            is_sent(step),
            "{step}: {settled}"
        );
        if is_sent(step) {
            assert_eq!(settled["reason"], "lost_response");
            crash.connect(&["django"]);
        }
        crash.is_whole("django");
    }
}

#[test]
fn oidc_provider_never_sees_a_token_twice() {
    tells_the_user(Sandbox::start(), "sandbox", true);
}
