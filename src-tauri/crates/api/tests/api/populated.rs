//! A fixture with one object of every kind, named as in the document's examples, so that every operation can be called with
//! its own example.

use crate::{
    oauth::ISSUER,
    support::{Answer, Fixture, app_caller},
};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tokenry_api::Issuer;
use tokenry_core::{ApiScope, AppId, Caller, GrantId};
use tokenry_engine::NewGrant;
use tokenry_testkit::http;
use url::Url;

/// The document as it is made of the routes.
pub(crate) fn document() -> Value {
    serde_json::to_value(tokenry_api::openapi()).unwrap()
}

/// One operation of the document.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) said: &'a Value,
}

impl<'a> Operation<'a> {
    /// Its id: the name of its handler.
    pub(crate) fn id(&self) -> &'a str {
        self.said["operationId"].as_str().unwrap()
    }

    /// Its name in the message of a test.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// All operations.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, said)| Operation { method, path, said })
    });
    all.collect()
}

/// What a body is shown with, by its reference.
pub(crate) fn example<'a>(document: &'a Value, content: &Value) -> Option<&'a Value> {
    let reference = content["examples"]["example"]["$ref"].as_str()?;
    document.pointer(&reference[1..])?.get("value")
}

/// Validates a value against a schema of the document.
pub(crate) fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&root).unwrap()
}

pub(crate) struct Populated {
    pub(crate) fixture: Fixture,
    provider: Value,
    app: AppId,
    grant: GrantId,
    flow: String,
    /// Work on a backup that has failed: there is no such file.
    job: String,
    /// The redirect of that sign-in.
    answer: Url,
}

impl Populated {
    /// The app made every object that an app can make, and has every scope.
    pub(crate) async fn new() -> Self {
        let fixture = Fixture::new().await;
        let mut provider = fixture.provider("github");
        provider["redirect"] = "paste".into();
        let device = fixture.server.device_authorization_endpoint();
        provider["device_authorization_endpoint"] = device.as_str().into();
        let made = fixture.ask("POST", "/v1/oauth-providers", provider.clone()).await;
        assert_eq!(made.status, 201, "{}", made.text);
        fixture.add_machine("robot").await;
        let engine = &fixture.engine;
        let app = engine
            .register_app(&Caller::Ui, "backup", Vec::new(), false)
            .await;
        let app = app.unwrap().0.id;
        let all = NewGrant {
            app: "backup".to_owned(),
            scopes: ApiScope::ALL.iter().copied().collect(),
            ..NewGrant::default()
        };
        let grant = engine.give_grant(&Caller::Ui, all).await.unwrap().id;
        let owner = app_caller(app, ApiScope::ALL);
        let ask = async |path: &str, body: Value| {
            let answer = fixture.ask_as(owner.clone(), "POST", path, Some(body)).await;
            assert!(answer.status < 300, "{path}: {}", answer.text);
            answer.json
        };
        let sign_in = async |label: Option<&str>| {
            let started = ask("/v1/oauth-providers/github/authorize", json!({ "label": label })).await;
            let url = started["authorization_url"].as_str().unwrap().parse().unwrap();
            let ended = http::get(&url, &[]).unwrap().location().unwrap().to_owned();
            (started["flow_id"].as_str().unwrap().to_owned(), ended)
        };
        ask("/v1/callback", json!({ "url": sign_in(None).await.1 })).await;
        let (flow, answer) = sign_in(Some("waiting")).await;
        let login = json!({"username": "YQ==", "password": "Yg=="});
        ask(
            "/v1/credentials",
            json!({"name": "mail", "type": "basic_auth", "data": login}),
        )
        .await;
        // `testkit-secret`.
        let secret = json!({"value": "dGVzdGtpdC1zZWNyZXQ="});
        ask(
            "/v1/credentials",
            json!({"name": "github-secret", "type": "raw", "data": secret}),
        )
        .await;
        let key = json!({"file": "/no/such/backup.age", "passphrase": "an example"});
        let job = fixture.ask("POST", "/v1/restores", key).await.json["id"]
            .as_str()
            .unwrap()
            .to_owned();
        Self {
            provider,
            app,
            grant,
            flow,
            job,
            answer: answer.parse().unwrap(),
            fixture,
        }
    }

