//! The whole authorization code flow of an app over HTTP: registered, allowed by the user, and limited to its grant.
//! Checklist A13.

use crate::{
    oauth::{FORM, ISSUER, at_loopback, post},
    support::{Answer, Fixture, program},
};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokenry_core::{ApiScope, Caller, Secret, Timestamp};
use tokenry_engine::{ConsentMode, NewGrant, Prompt};
use tokenry_testkit::http;
use tower::ServiceExt;
use url::{Url, form_urlencoded};

const CALLBACK: &str = "http://127.0.0.1:9999/cb";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// In the order of the list of scopes, as answers have them.
const SCOPE: &str = "connections:read tokens:read credentials:read";

/// With a connection and a credential of the user.
async fn connected() -> Fixture {
    let fixture = Fixture::asking(ConsentMode::Possible).await;
    let ask = async |path: &str, body: Value| {
        let answer = fixture.ask_as(Caller::Ui, "POST", path, Some(body)).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
        answer.json
    };
    ask("/v1/oauth-providers", fixture.provider("sandbox")).await;
    let started = ask(
        "/v1/oauth-providers/sandbox/authorize",
        json!({"redirect": "paste"}),
    )
    .await;
    let url = started["authorization_url"].as_str().unwrap().parse().unwrap();
    let back = http::get(&url, &[]).unwrap().location().unwrap().to_owned();
    ask("/v1/callback", json!({ "url": back })).await;
    // base64: `weather`
    let raw = json!({"name": "weather-key", "type": "raw", "data": {"value": "d2VhdGhlcg=="}});
    ask("/v1/credentials", raw).await;
    fixture
}

async fn register(fixture: &Fixture, name: &str, public: bool) -> (String, Option<String>) {
    let uris = vec!["http://127.0.0.1/cb".to_owned()];
    let registered = fixture.engine.register_app(&Caller::Ui, name, uris, public).await;
    let (app, token) = registered.unwrap();
    (app.id.to_string(), token.map(|token| token.expose().to_owned()))
}

fn request(client_id: &str) -> String {
    request_for(client_id, SCOPE)
}

