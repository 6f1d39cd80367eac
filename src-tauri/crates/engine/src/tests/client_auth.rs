//! How the client authenticates is found, where no setting says it, and a code is not put at risk for that.

use crate::tests::common::{NAME, World, patch, ui};
use crate::{ConnectOptions, Engine};
use serde_json::json;
use tokenry_core::ConnectionStatus;
use tokenry_testkit::{Behaviour, ClientAuth, Fault, Kind};

/// An engine whose provider has this client, a secret, and nothing said about how it is sent.
async fn open(client: &str, secret: &str) -> (World, Engine) {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    let provider = world.provider(NAME).with("client_id", json!(client));
    let provider = provider.with("client_secret", json!(secret));
    engine.add_provider(&ui(), provider).await.unwrap();
    (world, engine)
}

/// How the client authenticated at the token endpoint, request by request.
fn ways(world: &World) -> Vec<ClientAuth> {
    let log = world.server.log();
    let asked = |kind: Kind| kind == Kind::Code || kind == Kind::Refresh || kind == Kind::ClientCredentials;
    log.iter()
        .filter(|request| asked(request.kind))
        .filter_map(|request| request.auth)
        .collect()
}

/// Checklist A4.2, A4.3: one method per request; the one that works is kept.
#[tokio::test]
async fn the_way_to_authenticate_is_found_at_the_first_sign_in_and_kept() {
    let (world, engine) = open("tokenry-basic", "testkit-secret").await;
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    engine.refresh(&ui(), NAME).await.unwrap();
    use ClientAuth::{Basic, Post};
    assert_eq!(ways(&world), [Post, Basic, Basic]);
    let engine = world.restart(engine).await;
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(ways(&world), [Post, Basic, Basic, Basic]);
    // Another secret may be of another client registration.
    let change = patch(json!({"client_secret": "another"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err();
    assert_eq!(ways(&world)[4..], [Post, Basic]);
}

/// Checklist A4.10: a code is sent again only after the provider said that it has not looked at it.
#[tokio::test]
async fn a_code_is_sent_again_after_invalid_client_alone() {
    use ClientAuth::{Basic, Post};
    let error = |status: u16, error: &str| Fault::OauthError {
        status,
        error: error.to_owned(),
    };
    for (fault, next) in [
        (error(400, "invalid_grant"), Post),
        (error(400, "invalid_request"), Post),
        (Fault::LoseAnswer, Post),
        (Fault::CutAnswer, Post),
        (Fault::Error500AfterRotating, Post),
        (Fault::ProxyForbiddenHtml403, Post),
        (error(401, "access_denied"), Basic),
        (error(200, "incorrect_client_credentials"), Basic),
        (error(400, "unauthorized_client"), Basic),
        (error(200, "invalid_client"), Basic),
    ] {
        let (world, engine) = open("tokenry-confidential", "testkit-secret").await;
        world.server.queue(fault.clone());
        world
            .sign_in(&engine, ConnectOptions::default())
            .await
            .unwrap_err();
        assert_eq!(ways(&world).len(), 1, "{fault:?}");
        world.server.clear_log();
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        // Where Basic was the wrong guess, its own refusal leads back.
        let both = [Basic, Post];
        let expected = if next == Post { &both[1..] } else { &both[..] };
        assert_eq!(ways(&world), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_after_both_ways_and_nothing_is_kept() {
    let (world, engine) = open("tokenry-basic", "wrong").await;
    let error = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("in the body and by HTTP Basic"), "{error}");
    let kept = engine.provider(&ui(), NAME).await.unwrap().found_auth_method;
    assert_eq!((ways(&world).len(), kept), (2, None));
}

/// A refresh token is sent once: the other way is for the next attempt.
#[tokio::test]
async fn a_refresh_that_is_refused_tries_the_other_way_at_the_next_attempt() {
    let (world, engine) = open("tokenry-basic", "testkit-secret").await;
    let method = |word: &str| patch(json!({"token_endpoint_auth_method": word}));
    engine
        .change_provider(&ui(), NAME, method("client_secret_basic"))
        .await
        .unwrap();
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    engine
        .change_provider(&ui(), NAME, method("automatic"))
        .await
        .unwrap();
    let error = engine.refresh(&ui(), NAME).await.unwrap_err().to_string();
    assert!(
        error.contains("Tokenry tries client_secret_basic next"),
        "{error}"
    );
    world.pass(60);
    engine.refresh(&ui(), NAME).await.unwrap();
    use ClientAuth::{Basic, Post};
    assert_eq!(ways(&world)[..3], [Basic, Post, Basic]);
    let status = engine.connection(&ui(), NAME).await.unwrap().connection.status;
    assert_eq!(status, ConnectionStatus::Active);
}

#[tokio::test]
async fn client_credentials_find_it_at_once() {
    let (world, engine) = open("tokenry-basic", "testkit-secret").await;
    let change = patch(json!({"grant_type": "client_credentials"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    engine
        .connect_client_credentials(&ui(), NAME, None)
        .await
        .unwrap();
    assert_eq!(ways(&world), [ClientAuth::Post, ClientAuth::Basic]);
}
