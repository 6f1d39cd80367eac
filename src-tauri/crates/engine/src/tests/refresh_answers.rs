//! Answers to a refresh that are good, each in its own way.

use crate::TokenView;
use crate::tests::common::{World, schedule_is_idle, token, ui, view};
use tokenry_core::{ConnectionStatus, Scopes};
use tokenry_testkit::{Behaviour, Fault, Rotation};

/// Refreshes once with this fault, and checks that the grant lives on and goes on rotating.
async fn refreshed_with(rotation: Rotation, fault: Option<Fault>) -> (World, TokenView) {
    let (world, engine) = World::connected(Behaviour::rotating(rotation)).await;
    let before = token(&engine, 0).await.unwrap().access_token;
    world.pass(3500);
    if let Some(fault) = fault {
        world.server.queue(fault);
    }
    let got = token(&engine, 600).await.unwrap();
    assert_ne!(got.access_token.expose(), before.expose());
    assert!(world.server.accepts(got.access_token.expose()));
    assert_eq!(got.token_type, "Bearer");
    let shown = view(&engine).await.connection;
    assert_eq!(shown.status, ConnectionStatus::Active);
    assert_eq!(shown.trouble, None);
    assert_eq!(shown.expires_at, got.expires_at);
    assert_eq!(shown.granted_scopes, got.scopes);
    engine.refresh(&ui(), crate::tests::common::NAME).await.unwrap();
    assert_eq!(world.server.refreshes(), 2);
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    assert!(world.server.family_alive());
    (world, got)
}

#[tokio::test]
async fn a_token_is_refreshed_with_every_rotation_policy() {
    for rotation in [Rotation::Strict, Rotation::Grace(30), Rotation::None] {
        let (world, got) = refreshed_with(rotation, None).await;
        assert_eq!(
            crate::tests::common::seconds_from(world.server.log()[0].at, got.expires_at),
            3500 + 3600
        );
    }
}

/// Checklist A4.7: no `expires_in` is unknown, and not for ever.
#[tokio::test]
async fn without_expires_in_the_end_is_unknown_and_the_token_is_used() {
    let (_, got) = refreshed_with(Rotation::Strict, Some(Fault::OmitExpiresIn)).await;
    assert_eq!(got.expires_at, None);
}

#[tokio::test]
async fn expires_in_of_zero_is_unknown_too_and_causes_no_refresh_loop() {
    let zero = Fault::ExpiresIn(0.into());
    let (_, got) = refreshed_with(Rotation::Strict, Some(zero)).await;
    assert_eq!(got.expires_at, None);
}

#[tokio::test]
async fn expires_in_as_a_text_is_read() {
    let (world, got) = refreshed_with(Rotation::Strict, Some(Fault::ExpiresInAsText)).await;
    assert_eq!(
        crate::tests::common::seconds_from(world.server.log()[0].at, got.expires_at),
        3500 + 3600
    );
}

/// Checklist A4.6.
#[tokio::test]
async fn a_lower_case_bearer_is_a_bearer() {
    refreshed_with(Rotation::Strict, Some(Fault::LowerCaseBearer)).await;
}

/// RFC 6749 §5.1: without `scope` it is as before.
#[tokio::test]
async fn without_scope_the_granted_scopes_stay() {
    let (_, got) = refreshed_with(Rotation::Strict, Some(Fault::NoScope)).await;
    assert_eq!(got.scopes, Scopes::parse("read write"));
}

#[tokio::test]
async fn a_narrower_scope_is_what_the_token_says_it_can_do() {
    let (_, got) = refreshed_with(Rotation::Strict, Some(Fault::NarrowerScope("read".to_owned()))).await;
    assert_eq!(got.scopes, Scopes::parse("read"));
}

#[tokio::test]
async fn a_form_encoded_answer_is_read() {
    refreshed_with(Rotation::Strict, Some(Fault::FormEncoded)).await;
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    refreshed_with(Rotation::Strict, Some(Fault::SlowAnswer(300))).await;
}

/// A life so short that it is over before the schedule can do anything makes no flood of requests.
#[tokio::test]
async fn a_token_that_lives_a_second_is_not_refreshed_over_and_over() {
    let (world, engine) = World::connected(Behaviour {
        token_life: 1,
        ..Behaviour::default()
    })
    .await;
    for _ in 0..5 {
        world.pass(2);
        schedule_is_idle(&engine).await;
    }
    assert_eq!(world.server.refreshes(), 0);
    token(&engine, 0).await.unwrap();
    assert_eq!(world.server.refreshes(), 1);
}
