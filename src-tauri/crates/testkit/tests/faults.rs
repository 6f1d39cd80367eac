//! Each fault does what it says, and processes the request or does not, as it says.
#![allow(clippy::unwrap_used)]
mod common;

use common::{refresh, refresh_token, text, try_refresh};
use serde_json::json;
use std::time::Duration;
use tokenry_testkit::{Behaviour, Fault, Server, http};

/// What came back for one fault, whether the refresh token was replaced by it, and the server.
fn suffer(fault: Fault) -> (std::io::Result<http::Response>, bool, Server) {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    server.queue(fault.clone());
    let reply = try_refresh(&server, &token);
    let replaced = server.families()[0].generation == 1;
    let log = server.log();
    assert_eq!(
        (log[0].fault.as_ref(), log[0].processed),
        (Some(&fault), replaced),
        "{fault:?}"
    );
    assert_eq!(
        log[0].status,
        reply.as_ref().ok().map(|reply| reply.status),
        "{fault:?}"
    );
    (reply, replaced, server)
}

fn answered(fault: Fault) -> (http::Response, bool) {
    let (reply, replaced, _server) = suffer(fault);
    (reply.unwrap(), replaced)
}

#[test]
fn a_lost_answer_is_one_to_a_request_that_was_processed() {
    let (reply, replaced, server) = suffer(Fault::LoseAnswer);
    assert!(reply.is_err() && replaced);
    assert_eq!(server.refreshes(), 1);
}

#[test]
fn a_cut_answer_ends_in_its_middle() {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    server.queue(Fault::CutAnswer);
    assert!(try_refresh(&server, &token).is_err());
    assert_eq!(server.families()[0].generation, 1);
}

#[test]
fn a_500_comes_before_or_after_rotating() {
    let (reply, replaced) = answered(Fault::Error500BeforeRotating);
    assert_eq!((reply.status, replaced), (500, false));
    let (reply, replaced) = answered(Fault::Error500AfterRotating);
    assert_eq!((reply.status, replaced), (500, true));
    assert!(!reply.body.contains("at-") && !reply.body.contains("rt-"));
}

#[test]
fn captive_portals_and_firewalls_answer_html_and_process_nothing() {
    let (reply, replaced) = answered(Fault::CaptivePortalHtml200);
    assert_eq!((reply.status, replaced), (200, false));
    assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    let (reply, replaced) = answered(Fault::ProxyForbiddenHtml403);
    assert_eq!((reply.status, replaced), (403, false));
    assert!(reply.body.starts_with("<!doctype html>"));
}

#[test]
fn temporarily_unavailable_says_when_to_come_back_if_it_knows() {
    let (reply, replaced) = answered(Fault::TemporarilyUnavailable { retry_after: Some(7) });
    assert_eq!(
        (reply.status, replaced, reply.header("retry-after")),
        (503, false, Some("7"))
    );
    assert_eq!(text(&reply, "error"), "temporarily_unavailable");
    let (reply, _) = answered(Fault::TemporarilyUnavailable { retry_after: None });
    assert_eq!(reply.header("retry-after"), None);
}

#[test]
fn refusals_have_the_status_and_error_they_were_given() {
    let (reply, replaced) = answered(Fault::InvalidClient);
    assert_eq!(
        (reply.status, replaced, text(&reply, "error").as_str()),
        (401, false, "invalid_client")
    );
    let (reply, replaced) = answered(Fault::OauthError {
        status: 200,
        error: "bad_refresh_token".into(),
    });
    assert_eq!(
        (reply.status, replaced, text(&reply, "error").as_str()),
        (200, false, "bad_refresh_token")
    );
}

#[test]
fn members_of_the_answer_go_missing_or_change() {
    let member = |fault: Fault, name: &str| {
        let (reply, replaced) = answered(fault);
        assert!(replaced && reply.status == 200);
        assert!(text(&reply, "access_token").starts_with("at-"));
        reply.json().get(name).cloned()
    };
    assert_eq!(member(Fault::OmitExpiresIn, "expires_in"), None);
    assert_eq!(member(Fault::ExpiresInAsText, "expires_in"), Some(json!("3600")));
    assert_eq!(member(Fault::ExpiresIn(json!(-1)), "expires_in"), Some(json!(-1)));
    assert_eq!(
        member(Fault::LowerCaseBearer, "token_type"),
        Some(json!("bearer"))
    );
    assert_eq!(
        member(Fault::TokenType("DPoP".into()), "token_type"),
        Some(json!("DPoP"))
    );
    assert_eq!(member(Fault::NoScope, "scope"), None);
    assert_eq!(
        member(Fault::NarrowerScope("read".into()), "scope"),
        Some(json!("read"))
    );
}

