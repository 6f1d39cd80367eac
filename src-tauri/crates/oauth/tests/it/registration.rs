//! Dynamic client registration, at servers that answer well and badly (checklist A6.8 to A6.10).

use crate::server::{Reply, Server, answer, http, json, provider, secret};
use tokenry_core::{Provider, Scopes, TokenEndpointAuthMethod as Method};
use tokenry_oauth::Failure;
use tokenry_oauth::registration::{Granted, Problem, Wish, delete, register};

const OURS: &str = "http://127.0.0.1:28101/cb/example";

pub(crate) fn wish() -> Wish {
    Wish {
        redirect_uris: vec![OURS.to_owned()],
        auth_method: Method::None,
        grant_types: vec!["authorization_code".to_owned()],
        scopes: Scopes::parse("read write"),
        as_app: false,
        initial_access_token: None,
    }
}

pub(crate) fn at(server: &Server) -> Provider {
    let mut provider = provider(&server.url);
    provider.settings.registration_endpoint = Some(server.url.to_string());
    provider.settings.issuer = Some("https://as.example".to_owned());
    provider
}

async fn registered(reply: Reply, wish: &Wish) -> Result<Granted, Problem> {
    let server = Server::start(reply).await;
    register(&http(), &server.url, &at(&server), wish).await
}

async fn created(body: &str) -> Result<Granted, Problem> {
    registered(json("201 Created", body), &wish()).await
}

#[tokio::test]
async fn a_native_client_is_registered_and_what_was_granted_is_read_back() {
    let body = r#"{"client_id":"c1","client_secret":"CANARY-secret","client_secret_expires_at":1893456000,
        "token_endpoint_auth_method":"client_secret_post","scope":"read","registration_client_uri":"{url}",
        "registration_access_token":"CANARY-token","redirect_uris":["http://127.0.0.1:28101/cb/example"]}"#;
    let server = Server::start(json(
        "201 Created",
        &body.replace("{url}", "https://127.0.0.1/c1"),
    ))
    .await;
    let mut wish = wish();
    wish.initial_access_token = Some(secret("CANARY-initial"));
    let granted = register(&http(), &server.url, &at(&server), &wish).await.unwrap();
    let request = server.request();
    assert!(
        request.contains("authorization: Bearer CANARY-initial\r\n"),
        "{request}"
    );
    for member in [
        r#""application_type":"native""#,
        r#""redirect_uris":["http://127.0.0.1:28101/cb/example"]"#,
        r#""token_endpoint_auth_method":"none""#,
        r#""client_name":"Tokenry""#,
        r#""scope":"read write""#,
    ] {
        assert!(request.contains(member), "{member}: {request}");
    }
    assert_eq!(granted.registration.client_id, "c1");
    assert_eq!(granted.registration.issuer, "https://as.example");
    assert_eq!(granted.auth_method, Method::ClientSecretPost);
    assert_eq!(granted.scopes, Some(Scopes::parse("read")));
    let ends_at = granted.registration.client_secret_expires_at.unwrap();
    assert_eq!(ends_at.as_second(), 1_893_456_000);
    assert!(!format!("{granted:?}").contains("CANARY"));
}

