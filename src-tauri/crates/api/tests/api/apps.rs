//! What an app may do by its grants, beyond allowed or denied.

use crate::support::{Answer, Fixture, app_caller};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, GrantId, Timestamp};
use tokenry_engine::NewGrant;
use tower::ServiceExt;

/// A fixture with an app, which gets grants as a test needs them.
struct WithApp {
    fixture: Fixture,
    caller: Caller,
}

impl WithApp {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        fixture.add("sandbox").await;
        let app = fixture
            .engine
            .register_app(&Caller::Ui, "backup", Vec::new(), false);
        let caller = app_caller(app.await.unwrap().0.id, ApiScope::ALL);
        Self { fixture, caller }
    }

    async fn grant(&self, scope: ApiScope, connections: &[&str]) -> GrantId {
        let new = NewGrant {
            app: "backup".to_owned(),
            scopes: [scope].into(),
            connections: connections.iter().map(ToString::to_string).collect(),
            ..NewGrant::default()
        };
        self.fixture.engine.give_grant(&Caller::Ui, new).await.unwrap().id
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.fixture.ask_as(self.caller.clone(), method, path, None).await
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

/// The connection that a provider's name means depends on what the app may use.
#[tokio::test]
async fn by_provider_name_an_app_gets_the_token_of_the_only_connection_it_may_use() {
    let with_app = WithApp::new().await;
    with_app.fixture.connect("sandbox", Some("home")).await;
    let token = "/v1/oauth-providers/sandbox/token";
    with_app.is_refused("POST", token).await;
    with_app.fixture.connect("sandbox", Some("work")).await;
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
async fn by_provider_name_an_app_disconnects_the_only_connection_it_may() {
    let with_app = WithApp::new().await;
    with_app.fixture.connect("sandbox", Some("home")).await;
    with_app.fixture.connect("sandbox", Some("work")).await;
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
    let left = with_app.fixture.ask("GET", "/v1/connections", None).await.json;
    assert_eq!(left[0]["name"], "sandbox/work");
    assert_eq!(left.as_array().unwrap().len(), 1);
}

/// `GET …/{id}/status` needs `connections:read`, and counts the connections that the app may see.
#[tokio::test]
async fn the_status_of_a_provider_counts_the_connections_that_the_app_may_see() {
    let with_app = WithApp::new().await;
    with_app.fixture.connect("sandbox", None).await;
    let status = "/v1/oauth-providers/sandbox/status";
    with_app.grant(ApiScope::ProvidersRead, &[]).await;
    with_app.is_refused("GET", status).await;
    with_app.grant(ApiScope::ConnectionsRead, &[]).await;
    assert_eq!(with_app.ask("GET", status).await.json["authenticated"], false);
    with_app.grant(ApiScope::ConnectionsRead, &["sandbox"]).await;
    assert_eq!(with_app.ask("GET", status).await.json["authenticated"], true);
}

/// A revoked grant fails the next request, and a stream is one long request.
#[tokio::test]
async fn a_stream_of_changes_ends_when_the_grant_is_revoked() {
    let with_app = WithApp::new().await;
    let stream = "/v1/events/stream";
    with_app.is_refused("GET", stream).await;
    let grant = with_app.grant(ApiScope::ActivityRead, &[]).await;
    let fixture = &with_app.fixture;
    let mut request = Request::get(stream).body(Body::empty()).unwrap();
    request.extensions_mut().insert(with_app.caller.clone());
    let mut heard = fixture.router.clone().oneshot(request).await.unwrap().into_body();
    let mut next = async || {
        let frame = tokio::time::timeout(Duration::from_secs(30), heard.frame()).await;
        let frame = frame.expect("neither a line nor an end")?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().into()).unwrap())
    };
    fixture.add("other").await;
    assert!(next().await.unwrap().contains("provider.changed"));
    fixture.engine.remove_grant(&Caller::Ui, grant).await.unwrap();
    // Earlier changes may still be sent, but not the revocation.
    while let Some(line) = next().await {
        assert!(!line.contains("grant_removed"), "{line}");
    }
}

/// SECURITY.md, "Local interfaces": nothing outlives its grant. No other change makes the engine check it
/// again.
#[tokio::test]
async fn an_idle_stream_of_changes_ends_with_the_grant_of_its_app() {
    let with_app = WithApp::new().await;
    let end = Timestamp::now() + Duration::from_secs(3);
    let grant = NewGrant {
        app: with_app.caller.app().unwrap().to_string(),
        scopes: [ApiScope::ActivityRead].into(),
        expires_at: Some(end),
        ..NewGrant::default()
    };
    let fixture = &with_app.fixture;
    fixture.engine.give_grant(&Caller::Ui, grant).await.unwrap();
    let mut request = Request::get("/v1/events/stream").body(Body::empty()).unwrap();
    request.extensions_mut().insert(with_app.caller.clone());
    let heard = fixture.router.clone().oneshot(request).await.unwrap();
    assert_eq!(heard.status(), 200);
    let whole = tokio::time::timeout(Duration::from_secs(15), heard.into_body().collect()).await;
    whole.expect("an end").unwrap();
    assert!(Timestamp::now() >= end);
}

#[tokio::test]
async fn an_app_cannot_end_the_engine() {
    let with_app = WithApp::new().await;
    with_app.is_refused("POST", "/v1/hand-over").await;
    assert_eq!(
        with_app.fixture.ask("GET", "/v1/connections", None).await.status,
        200
    );
}