#[test]
fn the_body_is_form_encoded_truncated_doubled_or_huge() {
    let (reply, replaced) = answered(Fault::FormEncoded);
    assert!(replaced && reply.header("content-type") == Some("application/x-www-form-urlencoded"));
    let form: Vec<_> = url::form_urlencoded::parse(reply.body.as_bytes())
        .into_owned()
        .collect();
    assert!(form.contains(&("expires_in".into(), "3600".into())), "{form:?}");

    let (reply, replaced) = answered(Fault::TruncatedJson);
    assert!(replaced && reply.body.starts_with('{') && !reply.body.ends_with('}'));

    let (reply, replaced) = answered(Fault::DuplicateKey);
    assert!(replaced && reply.body.matches("\"access_token\"").count() == 2);
    assert!(!reply.json().is_null(), "it is JSON for all that");

    let (reply, replaced) = answered(Fault::HugeBody);
    assert!(replaced && reply.body.len() == 8 * 1024 * 1024);
}

#[test]
fn redirects_point_elsewhere_and_process_nothing() {
    let (reply, replaced) = answered(Fault::Redirect302To("http://127.0.0.1:1/x".into()));
    assert_eq!(
        (reply.status, reply.location(), replaced),
        (302, Some("http://127.0.0.1:1/x"), false)
    );
    let (reply, replaced) = answered(Fault::Redirect307To("http://127.0.0.1:1/y".into()));
    assert_eq!(
        (reply.status, reply.location(), replaced),
        (307, Some("http://127.0.0.1:1/y"), false)
    );
}

#[test]
fn a_slow_answer_is_a_good_one() {
    let (reply, replaced) = answered(Fault::SlowAnswer(20));
    assert!(reply.status == 200 && replaced);
}

#[test]
fn a_hang_ends_without_an_answer_whether_processed_or_not() {
    for processed in [true, false] {
        let (reply, replaced, _server) = suffer(Fault::Hang {
            processed,
            millis: Some(10),
        });
        assert!(reply.is_err());
        assert_eq!(replaced, processed);
    }
}

#[test]
fn a_hang_without_end_lasts_until_it_is_released() {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    server.queue(Fault::Hang {
        processed: true,
        millis: None,
    });
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| try_refresh(&server, &token));
        assert!(server.wait_until(Duration::from_secs(10), |log| log.iter().any(|r| r.processed)));
        assert!(!asking.is_finished());
        server.release();
        assert!(asking.join().unwrap().is_err());
    });
}

#[test]
fn a_gate_processes_and_answers_once_it_is_released() {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    server.queue(Fault::Gate);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| refresh(&server, &token));
        assert!(server.wait_until(Duration::from_secs(10), |log| !log.is_empty()));
        assert_eq!(
            (server.log()[0].processed, server.families()[0].generation),
            (false, 0)
        );
        server.release();
        assert_eq!(asking.join().unwrap().status, 200);
    });
    assert_eq!(server.families()[0].generation, 1);
}

#[test]
fn a_server_that_is_dropped_lets_go_of_those_who_hang() {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    let endpoint = server.token_endpoint();
    server.queue(Fault::Hang {
        processed: false,
        millis: None,
    });
    let asking = std::thread::spawn(move || {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "tokenry"),
            ("refresh_token", &token),
        ];
        http::post(&endpoint, &[], &form)
    });
    assert!(server.wait_until(Duration::from_secs(10), |log| !log.is_empty()));
    drop(server);
    assert!(asking.join().unwrap().is_err());
}

#[test]
fn queued_faults_come_once_each_in_order_and_a_standing_one_stays() {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    server.queue(Fault::InvalidClient);
    server.queue(Fault::ProxyForbiddenHtml403);
    server.set(|behaviour| behaviour.token_fault = Some(Fault::Error500BeforeRotating));
    let seen: Vec<_> = (0..4).map(|_| refresh(&server, &token).status).collect();
    assert_eq!(seen, [401, 403, 500, 500]);
    server.set(|behaviour| behaviour.token_fault = None);
    assert_eq!(refresh(&server, &token).status, 200);
}

#[test]
fn waiting_for_what_never_comes_ends() {
    let server = Server::start(Behaviour::default());
    assert!(!server.wait_until(Duration::from_millis(5), |log| !log.is_empty()));
}
