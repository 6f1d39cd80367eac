//! Client authentication, client credentials, userinfo, revocation, and the program.
#![allow(clippy::unwrap_used)]
mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{refresh, refresh_token, text};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use tokenry_testkit::{Account, Behaviour, ClientAuth, Ended, Endpoint, Fault, Kind, Server, http};
use url::Url;

fn client_credentials(server: &Server, headers: &[(&str, &str)], more: &[(&str, &str)]) -> http::Response {
    let mut form = vec![("grant_type", "client_credentials"), ("scope", "read")];
    form.extend(more);
    http::post(&server.token_endpoint(), headers, &form).unwrap()
}

#[test]
fn a_client_proves_itself_in_its_registered_way_and_in_no_other() {
    let server = Server::start(Behaviour::default());
    let basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let by_basic = |id: &str, secret: &str| {
        client_credentials(&server, &[("authorization", &basic(id, secret))], &[]).status
    };
    let by_post = |id: &str, secret: &str| {
        client_credentials(&server, &[], &[("client_id", id), ("client_secret", secret)]).status
    };
    assert_eq!(by_basic("tokenry-basic", "testkit-secret"), 200);
    assert_eq!(by_post("tokenry-confidential", "testkit-secret"), 200);
    assert_eq!(by_post("tokenry-basic", "testkit-secret"), 401);
    assert_eq!(by_basic("tokenry-confidential", "testkit-secret"), 401);
    assert_eq!(by_basic("tokenry-basic", "wrong"), 401);
    assert_eq!(by_post("tokenry-confidential", "wrong"), 401);
    assert_eq!(by_post("unknown", "testkit-secret"), 401);
    let ways: Vec<_> = server.log().iter().take(2).map(|r| (r.kind, r.auth)).collect();
    let expected = [
        (Kind::ClientCredentials, Some(ClientAuth::Basic)),
        (Kind::ClientCredentials, Some(ClientAuth::Post)),
    ];
    assert_eq!(ways, expected);
}

#[test]
fn two_ways_of_authentication_in_one_request_are_refused() {
    let server = Server::start(Behaviour::default());
    let header = format!("Basic {}", STANDARD.encode("tokenry-basic:testkit-secret"));
    let reply = client_credentials(
        &server,
        &[("authorization", &header)],
        &[("client_secret", "testkit-secret")],
    );
    assert_eq!(reply.status, 401);
}

#[test]
fn client_credentials_give_an_access_token_alone_and_not_to_a_public_client() {
    let server = Server::start(Behaviour::default());
    let secret = [
        ("client_id", "tokenry-confidential"),
        ("client_secret", "testkit-secret"),
    ];
    let reply = client_credentials(&server, &[], &secret);
    assert!(server.accepts(&text(&reply, "access_token")));
    assert_eq!(reply.json().get("refresh_token"), None);
    let public = client_credentials(&server, &[], &[("client_id", "tokenry")]);
    assert_eq!(text(&public, "error"), "unauthorized_client");
}

#[test]
fn a_token_request_with_a_repeated_parameter_or_an_unknown_grant_is_refused() {
    let server = Server::start(Behaviour::default());
    let post = |form: &[(&str, &str)]| http::post(&server.token_endpoint(), &[], form).unwrap();
    let twice = post(&[
        ("client_id", "tokenry"),
        ("client_id", "tokenry"),
        ("grant_type", "refresh_token"),
    ]);
    assert_eq!(text(&twice, "error"), "invalid_request");
    let unknown = post(&[("client_id", "tokenry"), ("grant_type", "password")]);
    assert_eq!(text(&unknown, "error"), "unsupported_grant_type");
    assert_eq!(http::get(&server.token_endpoint(), &[]).unwrap().status, 400);
}

fn userinfo(server: &Server, access_token: &str) -> http::Response {
    let header = format!("Bearer {access_token}");
    http::get(&server.userinfo_endpoint(), &[("authorization", &header)]).unwrap()
}

