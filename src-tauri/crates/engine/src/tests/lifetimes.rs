//! Sign-ins that end: when the user is told, what Tokenry renews by itself, and what was seen to end.

use crate::tests::common::{
    NAME, World, patch, poke, schedule_is_idle, seconds_from, seen, status, token, ui, until, view,
};
use crate::{Change, ConnectOptions, Engine};
use serde_json::{Value, json};
use tokenry_core::{ConnectionStatus, ReauthReason};
use tokenry_testkit::{Behaviour, Fault, Rotation};

const DAY: u64 = 24 * 3600;

/// Connected at a provider with these settings.
async fn with(behaviour: Behaviour, settings: Value) -> (World, Engine) {
    let world = World::new(behaviour);
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    engine
        .change_provider(&ui(), NAME, patch(settings))
        .await
        .unwrap();
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    (world, engine)
}

/// Lets time go by in steps of half a day, as an engine that runs sees it.
async fn live(world: &World, engine: &Engine, days: u64) {
    for _ in 0..2 * days {
        world.pass(DAY / 2);
        poke(engine, NAME).await;
        schedule_is_idle(engine).await;
    }
}

/// The last 3 days, or the last 10 % of the lifetime, if that is shorter.
#[tokio::test]
async fn a_sign_in_that_ends_is_told_in_its_last_tenth_and_at_most_three_days_before() {
    for (days, warning) in [(1, DAY / 10), (7, 7 * DAY / 10), (90, 3 * DAY)] {
        let settings = json!({"refresh_token_expires_in": days * DAY});
        let (world, engine) = with(Behaviour::rotating(Rotation::None), settings).await;
        let begun = world.clock_now();
        let shown = view(&engine).await;
        assert_eq!(shown.connection.status, ConnectionStatus::Active);
        assert_eq!(
            seconds_from(begun, shown.sign_in_again_before),
            i64::try_from(days * DAY).unwrap()
        );
        world.pass(days * DAY - warning - 60);
        token(&engine, 0).await.unwrap();
        assert_eq!(status(&engine).await, ConnectionStatus::Active, "{days} days");
        world.pass(60);
        assert_eq!(status(&engine).await, ConnectionStatus::Expiring, "{days} days");
        // It still works; a new sign-in starts it again.
        token(&engine, 0).await.unwrap();
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        assert_eq!(status(&engine).await, ConnectionStatus::Active);
    }
}

