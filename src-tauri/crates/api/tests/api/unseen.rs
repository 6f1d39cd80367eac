//! What an app was not given is, for it, not there: same status, headers and body as for what does not exist.

use crate::{
    furnished::{document, operations},
    support::{Answer, House, app_caller},
};
use serde_json::{Value, json};
use tokenry_core::{ApiScope, AppId, Caller, ConnectionId, CredentialId, OsRandom, ProviderId, SystemClock};
use tokenry_engine::NewGrant;

/// A house with things that the app was given and things that it was not.
struct Hidden {
    house: House,
    app: AppId,
    connection: String,
    credential: String,
    provider: String,
}

impl Hidden {
    async fn new() -> Self {
        let house = House::connected().await;
        let connection = house.connect("sandbox", Some("topsecret")).await;
        let provider = house.add("hiddenplace").await["id"].as_str().unwrap().to_owned();
        house.connect("hiddenplace", None).await;
        house.connect("hiddenplace", Some("topsecret")).await;
        let made = json!({"name": "hiddenkey", "type": "raw", "data": {"value": "YQ=="}});
        let credential = house.ask("POST", "/v1/credentials", made).await.json["id"].clone();
        let mine = json!({"name": "minekey", "type": "raw", "data": {"value": "YQ=="}});
        assert_eq!(house.ask("POST", "/v1/credentials", mine).await.status, 201);
        let app = house
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
        house.engine.give_grant(&Caller::Ui, grant).await.unwrap();
        Self {
            house,
            app,
            connection,
            credential: credential.as_str().unwrap().to_owned(),
            provider,
        }
    }

    /// Names of what is there and hidden, each with one of the same kind for which nothing is there.
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
        self.house.ask_as(caller, method, path, body).await
    }
}

/// All of an answer but its own number and the name that was asked for.
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

/// Bodies that are good enough to come to the name.
fn body(id: &str) -> Option<Value> {
    match id {
        "patch_connection" => Some(json!({"label": "x"})),
        "update_provider" => Some(json!({"display_name": "x"})),
        "update_credential" => Some(json!({"data": {"value": "Yg=="}})),
        _ => None,
    }
}

/// security.md, "Local interfaces": an app without consent gets nothing. No operation of the document tells an app
/// that a connection, credential or provider exists which it was not given.
#[tokio::test]
async fn an_app_cannot_tell_what_it_was_not_given_from_what_does_not_exist() {
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
            // Whoever may start a sign-in anywhere, or see and change providers, knows their names.
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

/// And names in a body or a query.
#[tokio::test]
async fn names_in_a_request_tell_an_app_nothing_either() {
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

/// An ambiguous name is resolved among what the app was given, and names nothing else.
#[tokio::test]
async fn an_ambiguous_name_tells_an_app_no_name_that_it_was_not_given() {
    let hidden = Hidden::new().await;
    let all = ApiScope::ALL;
    // Of two connections with this label it was given neither.
    let answer = hidden.ask(all, "GET", "/v1/connections/topsecret", None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (404, "not_found"),
        "{}",
        answer.text
    );
    // Of the provider's two it was given one, and that is what its name means.
    let answer = hidden
        .ask(all, "POST", "/v1/oauth-providers/sandbox/token", None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // At another one it was given none, which is as if it had none.
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
    // A program of the user sees the lists anyway, and is told which ones there are.
    let answer = hidden.house.ask("GET", "/v1/connections/topsecret", None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (409, "conflict"),
        "{}",
        answer.text
    );
}

/// The attempt is in the activity log all the same: the user sees what the app was after.
#[tokio::test]
async fn what_an_app_tried_to_reach_is_in_the_log_though_it_is_told_that_nothing_is_there() {
    let hidden = Hidden::new().await;
    let path = format!("/v1/connections/{}/token", hidden.connection);
    let answer = hidden.ask(ApiScope::ALL, "POST", &path, None).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    let (events, _) = hidden.house.engine.events(&Caller::Ui, None, 20).await.unwrap();
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
