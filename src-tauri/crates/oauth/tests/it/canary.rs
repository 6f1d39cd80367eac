//! No secret shows in an error, an answer or a flow, however it is printed (security.md, Secrets in memory).

use crate::server::{Reply, Server, answer, flow, http, json, provider, secret};
use std::fmt::Debug;
use tokenry_core::{Captured, OsRandom, Scopes};
use tokenry_oauth::{Http, authorization_code, client_credentials, redirect, refresh, revocation, userinfo};

fn assert_silent(printed: &impl Debug) {
    for text in [format!("{printed:?}"), format!("{printed:#?}")] {
        assert!(!text.contains("CANARY"), "{text}");
        assert!(!text.contains("Q0FOQVJZ"), "in base64: {text}");
    }
}

const TOKENS: &str =
    r#""access_token":"CANARY-access","refresh_token":"CANARY-refresh","id_token":"CANARY.id.token""#;

#[tokio::test]
async fn no_answer_and_no_failure_shows_what_was_sent_or_received() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n";
    for reply in [
        json("200 OK", &format!("{{{TOKENS}}}")),
        json("200 OK", &format!("{{{TOKENS}")),
        json("200 OK", &format!("{{{TOKENS},{TOKENS}}}")),
        json("200 OK", &format!("{{{TOKENS},\"error\":\"invalid_grant\"}}")),
        json("200 OK", &format!("{{{TOKENS},\"token_type\":\"mac\"}}")),
        json("200 OK", &TOKENS.replace("access_token", "x")),
        json("400 Bad Request", &format!("{{{TOKENS}}}")),
        json("500 Oh", &format!("{{{TOKENS}}}")),
        answer(
            "302 Found",
            "Location: https://as.example/?code=CANARY\r\n",
            TOKENS,
        ),
        answer(
            "200 OK",
            "Content-Type: text/html\r\n",
            &format!("<html>{TOKENS}"),
        ),
        Reply::Bytes(format!("{head}{{{TOKENS}").into()),
        Reply::Bytes(format!("CANARY {TOKENS}").into()),
        Reply::Stall(Vec::new()),
    ] {
        let server = Server::start(reply).await;
        let provider = provider(&server.url);
        let flow = flow(&provider, &server.url);
        let token = secret("CANARY-sent");
        let result = refresh::refresh(&http(), &provider, &token).await;
        assert_silent(&result);
        if let Err(failure) = &result {
            assert!(!failure.to_string().contains("CANARY"), "{failure}");
        }
        assert_silent(
            &authorization_code::exchange(&http(), &provider, &flow, &token, &Captured::new()).await,
        );
        assert_silent(&client_credentials::fetch(&http(), &provider, &Scopes::default()).await);
        assert_silent(&userinfo::fetch(&http(), &provider, &token).await);
        assert_silent(&revocation::revoke(&http(), &provider, &token, revocation::Hint::AccessToken).await);
    }
}

#[tokio::test]
async fn an_address_with_secrets_in_it_does_not_show_when_it_cannot_be_reached() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{gone}/CANARY?key=CANARY").parse().unwrap();
    let failure = refresh::refresh(&http(), &provider(&url), &secret("CANARY"))
        .await
        .unwrap_err();
    assert_silent(&failure);
    assert!(!failure.to_string().contains("CANARY"), "{failure}");
}

#[test]
fn neither_the_client_nor_a_redirect_shows_a_secret() {
    let redirected = redirect::judge_loopback("/cb/x?code=CANARY-code&state=CANARY-state").unwrap();
    assert_silent(&redirected);
    assert_silent(&Http::new().unwrap());
    let provider = provider(&"https://as.example/".parse().unwrap());
    let begin = authorization_code::begin(
        &provider,
        "http://127.0.0.1:1/cb/x",
        &Scopes::default(),
        &[],
        &OsRandom,
    );
    let started = begin.unwrap();
    let shown = format!("{:?}{:?}", started.state, started.verifier);
    assert!(!shown.contains(started.state.expose()));
    assert!(
        !started
            .authorization_url
            .as_str()
            .contains(started.verifier.unwrap().expose())
    );
    assert!(!started.authorization_url.as_str().contains("CANARY"));
}