#[test]
fn userinfo_tells_the_account_that_agreed() {
    let server = Server::start(Behaviour::default());
    let first = server.grant("tokenry", "read");
    server.set(|behaviour| {
        behaviour.accounts.push(Account {
            sub: "sub-2".into(),
            name: None,
            email: None,
        });
        behaviour.signed_in = 1;
    });
    let second = server.grant("tokenry", "read");
    let ada = userinfo(&server, &first.access_token);
    assert_eq!(
        (text(&ada, "sub").as_str(), text(&ada, "email").as_str()),
        ("sub-1", "ada@example.com")
    );
    assert_eq!(
        userinfo(&server, &second.access_token).json(),
        serde_json::json!({"sub": "sub-2"})
    );
    assert_eq!(userinfo(&server, "at-unknown").status, 401);
}

#[test]
fn revoking_a_refresh_token_ends_its_family_and_revoking_an_access_token_only_that() {
    let server = Server::start(Behaviour::default());
    let revoke = |token: &str| {
        let form = [("client_id", "tokenry"), ("token", token)];
        http::post(&server.revocation_endpoint(), &[], &form)
            .unwrap()
            .status
    };
    let issued = server.grant("tokenry", "read");
    assert_eq!(revoke(&issued.access_token), 200);
    assert_eq!(userinfo(&server, &issued.access_token).status, 401);
    assert!(server.family_alive());

    let token = refresh_token(&server);
    let renewed = refresh(&server, &token);
    assert_eq!(revoke(&text(&renewed, "refresh_token")), 200);
    assert_eq!(server.families()[1].ended, Some(Ended::Revoked));
    assert!(!server.accepts(&text(&renewed, "access_token")));
    assert_eq!(revoke("rt-unknown"), 200);
    assert_eq!(server.revocations(), 3);
}

#[test]
fn revocation_and_userinfo_fail_on_demand_without_touching_the_token_endpoint() {
    let server = Server::start(Behaviour::default());
    let token = refresh_token(&server);
    server.queue_at(
        Endpoint::Revocation,
        Fault::TemporarilyUnavailable { retry_after: Some(1) },
    );
    server.set(|behaviour| behaviour.userinfo_fault = Some(Fault::CaptivePortalHtml200));
    let renewed = refresh(&server, &token);
    assert_eq!(renewed.status, 200);
    let form = [
        ("client_id", "tokenry"),
        ("token", &text(&renewed, "refresh_token")),
    ];
    let revoke = || {
        http::post(&server.revocation_endpoint(), &[], &form)
            .unwrap()
            .status
    };
    assert_eq!(revoke(), 503);
    assert!(server.family_alive());
    assert_eq!(revoke(), 200);
    assert!(!server.family_alive());
    assert!(userinfo(&server, "at-x").body.contains("Hotel"));
}

#[test]
fn the_program_tells_its_address_obeys_and_ends_with_its_input() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tokenry-testkit"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    let url = Url::parse(next()["url"].as_str().unwrap()).unwrap();

    writeln!(
        input,
        r#"{{"queue": {{"temporarily_unavailable": {{"retry_after": 3}}}}}}"#
    )
    .unwrap();
    assert_eq!(next()["ok"], true);
    writeln!(
        input,
        r#"{{"set": {{"rotation": {{"grace": 5}}}}, "release": true}}"#
    )
    .unwrap();
    assert_eq!(next()["ok"], true);
    let reply = http::post(
        &url.join("/token").unwrap(),
        &[],
        &[("grant_type", "refresh_token")],
    )
    .unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("3")));
    writeln!(input, r#"{{"log": true}}"#).unwrap();
    assert_eq!(next()["log"][0]["kind"], "refresh");
    for wrong in [
        "rubbish",
        r#"{"set": {"rotation": "sometimes"}}"#,
        r#"{"set": {"no_such": 1}}"#,
    ] {
        writeln!(input, "{wrong}").unwrap();
        assert!(next()["error"].is_string());
    }
    drop(input);
    assert!(program.wait().unwrap().success());
}
