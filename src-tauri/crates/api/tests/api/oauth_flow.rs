//! An app's whole way through the authorization server, over HTTP: registered, allowed by the person, and let in no
//! further than that. Checklist A13.

use crate::{
    oauth::{FORM, ISSUER, at_loopback, post},
    support::{Answer, House, program},
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

/// One with a connection and a credential, made by its person.
async fn connected() -> House {
    let house = House::asking(ConsentMode::Possible).await;
    let ask = async |path: &str, body: Value| {
        let answer = house.ask_as(Caller::Ui, "POST", path, Some(body)).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
        answer.json
    };
    ask("/v1/oauth-providers", house.provider("sandbox")).await;
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
    house
}

async fn register(house: &House, name: &str, public: bool) -> (String, Option<String>) {
    let uris = vec!["http://127.0.0.1/cb".to_owned()];
    let registered = house.engine.register_app(&Caller::Ui, name, uris, public).await;
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

async fn question(house: &House) -> Prompt {
    let begun = Instant::now();
    loop {
        if let Some(prompt) = house.engine.prompts(&Caller::Consent).unwrap().pop() {
            return prompt;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The browser waits; the window that asks decides.
async fn decided(house: &House, client_id: &str, decision: &str) -> Answer {
    let path = request(client_id);
    let (answer, ()) = tokio::join!(house.send(at_loopback("GET", &path, &[], "")), async {
        let prompt = question(house).await;
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
        let wrong = house
            .ask_as(program(), "POST", "/oauth/consent", Some(body.clone()))
            .await;
        assert_eq!(wrong.status, 403);
        let answer = house
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

/// What the bearer of a token is let do, as a door would ask.
async fn with_bearer(house: &House, token: &str, method: &str, path: &str) -> Answer {
    match house
        .engine
        .authenticate(&Secret::new(token.to_owned()), None)
        .await
    {
        Ok(caller) => house.ask_as(caller, method, path, None).await,
        Err(_) => Answer {
            status: 401,
            headers: Default::default(),
            text: String::new(),
            json: json!(null),
        },
    }
}

#[tokio::test]
async fn an_app_goes_all_the_way_and_is_let_no_further() {
    let house = connected().await;
    let (id, none) = register(&house, "script", true).await;
    assert_eq!(none, None);
    let answer = decided(&house, &id, "approve").await;
    assert_eq!(answer.status, 303);
    assert!(answer.headers["location"].to_str().unwrap().starts_with(CALLBACK));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    assert_eq!(parameter(&answer, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&answer, "iss").as_deref(), Some(ISSUER));
    let code = parameter(&answer, "code").unwrap();

    let given = post(&house, "/oauth/token", &exchange(&code, &[("client_id", &id)])).await;
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
        with_bearer(&house, access, "GET", "/v1/connections").await.status,
        200
    );
    let token = with_bearer(&house, access, "POST", "/v1/connections/sandbox/token").await;
    assert!(token.json["access_token"].is_string(), "{}", token.text);
    let credential = with_bearer(&house, access, "GET", "/v1/credentials/weather-key").await;
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
        let answer = with_bearer(&house, access, method, path).await;
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
    assert_eq!(post(&house, "/oauth/revoke", &revoking).await.status, 200);
    assert_eq!(
        with_bearer(&house, access, "GET", "/v1/connections").await.status,
        401
    );
    assert_eq!(
        post(&house, "/oauth/revoke", &revoking).await.status,
        200,
        "RFC 7009 §2.2"
    );
}

#[tokio::test]
async fn an_app_with_a_secret_is_asked_about_once_and_may_look_at_its_own_tokens() {
    let house = connected().await;
    let (id, secret) = register(&house, "server", false).await;
    let secret = secret.unwrap();
    decided(&house, &id, "approve").await;
    let at_once = house.send(at_loopback("GET", &request("server"), &[], "")).await;
    let code = parameter(&at_once, "code").unwrap();
    let proof = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let given = post(&house, "/oauth/token", &exchange(&code, &proof)).await;
    assert_eq!(given.status, 200, "{}", given.text);
    let access = given.json["access_token"].as_str().unwrap();
    let mut asked = vec![("token", access)];
    asked.extend(proof);
    let told = post(&house, "/oauth/introspect", &form(&asked)).await;
    assert_eq!(
        (told.status, &told.json["active"], &told.json["client_id"]),
        (200, &json!(true), &json!(id))
    );
    asked[0].1 = "unknown";
    assert_eq!(
        post(&house, "/oauth/introspect", &form(&asked)).await.json,
        json!({"active": false})
    );
    let again = post(&house, "/oauth/token", &exchange(&code, &proof)).await;
    assert_eq!(
        (again.status, &again.json["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(
        with_bearer(&house, access, "GET", "/v1/connections").await.status,
        401,
        "A13.2"
    );
    let wrong = [FORM, ("authorization", "Basic c2VydmVyOndyb25n")];
    let answer = house
        .send(at_loopback("POST", "/oauth/token", &wrong, &exchange(&code, &[])))
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"Tokenry\"");
}

/// Nothing happens that would make it look at the token again.
#[tokio::test]
async fn a_quiet_stream_of_changes_ends_with_the_access_token_it_was_asked_with() {
    let house = House::new().await;
    let (id, secret) = register(&house, "listener", false).await;
    // No token outlives the grant it came from.
    let end = Timestamp::now() + Duration::from_secs(4);
    let grant = NewGrant {
        app: id.clone(),
        scopes: [ApiScope::ActivityRead].into(),
        expires_at: Some(end),
        ..NewGrant::default()
    };
    house.engine.give_grant(&Caller::Ui, grant).await.unwrap();
    let path = request_for(&id, "activity:read");
    let answer = house.send(at_loopback("GET", &path, &[], "")).await;
    let proof = [
        ("client_id", id.as_str()),
        ("client_secret", secret.as_deref().unwrap()),
    ];
    let code = parameter(&answer, "code").unwrap();
    let given = post(&house, "/oauth/token", &exchange(&code, &proof)).await;
    let token = Secret::new(given.json["access_token"].as_str().unwrap().to_owned());

    let mut stream = Request::get("/v1/events/stream").body(Body::empty()).unwrap();
    let caller = house.engine.authenticate(&token, None).await.unwrap();
    stream.extensions_mut().insert(caller);
    let heard = house.router.clone().oneshot(stream).await.unwrap();
    assert_eq!(heard.status(), 200);
    let whole = tokio::time::timeout(Duration::from_secs(30), heard.into_body().collect()).await;
    whole.expect("an end").unwrap();
    assert!(Timestamp::now() >= end);
}

#[tokio::test]
async fn a_no_goes_back_to_the_app_with_its_state() {
    let house = connected().await;
    let (id, _) = register(&house, "script", true).await;
    let answer = decided(&house, &id, "deny").await;
    assert_eq!(answer.status, 303);
    assert_eq!(parameter(&answer, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&answer, "iss").as_deref(), Some(ISSUER));
}

/// A13.3: only the registered address, and nobody is asked about another.
#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_registered() {
    let house = connected().await;
    let (id, _) = register(&house, "script", true).await;
    for other in [
        "http%3A%2F%2F127.0.0.1%3A9999%2Fother",
        "https%3A%2F%2Fevil.example%2Fcb",
    ] {
        let path = request(&id).replace("http%3A%2F%2F127.0.0.1%3A9999%2Fcb", other);
        let answer = house.send(at_loopback("GET", &path, &[], "")).await;
        assert_eq!((answer.status, answer.headers.get("location")), (400, None));
    }
    assert!(house.engine.prompts(&Caller::Consent).unwrap().is_empty());
}

/// security.md, Local interfaces: an attempt is in the activity log. The refused value is not.
#[tokio::test]
async fn wrong_client_secrets_codes_and_refresh_tokens_are_in_the_log_without_their_values() {
    let house = House::new().await;
    let (id, secret) = register(&house, "server", false).await;
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
        let answer = post(&house, "/oauth/token", &form).await;
        assert_eq!(answer.json["error"], json!(code), "{}", answer.text);
    }
    let log = house
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
