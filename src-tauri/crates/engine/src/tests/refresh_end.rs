//! What ends a grant, and what only looks like it.

use crate::tests::common::{NAME, World, patch, poke, status, token, ui, until, view};
use crate::tests::rejected::fingerprint;
use crate::{Challenge, ConnectOptions, TokenRequest, Wants};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{
    Code, ConnectionStatus, EventKind, GrantType, ReauthReason, Scopes, TokenEndpointAuthMethod,
};
use tokenry_testkit::{Behaviour, Fault};

const REVOKED: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::Revoked);
const REJECTED: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::ClientRejected);

/// security.md, "Refresh", 8.
#[tokio::test]
async fn invalid_grant_ends_the_grant_and_is_asked_once() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3500);
    world.server.withdraw();
    let living = token(&engine, 600).await.unwrap();
    assert!(
        living.expires_at.is_some(),
        "what still lives by the clock is handed out"
    );
    assert_eq!(status(&engine).await, REVOKED);
    let shown = view(&engine).await.connection;
    assert!(!shown.refreshable);
    assert_eq!(shown.trouble, None);
    world.pass(200);
    poke(&engine, NAME).await;
    for _ in 0..3 {
        let error = token(&engine, 0).await.unwrap_err();
        assert_eq!(error.code(), Code::NeedsReauth);
        assert!(error.to_string().contains("tokenry connect"), "{error}");
    }
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::NeedsReauth);
    assert_eq!(world.server.refreshes(), 1, "it is never sent again");
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    assert!(events.iter().any(|event| event.kind == EventKind::RefreshFailed));

    let engine = world.restart(engine).await;
    assert_eq!(status(&engine).await, REVOKED);
    let renewed = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(renewed.connection.id, shown.id, "signing in again renews it");
    assert_eq!(renewed.connection.status, ConnectionStatus::Active);
    engine.refresh(&ui(), NAME).await.unwrap();
}

#[tokio::test]
async fn a_rejected_client_stops_and_goes_on_when_its_settings_are_mended() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3500);
    world.server.queue(Fault::InvalidClient);
    token(&engine, 600).await.unwrap();
    assert_eq!(status(&engine).await, REJECTED);
    world.pass(200);
    poke(&engine, NAME).await;
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!(world.server.refreshes(), 1);

    let change = patch(json!({"client_id": "tokenry"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    until("the kept refresh token is used", async || {
        token(&engine, 600).await.ok()
    })
    .await;
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    assert!(world.server.family_alive());
}

#[tokio::test]
async fn without_a_refresh_token_the_end_of_the_access_token_is_the_end() {
    let (world, engine) = World::connected(Behaviour {
        refresh_tokens: false,
        ..Behaviour::default()
    })
    .await;
    assert!(!view(&engine).await.connection.refreshable);
    world.pass(3590);
    token(&engine, 600).await.unwrap();
    world.pass(20);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!(
        status(&engine).await,
        ConnectionStatus::NeedsReauth(ReauthReason::Expired)
    );
    assert_eq!(
        engine.refresh(&ui(), NAME).await.unwrap_err().code(),
        Code::NeedsReauth
    );
}

/// Google gives no new refresh token to who signs in again, and the old one stays good.
#[tokio::test]
async fn signing_in_again_without_a_new_refresh_token_keeps_the_old_one() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.set(|behaviour| behaviour.refresh_tokens = false);
    let again = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert!(again.connection.refreshable);
    engine.refresh(&ui(), NAME).await.unwrap();
}

#[tokio::test]
async fn client_credentials_are_fetched_again_and_a_wrong_secret_is_told_apart() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let mut new = world.provider(NAME);
    new = new.with("grant_type", json!(GrantType::ClientCredentials));
    new = new.with("client_id", json!("tokenry-confidential"));
    new = new.with("client_secret", json!("testkit-secret"));
    new = new.with(
        "token_endpoint_auth_method",
        json!(TokenEndpointAuthMethod::ClientSecretPost),
    );
    engine.add_provider(&ui(), new).await.unwrap();
    let first = engine
        .connect_client_credentials(&ui(), NAME, None)
        .await
        .unwrap();
    let again = engine
        .connect_client_credentials(&ui(), NAME, None)
        .await
        .unwrap();
    assert_eq!(
        first.connection.id, again.connection.id,
        "the same client is the same connection"
    );
    world.pass(3700);
    let got = token(&engine, 0).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    let wish = TokenRequest {
        id_token: true,
        ..TokenRequest::default()
    };
    let error = engine.token(&ui(), NAME, wish).await.unwrap_err();
    assert!(
        error.to_string().contains("choose a connection of a user"),
        "{error}"
    );
    let wants_more = Challenge {
        resource: None,
        wants: Wants::Scopes(Scopes::parse("admin")),
    };
    let held = fingerprint(&got.access_token);
    let error = engine.step_up(&ui(), NAME, held, wants_more).await.unwrap_err();
    assert!(error.to_string().contains("`tokenry provider edit "), "{error}");

    world.server.set(|behaviour| behaviour.clients.clear());
    world.pass(3700);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!(status(&engine).await, REJECTED);
    assert_eq!(world.server.count(tokenry_testkit::Kind::ClientCredentials), 4);
    let error = engine
        .connect_client_credentials(&ui(), NAME, None)
        .await
        .unwrap_err();
    assert_eq!(error.provider_error(), Some("invalid_client"));
}

/// A clock that was a year ahead when a token came does not make the token live a year.
#[tokio::test]
async fn a_token_from_the_future_is_looked_at_again() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (now, year) = (
        view(&engine).await.connection.created_at,
        Duration::from_secs(365 * 86_400),
    );
    world.clock.set(now + year);
    engine.refresh(&ui(), NAME).await.unwrap();
    world.clock.set(now);
    token(&engine, 0).await.unwrap();
    assert_eq!(world.server.refreshes(), 2);
    let got = token(&engine, 0).await.unwrap();
    assert_eq!(got.expires_at, Some(now + Duration::from_secs(3600)));
    assert_eq!(world.server.refreshes(), 2);
}