    /// The app, with a token of these scopes.
    pub(crate) fn app<'a>(&self, scopes: impl IntoIterator<Item = &'a ApiScope>) -> Caller {
        app_caller(self.app, scopes)
    }

    /// Calls an operation with its example.
    pub(crate) async fn call(&self, document: &Value, operation: Operation<'_>, caller: Caller) -> Answer {
        let method = operation.method.to_ascii_uppercase();
        self.call_by(&method, document, operation, caller).await
    }

    /// The same by another method.
    pub(crate) async fn call_by(
        &self,
        method: &str,
        document: &Value,
        operation: Operation<'_>,
        caller: Caller,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.path(operation));
        let body = self.body(document, operation);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(caller);
        // As at the loopback server.
        request.extensions_mut().insert(Issuer(ISSUER.to_owned()));
        self.fixture.send(request).await
    }

    /// The path with the ids and names of this fixture.
    fn path(&self, operation: Operation<'_>) -> String {
        let (path, id) = (operation.path, operation.id());
        let thing = match path.split('/').nth(2).unwrap_or_default() {
            // The provider without a connection, because a disconnect needs another scope.
            "oauth-providers" if matches!(id, "connect_client" | "delete_provider") => "robot".to_owned(),
            "oauth-providers" | "connections" => "github".to_owned(),
            "credentials" => "mail".to_owned(),
            "flows" => self.flow.clone(),
            "apps" => "backup".to_owned(),
            "grants" => self.grant.to_string(),
            "jobs" => self.job.clone(),
            // No prompt is open here, and no backup was read.
            "prompts" | "restores" => {
                GrantId::new(&tokenry_core::SystemClock, &tokenry_core::OsRandom).to_string()
            }
            _ => String::new(),
        };
        let filled = path
            .replace("{id}", &thing)
            .replace("{name}", "github")
            .replace("{kind}", "passphrase")
            .replace("{protocol}", "oidc_agent")
            .replace("{hub_id}", "default")
            .replace("{connector_id}", "github");
        let query = match id {
            "authorize" => "?label=other",
            "resolve" => "?url=https://example.com/x",
            "oauth2_callback" => return format!("{filled}?{}", self.answer.query().unwrap()),
            _ => "",
        };
        assert!(!filled.contains('{'), "nothing is known to fill {filled} with");
        filled + query
    }

    /// A registration at the fixture's server.
    fn registration(&self) -> Value {
        json!({
            "look_up": {"address": self.provider["issuer"]},
            "name": "registered",
            "settings": {
                "issuer": self.provider["issuer"],
                "authorization_endpoint": self.provider["authorization_endpoint"],
                "token_endpoint": self.provider["token_endpoint"],
                "registration_endpoint": format!("{}/register", self.provider["issuer"].as_str().unwrap()),
            },
        })
    }

    /// The example, with what belongs to this fixture alone.
    fn body(&self, document: &Value, operation: Operation<'_>) -> Option<Value> {
        let content = &operation.said["requestBody"]["content"]["application/json"];
        let mut body = example(document, content)?.clone();
        let answered = |name: &str| {
            let mut pairs = self.answer.query_pairs();
            Value::from(pairs.find(|(key, _)| key == name).unwrap().1)
        };
        match operation.id() {
            "initialise" => {
                body["authorizeUrl"] = self.provider["authorization_endpoint"].clone();
                body["clientId"] = self.provider["client_id"].clone();
            }
            "exchange" => {
                for name in ["code", "state", "iss"] {
                    body[name] = answered(name);
                }
            }
            "register_provider" => body = self.registration(),
            "discover" => body["address"] = self.provider["issuer"].clone(),
            "callback" => body["url"] = self.answer.as_str().into(),
            _ => {}
        }
        Some(body)
    }
}
