//! Pushed authorization requests (RFC 9126). Checklist A1.14.

use crate::server::{Server, answer, http, json, provider};
use std::time::Duration;
use tokenry_core::{OsRandom, Provider, Scopes, TokenEndpointAuthMethod};
use tokenry_oauth::authorization_code::{Started, begin};
use tokenry_oauth::{Failure, par};

const REDIRECT: &str = "http://127.0.0.1:1/cb/example";
const PUSHED: &str = r#"{"request_uri":"urn:ietf:params:oauth:request_uri:6esc&x=1","expires_in":60}"#;

fn pushing_to(server: &Server) -> Provider {
    let mut provider = provider(&server.url);
    provider.settings.authorization_endpoint = Some("https://as.example/authorize?tenant=a%20b".into());
    provider.settings.pushed_authorization_request_endpoint = Some(server.url.to_string());
    provider
}

fn started(provider: &Provider) -> Started {
    let extra = [("resource".to_owned(), "https://api.example/".to_owned())];
    begin(
        provider,
        REDIRECT,
        &Scopes::parse("openid read"),
        &extra,
        &OsRandom,
    )
    .unwrap()
}

#[tokio::test]
async fn the_browser_gets_the_client_id_and_the_reference_alone() {
    let server = Server::start(json("201 Created", PUSHED)).await;
    let provider = pushing_to(&server);
    let started = started(&provider);
    let pushed = par::push(&http(), &provider, &started).await.unwrap().unwrap();
    let query: Vec<_> = pushed.authorization_url.query_pairs().into_owned().collect();
    let query: Vec<_> = query.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        query,
        [
            ("tenant", "a b"),
            ("client_id", "client:ä"),
            ("request_uri", "urn:ietf:params:oauth:request_uri:6esc&x=1"),
        ]
    );
    assert_eq!(pushed.expires_in, Some(Duration::from_secs(60)));
    let form = server.form();
    for (name, value) in started.authorization_url.query_pairs() {
        let sent = form.get(name.as_ref()).map(String::as_str);
        let expected = (name != "tenant").then_some(value.as_ref());
        assert_eq!(sent, expected, "{name}");
    }
    assert_eq!(form["client_secret"], "CANARY-client secret%");
    assert_eq!(form["state"], started.state.expose());
}

/// RFC 9126 §2: the client authenticates as at the token endpoint.
#[tokio::test]
async fn the_client_authenticates_as_at_the_token_endpoint() {
    use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, None, SecretAsUserName};
    for (method, header) in [
        (ClientSecretPost, ""),
        (None, ""),
        // base64 of `client%3A%C3%A4:CANARY-client+secret%25` and of `CANARY-client secret%:`.
        (
            ClientSecretBasic,
            "Basic Y2xpZW50JTNBJUMzJUE0OkNBTkFSWS1jbGllbnQrc2VjcmV0JTI1",
        ),
        (SecretAsUserName, "Basic Q0FOQVJZLWNsaWVudCBzZWNyZXQlOg=="),
    ] {
        let server = Server::start(json("201 Created", PUSHED)).await;
        let mut provider = pushing_to(&server);
        provider.settings.token_endpoint_auth_method = method;
        par::push(&http(), &provider, &started(&provider)).await.unwrap();
        let request = server.request();
        let sent = request
            .lines()
            .find_map(|line| line.strip_prefix("authorization: "))
            .unwrap_or_default();
        assert_eq!(sent, header, "{method:?}");
        assert_eq!(
            server.form().contains_key("client_secret"),
            method == ClientSecretPost
        );
    }
}

#[tokio::test]
async fn only_an_answer_that_says_there_is_none_lets_the_sign_in_go_on_without() {
    for (status, falls_back) in [
        ("404 Not Found", true),
        ("405 Method Not Allowed", true),
        ("501 Not Implemented", true),
        ("400 Bad Request", false),
        ("401 Unauthorized", false),
        ("403 Forbidden", false),
        ("500 Internal Server Error", false),
        ("503 Service Unavailable", false),
        ("302 Found", false),
    ] {
        for required in [false, true] {
            let server = Server::start(json(status, r#"{"error":"invalid_request"}"#)).await;
            let mut provider = pushing_to(&server);
            provider.settings.require_pushed_authorization_requests = required;
            let pushed = par::push(&http(), &provider, &started(&provider)).await;
            match pushed {
                Ok(pushed) => assert!(pushed.is_none() && falls_back && !required, "{status}"),
                Err(_) => assert!(!falls_back || required, "{status}"),
            }
            server.request();
        }
    }
}

#[tokio::test]
async fn required_without_an_endpoint_is_an_error_and_nothing_is_sent() {
    let server = Server::start(json("201 Created", PUSHED)).await;
    let mut provider = pushing_to(&server);
    provider.settings.pushed_authorization_request_endpoint = None;
    let started = started(&provider);
    assert!(par::push(&http(), &provider, &started).await.unwrap().is_none());
    provider.settings.require_pushed_authorization_requests = true;
    let refused = par::push(&http(), &provider, &started).await.unwrap_err();
    assert!(matches!(refused, Failure::NotSent { .. }));
    assert!(server.requests().is_empty());
    assert!(
        provider
            .problems()
            .contains_key("pushed_authorization_request_endpoint")
    );
}

#[tokio::test]
async fn an_answer_without_a_reference_that_fits_starts_no_sign_in() {
    for body in [
        "{}",
        r#"{"request_uri":""}"#,
        r#"{"request_uri":7}"#,
        r#"{"request_uri":"a b"}"#,
        r#"{"request_uri":"a\r\nb"}"#,
        r#"{"request_uri":"a","request_uri":"b"}"#,
        r#"{"request_uri":"a","error":"invalid_request"}"#,
        "[]",
        "request_uri",
    ] {
        let server = Server::start(answer("201 Created", "Content-Type: application/json\r\n", body)).await;
        let provider = pushing_to(&server);
        let pushed = par::push(&http(), &provider, &started(&provider)).await;
        assert!(pushed.is_err(), "{body}: {pushed:?}");
    }
}
