//! What the engine does without being asked.

use crate::tests::common::{
    NAME, World, answer_of, paste, patch, poke, schedule_is_idle, seen, set_rotation, status, token, ui,
    until, view,
};
use crate::{Change, ConnectOptions, ConnectionChange, Engine};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Clock, ConnectionId, ConnectionStatus, OsRandom, ReauthReason};
use tokenry_testkit::{Account, Behaviour, Fault, Kind, Server};

/// Long enough for the schedule to have done what it must not do.
const A_MOMENT: Duration = Duration::from_millis(100);

/// security.md, "Refresh", 10: due at 80 % of its life ± 10 %, at the latest 60 s before the end.
#[tokio::test]
async fn a_token_is_refreshed_when_it_is_due_and_not_before() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let due = view(&engine).await.connection.refresh_at.unwrap();
    let life = due.as_second() - view(&engine).await.connection.created_at.as_second();
    assert!((2519..=3240).contains(&life), "{life}");
    world.pass(u64::try_from(life).unwrap() - 5);
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 0);
    world.pass(6);
    poke(&engine, NAME).await;
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    until("the next one is planned", async || {
        (view(&engine).await.connection.refresh_at? > due).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_due_while_no_engine_ran_is_done_after_the_start() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.shutdown().await;
    world.pass(3400);
    let engine = world.start().await;
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    until("it is kept", async || {
        (status(&engine).await == ConnectionStatus::Active).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_became_due_while_locked_is_done_after_the_unlock() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.lock(&ui()).await.unwrap();
    world.pass(3400);
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 0);
    engine.unlock(&ui(), None, false).await.unwrap();
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
}

#[tokio::test]
async fn the_paused_and_the_ended_are_left_alone() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let pause = ConnectionChange {
        label: None,
        paused: Some(true),
        bindings: None,
    };
    engine.change_connection(&ui(), NAME, pause).await.unwrap();
    world.pass(3400);
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 0);

    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.withdraw();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    world.pass(3400);
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 1);
}

/// So many accounts at a server; each has its own connection, all due at the same time.
async fn accounts(engine: &Engine, server: &Server, provider: &str, count: usize) {
    for number in 0..count {
        let name = format!("{provider}-{number}");
        server.set(|behaviour| behaviour.accounts = vec![Account::new(&name, &name, &name)]);
        let how = ConnectOptions {
            label: Some(name),
            ..ConnectOptions::default()
        };
        let flow = engine.connect(&ui(), provider, paste(how)).await.unwrap();
        engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
    }
}

/// security.md, "Refresh", 10: at most 4 at a time, 2 per host. `localhost` and `127.0.0.1` are two hosts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_resume_at_most_four_are_refreshed_at_a_time_and_two_at_one_host() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider("one")).await.unwrap();
    accounts(&engine, &world.server, "one", 8).await;
    let other = Server::start_with(Behaviour::default(), world.clock.clone(), OsRandom);
    let mut second = crate::tests::common::provider_at(&other, "two");
    let mut url = other.token_endpoint();
    url.set_host(Some("localhost")).unwrap();
    second = second.with("refresh_endpoint", json!(url));
    engine.add_provider(&ui(), second).await.unwrap();
    accounts(&engine, &other, "two", 8).await;

    for server in [&world.server, &other] {
        server.set(|behaviour| behaviour.token_fault = Some(Fault::Gate));
    }
    world.pass(3400);
    poke(&engine, "one-0").await;
    let open = |server: &Server| {
        let log = server.log();
        log.iter()
            .filter(|r| r.kind == Kind::Refresh && r.status.is_none())
            .count()
    };
    // A slow host does not hold up the other one.
    until("both hosts are at work", async || {
        (open(&world.server) == 2 && open(&other) == 2).then_some(())
    })
    .await;
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!((open(&world.server), open(&other)), (2, 2));
    // A caller who waits does not stand in that line.
    let connections = engine.connections(&ui()).await.unwrap();
    let standing_in_line = connections
        .into_iter()
        .find(|c| c.provider_name.as_str() == "one" && c.connection.status == ConnectionStatus::Active)
        .unwrap();
    let caller = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.refresh(&ui(), &standing_in_line.name).await })
    };
    until("the caller's own", async || {
        (open(&world.server) == 3).then_some(())
    })
    .await;
    until("all are done", async || {
        let (one, two) = (open(&world.server), open(&other));
        assert!(one <= 3 && two <= 2, "{one} {two}");
        world.server.release();
        other.release();
        (world.server.refreshes() >= 8 && other.refreshes() == 8).then_some(())
    })
    .await;
    until("the caller is served", async || {
        world.server.release();
        caller.is_finished().then_some(())
    })
    .await;
    caller.await.unwrap().unwrap();
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

