//! Revocation (RFC 7009; checklist A8).

use crate::server::{Reply, Server, answer, http, json, provider, secret};
use std::time::Duration;
use tokenry_oauth::Failure;
use tokenry_oauth::revocation::{Hint, Revoked, revoke};

async fn revoked(reply: Reply) -> Result<Revoked, Failure> {
    let server = Server::start(reply).await;
    let result = revoke(
        &http(),
        &provider(&server.url),
        &secret("r&1"),
        Hint::RefreshToken,
    )
    .await;
    let form = server.form();
    assert_eq!(
        (form["token"].as_str(), form["token_type_hint"].as_str()),
        ("r&1", "refresh_token")
    );
    assert_eq!(
        form["client_secret"], "CANARY-client secret%",
        "the same client authentication"
    );
    result
}

#[tokio::test]
async fn a_success_is_a_success_whatever_its_body_and_a_token_that_is_gone_is_gone() {
    for reply in [
        answer("200 OK", "", ""),
        answer("204 No Content", "", ""),
        answer("200 OK", "", "OK"),
        json("200 OK", "{}"),
        json("200 OK", "[1"),
        json("400 Bad Request", r#"{"error":"invalid_token"}"#),
    ] {
        assert_eq!(revoked(reply).await, Ok(Revoked::Yes));
    }
}

/// RFC 7009 §2.2. Django and Express call an empty body HTML.
#[tokio::test]
async fn a_success_is_done_unless_its_body_is_a_web_page() {
    for media in [
        "text/html; charset=utf-8",
        "text/plain",
        "application/json",
        "application/xml",
    ] {
        for body in [
            "",
            " \r\n",
            "OK",
            "true",
            "null",
            "\"<html>\"",
            "{\"page\":\"<html>\"}",
            "\u{feff}",
        ] {
            let reply = answer("200 OK", &format!("Content-Type: {media}\r\n"), body);
            assert_eq!(revoked(reply).await, Ok(Revoked::Yes), "{media}: {body:?}");
        }
        for page in [
            "<html>Sign in</html>",
            "\n<!DOCTYPE html><p>Hi",
            "\u{feff}<HTML>",
            "Notice: x <br>\n<html>",
        ] {
            let reply = answer("200 OK", &format!("Content-Type: {media}\r\n"), page);
            assert!(revoked(reply).await.is_err(), "{media}: {page:?}");
        }
    }
    let xml = answer(
        "200 OK",
        "Content-Type: text/xml\r\n",
        "<?xml version=\"1.0\"?><done/>",
    );
    assert_eq!(revoked(xml).await, Ok(Revoked::Yes));
    let fragment = answer(
        "200 OK",
        "Content-Type: text/html\r\n",
        "<p>Sign in to the network",
    );
    assert!(revoked(fragment).await.is_err());
}

#[tokio::test]
async fn a_status_at_the_revocation_endpoint_is_told_as_it_is() {
    for (status, number) in [
        ("404 Not Found", 404),
        ("405 Method Not Allowed", 405),
        ("501 Not Implemented", 501),
        ("503 Down", 503),
        ("500 Oops", 500),
        ("429 Slow", 429),
    ] {
        for (media, body) in [
            ("text/html", "<html>x</html>"),
            ("application/json", r#"{"detail":"x"}"#),
            ("text/html", ""),
        ] {
            let failure = revoked(answer(status, &format!("Content-Type: {media}\r\n"), body))
                .await
                .unwrap_err();
            let told = format!("answered {number} at its revocation endpoint");
            assert!(failure.to_string().contains(&told), "{status}: {failure}");
            assert!(
                matches!(failure, Failure::Interfered { status, .. } if status == number),
                "{failure:?}"
            );
        }
    }
    let unsupported = json("404 Not Found", r#"{"error":"unsupported_token_type"}"#);
    assert_eq!(revoked(unsupported).await, Ok(Revoked::Unsupported));
}

#[tokio::test]
async fn what_cannot_be_revoked_is_told_apart_from_what_was_not() {
    let unsupported = json("400 Bad Request", r#"{"error":"unsupported_token_type"}"#);
    assert_eq!(revoked(unsupported).await, Ok(Revoked::Unsupported));
    let mut provider = provider(&"https://as.example/".parse().unwrap());
    provider.settings.revocation_endpoint = None;
    let result = revoke(&http(), &provider, &secret("a"), Hint::AccessToken).await;
    assert_eq!(result, Ok(Revoked::Unsupported));
}

/// Checklist A8.2: after a 503 the token still exists.
#[tokio::test]
async fn after_any_failure_the_token_counts_as_good() {
    let failure = revoked(answer("503 Down", "Retry-After: 9\r\n", ""))
        .await
        .unwrap_err();
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(9)));
    for reply in [
        answer(
            "200 OK",
            "Content-Type: text/html\r\n",
            "<html>Sign in to the network</html>",
        ),
        answer("302 Found", "Location: /\r\n", ""),
        json("200 OK", r#"{"error":"invalid_grant"}"#),
        json("401 Unauthorized", r#"{"error":"invalid_client"}"#),
        Reply::Bytes(Vec::new()),
        Reply::Stall(Vec::new()),
    ] {
        let failure = revoked(reply).await.unwrap_err();
        assert!(!matches!(failure, Failure::InvalidGrant { .. }), "{failure:?}");
    }
}
