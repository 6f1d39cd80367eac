//! Whose account a token is for (OpenID Connect Core §5.3).

use crate::server::{Reply, Server, answer, http, json, provider, secret};
use tokenry_core::Account;
use tokenry_oauth::{Failure, userinfo};

async fn fetched(reply: Reply) -> Result<Account, Failure> {
    let server = Server::start(reply).await;
    let result = userinfo::fetch(&http(), &provider(&server.url), &secret("the-token")).await;
    let request = server.request();
    assert!(
        request.starts_with("GET /token HTTP/1.1\r\n"),
        "never in the address (checklist A12.3): {request}"
    );
    assert!(
        request.contains("authorization: Bearer the-token\r\n"),
        "{request}"
    );
    assert!(request.contains("accept: application/json\r\n"), "{request}");
    result
}

#[tokio::test]
async fn openid_providers_and_others_are_understood() {
    for (body, subject, name, email) in [
        (
            r#"{"sub":"u1","name":"Ann","email":"a@as.example"}"#,
            "u1",
            Some("Ann"),
            Some("a@as.example"),
        ),
        (
            r#"{"id":9007199254740993,"login":"ann"}"#,
            "9007199254740993",
            Some("ann"),
            None,
        ),
        // Above 2^64 a float has fewer digits than the id: two accounts would become one.
        (
            r#"{"id":36893488147419103233,"login":"ann"}"#,
            "36893488147419103233",
            Some("ann"),
            None,
        ),
        (r#"{"id":1.50e+30}"#, "1.50e+30", None, None),
        (
            r#"{"sub":"u1","name":" ","preferred_username":"ann\u202e"}"#,
            "u1",
            Some("ann"),
            None,
        ),
        (
            r#"{"sub":"u1","name":7,"email":null,"x":{"y":[]}}"#,
            "u1",
            None,
            None,
        ),
    ] {
        let expected = Account {
            subject: subject.into(),
            name: name.map(str::to_owned),
            email: email.map(str::to_owned),
            picture: None,
        };
        assert_eq!(fetched(json("200 OK", body)).await, Ok(expected));
    }
}

#[tokio::test]
async fn a_name_that_is_not_utf_8_and_a_repeated_member_do_not_hide_the_account() {
    for reply in [
        json("200 OK", r#"{"sub":"u1","name":"Jos"}"#).with(b"Jos", b"Jos\xe9"),
        json("200 OK", r#"{"sub":"u1","x":1,"x":2}"#),
    ] {
        assert_eq!(fetched(reply).await.unwrap().subject, "u1");
    }
}

#[tokio::test]
async fn a_response_without_an_account_is_no_account_and_never_the_end_of_a_grant() {
    for reply in [
        json("200 OK", "{}"),
        json("200 OK", r#"{"sub":""}"#),
        json("200 OK", r#"{"sub":"a\u0000b"}"#),
        json("200 OK", r#"{"sub":"a","sub":"b"}"#),
        json("200 OK", r#"{"sub":"a"#),
        json("200 OK", r#"{"sub":"Jos"}"#).with(b"Jos", b"Jos\xe9"),
        json("200 OK", r#"{"error":"invalid_grant"}"#),
        json("401 Unauthorized", r#"{"error":"invalid_grant"}"#),
        answer("200 OK", "Content-Type: application/jwt\r\n", "a.b.c"),
        answer("302 Found", "Location: /login\r\n", ""),
        answer("200 OK", "Content-Type: text/html\r\n", "<html>"),
        Reply::Stall(Vec::new()),
    ] {
        let failure = fetched(reply).await.unwrap_err();
        assert!(!matches!(failure, Failure::InvalidGrant { .. }), "{failure:?}");
    }
    let mut provider = provider(&"https://as.example/".parse().unwrap());
    provider.settings.userinfo_endpoint = None;
    assert!(matches!(
        userinfo::fetch(&http(), &provider, &secret("t")).await,
        Err(Failure::Unusable { .. })
    ));
}
