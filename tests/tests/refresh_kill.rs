//! `kill -9` at every step of a refresh: nothing that was acknowledged is lost, no token that was replaced is sent to
//! a server that ends the grant for it, and the status says how it is (SECURITY.md, "Refresh").
//!
//! The engine has to be built with the feature `fault-injection`.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{PASSPHRASE, connect_at_testkit, token};
use tokenry_e2e::crash::{Before, Crash, KILLED, Kit, STEPS, is_sent, leaves_an_open_end};
use tokenry_e2e::process::{Running, wait_for};
use tokenry_testkit::{Behaviour, Rotation, Server};

fn crash(rotation: Rotation, told: Value) -> Crash<Kit> {
    let server = Server::start(Behaviour::rotating(rotation));
    Crash::new(Kit { server, told })
}

/// Connects an account under this step's name and has the engine killed at this step of its refresh.
fn die_at(crash: &mut Crash<Kit>, step: &str) -> Before {
    crash.connect(&["kit", "--label", step]);
    crash.party.server.clear_log();
    crash.die_at(step, step)
}

/// How many refresh requests the server had seen when the engine died.
fn seen_at_death(step: &str) -> usize {
    usize::from(is_sent(step))
}

fn is_whole(crash: &Crash<Kit>, step: &str) {
    crash.is_whole(step);
    assert!(crash.party.server.family_alive(), "{step}");
}

#[test]
fn where_tokens_are_not_rotated_the_request_is_repeated() {
    let mut crash = crash(Rotation::None, json!({"kind": "none"}));
    for step in STEPS {
        let before = die_at(&mut crash, step);
        let repeated = usize::from(leaves_an_open_end(step));
        crash.settled(step, |_| {
            crash.party.server.refreshes() == seen_at_death(step) + repeated
        });
        let after = crash.settled(step, |now| now["status"] == "active");
        assert_eq!(after["reason"], Value::Null, "{step}");
        let kept = step == "Committed" || repeated == 1;
        crash.settled(step, |now| before.is_past(now) == kept);
        assert_eq!(token(&crash.profile, step) != before.token, kept, "{step}");
        is_whole(&crash, step);
    }
}

#[test]
fn within_its_grace_a_replaced_token_is_sent_once_more() {
    let mut crash = crash(Rotation::Grace(600), json!({"kind": "grace", "seconds": 600}));
    for step in STEPS {
        let before = die_at(&mut crash, step);
        let repeated = usize::from(leaves_an_open_end(step));
        let kept = step == "Committed" || repeated == 1;
        crash.settled(step, |now| {
            now["status"] == "active" && before.is_past(now) == kept
        });
        assert_eq!(
            crash.party.server.refreshes(),
            seen_at_death(step) + repeated,
            "{step}"
        );
        assert_eq!(token(&crash.profile, step) != before.token, kept, "{step}");
        is_whole(&crash, step);
        let answer_lost = matches!(step, "Answered" | "Committing");
        assert_eq!(
            crash.party.server.replays_of_replaced_tokens(),
            usize::from(answer_lost),
            "{step}"
        );
    }
}

/// SECURITY.md, "Refresh": where a used token must not come back, a lost answer ends it, and the token at hand is
/// used up.
#[test]
fn where_a_replaced_token_ends_the_grant_it_is_never_sent_and_the_person_is_told() {
    let mut crash = crash(Rotation::Strict, json!({"kind": "strict"}));
    for step in STEPS {
        let before = die_at(&mut crash, step);
        if leaves_an_open_end(step) {
            let told = crash.settled(step, |now| now["status"] == "needs_reauth");
            assert_eq!(told["reason"], "lost_response", "{step}");
            assert_eq!(crash.party.server.refreshes(), seen_at_death(step), "{step}");
            assert_eq!(
                token(&crash.profile, step),
                before.token,
                "what lives is used up: {step}"
            );
            assert!(
                crash.party.server.accepts(&before.token) && crash.party.server.family_alive(),
                "{step}"
            );
            let person = crash.profile.tokenry(&["status", step]).success().stdout;
            assert!(person.contains("needs reauth (lost response)"), "{person}");
            // And the way back is one sign-in.
            connect_at_testkit(&crash.profile, &[&format!("kit/{step}")]).success();
        } else {
            let kept = step == "Committed";
            let after = crash.status(step);
            assert_eq!(
                (&after["status"], before.is_past(&after)),
                (&json!("active"), kept),
                "{step}"
            );
            assert_eq!(crash.party.server.refreshes(), seen_at_death(step), "{step}");
            assert_eq!(token(&crash.profile, step) != before.token, kept, "{step}");
        }
        is_whole(&crash, step);
        assert_eq!(crash.party.server.replays_of_replaced_tokens(), 0, "{step}");
    }
}

#[test]
fn an_engine_that_dies_again_and_again_loses_nothing_that_it_acknowledged() {
    let mut crash = crash(Rotation::Grace(600), json!({"kind": "grace", "seconds": 600}));
    connect_at_testkit(&crash.profile, &["kit"]).success();
    for step in ["Answered", "Committing", "Answered", "Journalled"] {
        let before = token(&crash.profile, "kit");
        crash.restart(step);
        assert_ne!(crash.profile.tokenry(&["refresh", "kit"]).code, 0);
        assert_eq!(crash.engine.take().unwrap().wait().code, KILLED);
        // It takes the crash up where it was, and dies of it once more.
        crash.profile.set("TOKENRY_FAULT", step);
        let arguments = ["--vault", "passphrase", "--passphrase-fd", "0"];
        let mut again = Running::start(crash.profile.command("tokenry-serve", &arguments));
        again.write(&format!("{PASSPHRASE}\n"));
        assert_eq!(again.wait().code, KILLED, "{step}");
        crash.restart("");
        wait_for(step, || (token(&crash.profile, "kit") != before).then_some(()));
        is_whole(&crash, "kit");
    }
    let providers = crash
        .profile
        .tokenry(&["provider", "list", "--json"])
        .success()
        .json();
    assert_eq!(providers.as_array().unwrap().len(), 1);
}