#[tokio::test]
async fn failures_in_a_row_are_tried_with_growing_pauses() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    set_rotation(&engine, tokenry_core::Rotation::None).await;
    world
        .server
        .set(|behaviour| behaviour.token_fault = Some(Fault::Error500BeforeRotating));
    world.pass(3400);
    for attempt in 1..=6 {
        poke(&engine, NAME).await;
        let trouble = until("the next failure", async || {
            view(&engine)
                .await
                .connection
                .trouble
                .filter(|t| t.attempts == attempt)
        })
        .await;
        let pause = trouble.next_try_at.unwrap().as_millisecond() - trouble.at.as_millisecond();
        assert!((1000..=300_000).contains(&pause), "{pause}");
        assert!(pause <= 1000 << attempt, "{attempt}: {pause}");
        world.pass(u64::try_from(pause / 1000 + 1).unwrap());
    }
    world.server.set(|behaviour| behaviour.token_fault = None);
    poke(&engine, NAME).await;
    until("it is well again", async || {
        view(&engine).await.connection.trouble.is_none().then_some(())
    })
    .await;
    token(&engine, 0).await.unwrap();
}

/// The keyring is told daily how old a copy of the vault may be.
#[tokio::test]
async fn the_epoch_floor_is_raised_daily() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let calls = world.keyring.calls();
    poke(&engine, NAME).await;
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!(world.keyring.calls(), calls);
    world.pass(24 * 3600);
    poke(&engine, NAME).await;
    until("the keyring is told", async || {
        (world.keyring.calls() > calls).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_changed_address_is_used_for_what_is_due() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let mut url = world.server.token_endpoint();
    url.set_query(Some("tenant=1"));
    let change = patch(json!({"refresh_endpoint": url}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    world.pass(3400);
    poke(&engine, NAME).await;
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    let log = world.server.log();
    let refresh = log.iter().find(|r| r.kind == Kind::Refresh).unwrap();
    assert_eq!(refresh.parameter("tenant"), Some("1"));
}

/// The changes of a connection that were announced so far.
fn announced(changes: &mut tokio::sync::broadcast::Receiver<Change>, id: ConnectionId) -> usize {
    let mut count = 0;
    while let Ok(change) = changes.try_recv() {
        count += usize::from(matches!(change, Change::Connection(changed) if changed == id));
    }
    count
}

#[tokio::test]
async fn the_end_of_a_token_that_cannot_be_refreshed_is_announced_when_it_comes() {
    let (world, engine) = World::connected(Behaviour {
        refresh_tokens: false,
        ..Behaviour::default()
    })
    .await;
    let id = view(&engine).await.connection.id;
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    tokio::time::pause();
    let mut changes = engine.changes();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(announced(&mut changes, id), 0, "nothing has changed yet");
    world.pass(3601);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(announced(&mut changes, id), 1);
    let expired = ConnectionStatus::NeedsReauth(ReauthReason::Expired);
    assert_eq!(status(&engine).await, expired);
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    assert_eq!(announced(&mut changes, id), 0, "it is announced once");
}

#[tokio::test]
async fn an_engine_that_waits_for_no_end_does_not_look_at_the_clock() {
    let (world, engine) = World::connected(Behaviour {
        refresh_tokens: false,
        ..Behaviour::default()
    })
    .await;
    let id = view(&engine).await.connection.id;
    world.pass(3601);
    poke(&engine, NAME).await;
    tokio::time::sleep(A_MOMENT).await;
    tokio::time::pause();
    let mut changes = engine.changes();
    // A clock that is set back would be noticed by every task that looks at it.
    world.clock.set(world.clock.now() - Duration::from_secs(3600));
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    assert_eq!(announced(&mut changes, id), 0);
    poke(&engine, NAME).await;
    tokio::time::sleep(A_MOMENT).await;
    assert!(announced(&mut changes, id) > 1, "the change and what it brings");
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}
