//! One refresh for each connection at a time, owned by the engine and not by a caller.

use crate::tests::common::{NAME, World, poke, provider_at, seen, status, token, ui, until, view, waits};
use crate::{ConnectOptions, ConnectionChange, Revoked, VaultState};
use std::{collections::HashSet, time::Duration};
use tokenry_core::{Caller, Code, ConnectionStatus};
use tokenry_testkit::{Behaviour, Fault, Kind, Rotation, Server};

/// 64 callers at the moment of expiry, each asking for this many seconds.
async fn all_at_once(min_valid: u64) {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3600);
    world.server.queue(Fault::SlowAnswer(200));
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { token(&engine, min_valid).await.unwrap() })
        })
        .collect();
    let mut tokens = HashSet::new();
    for caller in callers {
        tokens.insert(caller.await.unwrap().access_token.expose().to_owned());
    }
    assert_eq!(tokens.len(), 1);
    assert_eq!(world.server.refreshes(), 1);
}

/// security.md, "Refresh", 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_at_expiry_cause_one_refresh_and_get_one_token() {
    all_at_once(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_who_want_more_than_the_provider_grants_cause_one_refresh() {
    all_at_once(100_000).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_nothing() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { token(&engine, 0).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    world.server.release();
    let got = token(&engine, 0).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    assert_eq!(world.server.refreshes(), 1);
}

#[tokio::test]
async fn while_one_provider_hangs_another_connections_token_is_served() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let other = Server::start_with(Behaviour::default(), world.clock.clone(), tokenry_core::OsRandom);
    engine
        .add_provider(&ui(), provider_at(&other, "other"))
        .await
        .unwrap();
    let how = crate::tests::common::paste(ConnectOptions::default());
    let flow = engine.connect(&ui(), "other", how).await.unwrap();
    engine
        .callback(&ui(), &crate::tests::common::answer_of(&flow))
        .await
        .unwrap();
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let hanging = {
        let engine = engine.clone();
        tokio::spawn(async move { token(&engine, 0).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    assert_eq!(status(&engine).await, ConnectionStatus::Refreshing);
    for _ in 0..3 {
        engine.token(&ui(), "other", Duration::ZERO).await.unwrap();
    }
    assert_eq!(other.refreshes(), 1);
    assert!(!hanging.is_finished());
    world.server.release();
    hanging.await.unwrap().unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}

/// Checks that what the engine has is the newest token and that the profile is whole, in a new engine.
async fn is_whole(world: &World, engine: crate::Engine) {
    let engine = world.restart(engine).await;
    let report = engine.status().vault;
    assert_eq!(report.problem, None);
    assert!(!report.read_only);
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    assert!(world.server.family_alive());
}

/// security.md, "Keys", lock: an exchange under way is committed first.
#[tokio::test]
async fn a_refresh_under_way_when_the_vault_is_locked_is_committed() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { token(&engine, 0).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    engine.lock(&ui()).await.unwrap();
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::VaultLocked);
    world.server.release();
    assert_eq!(
        asking.await.unwrap().unwrap_err().code(),
        Code::VaultLocked,
        "no token is handed out after the lock"
    );
    is_whole(&world, engine).await;
}

/// Two ledgers of one vault would each write a manifest without the other's rows.
#[tokio::test]
async fn a_refresh_that_outlives_a_lock_and_an_unlock_leaves_the_profile_whole() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { token(&engine, 0).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    engine.lock(&ui()).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    let label = ConnectionChange {
        label: Some(Some("mine".to_owned())),
        paused: None,
        bindings: None,
    };
    engine.change_connection(&ui(), NAME, label).await.unwrap();
    world.server.release();
    let before_the_lock = asking.await.unwrap().unwrap_err();
    assert_eq!(before_the_lock.code(), Code::VaultLocked);
    let after = engine.token(&ui(), "mine", Duration::ZERO).await.unwrap();
    assert_eq!(world.server.refreshes(), 1);
    let shown = view(&engine).await;
    assert_eq!(
        shown.connection.expires_at, after.expires_at,
        "the list knows of it"
    );
    assert_eq!(shown.name, format!("{NAME}/mine"));
    is_whole(&world, engine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_unlocks_at_once_open_one_vault() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    for _ in 0..5 {
        engine.lock(&ui()).await.unwrap();
        let unlocking: Vec<_> = (0..8)
            .map(|_| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    engine.unlock(&ui(), None, false).await.unwrap();
                    poke(&engine, NAME).await;
                })
            })
            .collect();
        for one in unlocking {
            one.await.unwrap();
        }
    }
    is_whole(&world, engine).await;
}

/// What is revoked is the newest token, and nothing brings the connection back.
#[tokio::test]
async fn a_disconnect_during_a_refresh_revokes_the_newest_token() {
    for rotation in [Rotation::Strict, Rotation::None] {
        let (world, engine) = World::connected(Behaviour::rotating(rotation)).await;
        world.pass(3700);
        world.server.queue(Fault::Gate);
        let asking = {
            let engine = engine.clone();
            tokio::spawn(async move { token(&engine, 0).await })
        };
        seen(&world, "the refresh", |server| server.refreshes() == 1).await;
        let caller = ui();
        let mut leaving = Box::pin(engine.disconnect(&caller, NAME));
        waits(&mut leaving).await;
        world.server.release();
        let (got, revoked) = tokio::join!(asking, leaving);
        let got = got.unwrap();
        assert_eq!(revoked.unwrap(), Revoked::Yes);
        let revoked = world
            .server
            .log()
            .into_iter()
            .find(|r| r.kind == Kind::Revoke)
            .unwrap();
        let newest = u32::from(rotation == Rotation::Strict);
        assert_eq!(revoked.refresh_token_generation, Some(newest));
        assert!(!world.server.family_alive());
        if let Ok(got) = got {
            assert!(!world.server.accepts(got.access_token.expose()));
        }
        assert!(engine.connections(&ui()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_pause_during_a_refresh_stays_and_the_tokens_are_kept() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.refresh(&ui(), NAME).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    let pause = |paused| ConnectionChange {
        label: None,
        paused: Some(paused),
        bindings: None,
    };
    engine.change_connection(&ui(), NAME, pause(true)).await.unwrap();
    world.server.release();
    asking.await.unwrap().unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Paused);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::Conflict);
    engine.change_connection(&ui(), NAME, pause(false)).await.unwrap();
    token(&engine, 0).await.unwrap();
    assert_eq!(world.server.refreshes(), 1);
}

#[tokio::test]
async fn an_engine_that_ends_finishes_the_refresh_first() {
    let (world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { token(&engine, 0).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    let ending = {
        let engine = engine.clone();
        let program = Caller::Program(tokenry_peer::of_process(0, std::process::id()));
        tokio::spawn(async move { engine.hand_over(&program).await })
    };
    until("the gate is shut", async || {
        (engine.status().vault.state == VaultState::Locked).then_some(())
    })
    .await;
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::VaultLocked);
    assert!(!ending.is_finished());
    world.server.release();
    ending.await.unwrap().unwrap();
    engine.finished().await;
    assert!(asking.await.unwrap().is_ok());
    let engine = world.start().await;
    token(&engine, 600).await.unwrap();
    assert_eq!(world.server.refreshes(), 1);
}
