//! RFC 6749 §2.3: a client proves itself by exactly one method.

use super::setup::{SECRET, Setup, encoded, exchange_form};
use crate::{
    OAuthErrorCode::{self, InvalidClient, InvalidRequest, UnsupportedGrantType},
    tests::common::ui,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokenry_core::Secret;

/// `Authorization: Basic`, each part form-encoded first.
fn basic(id: &str, secret: &str) -> String {
    let part = |text: &str| encoded(&[(text, "")]).trim_end_matches('=').to_owned();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", part(id), part(secret)))
    )
}

async fn tried(setup: &Setup, authorization: Option<&str>, proof: &[(&str, &str)]) -> Option<OAuthErrorCode> {
    let code = setup.code("server").await;
    let mut form = exchange_form("unknown", &code);
    form.retain(|(key, _)| *key != "client_id");
    form.extend(proof);
    let tried = setup
        .engine
        .issue_tokens(authorization, encoded(&form).as_bytes())
        .await;
    tried.err().map(|error| error.code)
}

/// An `Authorization` header, a proof in the form, and what comes of it.
type Case<'a> = (Option<&'a str>, Vec<(&'a str, &'a str)>, Option<OAuthErrorCode>);

#[tokio::test]
async fn each_method_works_alone_and_two_at_once_do_not() {
    let setup = Setup::new().await;
    let id = setup.id("server").to_string();
    // Asked for each code: its grants are taken away in between, so that `code` finds a question.
    let header = basic("server", SECRET);
    let by_id = basic(&id, SECRET);
    let wrong = basic("server", "wrong");
    let cases: Vec<Case> = vec![
        (Some(&header), vec![], None),
        (Some(&by_id), vec![], None),
        (Some(&header), vec![("client_id", "server")], None),
        (
            Some(&header),
            vec![("client_id", "server"), ("client_secret", "")],
            None,
        ),
        (
            None,
            vec![("client_id", "server"), ("client_secret", SECRET)],
            None,
        ),
        (None, vec![("client_id", &id), ("client_secret", SECRET)], None),
        (
            Some(&header),
            vec![("client_secret", SECRET)],
            Some(InvalidRequest),
        ),
        (Some(&header), vec![("client_id", "script")], Some(InvalidRequest)),
        (Some(&wrong), vec![], Some(InvalidClient)),
        (
            Some("Bearer x"),
            vec![("client_id", "server")],
            Some(InvalidClient),
        ),
        (Some("Basic"), vec![], Some(InvalidClient)),
        (
            Some("Basic %%%"),
            vec![("client_id", "script")],
            Some(InvalidClient),
        ),
        (
            None,
            vec![("client_id", "server"), ("client_secret", "wrong")],
            Some(InvalidClient),
        ),
        (None, vec![("client_id", "server")], Some(InvalidClient)),
        (None, vec![("client_id", "unknown")], Some(InvalidClient)),
        (
            None,
            vec![("client_id", "script"), ("client_secret", SECRET)],
            Some(InvalidClient),
        ),
        (None, vec![("client_secret", SECRET)], Some(InvalidRequest)),
        (None, vec![], Some(InvalidRequest)),
    ];
    for (number, (authorization, proof, error)) in cases.into_iter().enumerate() {
        assert_eq!(
            tried(&setup, authorization, &proof).await,
            error,
            "{number}: {proof:?}"
        );
        setup
            .grants("server")
            .iter()
            .for_each(|grant| setup.take_away(grant.id));
    }
}

#[tokio::test]
async fn only_two_kinds_of_grant_are_taken() {
    let setup = Setup::new().await;
    for kind in [
        "password",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "AUTHORIZATION_CODE",
    ] {
        let form = [("grant_type", kind), ("client_id", "script")];
        assert_eq!(
            setup.post(&form).await.unwrap_err().code,
            UnsupportedGrantType,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_hostile_form_is_an_invalid_request_and_its_values_are_not_repeated() {
    let setup = Setup::new().await;
    let huge = format!("client_id=script&code={}", "hunter2".repeat(20_000));
    for body in [
        &b"client_id=script&grant_type=%"[..],
        b"client_id=script&hunter2=%00",
        b"client_id=script&client_id=script&code=hunter2",
        b"client_id=script&x=hunter2&x=1",
        &[0xff, 0xfe],
        b"{\"client_id\":\"hunter2\"}",
        b"",
        huge.as_bytes(),
    ] {
        for answer in [
            setup.engine.issue_tokens(None, body).await.err(),
            setup.engine.revoke_issued(None, body).await.err(),
            setup.engine.introspect_issued(None, body).await.err(),
        ] {
            let error = answer.unwrap();
            assert_eq!(error.code, InvalidRequest);
            assert!(!error.description.contains("hunter2"));
        }
    }
}

#[tokio::test]
async fn while_locked_no_client_can_authenticate() {
    let setup = Setup::new().await;
    setup.engine.lock(&ui()).await.unwrap();
    let form = encoded(&[("client_id", "script"), ("token", "x")]);
    for error in [
        setup.engine.issue_tokens(None, form.as_bytes()).await.err(),
        setup.engine.revoke_issued(None, form.as_bytes()).await.err(),
        setup.engine.introspect_issued(None, form.as_bytes()).await.err(),
    ] {
        assert_eq!(error.unwrap().code, OAuthErrorCode::Locked);
    }
    assert!(
        setup
            .engine
            .caller_of_issued(&Secret::new("x".to_owned()), None)
            .await
            .unwrap()
            .is_none()
    );
}
