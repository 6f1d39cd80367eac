//! RFC 6749 §2.3: a client proves itself by exactly one method.

use super::house::{House, SECRET, encoded, exchange_form};
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

async fn tried(house: &House, authorization: Option<&str>, proof: &[(&str, &str)]) -> Option<OAuthErrorCode> {
    let code = house.code("server").await;
    let mut form = exchange_form("nobody", &code);
    form.retain(|(key, _)| *key != "client_id");
    form.extend(proof);
    let tried = house
        .engine
        .issue_tokens(authorization, encoded(&form).as_bytes())
        .await;
    tried.err().map(|error| error.code)
}

/// An `Authorization` header, a proof in the form, and what comes of it.
type Case<'a> = (Option<&'a str>, Vec<(&'a str, &'a str)>, Option<OAuthErrorCode>);

#[tokio::test]
async fn each_method_works_alone_and_two_at_once_do_not() {
    let house = House::new().await;
    let id = house.id("server").to_string();
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
        (None, vec![("client_id", "nobody")], Some(InvalidClient)),
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
            tried(&house, authorization, &proof).await,
            error,
            "{number}: {proof:?}"
        );
        house
            .grants("server")
            .iter()
            .for_each(|grant| house.take_away(grant.id));
    }
}

#[tokio::test]
async fn only_two_kinds_of_grant_are_taken() {
    let house = House::new().await;
    for kind in [
        "password",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "AUTHORIZATION_CODE",
    ] {
        let form = [("grant_type", kind), ("client_id", "script")];
        assert_eq!(
            house.post(&form).await.unwrap_err().code,
            UnsupportedGrantType,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_hostile_form_is_an_invalid_request_and_its_values_are_not_repeated() {
    let house = House::new().await;
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
            house.engine.issue_tokens(None, body).await.err(),
            house.engine.revoke_issued(None, body).await.err(),
            house.engine.introspect_issued(None, body).await.err(),
        ] {
            let error = answer.unwrap();
            assert_eq!(error.code, InvalidRequest);
            assert!(!error.description.contains("hunter2"));
        }
    }
}

#[tokio::test]
async fn while_locked_nobody_can_prove_anything() {
    let house = House::new().await;
    house.engine.lock(&ui()).await.unwrap();
    let form = encoded(&[("client_id", "script"), ("token", "x")]);
    for error in [
        house.engine.issue_tokens(None, form.as_bytes()).await.err(),
        house.engine.revoke_issued(None, form.as_bytes()).await.err(),
        house.engine.introspect_issued(None, form.as_bytes()).await.err(),
    ] {
        assert_eq!(error.unwrap().code, OAuthErrorCode::Locked);
    }
    assert!(
        house
            .engine
            .caller_of_issued(&Secret::new("x".to_owned()), None)
            .await
            .unwrap()
            .is_none()
    );
}
