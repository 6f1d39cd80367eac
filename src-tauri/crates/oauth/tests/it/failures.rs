//! Each way to fail is told apart by what it means for the token that was sent (checklist A4.12).

use crate::server::{Reply, Server, answer, http, json, provider, secret};
use std::time::Duration;
use tokenry_core::Code;
use tokenry_oauth::{Answer, Failure, refresh::refresh};

const GOOD: &str = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r2"}"#;

async fn refreshed(reply: Reply) -> Result<Answer, Failure> {
    let server = Server::start(reply).await;
    let result = refresh(&http(), &provider(&server.url), &secret("r1")).await;
    assert_eq!(
        server.requests().len(),
        1,
        "sent once, whatever the answer (security.md, Refresh, 4)"
    );
    result
}

async fn failed(reply: Reply) -> Failure {
    refreshed(reply).await.unwrap_err()
}

#[tokio::test]
async fn a_server_that_is_not_there_was_sent_nothing() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{gone}/token").parse().unwrap();
        let failure = refresh(&http(), &provider(&url), &secret("r1"))
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::NotSent { .. }), "{failure:?}");
        assert_eq!(failure.code(), Code::ProviderUnreachable);
    }
}

/// security.md, Outbound: https only, but for this machine.
#[tokio::test]
async fn plain_http_to_another_machine_is_not_sent() {
    for address in [
        "http://192.0.2.1/token",
        "http://as.example/token",
        "ftp://127.0.0.1/",
        "http://u:p@127.0.0.1/",
    ] {
        let url = address.parse().unwrap();
        let failure = refresh(&http(), &provider(&url), &secret("r1"))
            .await
            .unwrap_err();
        assert!(
            matches!(&failure, Failure::NotSent { message } if message.contains("nothing was sent")),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_request_without_a_readable_answer_may_have_been_heard() {
    let success = |body: &str| json("200 OK", body);
    let long = format!(r#"{{"access_token":"a","pad":"{}"}}"#, "x".repeat(256 * 1024));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n";
    for (name, reply) in [
        ("silence", Reply::Stall(Vec::new())),
        ("closed at once", Reply::Bytes(Vec::new())),
        (
            "half a head",
            Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
        ),
        ("not HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        (
            "a body that stops",
            Reply::Stall(format!("{head}{{\"access_token\":").into()),
        ),
        (
            "a body that breaks off before the refresh token",
            Reply::Bytes(format!("{head}{}", &GOOD[..50]).into()),
        ),
        ("more than 256 KiB", success(&long)),
        ("nothing", success("")),
        ("no JSON", success("not json")),
        ("a list", success("[]")),
        ("half of it", success(&GOOD[..30])),
        (
            "a repeated key",
            success(r#"{"access_token":"a","access_token":"b"}"#),
        ),
        (
            "a repeated key in an escape",
            success(r#"{"access_token":"a","\u0061ccess_token":"b"}"#),
        ),
        ("no token", success(r#"{"token_type":"Bearer"}"#)),
        ("an empty token", success(r#"{"access_token":""}"#)),
        ("a token that is no text", success(r#"{"access_token":7}"#)),
        (
            "token and error",
            success(r#"{"access_token":"a","error":"invalid_grant"}"#),
        ),
        (
            "compressed, unasked",
            answer(
                "200 OK",
                "Content-Encoding: gzip\r\nContent-Type: application/json\r\n",
                "\u{1f}",
            ),
        ),
        (
            "a form with a key twice",
            answer(
                "200 OK",
                "Content-Type: application/x-www-form-urlencoded\r\n",
                "access_token=a&access_token=b",
            ),
        ),
    ] {
        let failure = failed(reply).await;
        assert!(
            matches!(failure, Failure::Unanswered { .. }),
            "{name}: {failure:?}"
        );
        assert_eq!(failure.code(), Code::ProviderUnreachable);
    }
}

/// security.md, Refresh, 8: nothing but `invalid_grant` ends a grant.
#[tokio::test]
async fn what_a_proxy_or_an_overloaded_server_says_is_not_about_the_grant() {
    let html = "Content-Type: text/html\r\n";
    let grant = r#"{"error":"invalid_grant"}"#;
    for (name, reply) in [
        (
            "captive portal",
            answer("200 OK", html, "<!doctype html><title>Sign in</title>"),
        ),
        (
            "HTML that does not say so",
            answer("200 OK", "", "  \n<html></html>"),
        ),
        ("HTML that claims to be JSON", json("200 OK", "<html></html>")),
        ("firewall", answer("403 Forbidden", html, "<html>Blocked</html>")),
        (
            "firewall in plain text",
            answer("403 Forbidden", "Content-Type: text/plain\r\n", "blocked"),
        ),
        ("not found", answer("404 Not Found", "", "404")),
        ("a refusal cut short", json("400 Bad Request", &grant[..15])),
        (
            "a proxy's password",
            json("407 Proxy Authentication Required", grant),
        ),
        (
            "a 503 inside of a 200",
            json("200 OK", r#"{"status":503,"error":"down"}"#),
        ),
        (
            "a rate limit in other words",
            json("400 Bad Request", r#"{"error":{"code":"rate-limit-exceeded"}}"#),
        ),
        ("408", json("408 Request Timeout", grant)),
        ("425", json("425 Too Early", grant)),
        ("429", json("429 Too Many Requests", grant)),
        ("500", json("500 Internal Server Error", grant)),
        ("a success that is a 503", json("503 Service Unavailable", GOOD)),
        (
            "temporarily_unavailable",
            json("400 Bad Request", r#"{"error":"temporarily_unavailable"}"#),
        ),
        ("server_error", json("200 OK", r#"{"error":"server_error"}"#)),
        ("slow_down", json("400 Bad Request", r#"{"error":"slow_down"}"#)),
        ("304", answer("304 Not Modified", "", "")),
    ] {
        let failure = failed(reply).await;
        assert!(
            matches!(failure, Failure::Interfered { .. }),
            "{name}: {failure:?}"
        );
        assert_eq!(failure.code(), Code::ProviderUnreachable);
    }
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let wait = |value: &str, date: &str| answer("503 Down", &format!("{date}Retry-After: {value}\r\n"), "");
    let now = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    for (reply, seconds) in [
        (wait("7", ""), Some(7)),
        (wait("0", ""), Some(1)),
        (wait("999999", ""), Some(3600)),
        (wait("Sun, 06 Nov 1994 08:50:07 GMT", now), Some(30)),
        (wait("rubbish", now), None),
        (answer("503 Down", "", ""), None),
    ] {
        assert_eq!(
            failed(reply).await.retry_after(),
            seconds.map(Duration::from_secs)
        );
    }
}

#[tokio::test]
async fn only_well_formed_json_that_says_invalid_grant_ends_a_grant() {
    let told = r#"{"error":"invalid_grant","error_description":"Token\u202e has\nbeen revoked"}"#;
    for status in ["400 Bad Request", "401 Unauthorized", "200 OK"] {
        let failure = failed(json(status, told)).await;
        assert_eq!(
            failure,
            Failure::InvalidGrant {
                description: Some("Token has been revoked".into())
            }
        );
        assert_eq!(failure.code(), Code::ProviderError);
    }
}

/// security.md, Refresh, 8: "dead" in other words counts only when it comes twice, so it is told apart.
#[tokio::test]
async fn a_refusal_in_other_words_is_the_providers_own_and_shows_them() {
    let bad = "400 Bad Request";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let grant = r#"{"error":"invalid_grant","error_description":"gone"}"#;
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    for (reply, words) in [
        (json("403 Forbidden", grant), "invalid_grant (“gone”)"),
        (json("404 Not Found", grant), "invalid_grant (“gone”)"),
        (answer(bad, html, grant), "invalid_grant (“gone”)"),
        (
            answer(bad, form, "error=invalid_grant&error_description=gone"),
            "invalid_grant (“gone”)",
        ),
        (answer(bad, form, "message=Token+is+gone"), "Token is gone"),
        (
            answer(bad, "Content-Type: text/plain\r\n", "error=expired_token"),
            "expired_token",
        ),
        (answer(bad, html, "error=expired_token"), "expired_token"),
        (
            json("200 OK", r#"{"error":"bad_refresh_token"}"#),
            "bad_refresh_token",
        ),
        (json(bad, r#"{"error":"invalid_code"}"#), "invalid_code"),
        (
            json(
                bad,
                r#"{"error":"interaction_required","error_description":"A.\r\nB: 1"}"#,
            ),
            "interaction_required (“A. B: 1”)",
        ),
        (
            json(
                bad,
                r#"{"error":"invalid_request","error_description":"refresh token is invalid"}"#,
            ),
            "invalid_request (“refresh token is invalid”)",
        ),
        (
            json(
                "401 Unauthorized",
                r#"{"errors":[{"errorType":"invalid_grant"}]}"#,
            ),
            "invalid_grant",
        ),
        (
            json(bad, r#"{"status":400,"message":"Invalid refresh token"}"#),
            "Invalid refresh token",
        ),
        (
            json("200 OK", r#"{"status":401,"error":"Unauthorized"}"#),
            "Unauthorized",
        ),
        (
            json("200 OK", r#"{"success":false,"message":"token expired"}"#),
            "token expired",
        ),
        (json("401 Unauthorized", r#"{"message":"no"}"#), "no"),
        (json(bad, r#"["no"]"#), "no"),
        (
            json(bad, r#"{"error":"invalid_grant"} "#).and(b"x"),
            "invalid_grant",
        ),
        (json(bad, "{}"), "HTTP 400"),
        (json(bad, ""), "HTTP 400"),
        (answer("401 Unauthorized", html, " \r\n"), "HTTP 401"),
        (answer("403 Forbidden", "", ""), "HTTP 403"),
        (
            json(
                "401 Unauthorized",
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: x\r\ny"}"#,
            ),
            "invalid_client (“AADSTS7000215: x y”)",
        ),
    ] {
        let failure = failed(reply).await;
        assert!(matches!(failure, Failure::Rejected { .. }), "{failure:?}");
        assert_eq!(failure.refusal().unwrap().words, words);
        assert!(failure.to_string().contains(words), "{failure}");
    }
    let repeated = failed(json(bad, r#"{"message":"r1-and-more-of-it is unknown"}"#)).await;
    assert!(
        repeated.to_string().contains("r1-and-more-of-it"),
        "only what was sent is hidden"
    );
}

#[tokio::test]
async fn a_token_that_the_server_repeats_in_its_error_is_not_shown() {
    let server = Server::start(json("400 Bad Request", r#"{"message":"unknown: CANARY-token"}"#)).await;
    let failure = refresh(&http(), &provider(&server.url), &secret("CANARY-token"))
        .await
        .unwrap_err();
    assert_eq!(failure.refusal().unwrap().words, "unknown: …");
    assert!(
        !format!("{failure:?} {failure}").contains("CANARY"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn other_errors_of_the_provider_are_passed_on_cleaned() {
    for (reply, error, description, status) in [
        (
            json("401 Unauthorized", r#"{"error":"invalid_client"}"#),
            "invalid_client",
            None,
            401,
        ),
        (
            json(
                "400 Bad Request",
                r#"{"error":"invalid_scope","error_description":"<b>no</b>"}"#,
            ),
            "invalid_scope",
            Some("<b>no</b>"),
            400,
        ),
        // GitHub's way: an error inside a success.
        (
            json("200 OK", r#"{"error":"bad_refresh_token"}"#),
            "bad_refresh_token",
            None,
            200,
        ),
        // Meta's way: an object in place of the code.
        (
            json(
                "400 Bad Request",
                r#"{"error":{"message":"Bad","type":"OAuthException","code":190}}"#,
            ),
            "OAuthException",
            Some("Bad"),
            400,
        ),
    ] {
        let expected = Failure::Rejected {
            error: error.into(),
            description: description.map(str::to_owned),
            status,
        };
        assert_eq!(failed(reply).await, expected);
    }
    let endless = format!(r#"{{"error":"{}"}}"#, "x".repeat(100_000));
    assert!(failed(json("400 Bad Request", &endless)).await.to_string().len() < 400);
}

/// Checklist A4.6: refuse a token type that cannot be used.
#[tokio::test]
async fn a_token_that_cannot_be_used_is_refused() {
    for body in [
        r#"{"access_token":"a","token_type":"DPoP"}"#,
        r#"{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}"#,
        r#"{"access_token":"ä","token_type":"Bearer"}"#,
    ] {
        let failure = failed(json("200 OK", body)).await;
        assert!(matches!(failure, Failure::Unusable { .. }), "{failure:?}");
        assert_eq!(failure.code(), Code::ProviderError);
    }
}

/// Checklist A4.5, security.md, Outbound: no redirect is followed.
#[tokio::test]
async fn a_redirect_is_an_error_and_the_other_server_sees_nothing() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let other = Server::start(json("200 OK", GOOD)).await;
        let location = format!("Location: {}\r\n", other.url);
        let failure = failed(answer(status, &location, "")).await;
        assert!(
            matches!(
                failure,
                Failure::Interfered {
                    status: 300..=399,
                    ..
                }
            ),
            "{failure:?}"
        );
        assert!(other.requests().is_empty());
    }
}
