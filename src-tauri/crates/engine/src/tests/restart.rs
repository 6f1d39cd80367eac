//! An engine that ends or dies, and another one on the same folder.

use crate::tests::common::{
    Doomed, NAME, World, answer_of, seen, set_rotation, status, token, ui, until, view,
};
use crate::{ConnectOptions, ConnectionChange, Engine, Error, FlowState, StartedFlow};
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, EventKind, ReauthReason, Redirect, Rotation as KnownRotation};
use tokenry_testkit::{Behaviour, Fault, Rotation};

const LOST: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::LostResponse);

#[tokio::test]
async fn what_was_there_is_there_and_a_good_token_costs_no_request() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let labelled = ConnectionChange {
        label: Some(Some("work".to_owned())),
        paused: None,
        bindings: None,
    };
    let before = engine.change_connection(&ui(), NAME, labelled).await.unwrap();
    let got = token(&engine, 0).await.unwrap();
    world.server.clear_log();

    let engine = world.restart(engine).await;
    assert_eq!(engine.providers(&ui()).await.unwrap().len(), 1);
    let after = view(&engine).await;
    assert_eq!(after.name, before.name);
    assert_eq!(after.connection.id, before.connection.id);
    assert_eq!(after.connection.account, before.connection.account);
    assert_eq!(after.connection.expires_at, before.connection.expires_at);
    assert_eq!(after.connection.status, ConnectionStatus::Active);
    let again = token(&engine, 0).await.unwrap();
    assert_eq!(again.access_token.expose(), got.access_token.expose());
    assert!(world.server.log().is_empty());
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    let told = |kind| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!(
        (told(EventKind::Connected), told(EventKind::TokenHandedOut)),
        (1, 2)
    );
}

#[tokio::test]
async fn a_second_engine_is_told_who_holds_the_profile() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let error = Engine::start(world.options()).await.err().unwrap();
    assert_eq!(error.code(), Code::Conflict);
    assert!(
        error.to_string().contains(&std::process::id().to_string()),
        "{error}"
    );
    token(&engine, 0).await.unwrap();
    engine.shutdown().await;
    world.start().await;
}

/// An engine that died while a refresh was under way; the access token has 100 s left.
async fn died(rotation: Rotation, known: Option<KnownRotation>, processed: bool) -> (World, Engine) {
    let world = World::new(Behaviour::rotating(rotation));
    let doomed = Doomed::start(&world).await;
    world.connect(&doomed.engine).await;
    if let Some(known) = known {
        set_rotation(&doomed.engine, known).await;
    }
    world.pass(3500);
    world.server.queue(Fault::Hang {
        processed,
        millis: None,
    });
    doomed.spawn(async |engine| drop(engine.refresh(&ui(), NAME).await));
    seen(&world, "the refresh", |server| {
        server
            .log()
            .iter()
            .any(|r| r.fault.is_some() && (r.processed || !processed))
    })
    .await;
    let engine = doomed.crash(&world).await;
    world.server.release();
    assert!(!engine.status().vault.read_only);
    (world, engine)
}

/// security.md, "Refresh", 3 and 7: the journal says after a crash what may have happened.
#[tokio::test]
async fn after_a_crash_a_token_that_is_not_rotated_is_sent_again() {
    for processed in [true, false] {
        let (world, engine) = died(Rotation::None, None, processed).await;
        seen(&world, "the second try", |server| server.refreshes() == 2).await;
        until("it is well", async || {
            (status(&engine).await == ConnectionStatus::Active).then_some(())
        })
        .await;
        token(&engine, 600).await.unwrap();
        assert_eq!(world.server.refreshes(), 2);
    }
}

#[tokio::test]
async fn after_a_crash_within_the_grace_it_is_sent_again_at_once() {
    let (world, engine) = died(Rotation::Grace(30), None, true).await;
    seen(&world, "the second try", |server| server.refreshes() == 2).await;
    let got = token(&engine, 600).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    assert!(world.server.family_alive());
}

