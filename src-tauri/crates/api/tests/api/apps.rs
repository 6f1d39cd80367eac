//! What an app is let do by its grants, where that is more than a yes or a no.

use crate::support::{Answer, House, app_caller};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, GrantId, Timestamp};
use tokenry_engine::NewGrant;
use tower::ServiceExt;

/// A house with an app, to which grants are given as they are needed.
struct WithApp {
    house: House,
    caller: Caller,
}

impl WithApp {
    async fn new() -> Self {
        let house = House::new().await;
        house.add("sandbox").await;
        let app = house
            .engine
            .register_app(&Caller::Ui, "backup", Vec::new(), false);
        let caller = app_caller(app.await.unwrap().0.id, ApiScope::ALL);
        Self { house, caller }
    }

    async fn grant(&self, scope: ApiScope, connections: &[&str]) -> GrantId {
        let new = NewGrant {
            app: "backup".to_owned(),
            scopes: [scope].into(),
            connections: connections.iter().map(ToString::to_string).collect(),
            ..NewGrant::default()
        };
        self.house.engine.give_grant(&Caller::Ui, new).await.unwrap().id
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.house.ask_as(self.caller.clone(), method, path, None).await
    }

    async fn is_refused(&self, method: &str, path: &str) -> Answer {
        let answer = self.ask(method, path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "permission_denied"),
            "{}",
            answer.text
        );
        answer
    }
}

/// What a provider's name stands for depends on what the app may use.
#[tokio::test]
async fn of_a_provider_an_app_gets_the_token_of_the_only_connection_it_may_use() {
    let with_app = WithApp::new().await;
    with_app.house.connect("sandbox", Some("home")).await;
    let token = "/v1/oauth-providers/sandbox/token";
    with_app.is_refused("POST", token).await;
    with_app.house.connect("sandbox", Some("work")).await;
    let refused = with_app.is_refused("POST", token).await;
    assert!(
        !refused.text.contains("work"),
        "it is not told what there is: {}",
        refused.text
    );

    with_app.grant(ApiScope::TokensRead, &["sandbox/home"]).await;
    let given = with_app.ask("POST", token).await;
    assert_eq!(given.status, 200, "{}", given.text);
    let its_own = with_app.ask("POST", "/v1/connections/sandbox%2Fhome/token").await;
    assert_eq!(given.json["access_token"], its_own.json["access_token"]);

    with_app.grant(ApiScope::TokensRead, &["sandbox/work"]).await;
    let several = with_app.ask("POST", token).await;
    assert_eq!((several.status, several.code()), (409, "conflict"));
    assert!(several.text.contains("sandbox/home") && several.text.contains("sandbox/work"));
}

#[tokio::test]
async fn of_a_provider_an_app_disconnects_the_only_connection_it_may() {
    let with_app = WithApp::new().await;
    with_app.house.connect("sandbox", Some("home")).await;
    with_app.house.connect("sandbox", Some("work")).await;
    let disconnect = "/v1/oauth-providers/sandbox/disconnect";
    with_app.is_refused("DELETE", disconnect).await;
    with_app.grant(ApiScope::AuthWrite, &["sandbox/home"]).await;
    let answer = with_app.ask("DELETE", disconnect).await;
    assert_eq!(
        (answer.status, &answer.json["revoked"]),
        (200, &"yes".into()),
        "{}",
        answer.text
    );
    let left = with_app.house.ask("GET", "/v1/connections", None).await.json;
    assert_eq!(left[0]["name"], "sandbox/work");
    assert_eq!(left.as_array().unwrap().len(), 1);
}

/// The contract: `GET …/{id}/status` needs `connections:read`, and tells of those the app may see.
#[tokio::test]
async fn whether_a_provider_is_connected_is_told_to_whoever_may_see_that_connection() {
    let with_app = WithApp::new().await;
    with_app.house.connect("sandbox", None).await;
    let status = "/v1/oauth-providers/sandbox/status";
    with_app.grant(ApiScope::ProvidersRead, &[]).await;
    with_app.is_refused("GET", status).await;
    with_app.grant(ApiScope::ConnectionsRead, &[]).await;
    assert_eq!(with_app.ask("GET", status).await.json["authenticated"], false);
    with_app.grant(ApiScope::ConnectionsRead, &["sandbox"]).await;
    assert_eq!(with_app.ask("GET", status).await.json["authenticated"], true);
}

/// "take a grant away, and its next call fails": a stream is one long call.
#[tokio::test]
async fn an_app_hears_of_changes_until_its_grant_is_taken_away() {
    let with_app = WithApp::new().await;
    let stream = "/v1/events/stream";
    with_app.is_refused("GET", stream).await;
    let grant = with_app.grant(ApiScope::ActivityRead, &[]).await;
    let house = &with_app.house;
    let mut request = Request::get(stream).body(Body::empty()).unwrap();
    request.extensions_mut().insert(with_app.caller.clone());
    let mut heard = house.router.clone().oneshot(request).await.unwrap().into_body();
    let mut next = async || {
        let frame = tokio::time::timeout(Duration::from_secs(30), heard.frame()).await;
        let frame = frame.expect("neither a line nor an end")?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().into()).unwrap())
    };
    house.add("other").await;
    assert!(next().await.unwrap().contains("provider.changed"));
    house.engine.remove_grant(&Caller::Ui, grant).await.unwrap();
    // What happened before that may still be told, and that it was taken away is not.
    while let Some(line) = next().await {
        assert!(!line.contains("grant_removed"), "{line}");
    }
}

/// security.md, "Local interfaces": nothing outlives its grant. Nothing happens meanwhile that would make the engine
/// look again.
#[tokio::test]
async fn a_quiet_stream_of_changes_ends_with_the_grant_of_its_app() {
    let with_app = WithApp::new().await;
    let end = Timestamp::now() + Duration::from_secs(3);
    let grant = NewGrant {
        app: with_app.caller.app().unwrap().to_string(),
        scopes: [ApiScope::ActivityRead].into(),
        expires_at: Some(end),
        ..NewGrant::default()
    };
    let house = &with_app.house;
    house.engine.give_grant(&Caller::Ui, grant).await.unwrap();
    let mut request = Request::get("/v1/events/stream").body(Body::empty()).unwrap();
    request.extensions_mut().insert(with_app.caller.clone());
    let heard = house.router.clone().oneshot(request).await.unwrap();
    assert_eq!(heard.status(), 200);
    let whole = tokio::time::timeout(Duration::from_secs(15), heard.into_body().collect()).await;
    whole.expect("an end").unwrap();
    assert!(Timestamp::now() >= end);
}

#[tokio::test]
async fn no_app_ends_the_engine() {
    let with_app = WithApp::new().await;
    with_app.is_refused("POST", "/v1/hand-over").await;
    assert_eq!(
        with_app.house.ask("GET", "/v1/connections", None).await.status,
        200
    );
}
