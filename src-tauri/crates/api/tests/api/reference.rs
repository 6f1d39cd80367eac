//! The examples of the five reference documents, unchanged except for the host, the token and placeholders (an id, a code, a
//! state). Each response has the documented format.

mod examples;

use crate::{
    oauth::{FORM, at_loopback, post},
    support::{Answer, Fixture},
};
use axum::{body::Body, http::Request};
use examples::*;
use serde_json::{Value, json};
use tokenry_core::{ApiScope, Caller, Secret};
use tokenry_engine::NewGrant;
use tokenry_testkit::http;
use url::{Url, form_urlencoded};

/// An engine and an app that may do everything, as a program with a token of a hosted service may.
struct Service {
    fixture: Fixture,
    token: String,
}

impl Service {
    async fn start() -> Self {
        let fixture = Fixture::new().await;
        let registered = fixture
            .engine
            .register_app(&Caller::Ui, "client", Vec::new(), false)
            .await;
        let (app, token) = registered.unwrap();
        let grant = NewGrant {
            app: app.id.to_string(),
            scopes: ApiScope::ALL.iter().copied().collect(),
            ..NewGrant::default()
        };
        fixture.engine.give_grant(&Caller::Ui, grant).await.unwrap();
        let token = token.unwrap().expose().to_owned();
        Self { fixture, token }
    }

    /// Sends an example, with these replacements; what a server does with the token is done here.
    async fn send(&self, example: &str, replaced: &[(&str, &str)]) -> Answer {
        let mut example = example.to_owned();
        for (placeholder, value) in replaced {
            example = example.replace(placeholder, value);
        }
        for placeholder in ["<YOUR_JWT_TOKEN>", "<token>"] {
            example = example.replace(placeholder, &self.token);
        }
        let (mut request, mut method, mut body) = (Request::builder(), "GET".to_owned(), String::new());
        let words = words(&example);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "curl" | "--location" => {}
                "--request" => method = words.next().unwrap().clone(),
                "--header" => {
                    let (name, value) = words.next().unwrap().split_once(": ").unwrap();
                    request = request.header(name, value);
                }
                "--data-raw" => body = words.next().unwrap().clone(),
                "--url" => {}
                address => {
                    let address = Url::parse(address).unwrap();
                    request = request.uri(&address[url::Position::BeforePath..]);
                }
            }
        }
        let mut request = request.method(method.as_str()).body(Body::from(body)).unwrap();
        let bearer = request.headers()["authorization"].to_str().unwrap();
        let token = Secret::new(bearer.strip_prefix("Bearer ").unwrap().to_owned());
        let caller = self.fixture.engine.authenticate(&token, None).await.unwrap();
        request.extensions_mut().insert(caller);
        self.fixture.send(request).await
    }

    /// The provider of the example, with our test server's host and client.
    async fn at_the_test_server(&self, id: &str, grant_type: &str) {
        let server = &self.fixture.server;
        let change = json!({
            "grant_type": grant_type,
            "authorization_endpoint": server.authorization_endpoint(),
            "token_endpoint": server.token_endpoint(),
            "revocation_endpoint": server.revocation_endpoint(),
            "client_id": "tokenry-confidential", "client_secret": "testkit-secret",
        });
        let path = format!("/v1/oauth-providers/{id}");
        let changed = self.fixture.ask_as(Caller::Ui, "PUT", &path, Some(change)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    }
}

/// As a shell splits a command, as far as the examples need it.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => {}
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Each documented member is there, with a value of the same kind. Whatever else is there is ours.
fn has_the_shape_of(answer: &Value, documented: &str) {
    let documented: Value = serde_json::from_str(documented).unwrap();
    same_shape(answer, &documented, "");
}

fn same_shape(answer: &Value, documented: &Value, at: &str) {
    match documented {
        Value::Object(members) => {
            for (name, value) in members {
                same_shape(&answer[name], value, &format!("{at}.{name}"));
            }
        }
        Value::Array(list) => {
            let answered = answer.as_array().unwrap_or_else(|| panic!("{at} is {answer}"));
            if let (Some(answered), Some(documented)) = (answered.first(), list.first()) {
                same_shape(answered, documented, at);
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(answer),
            std::mem::discriminant(documented),
            "{at}: {answer} for {documented}"
        ),
    }
}

/// Where the browser ends that opens this address.
fn browsed(address: &Value) -> Url {
    let address = address.as_str().unwrap().parse().unwrap();
    let reply = http::get(&address, &[]).unwrap();
    reply.location().expect("a redirect").parse().unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
}

#[tokio::test]
async fn vertesia_providers_are_made_listed_changed_and_deleted_as_documented() {
    let service = Service::start().await;
    let made = service.send(CREATE, &[]).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(!made.text.contains("my-secret-value"));
    let deleted = service
        .send(
            DELETE,
            &[("<OAUTH_PROVIDER_ID>", made.json["id"].as_str().unwrap())],
        )
        .await;
    assert_eq!((deleted.status, &deleted.json["success"]), (200, &json!(true)));
    let whole: Value = serde_json::from_str(CREATE_BODY).unwrap();
    let app = service
        .fixture
        .engine
        .authenticate(&Secret::new(service.token.clone()), None)
        .await
        .unwrap();
    let made = service
        .fixture
        .ask_as(app, "POST", "/api/v1/oauth-providers", Some(whole))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    has_the_shape_of(&made.json, PROVIDER);
    let id = made.json["id"].as_str().unwrap();
    let listed = service.send(LIST, &[]).await;
    has_the_shape_of(&listed.json, &format!("[{PROVIDER}]"));
    assert_eq!(listed.json.as_array().map(Vec::len), Some(1));
    let shown = service.send(RETRIEVE, &[("<OAUTH_PROVIDER_ID>", id)]).await;
    assert_eq!(shown.json, made.json);
    let changed = service.send(UPDATE, &[("<OAUTH_PROVIDER_ID>", id)]).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json["display_name"], "Salesforce Production");
    assert_eq!(changed.json["token_endpoint"], made.json["token_endpoint"]);
}