#[tokio::test]
async fn a_sign_in_that_ends_soon_is_announced_counted_and_listed_before_the_others() {
    let settings = json!({"refresh_token_expires_in": 30 * DAY});
    let (world, engine) = with(Behaviour::rotating(Rotation::None), settings).await;
    let mut other = world.provider("another");
    other = other.with("rotation", json!({"kind": "none"}));
    engine.add_provider(&ui(), other).await.unwrap();
    let flow = engine
        .connect(
            &ui(),
            "another",
            crate::tests::common::paste(ConnectOptions::default()),
        )
        .await
        .unwrap();
    engine
        .callback(&ui(), &crate::tests::common::answer_of(&flow))
        .await
        .unwrap();
    let names = async || -> Vec<String> {
        let all = engine.connections(&ui()).await.unwrap();
        all.into_iter().map(|view| view.name).collect()
    };
    assert_eq!(names().await, ["another", NAME]);
    world.pass(27 * DAY - 100);
    token(&engine, 0).await.unwrap();
    schedule_is_idle(&engine).await;
    let id = view(&engine).await.connection.id;
    let mut changes = engine.changes();
    world.pass(100);
    // Any change makes the schedule look at the clock.
    poke(&engine, "another").await;
    until("the end is announced", async || {
        loop {
            match changes.try_recv() {
                Ok(Change::Connection(changed)) if changed == id => return Some(()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    })
    .await;
    assert_eq!(names().await, [NAME, "another"]);
    let counts = engine.status().connections;
    assert!(counts.contains(&(ConnectionStatus::Expiring, 1)), "{counts:?}");
}

/// What a response tells counts more than the setting; two of them show whether a refresh starts the time again.
#[tokio::test]
async fn a_told_end_that_moves_with_each_refresh_is_no_end_and_one_that_stays_is_one() {
    let (world, engine) = with(Behaviour::default(), json!({"refresh_token_expires_in": 5 * DAY})).await;
    let member = |seconds: u64| Fault::Members(json!({"refresh_expires_in": seconds}));
    world.server.queue(member(1800));
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let end = view(&engine).await.sign_in_again_before;
    assert_eq!(end, None, "the first refresh shows it");
    world.pass(600);
    world.server.queue(member(1800));
    engine.refresh(&ui(), NAME).await.unwrap();
    let life = view(&engine).await.connection.refresh_token_life.unwrap();
    assert_eq!(
        (life.renews, seconds_from(world.clock_now(), Some(life.ends_at))),
        (Some(true), 1800)
    );
    assert_eq!(view(&engine).await.sign_in_again_before, None);
    // The session behind it comes to its own end: the time no longer moves.
    world.pass(600);
    world.server.queue(member(1200));
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(
        seconds_from(world.clock_now(), view(&engine).await.sign_in_again_before),
        1200
    );
    // 0 is said by servers whose refresh tokens do not end.
    world.server.queue(member(0));
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_ne!(
        seconds_from(world.clock_now(), view(&engine).await.sign_in_again_before),
        0
    );
}

/// An access token without an end is never refreshed for its own sake; its refresh token would end unused.
#[tokio::test]
async fn an_idle_refresh_token_that_renews_is_used_in_time_and_one_that_does_not_is_left_alone() {
    for renews in [true, false] {
        let settings = json!({"refresh_token_expires_in": 30 * DAY, "refresh_token_renews": renews});
        let behaviour = Behaviour {
            token_fault: Some(Fault::OmitExpiresIn),
            ..Behaviour::default()
        };
        let (world, engine) = with(behaviour, settings).await;
        let shown = view(&engine).await.connection;
        assert_eq!((shown.expires_at, shown.refresh_at.is_some()), (None, renews));
        live(&world, &engine, 20).await;
        assert_eq!(world.server.refreshes(), 0, "it is not time yet");
        live(&world, &engine, 80).await;
        let refreshes = world.server.refreshes();
        if renews {
            // Between 21 and 27 days each.
            assert!((3..=4).contains(&refreshes), "{refreshes}");
            assert_eq!(status(&engine).await, ConnectionStatus::Active);
            assert_eq!(view(&engine).await.sign_in_again_before, None);
        } else {
            assert_eq!(refreshes, 0);
            assert_eq!(status(&engine).await, ConnectionStatus::Expiring);
        }
    }
}

/// A provider that cannot be reached is not asked more often for that: the pauses are those of any refresh.
#[tokio::test]
async fn a_refresh_that_keeps_alive_waits_between_its_tries_like_any_other() {
    let settings = json!({"refresh_token_expires_in": 10 * DAY, "refresh_token_renews": true});
    let behaviour = Behaviour {
        token_fault: Some(Fault::OmitExpiresIn),
        ..Behaviour::default()
    };
    let (world, engine) = with(behaviour, settings).await;
    world.server.set(|behaviour| {
        behaviour.token_fault = Some(Fault::TemporarilyUnavailable {
            retry_after: Some(3600),
        });
    });
    world.pass(9 * DAY);
    poke(&engine, NAME).await;
    seen(&world, "the first try", |server| server.refreshes() == 1).await;
    schedule_is_idle(&engine).await;
    poke(&engine, NAME).await;
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 1);
    assert_eq!(
        status(&engine).await,
        ConnectionStatus::Expiring,
        "it ends if that goes on"
    );
}

/// Google ends the sign-ins of an app in test after 7 days, and no response says so.
#[tokio::test]
async fn what_ended_twice_at_the_same_age_is_expected_to_end_so_again() {
    let (world, engine) = with(
        Behaviour::rotating(Rotation::None),
        json!({"rotation": {"kind": "none"}}),
    )
    .await;
    for end in ["first", "second"] {
        assert_eq!(view(&engine).await.sign_in_again_before, None, "{end}");
        live(&world, &engine, 7).await;
        world.server.withdraw();
        world.pass(600);
        engine.refresh(&ui(), NAME).await.unwrap_err();
        assert_eq!(
            status(&engine).await,
            ConnectionStatus::NeedsReauth(ReauthReason::Revoked)
        );
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    }
    let end = seconds_from(world.clock_now(), view(&engine).await.sign_in_again_before);
    let week = i64::try_from(7 * DAY).unwrap();
    assert!((week - 12 * 3600..=week).contains(&end), "{end}");
    // One that outlives it shows that it was something else.
    live(&world, &engine, 8).await;
    assert_eq!(status(&engine).await, ConnectionStatus::Expiring);
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
}

#[tokio::test]
async fn sign_ins_that_ended_at_different_ages_or_were_noticed_late_show_nothing() {
    let (world, engine) = with(
        Behaviour::rotating(Rotation::None),
        json!({"rotation": {"kind": "none"}}),
    )
    .await;
    for days in [2, 9] {
        live(&world, &engine, days).await;
        world.server.withdraw();
        engine.refresh(&ui(), NAME).await.unwrap_err();
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    }
    for _ in 0..2 {
        // The machine was off for days: the end lies anywhere in them.
        world.server.withdraw();
        world.pass(5 * DAY);
        token(&engine, 0).await.unwrap_err();
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    }
    assert_eq!(view(&engine).await.sign_in_again_before, None);
}

/// A provider that grants long-lived access tokens and no refresh token.
#[tokio::test]
async fn an_access_token_of_days_that_nothing_refreshes_is_told_of_and_one_of_an_hour_is_not() {
    for (life, told) in [(60 * DAY, true), (3600, false)] {
        let behaviour = Behaviour {
            refresh_tokens: false,
            token_life: life,
            ..Behaviour::default()
        };
        let (world, engine) = World::connected(behaviour).await;
        assert_eq!(view(&engine).await.sign_in_again_before.is_some(), told);
        world.pass(life - 60);
        let expected = if told {
            ConnectionStatus::Expiring
        } else {
            ConnectionStatus::Active
        };
        assert_eq!(status(&engine).await, expected);
    }
}

#[tokio::test]
async fn the_leeway_says_how_long_before_its_end_an_access_token_is_refreshed() {
    let (world, engine) = with(Behaviour::default(), json!({"refresh_leeway": 600})).await;
    let due = seconds_from(world.clock_now(), view(&engine).await.connection.refresh_at);
    assert!((2940..=3000).contains(&due), "{due}");
    world.pass(3001);
    poke(&engine, NAME).await;
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
}
