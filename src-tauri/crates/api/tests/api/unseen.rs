//! An object that an app has no grant for looks like a missing one: same status, headers and body.

use crate::{
    populated::{document, operations},
    support::{Answer, Fixture, app_caller},
};
use serde_json::{Value, json};
use tokenry_core::{ApiScope, AppId, Caller, ConnectionId, CredentialId, OsRandom, ProviderId, SystemClock};
use tokenry_engine::NewGrant;

/// A fixture with objects that the app has a grant for, and others.
struct Hidden {
    fixture: Fixture,
    app: AppId,
    connection: String,
    credential: String,
    provider: String,
}

impl Hidden {
    async fn new() -> Self {
        let fixture = Fixture::connected().await;
        let connection = fixture.connect("sandbox", Some("topsecret")).await;
        let provider = fixture.add("hiddenplace").await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        fixture.connect("hiddenplace", None).await;
        fixture.connect("hiddenplace", Some("topsecret")).await;
        let made = json!({"name": "hiddenkey", "type": "raw", "data": {"value": "YQ=="}});
        let credential = fixture.ask("POST", "/v1/credentials", made).await.json["id"].clone();
        let mine = json!({"name": "minekey", "type": "raw", "data": {"value": "YQ=="}});
        assert_eq!(fixture.ask("POST", "/v1/credentials", mine).await.status, 201);
        let app = fixture
            .engine
            .register_app(&Caller::Ui, "backup", Vec::new(), false)
            .await;
        let app = app.unwrap().0.id;
        let grant = NewGrant {
            app: "backup".to_owned(),
            scopes: ApiScope::ALL.iter().copied().collect(),
            connections: vec!["sandbox".to_owned()],
            credentials: vec!["minekey".to_owned()],
            ..NewGrant::default()
        };
        fixture.engine.give_grant(&Caller::Ui, grant).await.unwrap();
        Self {
            fixture,
            app,
            connection,
            credential: credential.as_str().unwrap().to_owned(),
            provider,
        }
    }

    /// Names of hidden objects, each with a name of the same kind that does not exist.
    fn pairs(&self, sees_providers: bool) -> Vec<(String, String)> {
        let new_connection = ConnectionId::new(&SystemClock, &OsRandom).to_string();
        let new_credential = CredentialId::new(&SystemClock, &OsRandom).to_string();
        let new_provider = ProviderId::new(&SystemClock, &OsRandom).to_string();
        let text = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let mut pairs = vec![
            text("sandbox%2Ftopsecret", "sandbox%2Fnosuchthg"),
            text("topsecret", "nosuchthg"),
            text("hiddenkey", "nosuchkey"),
            (self.connection.clone(), new_connection),
            (self.credential.clone(), new_credential),
        ];
        if !sees_providers {
            pairs.push(text("hiddenplace", "nosuchplace"));
            pairs.push(text("hiddenplace%2Ftopsecret", "nosuchplace%2Ftopsecret"));
            pairs.push((self.provider.clone(), new_provider));
        }
        pairs
    }

    async fn ask(&self, scopes: &[ApiScope], method: &str, path: &str, body: Option<Value>) -> Answer {
        let caller = app_caller(self.app, scopes);
        self.fixture.ask_as(caller, method, path, body).await
    }
}

/// A response without its request id and the requested name.
fn told(answer: &Answer, name: &str) -> (u16, Vec<(String, String)>, String) {
    let name = name.replace("%2F", "/");
    let id = answer.json["error"]["request_id"].as_str().unwrap_or("?");
    let headers = answer.headers.iter();
    let headers = headers.map(|(key, value)| (key.to_string(), value.to_str().unwrap().to_owned()));
    (
        answer.status,
        headers.filter(|(key, _)| key != "content-length").collect(),
        answer.text.replace(id, "ID").replace(&name, "NAME"),
    )
}

/// Bodies that are valid, so that the name is checked.
fn body(id: &str) -> Option<Value> {
    match id {
        "patch_connection" => Some(json!({"label": "x"})),
        "update_provider" => Some(json!({"display_name": "x"})),
        "update_credential" => Some(json!({"data": {"value": "Yg=="}})),
        _ => None,
    }
}