#[tokio::test]
async fn what_a_server_leaves_out_has_its_default() {
    let granted = created(r#"{"client_id":"c1","client_secret_expires_at":0}"#)
        .await
        .unwrap();
    assert_eq!(granted.auth_method, Method::None);
    assert_eq!(granted.registration.client_secret_expires_at, None);
    let granted = created(r#"{"client_id":"c1","client_secret":"s"}"#)
        .await
        .unwrap();
    assert_eq!(granted.auth_method, Method::ClientSecretBasic);
    let public = r#"{"client_id":"c1","client_secret":"s","token_endpoint_auth_method":"none"}"#;
    assert!(created(public).await.unwrap().client_secret.is_none());
    // A place that Tokenry would not send anything to is none.
    let elsewhere = r#"{"client_id":"c1","registration_client_uri":"https://10.0.0.1/x"}"#;
    assert_eq!(created(elsewhere).await.unwrap().registration.uri, None);
}

#[tokio::test]
async fn hostile_registrations_are_not_used() {
    let long = format!(r#"{{"client_id":"{}"}}"#, "a".repeat(5000));
    for (body, why) in [
        ("{}", "no client_id"),
        (r#"{"client_id":7}"#, "no client_id"),
        (r#"{"client_id":"a\nb"}"#, "cannot be one"),
        (long.as_str(), "cannot be one"),
        (r#"{"client_id":"a","client_id":"b"}"#, "repeats a key"),
        (
            r#"{"client_id":"a","redirect_uris":["https://evil.example"]}"#,
            "other redirect URIs",
        ),
        (
            r#"{"client_id":"a","token_endpoint_auth_method":"private_key_jwt"}"#,
            "did not ask for",
        ),
        (
            r#"{"client_id":"a","token_endpoint_auth_method":"client_secret_post"}"#,
            "gave none",
        ),
        (r#"{"client_id":"a","client_secret":"a\u0000"}"#, "cannot be one"),
        ("<html>", "cannot be used"),
        (r#"{"client_id":"a""#, "ends too early"),
    ] {
        match created(body).await {
            Err(Problem::Failure(Failure::Unusable { message })) => {
                assert!(message.contains(why), "{message}")
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

/// Checklist A6.9.
#[tokio::test]
async fn refusals_are_told_in_words() {
    let refused = async |status: &str, body: &str| registered(json(status, body), &wish()).await.unwrap_err();
    for (body, why) in [
        (
            r#"{"error":"invalid_client_metadata"}"#,
            "does not accept what Tokenry says",
        ),
        (
            r#"{"error":"unapproved_software_statement"}"#,
            "only programs that it has approved",
        ),
        (
            r#"{"error":"odd","error_description":"no\u202eway"}"#,
            "answered odd (“noway”)",
        ),
        ("nothing", "answered 400"),
    ] {
        let problem = refused("400 Bad Request", body).await;
        let Problem::Failure(failure) = problem else {
            panic!("{body}: {problem:?}");
        };
        assert!(failure.to_string().contains(why), "{failure}");
    }
    for (body, is_redirect) in [
        (r#"{"error":"invalid_redirect_uri"}"#, true),
        (
            r#"{"error":"invalid_client_metadata","error_description":"bad redirect_uris"}"#,
            true,
        ),
        (
            r#"{"error":"invalid_client_metadata","error_description":"bad name"}"#,
            false,
        ),
    ] {
        let problem = refused("400 Bad Request", body).await;
        assert_eq!(matches!(problem, Problem::RedirectUri(_)), is_redirect, "{body}");
    }
    let Problem::Failure(failure) = refused("401 Unauthorized", "").await else {
        panic!("this is not about redirects");
    };
    assert!(failure.to_string().contains("initial access token"), "{failure}");
}

#[tokio::test]
async fn a_registration_is_never_sent_elsewhere() {
    let redirect = answer(
        "307 Temporary Redirect",
        "Location: https://evil.example/\r\n",
        "",
    );
    assert!(registered(redirect, &wish()).await.is_err());
    let server = Server::start(json("201 Created", r#"{"client_id":"c1"}"#)).await;
    for private in [
        "http://as.example/r",
        "https://10.0.0.1/r",
        "https://u:p@as.example/r",
    ] {
        let mut provider = at(&server);
        provider.settings.registration_endpoint = Some(private.to_owned());
        let typed = "https://as.example".parse().unwrap();
        let refused = register(&http(), &typed, &provider, &wish()).await.unwrap_err();
        assert!(
            matches!(refused, Problem::Failure(Failure::NotSent { .. })),
            "{refused:?}"
        );
    }
}

/// Checklist A6.10.
#[tokio::test]
async fn a_registration_is_deleted_with_its_token_where_the_server_gave_a_way() {
    for (status, is_deleted) in [
        ("204 No Content", Some(true)),
        ("404 Not Found", Some(true)),
        ("500 Oh", None),
    ] {
        let server = Server::start(answer(status, "", "")).await;
        let granted = created(r#"{"client_id":"c1","registration_access_token":"t-t-t-t"}"#)
            .await
            .unwrap();
        let mut registration = granted.registration;
        let without = delete(&http(), &at(&server), &registration).await;
        assert_eq!(without.ok(), Some(false));
        registration.uri = Some(server.url.to_string());
        let deleted = delete(&http(), &at(&server), &registration).await;
        assert_eq!(deleted.ok(), is_deleted, "{status}");
        let request = server.request();
        assert!(
            request.starts_with("DELETE ") && request.contains("Bearer t-t-t-t"),
            "{request}"
        );
    }
}
