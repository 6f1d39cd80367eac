//! A wall clock that shows a wrong time.

use crate::tests::common::{NAME, World, poke, seen, token, ui, until};
use crate::{Engine, NewGrant};
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, Code, EventKind, Timestamp};
use tokenry_testkit::Behaviour;

async fn registered(engine: &Engine) -> Caller {
    let (_, token) = engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    engine.authenticate(&token.unwrap(), None).await.unwrap()
}

fn grant(until: Timestamp) -> NewGrant {
    NewGrant {
        app: "backup".to_owned(),
        scopes: [ApiScope::TokensRead].into(),
        connections: vec![NAME.to_owned()],
        expires_at: Some(until),
        ..NewGrant::default()
    }
}

async fn code(engine: &Engine, caller: &Caller) -> Option<Code> {
    let got = engine.token(caller, NAME, Duration::ZERO).await;
    got.err().map(|error| error.code())
}

/// A grant that ended stays ended, in the same engine and in the next one; what is given afterwards is good.
#[tokio::test]
async fn a_grant_that_ended_stays_ended_when_the_clock_is_set_back() {
    for restarted in [false, true] {
        let (world, engine) = World::connected(Behaviour {
            token_life: 1_000_000,
            ..Behaviour::default()
        })
        .await;
        let caller = registered(&engine).await;
        let start = world.clock_now();
        engine
            .give_grant(&ui(), grant(start + Duration::from_secs(3600)))
            .await
            .unwrap();
        assert_eq!(code(&engine, &caller).await, None);
        world.pass(3601);
        assert_eq!(code(&engine, &caller).await, Some(Code::PermissionDenied));
        let engine = if restarted {
            engine.shutdown().await;
            drop(engine);
            world.clock.set(start + Duration::from_secs(60));
            world.start().await
        } else {
            world.clock.set(start + Duration::from_secs(60));
            engine
        };
        assert_eq!(
            code(&engine, &caller).await,
            Some(Code::PermissionDenied),
            "restarted: {restarted}"
        );
        assert!(engine.grants(&ui()).await.unwrap().is_empty());
        poke(&engine, NAME).await;
        until("it is deleted, and the log says so", async || {
            let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
            events
                .iter()
                .any(|event| event.kind == EventKind::GrantRemoved)
                .then_some(())
        })
        .await;
        // The clock counts again: a grant of a minute is good for a minute.
        engine
            .give_grant(&ui(), grant(start + Duration::from_secs(120)))
            .await
            .unwrap();
        until("the clock counts again", async || {
            code(&engine, &caller).await.is_none().then_some(())
        })
        .await;
        world.pass(60);
        assert_eq!(code(&engine, &caller).await, Some(Code::PermissionDenied));
    }
}

/// The same where no caller asked while it was ended, and the engine ran until then.
#[tokio::test]
async fn a_grant_that_ended_unseen_stays_ended_after_an_engine_that_ended_later() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let caller = registered(&engine).await;
    let start = world.clock_now();
    engine
        .give_grant(&ui(), grant(start + Duration::from_secs(60)))
        .await
        .unwrap();
    engine.lock(&ui()).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    world.pass(61);
    engine.shutdown().await;
    drop(engine);
    world.clock.set(start);
    let engine = world.start().await;
    assert_eq!(code(&engine, &caller).await, Some(Code::PermissionDenied));
}

/// A clock near the end of the calendar ends nothing.
#[tokio::test]
async fn a_clock_at_the_end_of_the_calendar_ends_nothing() {
    let (world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    let start = world.clock_now();
    let caller = registered(&engine).await;
    engine
        .give_grant(
            &ui(),
            NewGrant {
                expires_at: None,
                ..grant(start)
            },
        )
        .await
        .unwrap();
    for before in [8 * 24 * 3600, 3600, 30, 0] {
        let at = Timestamp::from_second(Timestamp::MAX.as_second() - before).unwrap();
        world.clock.set(at);
        poke(&engine, NAME).await;
        // Whatever comes of it, it is no panic.
        let _ = engine.refresh(&ui(), NAME).await;
        let _ = token(&engine, 600).await;
        let _ = code(&engine, &caller).await;
        world
            .server
            .set(|behaviour| behaviour.token_life = 10_000_000_000);
        let _ = engine.refresh(&ui(), NAME).await;
        drop(world.flow(&engine).await);
        let _ = engine.connections(&ui()).await.unwrap();
        engine.status();
        engine.lock(&ui()).await.unwrap();
        engine.unlock(&ui(), None, false).await.unwrap();
        poke(&engine, NAME).await;
    }
    // The schedule still runs.
    world.server.set(|behaviour| behaviour.token_life = 3600);
    world.clock.set(start);
    engine.refresh(&ui(), NAME).await.unwrap();
    let refreshes = world.server.refreshes();
    world.pass(3500);
    poke(&engine, NAME).await;
    seen(&world, "a refresh of the schedule's own", |server| {
        server.refreshes() > refreshes
    })
    .await;
}
