//! The answer to a refresh never came, or cannot be read. What that means is a fact about the provider.

use crate::Engine;
use crate::tests::common::{
    NAME, World, poke, schedule_is_idle, seconds_from, seen, set_rotation, status, token, ui, until, view,
};
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, ReauthReason, Rotation as KnownRotation};
use tokenry_testkit::{Behaviour, Fault, Rotation};

const LOST: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::LostResponse);

/// Each way to lose an answer that the provider has given.
fn ways() -> Vec<Fault> {
    vec![
        Fault::LoseAnswer,
        Fault::CutAnswer,
        Fault::TruncatedJson,
        Fault::HugeBody,
    ]
}

/// A connection with 100 s of life left, whose refresh was just lost in this way.
async fn lost(rotation: Rotation, known: Option<KnownRotation>, fault: Fault) -> (World, Engine) {
    let (world, engine) = World::connected(Behaviour::rotating(rotation)).await;
    if let Some(known) = known {
        set_rotation(&engine, known).await;
    }
    let before = token(&engine, 0).await.unwrap();
    world.pass(3500);
    world.server.queue(fault.clone());
    let during = token(&engine, 600).await.unwrap();
    assert_eq!(
        during.access_token.expose(),
        before.access_token.expose(),
        "{fault:?}"
    );
    assert_eq!(during.expires_at, before.expires_at);
    assert_eq!(world.server.refreshes(), 1);
    (world, engine)
}

/// security.md, "Refresh", 7: where tokens are not rotated, a lost answer costs nothing.
#[tokio::test]
async fn where_tokens_are_not_rotated_it_is_sent_again() {
    for fault in ways() {
        let (world, engine) = lost(Rotation::None, None, fault).await;
        assert_eq!(status(&engine).await, ConnectionStatus::Active);
        world.pass(10);
        poke(&engine, NAME).await;
        seen(&world, "the second try", |server| server.refreshes() == 2).await;
        until("it is well again", async || {
            view(&engine).await.connection.trouble.is_none().then_some(())
        })
        .await;
        assert!(world.server.family_alive());
    }
}

#[tokio::test]
async fn within_the_grace_it_is_sent_again_in_time() {
    for fault in ways() {
        let (world, engine) = lost(Rotation::Grace(4), None, fault).await;
        let shown = view(&engine).await.connection;
        assert_eq!(shown.status, ConnectionStatus::Active);
        let pause = seconds_from(
            world.server.log().last().unwrap().at,
            shown.trouble.unwrap().next_try_at,
        );
        assert!(pause <= 3, "the grace would be over: {pause}");
        world.pass(3);
        poke(&engine, NAME).await;
        until("it is well again", async || {
            view(&engine).await.connection.trouble.is_none().then_some(())
        })
        .await;
        let got = token(&engine, 600).await.unwrap();
        assert!(world.server.accepts(got.access_token.expose()));
        assert!(world.server.family_alive());
    }
}

#[tokio::test]
async fn after_the_grace_it_is_not_sent_again_by_itself() {
    let (world, engine) = lost(Rotation::Grace(4), None, Fault::LoseAnswer).await;
    world.pass(5);
    poke(&engine, NAME).await;
    until("it is given up", async || {
        (status(&engine).await == LOST).then_some(())
    })
    .await;
    assert_eq!(world.server.refreshes(), 1);
    assert!(token(&engine, 0).await.is_ok(), "the access token still lives");
    world.pass(100);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!(world.server.refreshes(), 1);
}

/// A portal in between says nothing, so it does not make good what is not known either.
#[tokio::test]
async fn an_attempt_stays_unresolved_when_a_later_try_says_nothing() {
    let (world, engine) = lost(Rotation::Grace(20), None, Fault::LoseAnswer).await;
    world.pass(10);
    world.server.queue(Fault::CaptivePortalHtml200);
    token(&engine, 600).await.unwrap();
    assert_eq!(world.server.refreshes(), 2);
    world.pass(11);
    token(&engine, 600).await.unwrap();
    assert_eq!(status(&engine).await, LOST);
    assert_eq!(world.server.refreshes(), 2, "the grace is over");
    assert!(world.server.family_alive());
}

#[tokio::test]
async fn where_a_token_is_taken_once_it_is_never_sent_again_by_itself() {
    for fault in ways() {
        let (world, engine) = lost(Rotation::Strict, None, fault.clone()).await;
        let shown = view(&engine).await.connection;
        assert_eq!(shown.status, LOST, "{fault:?}");
        assert_eq!(shown.trouble, None);
        assert!(token(&engine, 0).await.is_ok(), "the access token still lives");
        world.pass(200);
        poke(&engine, NAME).await;
        let error = token(&engine, 0).await.unwrap_err();
        assert_eq!(error.code(), Code::NeedsReauth);
        let mut engine = world.restart(engine).await;
        poke(&engine, NAME).await;
        engine = world.restart(engine).await;
        assert_eq!(status(&engine).await, LOST);
        assert_eq!(world.server.refreshes(), 1, "{fault:?}");
        assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    }
}

