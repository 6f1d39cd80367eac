//! Each rotation policy does what it says.
#![allow(clippy::unwrap_used)]
mod common;

use common::{refresh, refresh_token, text};
use std::time::Duration;
use tokenry_testkit::{Behaviour, Ended, FixedClock, Rotation, SequenceRandom, Server};

#[test]
fn without_rotation_a_refresh_token_stays_good_and_none_is_sent() {
    let server = Server::start(Behaviour::rotating(Rotation::None));
    let token = refresh_token(&server);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let reply = refresh(&server, &token);
        assert_eq!((reply.status, reply.json().get("refresh_token")), (200, None));
        seen.push(text(&reply, "access_token"));
    }
    seen.dedup();
    assert_eq!(
        (
            seen.len(),
            server.refreshes(),
            server.replays_of_replaced_tokens()
        ),
        (3, 3, 0)
    );
    assert!(server.family_alive());
}

#[test]
fn strict_rotation_ends_the_family_when_a_replaced_token_comes_again() {
    let server = Server::start(Behaviour::rotating(Rotation::Strict));
    let first = refresh_token(&server);
    let reply = refresh(&server, &first);
    let (second, access) = (text(&reply, "refresh_token"), text(&reply, "access_token"));
    assert!(server.accepts(&access) && server.family_alive());

    let replay = refresh(&server, &first);
    assert_eq!(
        (replay.status, text(&replay, "error").as_str()),
        (400, "invalid_grant")
    );
    assert_eq!(text(&refresh(&server, &second), "error"), "invalid_grant");
    assert!(!server.accepts(&access) && !server.family_alive());
    assert_eq!(server.families()[0].ended, Some(Ended::Replay));

    let log = server.log();
    let seen: Vec<_> = log
        .iter()
        .map(|r| (r.refresh_token_generation, r.was_replaced))
        .collect();
    assert_eq!(seen, [(Some(0), false), (Some(0), true), (Some(1), false)]);
    assert_eq!((server.refreshes(), server.replays_of_replaced_tokens()), (3, 1));
}

#[test]
fn one_family_does_not_end_with_another() {
    let server = Server::start(Behaviour::rotating(Rotation::Strict));
    let (first, other) = (refresh_token(&server), refresh_token(&server));
    refresh(&server, &first);
    refresh(&server, &first);
    assert_eq!(refresh(&server, &other).status, 200);
    assert!(server.families()[0].ended.is_some() && server.families()[1].ended.is_none());
}

#[test]
fn within_its_grace_a_replaced_token_is_taken_again_and_after_it_ends_the_family() {
    let clock = FixedClock::default();
    let server = Server::start_with(
        Behaviour::rotating(Rotation::Grace(30)),
        clock.clone(),
        SequenceRandom::default(),
    );
    let first = refresh_token(&server);
    refresh(&server, &first);
    clock.advance(Duration::from_secs(29));
    let again = refresh(&server, &first);
    assert_eq!(again.status, 200);
    assert!(server.family_alive());
    assert_eq!(server.replays_of_replaced_tokens(), 1);

    clock.advance(Duration::from_secs(1));
    assert_eq!(text(&refresh(&server, &first), "error"), "invalid_grant");
    assert_eq!(
        text(&refresh(&server, &text(&again, "refresh_token")), "error"),
        "invalid_grant"
    );
    assert!(!server.family_alive());
}

#[test]
fn generations_count_up_along_the_family() {
    let server = Server::start(Behaviour::default());
    let mut token = refresh_token(&server);
    for _ in 0..4 {
        token = text(&refresh(&server, &token), "refresh_token");
    }
    let seen: Vec<_> = server
        .log()
        .iter()
        .filter_map(|r| r.refresh_token_generation)
        .collect();
    assert_eq!((seen, server.families()[0].generation), (vec![0, 1, 2, 3], 4));
}

#[test]
fn a_refresh_asks_for_less_and_never_for_more() {
    let server = Server::start(Behaviour::rotating(Rotation::None));
    let token = refresh_token(&server);
    let ask = |scope: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "tokenry"),
            ("refresh_token", &token),
            ("scope", scope),
        ];
        tokenry_testkit::http::post(&server.token_endpoint(), &[], &form).unwrap()
    };
    assert_eq!(text(&ask("read"), "scope"), "read");
    assert_eq!(text(&ask("read admin"), "error"), "invalid_scope");
}

#[test]
fn another_client_gets_nothing_for_a_refresh_token() {
    let server = Server::start(Behaviour::default());
    let stolen = server
        .grant("tokenry-confidential", "read")
        .refresh_token
        .unwrap();
    assert_eq!(text(&refresh(&server, &stolen), "error"), "invalid_grant");
    assert!(server.family_alive());
}

#[test]
fn a_withdrawn_grant_gives_nothing_any_more() {
    let server = Server::start(Behaviour::default());
    let issued = server.grant("tokenry", "read");
    server.withdraw();
    assert!(!server.accepts(&issued.access_token));
    assert_eq!(
        text(&refresh(&server, &issued.refresh_token.unwrap()), "error"),
        "invalid_grant"
    );
}

#[test]
fn an_access_token_lives_as_long_as_it_is_said_to() {
    let clock = FixedClock::default();
    let behaviour = Behaviour {
        token_life: 10,
        ..Behaviour::default()
    };
    let server = Server::start_with(behaviour, clock.clone(), SequenceRandom::default());
    let issued = server.grant("tokenry", "read");
    assert_eq!(issued.expires_in, 10);
    clock.advance(Duration::from_secs(9));
    assert!(server.accepts(&issued.access_token));
    clock.advance(Duration::from_secs(1));
    assert!(!server.accepts(&issued.access_token));
}