#[tokio::test]
async fn after_a_crash_a_token_that_is_taken_once_is_not_sent_again() {
    for processed in [true, false] {
        let (world, engine) = died(Rotation::Strict, None, processed).await;
        until("it is known", async || {
            (status(&engine).await == LOST).then_some(())
        })
        .await;
        assert!(token(&engine, 0).await.is_ok(), "the access token still lives");
        world.pass(200);
        assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
        assert_eq!(world.server.refreshes(), 1);
    }
}

#[tokio::test]
async fn after_a_crash_with_unknown_rotation_the_access_token_is_used_up_first() {
    let (world, engine) = died(Rotation::Grace(3600), Some(KnownRotation::Unknown), true).await;
    let shown = until("it is held", async || {
        let shown = view(&engine).await.connection;
        (shown.status == ConnectionStatus::Active && shown.trouble.is_some()).then_some(shown)
    })
    .await;
    assert_eq!(shown.trouble.unwrap().next_try_at, shown.expires_at);
    token(&engine, 600).await.unwrap();
    assert_eq!(world.server.refreshes(), 1);
    world.pass(101);
    token(&engine, 600).await.unwrap();
    assert_eq!(world.server.refreshes(), 2);
}

async fn flow_by(engine: &Engine, redirect: Redirect) -> StartedFlow {
    let how = ConnectOptions {
        redirect: Some(redirect),
        ..ConnectOptions::default()
    };
    engine.connect(&ui(), NAME, how).await.unwrap()
}

#[tokio::test]
async fn a_deep_link_flow_survives_a_restart_and_a_loopback_flow_goes() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let linked = flow_by(&engine, Redirect::DeepLink).await;
    let loopback = flow_by(&engine, Redirect::Loopback).await;
    let answer = answer_of(&linked);
    let engine = world.restart(engine).await;

    let gone = engine.flow(&ui(), loopback.flow, Duration::ZERO).await;
    assert!(matches!(gone, Err(Error::FlowExpired)), "{gone:?}");
    let left = engine.connections(&ui()).await.unwrap();
    assert_eq!(left.len(), 1, "its pending connection went with it");
    assert_eq!(left[0].flow, Some(linked.flow));

    engine.callback(&ui(), &answer).await.unwrap();
    let ended = engine.flow(&ui(), linked.flow, Duration::ZERO).await.unwrap();
    assert_eq!(ended.state, FlowState::Connected);
}

#[tokio::test]
async fn a_flow_that_expired_while_no_engine_ran_is_gone_after_the_start() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let flow = flow_by(&engine, Redirect::DeepLink).await;
    let answer = answer_of(&flow);
    engine.shutdown().await;
    world.pass(601);
    let engine = world.start().await;
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let error = engine.callback(&ui(), &answer).await.unwrap_err();
    assert_eq!(error.code(), Code::FlowExpired);
}

/// An exchange that died in its middle leaves nothing that waits for ever.
#[tokio::test]
async fn a_connection_whose_exchange_died_is_gone_after_the_start() {
    let world = World::new(Behaviour::default());
    let doomed = Doomed::start(&world).await;
    doomed
        .engine
        .add_provider(&ui(), world.provider(NAME))
        .await
        .unwrap();
    let flow = flow_by(&doomed.engine, Redirect::DeepLink).await;
    let answer = answer_of(&flow);
    world.server.queue(Fault::Gate);
    let late = answer.clone();
    doomed.spawn(async move |engine| drop(engine.callback(&ui(), &late).await));
    seen(&world, "the exchange", |server| {
        server.count(tokenry_testkit::Kind::Code) == 1
    })
    .await;
    let engine = doomed.crash(&world).await;
    world.server.release();
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let again = engine.callback(&ui(), &answer).await.unwrap_err();
    assert_eq!(again.code(), Code::FlowExpired, "a code is redeemed at most once");
}
