//! The routes of the authorization server, with valid and invalid requests. Checklist A13.

use crate::support::{Answer, Fixture, program};
use axum::{body::Body, http::Request};
use serde_json::json;
use tokenry_api::{Issuer, oauth};
use tokenry_core::Caller;

pub(crate) const ISSUER: &str = "http://127.0.0.1:4180";

/// A process that exists for the whole test.
fn browser() -> Caller {
    let uid = rustix::process::getuid().as_raw();
    Caller::Program(tokenry_peer::of_process(uid, std::process::id()))
}

/// A request as the loopback server passes it on.
pub(crate) fn at_loopback(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(browser());
    request.extensions_mut().insert(Issuer(ISSUER.to_owned()));
    request
}

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) async fn post(fixture: &Fixture, path: &str, form: &str) -> Answer {
    fixture.send(at_loopback("POST", path, &[FORM], form)).await
}

/// RFC 6749 §5.2.
fn is_oauth_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status, &answer.json["error"]),
        (status, &json!(error)),
        "{}",
        answer.text
    );
    assert!(
        answer.json["error_description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
}

#[tokio::test]
async fn the_scopes_and_their_descriptions_are_public() {
    let fixture = Fixture::new().await;
    let answer = fixture.ask("GET", "/oauth/scopes", None).await;
    let scopes = answer.json["scopes"].as_array().unwrap();
    assert_eq!((answer.status, scopes.len()), (200, 10));
    assert!(
        scopes
            .iter()
            .all(|scope| scope["description"].as_str().unwrap().len() > 10)
    );
    assert!(
        scopes
            .iter()
            .any(|scope| scope["scope"] == "tokens:read" && scope["concerns_connections"] == true)
    );
    let about_credentials: Vec<_> = scopes
        .iter()
        .filter(|scope| scope["concerns_credentials"] == true)
        .map(|scope| scope["scope"].as_str().unwrap())
        .collect();
    assert_eq!(about_credentials, ["credentials:read", "credentials:write"]);
}

/// RFC 8414 §2, §3.2; A13.9.
#[tokio::test]
async fn the_metadata_is_that_of_the_requested_server() {
    let fixture = Fixture::new().await;
    let path = "/.well-known/oauth-authorization-server";
    let answer = fixture.send(at_loopback("GET", path, &[], "")).await;
    assert_eq!((answer.status, &answer.json["issuer"]), (200, &json!(ISSUER)));
    for (name, path) in [
        ("authorization_endpoint", "/oauth/authorize"),
        ("token_endpoint", "/oauth/token"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
    ] {
        assert_eq!(answer.json[name], format!("{ISSUER}{path}"));
    }
    assert_eq!(answer.json["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(answer.json["response_types_supported"], json!(["code"]));
    assert_eq!(
        answer.json["authorization_response_iss_parameter_supported"],
        true
    );
    assert_eq!(answer.json["scopes_supported"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn a_server_without_browsers_says_which_server_to_enable() {
    let fixture = Fixture::new().await;
    for path in [
        "/.well-known/oauth-authorization-server",
        "/oauth/authorize?client_id=x",
    ] {
        let answer = fixture.ask("GET", path, None).await;
        assert_eq!((answer.status, answer.code()), (503, "oauth_unavailable"));
        assert!(answer.text.contains("loopback"));
    }
}

/// A13.3 and A13.4: a text for the user, not cached and not in a frame, without a `Location`.
#[tokio::test]
async fn an_error_that_must_not_redirect_is_plain_text() {
    let fixture = Fixture::new().await;
    let hostile = "/oauth/authorize?client_id=%3Cscript%3E&redirect_uri=https%3A%2F%2Fevil.example";
    for path in [hostile, "/oauth/authorize", "/oauth/authorize?a=%00"] {
        let answer = fixture.send(at_loopback("GET", path, &[], "")).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/plain")
        );
        assert!(!answer.text.contains("evil") && !answer.text.contains('<'));
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.headers[name], value);
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"));
        let cors = |name: &axum::http::HeaderName| name.as_str().starts_with("access-control-");
        assert!(!answer.headers.keys().any(cors) && !answer.headers.contains_key("location"));
    }
}

/// A13.4: only the user navigates there, not a script, a frame, a preview or a HEAD.
#[tokio::test]
async fn only_a_navigation_by_the_user_is_accepted() {
    let fixture = Fixture::new().await;
    for (name, value) in [
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "websocket"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "image"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
    ] {
        let answer = fixture
            .send(at_loopback("GET", "/oauth/authorize", &[(name, value)], ""))
            .await;
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let answer = fixture
        .send(at_loopback("GET", "/oauth/authorize", &navigation, ""))
        .await;
    assert_eq!(answer.status, 400, "it is judged");
    for method in ["HEAD", "POST"] {
        assert_eq!(
            fixture
                .send(at_loopback(method, "/oauth/authorize", &[], ""))
                .await
                .status,
            405
        );
    }
}

/// A13.9, RFC 6749 §3.2 and §5.2.
#[tokio::test]
async fn an_invalid_client_form_is_answered_as_the_rfc_says() {
    let fixture = Fixture::new().await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        for body in [
            "",
            "client_id=a&client_id=b",
            "client_id=%",
            "x=%00",
            &"a=b&".repeat(40),
        ] {
            is_oauth_error(&post(&fixture, path, body).await, 400, "invalid_request");
        }
        is_oauth_error(
            &post(&fixture, path, &"a".repeat((64 << 10) + 1)).await,
            400,
            "invalid_request",
        );
        is_oauth_error(
            &post(&fixture, path, "client_id=unknown").await,
            401,
            "invalid_client",
        );
        for kind in ["application/json", "text/plain", ""] {
            let request = at_loopback("POST", path, &[("content-type", kind)], "client_id=unknown");
            is_oauth_error(&fixture.send(request).await, 400, "invalid_request");
        }
        let twice = [
            FORM,
            ("authorization", "Basic YTpi"),
            ("authorization", "Basic YTpi"),
        ];
        let answer = fixture.send(at_loopback("POST", path, &twice, "")).await;
        is_oauth_error(&answer, 400, "invalid_request");
        for header in ["Basic YTpi", "Bearer x", "Basic", "Negotiate x"] {
            let headers = [FORM, ("authorization", header)];
            is_oauth_error(
                &fixture.send(at_loopback("POST", path, &headers, "")).await,
                401,
                "invalid_client",
            );
        }
        assert_eq!(fixture.send(at_loopback("GET", path, &[], "")).await.status, 405);
    }
}

/// The window gets no token, and only the consent window decides.
#[tokio::test]
async fn a_window_is_not_a_client_and_only_the_consent_window_decides() {
    let fixture = Fixture::new().await;
    for caller in [Caller::Ui, Caller::Consent] {
        let mut request = at_loopback("POST", "/oauth/token", &[FORM], "client_id=unknown");
        request.extensions_mut().insert(caller);
        is_oauth_error(&fixture.send(request).await, 400, "unauthorized_client");
    }
    let body = json!({
        "client_id": "unknown", "redirect_uri": "https://a.example", "scope": "tokens:read",
        "code_challenge": "x", "code_challenge_method": "S256", "decision": "approve", "number": "0",
    });
    for caller in [Caller::Ui, program()] {
        let answer = fixture
            .ask_as(caller, "POST", "/oauth/consent", Some(body.clone()))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "permission_denied"),
            "{}",
            answer.text
        );
    }
    let answer = fixture
        .ask_as(Caller::Consent, "POST", "/oauth/consent", Some(body))
        .await;
    assert_eq!(
        (answer.status, answer.field("client_id")),
        (400, "is no app that is registered")
    );
    let answer = fixture
        .ask_as(
            Caller::Consent,
            "POST",
            "/oauth/consent",
            Some(json!({"decision": "maybe"})),
        )
        .await;
    assert_eq!((answer.status, answer.code()), (400, "validation_error"));
    // A program is refused before its body is read.
    for (kind, body) in [
        ("application/json", "{"),
        ("text/plain", "x"),
        ("application/json", ""),
    ] {
        let request = Request::builder().method("POST").uri("/oauth/consent");
        let mut request = request
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        request.extensions_mut().insert(program());
        let answer = fixture.send(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "permission_denied"),
            "{kind} {body}"
        );
    }
}

#[tokio::test]
async fn browsers_and_clients_get_an_error_while_locked() {
    let fixture = Fixture::new().await;
    fixture.ask("POST", "/v1/lock", None).await;
    let answer = fixture
        .send(at_loopback("GET", "/oauth/authorize?client_id=x", &[], ""))
        .await;
    assert!(answer.status == 423 && answer.text.contains("locked"));
    is_oauth_error(
        &post(&fixture, "/oauth/token", "client_id=x").await,
        423,
        "temporarily_unavailable",
    );
}

#[test]
fn the_servers_know_which_paths_take_no_bearer_token() {
    for path in [
        "/oauth/scopes",
        "/oauth/authorize",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
    ] {
        assert!(oauth::is_public(path), "{path}");
    }
    for path in [
        "/oauth/consent",
        "/oauth",
        "/oauth/token/",
        "/OAuth/token",
        "//oauth/token",
        "/v1/status",
        "",
    ] {
        assert!(!oauth::is_public(path), "{path}");
    }
    assert!(oauth::takes_a_form("/oauth/token") && !oauth::takes_a_form("/oauth/consent"));
}