/// SECURITY.md, "Local interfaces": an app without consent gets nothing. No operation reveals to an app that a
/// connection, credential or provider exists that it has no grant for.
#[tokio::test]
async fn an_app_cannot_tell_ungranted_objects_from_missing_ones() {
    let document = document();
    let hidden = Hidden::new().await;
    let mut tried = 0;
    let mut each: Vec<Vec<ApiScope>> = ApiScope::ALL.iter().map(|scope| vec![*scope]).collect();
    each.extend([ApiScope::ALL.to_vec(), Vec::new()]);
    for operation in operations(&document) {
        let Some(path) = operation.path.strip_prefix("/v1/") else {
            continue;
        };
        let kind = path.split('/').next().unwrap();
        if !matches!(kind, "connections" | "credentials" | "oauth-providers") || !path.contains('{') {
            continue;
        }
        for scopes in &each {
            // An app that may start sign-ins anywhere, or read and change providers, knows their names.
            let sees_providers = scopes.iter().any(|scope| {
                use ApiScope as S;
                matches!(
                    scope,
                    S::ProvidersRead | S::ProvidersWrite | S::AuthWrite | S::AuthWriteOwn
                )
            });
            for (there, missing) in hidden.pairs(sees_providers) {
                let ask = async |name: &str| {
                    let path = operation.path.replace("{id}", name).replace("{name}", name);
                    let method = operation.method.to_ascii_uppercase();
                    hidden.ask(scopes, &method, &path, body(operation.id())).await
                };
                let (a, b) = (ask(&there).await, ask(&missing).await);
                assert!(a.status >= 400, "{} {there}: {}", operation.name(), a.text);
                assert_eq!(
                    told(&a, &there),
                    told(&b, &missing),
                    "{} with {scopes:?} tells {there} from {missing}",
                    operation.name()
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

/// Names in a body or a query.
#[tokio::test]
async fn names_in_a_request_reveal_no_ungranted_object_to_an_app() {
    let hidden = Hidden::new().await;
    let all = ApiScope::ALL;
    for (there, missing) in hidden.pairs(true) {
        let plain = |name: &str| name.replace("%2F", "/");
        let renew = async |name: &str| {
            let body = json!({"connection": plain(name), "redirect": "paste"});
            hidden
                .ask(all, "POST", "/v1/oauth-providers/sandbox/authorize", Some(body))
                .await
        };
        assert_eq!(
            told(&renew(&there).await, &there),
            told(&renew(&missing).await, &missing),
            "{there}"
        );
        let grant = async |name: &str| {
            let body = json!({"app": "backup", "scopes": ["tokens:read"], "connections": [plain(name)]});
            hidden.ask(all, "POST", "/v1/grants", Some(body)).await
        };
        assert_eq!(
            told(&grant(&there).await, &there),
            told(&grant(&missing).await, &missing),
            "{there}"
        );
    }
    let remove = async |name: &str| hidden.ask(all, "DELETE", &format!("/v1/apps/{name}"), None).await;
    assert_eq!(
        told(&remove("backup").await, "backup"),
        told(&remove("nosuch").await, "nosuch")
    );
}

/// An ambiguous name is resolved among the objects that the app has a grant for.
#[tokio::test]
async fn an_ambiguous_name_reveals_no_ungranted_name_to_an_app() {
    let hidden = Hidden::new().await;
    let all = ApiScope::ALL;
    // It has a grant for neither of two connections with this label.
    let answer = hidden.ask(all, "GET", "/v1/connections/topsecret", None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (404, "not_found"),
        "{}",
        answer.text
    );
    // It has a grant for one of the provider's two, so the name means that one.
    let answer = hidden
        .ask(all, "POST", "/v1/oauth-providers/sandbox/token", None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // At another provider it has a grant for none, as if the provider had none.
    let answer = hidden
        .ask(all, "POST", "/v1/oauth-providers/hiddenplace/token", None)
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (404, "not_found"),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("topsecret"), "{}", answer.text);
    // A program of the user can read the lists, so the error names the candidates.
    let answer = hidden.fixture.ask("GET", "/v1/connections/topsecret", None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (409, "conflict"),
        "{}",
        answer.text
    );
}

/// The activity log has the attempt, so that the user sees it.
#[tokio::test]
async fn an_apps_attempt_on_an_ungranted_object_is_logged() {
    let hidden = Hidden::new().await;
    let path = format!("/v1/connections/{}/token", hidden.connection);
    let answer = hidden.ask(ApiScope::ALL, "POST", &path, None).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    let (events, _) = hidden.fixture.engine.events(&Caller::Ui, None, 20).await.unwrap();
    let refused = events
        .iter()
        .find(|event| event.caller.app() == Some(hidden.app))
        .unwrap();
    assert_eq!(refused.outcome, tokenry_core::Outcome::Refused);
    assert_eq!(
        refused.connection.map(|id| id.to_string()),
        Some(hidden.connection.clone())
    );
}
