//! Failures of a refresh that say nothing about the grant: it goes on, and the status tells the truth.

use crate::tests::common::{NAME, World, patch, poke, seconds_from, seen, token, ui, until, view};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus};
use tokenry_testkit::{Behaviour, Fault, Rotation};

const POLICIES: [Rotation; 3] = [Rotation::None, Rotation::Grace(30), Rotation::Strict];

/// security.md, "Refresh", 8 and 9: nothing but `invalid_grant` ends a grant, and while refreshing fails and the
/// access token still lives, callers get it, and its true expiry.
async fn passes(rotation: Rotation, fault: Fault) {
    let (world, engine) = World::connected(Behaviour::rotating(rotation)).await;
    let before = token(&engine, 0).await.unwrap();
    world.pass(3500);
    world.server.queue(fault.clone());
    let during = token(&engine, 600).await.unwrap();
    assert_eq!(during.access_token.expose(), before.access_token.expose());
    assert_eq!(during.expires_at, before.expires_at);
    assert_eq!(seconds_from(world.server.log()[0].at, during.expires_at), 3600);

    let shown = view(&engine).await.connection;
    assert_eq!(shown.status, ConnectionStatus::Active, "{fault:?}");
    let trouble = shown.trouble.expect("it is shown beside the status");
    assert_eq!(trouble.attempts, 1);
    let now = world.server.log().last().unwrap().at;
    let pause = seconds_from(now, trouble.next_try_at);
    assert!((1..=300).contains(&pause), "{fault:?}: next try in {pause} s");

    world.pass(100);
    let after = token(&engine, 0).await.unwrap();
    assert!(world.server.accepts(after.access_token.expose()), "{fault:?}");
    assert_eq!(view(&engine).await.connection.trouble, None);
    assert_eq!(world.server.refreshes(), 2);
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    assert!(world.server.family_alive());
}

#[tokio::test]
async fn a_captive_portal_says_nothing_about_the_grant() {
    for rotation in POLICIES {
        passes(rotation, Fault::CaptivePortalHtml200).await;
    }
}

#[tokio::test]
async fn a_proxy_that_forbids_says_nothing_about_the_grant() {
    for rotation in POLICIES {
        passes(rotation, Fault::ProxyForbiddenHtml403).await;
    }
}

#[tokio::test]
async fn a_server_that_breaks_down_before_rotating_has_not_ended_the_grant() {
    for rotation in POLICIES {
        passes(rotation, Fault::Error500BeforeRotating).await;
    }
}

#[tokio::test]
async fn temporarily_unavailable_passes() {
    for rotation in POLICIES {
        passes(rotation, Fault::TemporarilyUnavailable { retry_after: None }).await;
    }
}

/// Checklist A4.5: a redirect is an error, and the refresh token goes nowhere else.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = World::new(Behaviour::default());
    let target = elsewhere.server.token_endpoint().to_string();
    for fault in [Fault::Redirect302To(target.clone()), Fault::Redirect307To(target)] {
        passes(Rotation::Strict, fault).await;
    }
    assert!(elsewhere.server.log().is_empty());
}

/// Checklist A4.12: `invalid_grant` counts as JSON of an authorization server and nowhere else.
#[tokio::test]
async fn an_invalid_grant_with_the_status_of_a_proxy_ends_nothing() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::OauthError {
        status: 403,
        error: "invalid_grant".to_owned(),
    });
    let error = token(&engine, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::ProviderError);
    assert_eq!(view(&engine).await.connection.status, ConnectionStatus::Active);
    world.pass(400);
    token(&engine, 0).await.unwrap();
}

