//! Many programs that want a token at the same moment cause one refresh, and all of them get what came of it
//! (SECURITY.md, "Refresh").
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::collections::BTreeSet;
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_testkit, token};
use tokenry_e2e::process::{Running, TIMEOUT, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Fault, Server};

const PROGRAMS: usize = 64;

struct Stage {
    profile: Profile,
    server: Server,
    /// The token that has ended.
    ended: String,
    _engine: Running,
}

/// A connection whose token has just ended, at a server that ends the grant when a replaced token comes again.
fn at_the_moment_of_expiry() -> Stage {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &accounts::testkit_provider(&server, "kit", &json!({"kind": "strict"})),
    )
    .success();
    server.set(|behaviour| behaviour.token_life = 2);
    connect_at_testkit(&profile, &["kit"]).success();
    let ended = token(&profile, "kit");
    server.set(|behaviour| behaviour.token_life = 3600);
    server.clear_log();
    wait_for("the end of the token", || (!server.accepts(&ended)).then_some(()));
    Stage {
        profile,
        server,
        ended,
        _engine: engine,
    }
}

impl Stage {
    fn ask(&self, arguments: &[&str]) -> Vec<Running> {
        let command = [&["token", "kit"], arguments].concat();
        (0..PROGRAMS)
            .map(|_| self.profile.tokenry_running(&command))
            .collect()
    }
}

#[test]
fn sixty_four_programs_that_ask_at_the_moment_of_expiry_cause_one_refresh_and_get_one_token() {
    let stage = at_the_moment_of_expiry();
    // The server answers once all of them have been started.
    stage.server.queue(Fault::Gate);
    let programs = stage.ask(&[]);
    assert!(stage.server.wait_until(TIMEOUT, |log| !log.is_empty()));
    stage.server.release();
    let tokens: BTreeSet<String> = programs
        .into_iter()
        .map(|program| program.wait().success().stdout.trim_end().to_owned())
        .collect();
    let only = tokens.first().unwrap();
    assert_eq!(tokens.len(), 1);
    assert!(*only != stage.ended && stage.server.accepts(only));
    assert_eq!(
        (
            stage.server.refreshes(),
            stage.server.replays_of_replaced_tokens()
        ),
        (1, 0)
    );
    assert!(stage.server.family_alive());
}

#[test]
fn programs_that_go_away_while_they_wait_cancel_nothing() {
    let stage = at_the_moment_of_expiry();
    stage.server.queue(Fault::Gate);
    let mut programs = stage.ask(&[]);
    assert!(stage.server.wait_until(TIMEOUT, |log| !log.is_empty()));
    let stay = programs.split_off(PROGRAMS - 1);
    // The one whose question caused the refresh is most likely among those that are killed.
    drop(programs);
    stage.server.release();
    for program in stay {
        let token = program.wait().success().stdout;
        assert!(stage.server.accepts(token.trim_end()));
    }
    assert_eq!(
        (
            stage.server.refreshes(),
            stage.server.replays_of_replaced_tokens()
        ),
        (1, 0)
    );
}

#[test]
fn when_the_one_refresh_fails_all_callers_get_the_error_and_none_sends_again() {
    let stage = at_the_moment_of_expiry();
    stage.server.set(|behaviour| {
        behaviour.token_fault = Some(Fault::TemporarilyUnavailable {
            retry_after: Some(3600),
        });
    });
    for program in stage.ask(&["--json"]) {
        let failed = program.wait();
        assert_eq!((failed.code, failed.stdout.as_str()), (24, ""), "{failed:?}");
        assert!(failed.stderr.contains("\"retry_after_seconds\":"), "{failed:?}");
    }
    assert_eq!(stage.server.refreshes(), 1);
}