#[tokio::test]
async fn a_person_may_try_a_token_that_we_would_not_send_again() {
    // The provider had not taken it: so it works.
    let hang = Fault::Hang {
        processed: false,
        millis: Some(1),
    };
    let (world, engine) = lost(Rotation::Strict, None, hang).await;
    assert_eq!(status(&engine).await, LOST);
    let view = engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(view.connection.status, ConnectionStatus::Active);
    assert!(world.server.family_alive());

    // It had: so it is over, and the reason stays the true one.
    let (world, engine) = lost(Rotation::Strict, None, Fault::LoseAnswer).await;
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::NeedsReauth);
    assert_eq!(status(&engine).await, LOST);
    let again = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(again.code(), Code::NeedsReauth);
    assert_eq!(world.server.refreshes(), 2, "what ended is not sent a third time");
}

#[tokio::test]
async fn a_refresh_on_request_that_reaches_no_server_changes_nothing() {
    let (world, engine) = lost(Rotation::Strict, None, Fault::LoseAnswer).await;
    world
        .server
        .queue(Fault::TemporarilyUnavailable { retry_after: None });
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::ProviderUnreachable);
    assert_eq!(status(&engine).await, LOST);
    world.pass(60);
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 2);
}

#[tokio::test]
async fn with_unknown_rotation_a_retry_waits_for_the_end_of_the_access_token() {
    for fault in ways() {
        let (world, engine) = lost(Rotation::Grace(3600), Some(KnownRotation::Unknown), fault).await;
        let shown = view(&engine).await.connection;
        assert_eq!(shown.status, ConnectionStatus::Active);
        assert_eq!(shown.trouble.unwrap().next_try_at, shown.expires_at);
        world.pass(98);
        poke(&engine, NAME).await;
        token(&engine, 600).await.unwrap();
        assert_eq!(world.server.refreshes(), 1);
        world.pass(3);
        let got = token(&engine, 0).await.unwrap();
        assert!(world.server.accepts(got.access_token.expose()));
        assert_eq!(world.server.refreshes(), 2);
    }
}

#[tokio::test]
async fn with_unknown_rotation_a_strict_provider_is_found_out_in_the_end() {
    let (world, engine) = lost(Rotation::Strict, Some(KnownRotation::Unknown), Fault::LoseAnswer).await;
    world.pass(101);
    let error = token(&engine, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::NeedsReauth);
    assert_eq!(status(&engine).await, LOST);
}

/// A 500 may come after the token was replaced. Sent again at once it would end the access token, too.
#[tokio::test]
async fn a_server_that_breaks_down_after_rotating_is_asked_again_when_nothing_is_lost_by_it() {
    let broken = Fault::Error500AfterRotating;
    let (world, engine) = lost(Rotation::None, None, broken.clone()).await;
    world.pass(10);
    token(&engine, 600).await.unwrap();
    assert_eq!(world.server.refreshes(), 2);

    let (world, engine) = lost(Rotation::Grace(30), None, broken.clone()).await;
    world.pass(10);
    let got = token(&engine, 600).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    assert!(world.server.family_alive());

    for known in [KnownRotation::Strict, KnownRotation::Unknown] {
        let (world, engine) = lost(Rotation::Strict, Some(known), broken.clone()).await;
        let shown = view(&engine).await.connection;
        assert_eq!(shown.status, ConnectionStatus::Active, "a 500 ends nothing");
        assert_eq!(shown.trouble.unwrap().next_try_at, shown.expires_at);
        world.pass(50);
        let living = token(&engine, 600).await.unwrap();
        assert!(
            world.server.accepts(living.access_token.expose()),
            "it was not put at risk"
        );
        world.pass(51);
        assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
        assert_eq!(status(&engine).await, LOST);
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up_after_the_time_out() {
    let world = World::impatient(Behaviour::rotating(Rotation::None), Duration::from_secs(2));
    let engine = world.start().await;
    world.connect(&engine).await;
    world.pass(3500);
    world.server.queue(Fault::Hang {
        processed: true,
        millis: None,
    });
    let before = token(&engine, 0).await.unwrap();
    let during = token(&engine, 600).await.unwrap();
    assert_eq!(during.access_token.expose(), before.access_token.expose());
    let trouble = view(&engine).await.connection.trouble.unwrap();
    assert!(
        trouble.message.contains("did not answer in time"),
        "{}",
        trouble.message
    );
    world.pass(10);
    let after = token(&engine, 600).await.unwrap();
    assert_ne!(after.access_token.expose(), before.access_token.expose());
}