#[tokio::test]
async fn vertesia_a_user_is_authorized_and_gets_a_token_as_documented() {
    let service = Service::start().await;
    let made = service.send(CREATE, &[]).await.json;
    let id = [("<OAUTH_PROVIDER_ID>", made["id"].as_str().unwrap())];
    let started = service.send(AUTHORIZE, &id).await;
    has_the_shape_of(
        &started.json,
        r#"{"authorization_url": "https://…", "state": "abc123"}"#,
    );
    let address: Url = started.json["authorization_url"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let documented = "https://login.salesforce.com/services/oauth2/authorize?";
    assert!(address.as_str().starts_with(documented), "{address}");
    for name in AUTHORIZE_PARAMETERS {
        assert!(!parameter(&address, name).is_empty(), "{name}");
    }
    assert_eq!(parameter(&address, "scope"), "api refresh_token");
    assert_eq!(parameter(&address, "state"), started.json["state"]);
    assert_eq!(
        service.send(EXCHANGE, &[]).await.code(),
        "flow_expired",
        "unknown state"
    );

    service.at_the_test_server(id[0].1, "authorization_code").await;
    let started = service.send(AUTHORIZE, &id).await;
    let back = browsed(&started.json["authorization_url"]);
    let (code, state) = (parameter(&back, "code"), parameter(&back, "state"));
    let answer = [("auth_code_from_provider", code.as_str()), ("abc123", &state)];
    let exchanged = service.send(EXCHANGE, &answer).await;
    assert_eq!(exchanged.json, json!({"success": true}), "{}", exchanged.text);
    let status = service.send(STATUS, &id).await;
    has_the_shape_of(&status.json, STATUS_ANSWER);
    assert_eq!(status.json["authenticated"], true);
    let token = service.send(TOKEN, &id).await;
    has_the_shape_of(&token.json, r#"{"access_token": "eyJhbGciOi..."}"#);
    let disconnected = service.send(DISCONNECT, &id).await;
    assert_eq!(disconnected.json["success"], true, "{}", disconnected.text);
    assert_eq!(service.send(STATUS, &id).await.json["authenticated"], false);
}

#[tokio::test]
async fn vertesia_client_credentials_are_connected_as_documented() {
    let service = Service::start().await;
    let made = service.send(CREATE, &[]).await.json;
    let id = [("<OAUTH_PROVIDER_ID>", made["id"].as_str().unwrap())];
    service.at_the_test_server(id[0].1, "client_credentials").await;
    let connected = service.send(CONNECT, &id).await;
    assert_eq!(connected.json, json!({"success": true}), "{}", connected.text);
    assert!(service.send(TOKEN, &id).await.json["access_token"].is_string());
    assert_eq!(service.send(DISCONNECT, &id).await.json["success"], true);
}

#[tokio::test]
async fn evershell_a_consent_flow_is_started_as_documented() {
    let service = Service::start().await;
    let missing = service.send(START, &[]).await;
    assert_eq!(missing.status, 404);
    has_the_shape_of(&missing.json, START_ERROR);
    service.fixture.add("example").await;
    let started = service.send(START, &[]).await;
    has_the_shape_of(&started.json, r#"{ "auth_url": "https://example.com"}"#);
    let address: Url = started.json["auth_url"].as_str().unwrap().parse().unwrap();
    assert!(
        address
            .as_str()
            .starts_with(service.fixture.server.authorization_endpoint().as_str())
    );
    for name in ["state", "client_id", "scope", "redirect_uri"] {
        assert!(!parameter(&address, name).is_empty(), "{name}");
    }
    let cookie = started.headers["set-cookie"].to_str().unwrap();
    let by_name = service.fixture.ask("GET", "/v1/credentials/example", None).await;
    assert_eq!(by_name.json["status"], "pending");
    let query = browsed(&started.json["auth_url"]);
    let callback = CALLBACK.replace("/callback", &format!("/callback?{}", query.query().unwrap()));
    let with_cookie = format!(
        "{callback} --header 'Cookie: {}'",
        cookie.split(';').next().unwrap()
    );
    assert_eq!(service.send(&with_cookie, &[]).await.status, 201);
    let by_name = service.fixture.ask("GET", "/v1/credentials/example", None).await;
    assert_eq!(by_name.json["status"], "active");
}

#[tokio::test]
async fn versori_a_connection_is_initialised_and_its_callback_answers_as_documented() {
    let service = Service::start().await;
    service.fixture.add("example").await;
    let app = service
        .fixture
        .engine
        .authenticate(&Secret::new(service.token.clone()), None)
        .await
        .unwrap();
    // `testkit-secret`.
    let secret = json!({"name": "secret", "organisationID": "default", "data": {"client_secret": "dGVzdGtpdC1zZWNyZXQ="},
        "type": "Default", "redactFields": ["client_secret"], "expiresAt": "2999-11-07T05:31:56Z"});
    let made = service
        .fixture
        .ask_as(app.clone(), "POST", "/v1/credentials", Some(secret))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let body = json!({
        "authorizeUrl": service.fixture.server.authorization_endpoint(),
        "clientId": service.fixture.provider("example")["client_id"],
        "credential": {"id": made.json["id"], "organisationId": "default"},
        "additionalParams": "access_type=offline&approval_prompt=force",
        "disableOfflineAccess": false,
        "prompt": "consent+select_account",
        "scopes": ["read"],
    });
    let path = INITIALISE
        .replace("{hub_id}", "default")
        .replace("{connector_id}", "example");
    for path in [path.clone(), format!("/v1{path}")] {
        let answer = service
            .fixture
            .ask_as(app.clone(), "POST", &path, Some(body.clone()))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        has_the_shape_of(&answer.json, r#"{"url": "<string>"}"#);
        let address: Url = answer.json["url"].as_str().unwrap().parse().unwrap();
        for (name, value) in [
            ("access_type", "offline"),
            ("approval_prompt", "force"),
            ("prompt", "consent select_account"),
            ("scope", "read offline_access"),
        ] {
            assert_eq!(parameter(&address, name), value, "{name}");
        }
        let back = browsed(&answer.json["url"]);
        let callback = CALLBACK.replace("/callback", &format!("/callback?{}", back.query().unwrap()));
        let done = service.send(&callback, &[]).await;
        assert_eq!(done.status, 201, "{}", done.text);
        has_the_shape_of(&done.json, CALLBACK_ANSWER);
        assert_eq!(done.json["type"], "OAuth2Refresh");
    }
}

/// With the parameters of the document and no other: it has no `response_type`.
#[tokio::test]
async fn auth_api_a_client_is_authorized_and_exchanges_its_code_as_documented() {
    const REDIRECT: &str = "http://127.0.0.1:9999/cb";
    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let fixture = Fixture::new().await;
    let scopes = fixture.send(at_loopback("GET", "/oauth/scopes", &[], "")).await;
    has_the_shape_of(&scopes.json, r#"{"scopes": [{}]}"#);
    let uris = vec![REDIRECT.to_owned()];
    let (app, secret) = fixture
        .engine
        .register_app(&Caller::Ui, "client", uris, false)
        .await
        .unwrap();
    let (id, secret) = (app.id.to_string(), secret.unwrap());
    let form = |pairs: &[(&str, &str)]| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    };
    let asked = [
        ("client_id", id.as_str()),
        ("redirect_uri", REDIRECT),
        ("scope", "connections:read"),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let path = format!("/oauth/authorize?{}", form(&asked));
    let sent_on = fixture.send(at_loopback("GET", &path, &[], "")).await;
    assert_eq!(sent_on.status, 303, "{}", sent_on.text);
    let back: Url = sent_on.headers["location"].to_str().unwrap().parse().unwrap();
    assert_eq!(parameter(&back, "state"), "xyz");
    let token = post(
        &fixture,
        "/oauth/token",
        &form(&[
            ("client_id", &id),
            ("client_secret", secret.expose()),
            ("redirect_uri", REDIRECT),
            ("code", &parameter(&back, "code")),
            ("code_verifier", VERIFIER),
            ("grant_type", "authorization_code"),
        ]),
    )
    .await;
    assert_eq!(token.status, 200, "{}", token.text);
    has_the_shape_of(
        &token.json,
        r#"{"access_token": "…", "token_type": "Bearer", "scope": "…"}"#,
    );
    let bad = fixture
        .send(at_loopback("POST", "/oauth/token", &[FORM], "grant_type=x"))
        .await;
    assert_eq!(bad.status, 400, "{}", bad.text);
    let mut decision: Value = asked.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    decision["decision"] = json!("approve");
    let by_a_program = fixture.ask("POST", "/oauth/consent", decision.clone()).await;
    assert_eq!(by_a_program.status, 403, "{}", by_a_program.text);
    decision["decision"] = json!("perhaps");
    let bad = fixture
        .ask_as(Caller::Consent, "POST", "/oauth/consent", Some(decision))
        .await;
    assert_eq!(bad.status, 400, "{}", bad.text);
}
