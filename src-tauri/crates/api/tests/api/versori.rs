//! The two operations of the reference, with its paths and names.

use crate::support::{Answer, CLIENT_SECRET, Fixture, program};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tokenry_testkit::http;

const INITIALISE: &str = "/v1/embed/default/connector/sandbox/oauth2/initialise";
const CALLBACK: &str = "/v1alpha1/connections/oauth2/callback";

/// A provider without a secret of its own, and the secret as a credential.
async fn ready() -> (Fixture, Value) {
    let fixture = Fixture::new().await;
    let mut provider = fixture.provider("sandbox");
    provider.as_object_mut().unwrap().remove("client_secret");
    provider["redirect"] = json!("paste");
    let answer = fixture.ask("POST", "/v1/oauth-providers", provider.clone()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    // `testkit-secret`.
    let secret = json!({"name": "app-secret", "type": "raw", "data": {"value": "dGVzdGtpdC1zZWNyZXQ="}});
    let credential = fixture.ask("POST", "/v1/credentials", secret).await.json;
    let body = json!({
        "authorizeUrl": provider["authorization_endpoint"],
        "clientId": provider["client_id"],
        "credential": {"id": credential["id"], "organisationId": "default"},
    });
    (fixture, body)
}

/// The query of the redirect.
async fn signed_in(fixture: &Fixture, body: Value) -> String {
    let answer = fixture.ask("POST", INITIALISE, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        answer.json["url"], answer.json["browser_url"],
        "without a loopback listener"
    );
    let url = answer.json["url"].as_str().unwrap().parse().unwrap();
    let location = http::get(&url, &[]).unwrap().location().unwrap().to_owned();
    location.split_once('?').unwrap().1.to_owned()
}

async fn with_cookie(fixture: &Fixture, query: &str, cookie: &str) -> Answer {
    let request = Request::builder()
        .uri(format!("{CALLBACK}?{query}"))
        .header("cookie", cookie);
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(program());
    fixture.send(request).await
}

#[tokio::test]
async fn a_sign_in_is_initialised_and_its_callback_returns_the_redacted_credential() {
    let (fixture, body) = ready().await;
    let query = signed_in(&fixture, body).await;
    let answer = fixture.ask("GET", &format!("{CALLBACK}?{query}"), None).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let id = answer.json["id"].clone();
    let expected = json!({
        "id": id, "organisationID": "default", "name": "sandbox", "data": {}, "type": "OAuth2Refresh",
        "redactFields": [],
    });
    assert_eq!(answer.json, expected);
    let connection = fixture.ask("GET", "/v1/connections/sandbox", None).await.json;
    assert_eq!(
        (&connection["id"], &connection["status"]),
        (&id, &json!("active"))
    );
    let token = fixture.ask("POST", "/v1/connections/sandbox/token", None).await;
    assert_eq!(token.status, 200, "{}", token.text);
    assert!(!answer.text.contains(token.json["access_token"].as_str().unwrap()));
    let again = fixture.ask("GET", &format!("{CALLBACK}?{query}"), None).await;
    assert_eq!((again.status, again.code()), (410, "flow_expired"));
    let events = fixture.ask("GET", "/v1/events", None).await;
    assert!(!events.text.contains(CLIENT_SECRET));
}

#[tokio::test]
async fn each_wrong_field_of_the_request_is_named_as_the_reference_names_it() {
    let (fixture, good) = ready().await;
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[key] = value;
        body
    };
    for (body, field) in [
        (json!({}), "authorizeUrl"),
        (
            with("/authorizeUrl", json!("https://evil.example/")),
            "authorizeUrl",
        ),
        (with("/clientId", json!("x")), "clientId"),
        (
            with("/credential/organisationId", json!("work")),
            "credential.organisationId",
        ),
        (
            with("/additionalParams", json!("state=x&ok=1")),
            "additionalParams.state",
        ),
        (with("/additionalParams", json!("a=%0a")), "additionalParams"),
        (with("/prompt", json!("a b\u{0}")), "prompt"),
        (with("/scopes", json!(["a\"b"])), "scopes"),
        (with("/scope", json!("x")), "scope"),
    ] {
        let answer = fixture.ask("POST", INITIALISE, body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{body}: {}",
            answer.text
        );
        assert!(!answer.field(field).is_empty(), "{body}: {}", answer.text);
    }
    for path in [
        INITIALISE.replace("default", "work"),
        INITIALISE.replace("sandbox", "unknown"),
    ] {
        let answer = fixture.ask("POST", &path, good.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (404, "not_found"),
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_providers_refusal_is_returned_and_an_invalid_redirect_changes_nothing() {
    let (fixture, body) = ready().await;
    let query = signed_in(&fixture, body).await;
    let of = |key: &str| {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.into_owned().find(|(k, _)| k == key).unwrap().1
    };
    let (state, iss) = (of("state"), of("iss"));
    for bad in [
        String::new(),
        "?".to_owned(),
        "?code=x".to_owned(),
        "?error=access_denied".to_owned(),
        format!("?code=a&code=b&state={state}"),
        format!("?code=a%00&state={state}"),
        format!("?code=a&state={state}&state={state}"),
    ] {
        let answer = fixture.ask("GET", &format!("{CALLBACK}{bad}"), None).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{bad}: {}",
            answer.text
        );
    }
    let unknown = fixture
        .ask("GET", &format!("{CALLBACK}?code=x&state=unknown"), None)
        .await;
    assert_eq!((unknown.status, unknown.code()), (410, "flow_expired"));
    let error = format!("error=server_error&error_description=oh%E2%80%AEno&state={state}&iss={iss}");
    let answer = fixture.ask("GET", &format!("{CALLBACK}?{error}"), None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "provider_error"),
        "{}",
        answer.text
    );
    assert_eq!(answer.json["error"]["details"]["provider_error"], "server_error");
    assert!(answer.text.contains("ohno"), "{}", answer.text);
}

#[tokio::test]
async fn a_callback_with_the_cookie_of_another_sign_in_is_refused() {
    let (fixture, _) = ready().await;
    let mut provider = fixture.provider("other");
    provider["redirect"] = json!("paste");
    fixture.ask("POST", "/v1/oauth-providers", provider).await;
    let started = fixture
        .ask("POST", "/v1/credentials/other/oauth/start", None)
        .await;
    let cookie = started.headers["set-cookie"].to_str().unwrap();
    let own = cookie.split(';').next().unwrap().to_owned();
    let url = started.json["auth_url"].as_str().unwrap().parse().unwrap();
    let location = http::get(&url, &[]).unwrap().location().unwrap().to_owned();
    let query = location.split_once('?').unwrap().1;
    for wrong in [
        "tokenry_oauth_state=00",
        "a=b; tokenry_oauth_state=",
        &format!("{own}; {own}"),
    ] {
        let answer = with_cookie(&fixture, query, wrong).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{wrong}: {}",
            answer.text
        );
    }
    let answer = with_cookie(&fixture, query, &format!("a=b; {own}")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}
