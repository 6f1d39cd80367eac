//! The authorization endpoint, the code grant, and the answers that a client must not believe.
#![allow(clippy::unwrap_used)]
mod common;

use common::{REDIRECT, VERIFIER, authorization_url, authorize, exchange, text};
use std::time::Duration;
use tokenry_testkit::{
    AuthorizeAnswer, Behaviour, Ended, FixedClock, Iss, SequenceRandom, Server, StateAnswer, http,
};
use url::Url;

#[test]
fn a_code_comes_at_once_with_state_and_iss_and_is_worth_tokens() {
    let server = Server::start(Behaviour::default());
    let answer = authorize(&server);
    assert_eq!(
        (answer["state"].as_str(), &answer["iss"]),
        ("s1", &server.issuer())
    );
    let reply = exchange(&server, &answer["code"], VERIFIER);
    assert_eq!(
        (reply.status, text(&reply, "scope").as_str()),
        (200, "read write")
    );
    assert!(text(&reply, "access_token").starts_with("at-"));
    assert!(text(&reply, "refresh_token").starts_with("rt-"));
    assert_eq!(reply.json()["token_type"], "Bearer");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[test]
fn a_code_works_once_and_its_replay_ends_what_it_gave() {
    let server = Server::start(Behaviour::default());
    let code = &authorize(&server)["code"];
    assert_eq!(exchange(&server, code, VERIFIER).status, 200);
    assert_eq!(text(&exchange(&server, code, VERIFIER), "error"), "invalid_grant");
    assert_eq!(server.families()[0].ended, Some(Ended::CodeReplay));
}

#[test]
fn a_wrong_verifier_another_redirect_and_an_old_code_get_nothing() {
    let clock = FixedClock::default();
    let server = Server::start_with(Behaviour::default(), clock.clone(), SequenceRandom::default());
    let code = &authorize(&server)["code"];
    assert_eq!(
        text(&exchange(&server, code, "another-verifier"), "error"),
        "invalid_grant"
    );
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "tokenry"),
        ("code", code),
        ("redirect_uri", "http://127.0.0.1:9/cb/other"),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(
        http::post(&server.token_endpoint(), &[], &form).unwrap().status,
        400
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(text(&exchange(&server, code, VERIFIER), "error"), "invalid_grant");
    assert!(server.families().is_empty());
}

#[test]
fn a_request_without_pkce_is_refused_unless_it_is_not_required() {
    let server = Server::start(Behaviour::default());
    let mut url = server.authorization_endpoint();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "tokenry"),
        ("redirect_uri", REDIRECT),
    ]);
    let answer = |url: &Url| http::get(url, &[]).unwrap().location().unwrap().to_owned();
    assert!(answer(&url).contains("error=invalid_request"));
    server.set(|behaviour| behaviour.require_pkce = false);
    assert!(answer(&url).contains("code="));
}

#[test]
fn an_unknown_client_is_never_redirected() {
    let server = Server::start(Behaviour::default());
    server.set(|behaviour| behaviour.clients.clear());
    let reply = http::get(&authorization_url(&server, REDIRECT), &[]).unwrap();
    assert_eq!((reply.status, reply.location()), (400, None));
}

#[test]
fn an_error_answer_may_hold_markup() {
    let server = Server::start(Behaviour::default());
    server.set(|behaviour| {
        behaviour.authorize = AuthorizeAnswer::Error {
            error: "access_denied".into(),
            description: Some("<img src=x onerror=alert(1)>".into()),
        };
    });
    let answer = authorize(&server);
    assert_eq!(answer["error_description"], "<img src=x onerror=alert(1)>");
    assert_eq!((answer["state"].as_str(), answer.get("code")), ("s1", None));
    assert_eq!(answer["iss"], server.issuer());
}

#[test]
fn iss_and_state_are_wrong_or_missing_on_demand() {
    let server = Server::start(Behaviour::default());
    server.set(|behaviour| {
        behaviour.iss = Iss::Wrong("https://evil.example".into());
        behaviour.state = StateAnswer::Other("s2".into());
    });
    let answer = authorize(&server);
    assert_eq!(
        (answer["iss"].as_str(), answer["state"].as_str()),
        ("https://evil.example", "s2")
    );
    server.set(|behaviour| {
        behaviour.iss = Iss::PromisedAndAbsent;
        behaviour.state = StateAnswer::Absent;
    });
    let answer = authorize(&server);
    assert_eq!((answer.get("iss"), answer.get("state")), (None, None));
}

#[test]
fn the_metadata_promises_iss_unless_it_is_absent() {
    let server = Server::start(Behaviour::default());
    let promised = || {
        let url = server
            .url()
            .join("/.well-known/oauth-authorization-server")
            .unwrap();
        let document = http::get(&url, &[]).unwrap().json();
        assert_eq!(document["issuer"], server.issuer());
        assert_eq!(document["token_endpoint"], server.token_endpoint().as_str());
        document["authorization_response_iss_parameter_supported"].as_bool()
    };
    assert_eq!(promised(), Some(true));
    server.set(|behaviour| behaviour.iss = Iss::PromisedAndAbsent);
    assert_eq!(promised(), Some(true));
    server.set(|behaviour| behaviour.iss = Iss::Absent);
    assert_eq!(promised(), Some(false));
}

#[test]
fn a_parameter_comes_twice_and_others_come_unasked() {
    let server = Server::start(Behaviour::default());
    server.set(|behaviour| {
        behaviour.repeat = Some("state".into());
        behaviour.extra = vec![("session_state".into(), "x".into())];
    });
    let reply = http::get(&authorization_url(&server, REDIRECT), &[]).unwrap();
    let location = Url::parse(reply.location().unwrap()).unwrap();
    assert_eq!(
        location.query_pairs().filter(|(name, _)| name == "state").count(),
        2
    );
    assert!(location.query_pairs().any(|(name, _)| name == "session_state"));
}

#[test]
fn a_custom_scheme_comes_back_as_asked_or_rewritten() {
    let server = Server::start(Behaviour::default());
    let location = || {
        let url = authorization_url(&server, "io.github.tokenry:/cb/test");
        http::get(&url, &[]).unwrap().location().unwrap().to_owned()
    };
    assert!(location().starts_with("io.github.tokenry:/cb/test?code="));
    server.set(|behaviour| behaviour.rewrite_custom_scheme = true);
    assert!(location().starts_with("io.github.tokenry://cb/test?code="));
}

#[test]
fn a_person_who_went_away_leaves_a_page_that_redirects_nowhere() {
    let server = Server::start(Behaviour {
        authorize: AuthorizeAnswer::Silence,
        ..Behaviour::default()
    });
    let reply = http::get(&authorization_url(&server, REDIRECT), &[]).unwrap();
    assert_eq!((reply.status, reply.location()), (200, None));
}