fn request_for(client_id: &str, scope: &str) -> String {
    let pairs = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("state", "a state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    format!("/oauth/authorize?{}", form(&pairs))
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn question(fixture: &Fixture) -> Prompt {
    let begun = Instant::now();
    loop {
        if let Some(prompt) = fixture.engine.prompts(&Caller::Consent).unwrap().pop() {
            return prompt;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The browser waits while the consent window decides.
async fn decided(fixture: &Fixture, client_id: &str, decision: &str) -> Answer {
    let path = request(client_id);
    let (answer, ()) = tokio::join!(fixture.send(at_loopback("GET", &path, &[], "")), async {
        let prompt = question(fixture).await;
        let connections: Vec<_> = prompt
            .choices
            .iter()
            .map(|choice| choice.connection.uuid())
            .collect();
        let credentials: Vec<_> = prompt
            .credential_choices
            .iter()
            .map(|choice| choice.credential.uuid())
            .collect();
        let body = json!({
            "client_id": client_id, "redirect_uri": CALLBACK, "scope": SCOPE,
            "state": "a state", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
            "decision": decision, "number": prompt.number.expose(), "connections": connections,
            "credentials": credentials,
        });
        let wrong = fixture
            .ask_as(program(), "POST", "/oauth/consent", Some(body.clone()))
            .await;
        assert_eq!(wrong.status, 403);
        let answer = fixture
            .ask_as(Caller::Consent, "POST", "/oauth/consent", Some(body))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    });
    answer
}

fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
    let mut pairs = location.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn exchange(code: &str, more: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    pairs.extend(more);
    form(&pairs)
}

/// A request with a bearer token, as a server would pass it on.
async fn with_bearer(fixture: &Fixture, token: &str, method: &str, path: &str) -> Answer {
    match fixture
        .engine
        .authenticate(&Secret::new(token.to_owned()), None)
        .await
    {
        Ok(caller) => fixture.ask_as(caller, method, path, None).await,
        Err(_) => Answer {
            status: 401,
            headers: Default::default(),
            text: String::new(),
            json: json!(null),
        },
    }
}

#[tokio::test]
async fn an_app_completes_the_flow_and_may_do_nothing_beyond_its_grant() {
    let fixture = connected().await;
    let (id, none) = register(&fixture, "script", true).await;
    assert_eq!(none, None);
    let answer = decided(&fixture, &id, "approve").await;
    assert_eq!(answer.status, 303);
    assert!(answer.headers["location"].to_str().unwrap().starts_with(CALLBACK));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    assert_eq!(parameter(&answer, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&answer, "iss").as_deref(), Some(ISSUER));
    let code = parameter(&answer, "code").unwrap();

    let given = post(&fixture, "/oauth/token", &exchange(&code, &[("client_id", &id)])).await;
    assert_eq!(
        (given.status, &given.json["token_type"]),
        (200, &json!("Bearer")),
        "{}",
        given.text
    );
    assert_eq!(given.json["scope"], SCOPE);
    assert_eq!(given.json["expires_in"], 3600);
    assert_eq!(given.headers["cache-control"], "no-store");
    let access = given.json["access_token"].as_str().unwrap();

    assert_eq!(
        with_bearer(&fixture, access, "GET", "/v1/connections")
            .await
            .status,
        200
    );
    let token = with_bearer(&fixture, access, "POST", "/v1/connections/sandbox/token").await;
    assert!(token.json["access_token"].is_string(), "{}", token.text);
    let credential = with_bearer(&fixture, access, "GET", "/v1/credentials/weather-key").await;
    assert_eq!(
        credential.json["data"]["value"], "d2VhdGhlcg==",
        "{}",
        credential.text
    );
    for (method, path) in [
        ("GET", "/v1/events"),
        ("GET", "/v1/oauth-providers"),
        ("DELETE", "/v1/connections/sandbox"),
        ("DELETE", "/v1/credentials/weather-key"),
        ("GET", "/v1/apps"),
    ] {
        let answer = with_bearer(&fixture, access, method, path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "permission_denied"),
            "{method} {path}"
        );
    }

    let revoking = form(&[
        ("token", given.json["refresh_token"].as_str().unwrap()),
        ("client_id", &id),
    ]);
    assert_eq!(post(&fixture, "/oauth/revoke", &revoking).await.status, 200);
    assert_eq!(
        with_bearer(&fixture, access, "GET", "/v1/connections")
            .await
            .status,
        401
    );
    assert_eq!(
        post(&fixture, "/oauth/revoke", &revoking).await.status,
        200,
        "RFC 7009 §2.2"
    );
}

#[tokio::test]
async fn an_app_with_a_secret_is_prompted_once_and_may_introspect_its_own_tokens() {
    let fixture = connected().await;
    let (id, secret) = register(&fixture, "server", false).await;
    let secret = secret.unwrap();
    decided(&fixture, &id, "approve").await;
    let at_once = fixture
        .send(at_loopback("GET", &request("server"), &[], ""))
        .await;
    let code = parameter(&at_once, "code").unwrap();
    let proof = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let given = post(&fixture, "/oauth/token", &exchange(&code, &proof)).await;
    assert_eq!(given.status, 200, "{}", given.text);
    let access = given.json["access_token"].as_str().unwrap();
    let mut asked = vec![("token", access)];
    asked.extend(proof);
    let told = post(&fixture, "/oauth/introspect", &form(&asked)).await;
    assert_eq!(
        (told.status, &told.json["active"], &told.json["client_id"]),
        (200, &json!(true), &json!(id))
    );
    asked[0].1 = "unknown";
    assert_eq!(
        post(&fixture, "/oauth/introspect", &form(&asked)).await.json,
        json!({"active": false})
    );
    let again = post(&fixture, "/oauth/token", &exchange(&code, &proof)).await;
    assert_eq!(
        (again.status, &again.json["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(
        with_bearer(&fixture, access, "GET", "/v1/connections")
            .await
            .status,
        401,
        "A13.2"
    );
    let wrong = [FORM, ("authorization", "Basic c2VydmVyOndyb25n")];
    let answer = fixture
        .send(at_loopback("POST", "/oauth/token", &wrong, &exchange(&code, &[])))
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"Tokenry\"");
}

/// No other change makes the engine check the token again.
#[tokio::test]
async fn an_idle_stream_of_changes_ends_with_its_access_token() {
    let fixture = Fixture::new().await;
    let (id, secret) = register(&fixture, "listener", false).await;
    // No token outlives the grant it came from.
    let end = Timestamp::now() + Duration::from_secs(4);
    let grant = NewGrant {
        app: id.clone(),
        scopes: [ApiScope::ActivityRead].into(),
        expires_at: Some(end),
        ..NewGrant::default()
    };
    fixture.engine.give_grant(&Caller::Ui, grant).await.unwrap();
    let path = request_for(&id, "activity:read");
    let answer = fixture.send(at_loopback("GET", &path, &[], "")).await;
    let proof = [
        ("client_id", id.as_str()),
        ("client_secret", secret.as_deref().unwrap()),
    ];
    let code = parameter(&answer, "code").unwrap();
    let given = post(&fixture, "/oauth/token", &exchange(&code, &proof)).await;
    let token = Secret::new(given.json["access_token"].as_str().unwrap().to_owned());

    let mut stream = Request::get("/v1/events/stream").body(Body::empty()).unwrap();
    let caller = fixture.engine.authenticate(&token, None).await.unwrap();
    stream.extensions_mut().insert(caller);
    let heard = fixture.router.clone().oneshot(stream).await.unwrap();
    assert_eq!(heard.status(), 200);
    let whole = tokio::time::timeout(Duration::from_secs(30), heard.into_body().collect()).await;
    whole.expect("an end").unwrap();
    assert!(Timestamp::now() >= end);
}

#[tokio::test]
async fn a_denial_is_sent_to_the_app_with_its_state() {
    let fixture = connected().await;
    let (id, _) = register(&fixture, "script", true).await;
    let answer = decided(&fixture, &id, "deny").await;
    assert_eq!(answer.status, 303);
    assert_eq!(parameter(&answer, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&answer, "iss").as_deref(), Some(ISSUER));
}

/// A13.3: only the registered redirect URI is accepted, and no prompt is shown for another one.
#[tokio::test]
async fn an_unregistered_redirect_uri_gets_nothing() {
    let fixture = connected().await;
    let (id, _) = register(&fixture, "script", true).await;
    for other in [
        "http%3A%2F%2F127.0.0.1%3A9999%2Fother",
        "https%3A%2F%2Fevil.example%2Fcb",
    ] {
        let path = request(&id).replace("http%3A%2F%2F127.0.0.1%3A9999%2Fcb", other);
        let answer = fixture.send(at_loopback("GET", &path, &[], "")).await;
        assert_eq!((answer.status, answer.headers.get("location")), (400, None));
    }
    assert!(fixture.engine.prompts(&Caller::Consent).unwrap().is_empty());
}

/// SECURITY.md, Local interfaces: a refused attempt is in the activity log, without the value.
#[tokio::test]
async fn wrong_client_secrets_codes_and_refresh_tokens_are_in_the_log_without_their_values() {
    let fixture = Fixture::new().await;
    let (id, secret) = register(&fixture, "server", false).await;
    let secret = secret.unwrap();
    let proof = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let wrong = [("client_id", id.as_str()), ("client_secret", "c4n4ry-secret")];
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "tkr_c4n4ry"),
        proof[0],
        proof[1],
    ];
    for (form, code) in [
        (exchange("c4n4ry-code", &wrong), "invalid_client"),
        (exchange("c4n4ry-code", &proof), "invalid_grant"),
        (self::form(&refresh), "invalid_grant"),
    ] {
        let answer = post(&fixture, "/oauth/token", &form).await;
        assert_eq!(answer.json["error"], json!(code), "{}", answer.text);
    }
    let log = fixture
        .ask_as(Caller::Ui, "GET", "/v1/events?outcome=refused", None)
        .await;
    let events = log.json["events"].as_array().unwrap();
    let refused = events.iter().filter(|event| event["kind"] == "app_refused");
    let count: u64 = refused.map(|event| event["count"].as_u64().unwrap_or(1)).sum();
    assert_eq!(count, 3, "{}", log.text);
    assert!(
        !log.text.contains("c4n4ry") && !log.text.contains(&secret),
        "{}",
        log.text
    );
}