/// security.md, "Refresh", 10: `Retry-After` is honoured between 1 s and 1 h, by the schedule and by callers.
#[tokio::test]
async fn retry_after_is_honoured_by_the_schedule_and_by_callers() {
    for (asked, kept) in [(120, 120), (0, 1), (86_400, 3600)] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        world.pass(3500);
        world.server.queue(Fault::TemporarilyUnavailable {
            retry_after: Some(asked),
        });
        token(&engine, 600).await.unwrap();
        let trouble = view(&engine).await.connection.trouble.unwrap();
        let pause = seconds_from(world.server.log().last().unwrap().at, trouble.next_try_at);
        assert!((kept..=kept + 2).contains(&pause), "{asked}: {pause}");
        if kept < 10 {
            continue;
        }
        world.pass(u64::try_from(kept).unwrap() - 2);
        poke(&engine, NAME).await;
        match token(&engine, 0).await {
            Ok(living) => assert_eq!(asked, 120, "{living:?}"),
            Err(error) => assert!(error.retry_after().unwrap() <= Duration::from_secs(5)),
        }
        assert_eq!(world.server.refreshes(), 1, "{asked}: a caller did not wait");
        world.pass(5);
        poke(&engine, NAME).await;
        seen(&world, "the next try", |server| server.refreshes() == 2).await;
    }
}

#[tokio::test]
async fn a_person_may_refresh_during_a_pause_that_the_provider_asked_for() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.queue(Fault::TemporarilyUnavailable {
        retry_after: Some(600),
    });
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::ProviderUnreachable);
    assert!(error.retry_after().unwrap() >= Duration::from_secs(600));
    let view = engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(view.connection.trouble, None);
}

/// With no living token there is nothing to hand out; the error says when it is tried again, and many callers do
/// not become many requests.
#[tokio::test]
async fn many_callers_of_an_ended_token_do_not_flood_a_provider_that_is_down() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let down = Fault::TemporarilyUnavailable { retry_after: None };
    world.server.set(|behaviour| behaviour.token_fault = Some(down));
    world.pass(4000);
    for _ in 0..20 {
        let error = token(&engine, 0).await.unwrap_err();
        assert_eq!(error.code(), Code::ProviderUnreachable);
        assert!(error.retry_after().is_some());
    }
    assert_eq!(world.server.refreshes(), 1);
}

/// A fault in the settings is tried once more, then every hour, and it is not hammered by callers.
#[tokio::test]
async fn a_rejection_is_tried_once_more_and_then_every_hour() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(4000);
    world.server.queue(Fault::OauthError {
        status: 400,
        error: "invalid_scope".to_owned(),
    });
    let error = token(&engine, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::ProviderError);
    assert_eq!(error.provider_error(), Some("invalid_scope"));
    let shown = view(&engine).await.connection;
    assert_eq!(shown.status, ConnectionStatus::Active);
    let now = world.server.log().last().unwrap().at;
    let pause = seconds_from(now, shown.trouble.unwrap().next_try_at);
    assert!((1..=300).contains(&pause), "{pause}");
    token(&engine, 0).await.unwrap_err();
    assert_eq!(world.server.refreshes(), 1);
    engine.refresh(&ui(), NAME).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_is_gone_is_tried_again_and_found_when_it_is_back() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let good = engine.provider(&ui(), NAME).await.unwrap();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut url = good.token_endpoint().unwrap();
    url.set_port(Some(nowhere.local_addr().unwrap().port())).unwrap();
    drop(nowhere);
    let to = |url| patch(json!({"token_endpoint": url}));
    engine.change_provider(&ui(), NAME, to(url)).await.unwrap();
    world.pass(3500);
    for attempt in 1..=3 {
        token(&engine, 600).await.unwrap();
        let trouble = view(&engine).await.connection.trouble.unwrap();
        assert_eq!(trouble.attempts, attempt);
        world.pass(10);
    }
    engine
        .change_provider(&ui(), NAME, to(good.token_endpoint().unwrap()))
        .await
        .unwrap();
    world.pass(600);
    poke(&engine, NAME).await;
    until("the schedule finds it", async || {
        view(&engine).await.connection.trouble.is_none().then_some(())
    })
    .await;
}
