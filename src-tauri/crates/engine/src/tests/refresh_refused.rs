//! Refusals in other words than `invalid_grant`: they destroy nothing, and they do not stay unnoticed.

use crate::tests::common::{
    NAME, World, patch, poke, schedule_is_idle, seconds_from, seen, status, token, ui, until, view,
};
use crate::{ConnectOptions, Engine};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, ReauthReason};
use tokenry_testkit::{Behaviour, Fault, Rotation};

const REFUSED: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::Refused);

fn says(status: u16, error: &str) -> Fault {
    Fault::OauthError {
        status,
        error: error.to_owned(),
    }
}

/// A connection whose access token has ended, at a server that refuses every refresh like this.
async fn ended(fault: Fault) -> (World, Engine) {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.set(|behaviour| behaviour.token_fault = Some(fault));
    world.pass(3700);
    (world, engine)
}

/// Lets the announced time of the next try come.
async fn next_try(world: &World, engine: &Engine) {
    let trouble = view(engine).await.connection.trouble.unwrap();
    let now = world.clock_now();
    world.pass(u64::try_from(seconds_from(now, trouble.next_try_at) + 1).unwrap());
}

/// security.md, "Refresh", 8: the access token has ended, and the provider refused twice with the same words.
#[tokio::test]
async fn two_refusals_with_the_same_words_ask_for_a_new_sign_in_and_destroy_nothing() {
    for (http, error) in [
        (403, "invalid_grant"),
        (200, "bad_refresh_token"),
        (400, "invalid_code"),
        (400, "interaction_required"),
        (400, "invalid_request"),
        (401, "expired_token"),
    ] {
        let (world, engine) = ended(says(http, error)).await;
        let first = token(&engine, 0).await.unwrap_err();
        assert_eq!(
            (first.code(), first.provider_error()),
            (Code::ProviderError, Some(error))
        );
        assert_eq!(
            status(&engine).await,
            ConnectionStatus::Active,
            "once says little"
        );
        next_try(&world, &engine).await;
        let second = token(&engine, 0).await.unwrap_err();
        assert_eq!(second.code(), Code::NeedsReauth, "{http} {error}");
        for words in [error, "testkit says no", "tokenry connect"] {
            assert!(second.to_string().contains(words), "{second}");
        }
        assert_eq!(status(&engine).await, REFUSED);
        let notice = view(&engine).await.notice.unwrap();
        assert!(
            notice.contains(error) && notice.contains("testkit says no"),
            "{notice}"
        );

        // It is the same after a restart, and the refresh token is still there.
        let engine = world.restart(engine).await;
        assert_eq!((status(&engine).await, world.server.refreshes()), (REFUSED, 2));
        let shown = view(&engine).await;
        assert!(shown.connection.refreshable && shown.notice.unwrap().contains(error));
        for _ in 0..3 {
            assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
        }
        let refresh = engine.refresh(&ui(), NAME).await.unwrap_err();
        assert_eq!(
            refresh.code(),
            Code::NeedsReauth,
            "the same answer is the same error"
        );
        assert_eq!(world.server.refreshes(), 3, "callers send nothing; the user may");

        // A retry that works makes it active again by itself.
        world.server.set(|behaviour| behaviour.token_fault = None);
        let trouble = view(&engine).await.connection.trouble.unwrap();
        assert_eq!(seconds_from(world.clock_now(), trouble.next_try_at), 3600);
        world.pass(3590);
        schedule_is_idle(&engine).await;
        assert_eq!(world.server.refreshes(), 3, "one try an hour");
        world.pass(20);
        poke(&engine, NAME).await;
        until("the retry", async || {
            (status(&engine).await == ConnectionStatus::Active).then_some(())
        })
        .await;
        let shown = view(&engine).await;
        assert_eq!((shown.notice, shown.connection.trouble), (None, None));
        token(&engine, 0).await.unwrap();
        assert_eq!(
            (
                world.server.refreshes(),
                world.server.replays_of_replaced_tokens()
            ),
            (4, 0)
        );
    }
}

#[tokio::test]
async fn a_new_sign_in_or_other_settings_end_a_refusal() {
    let (world, engine) = ended(says(403, "invalid_grant")).await;
    for _ in 0..2 {
        engine.refresh(&ui(), NAME).await.unwrap_err();
    }
    assert_eq!(status(&engine).await, REFUSED);
    world.server.set(|behaviour| behaviour.token_fault = None);
    let change = patch(json!({"client_id": "tokenry"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    seen(&world, "the retry", |server| server.refreshes() == 3).await;

    let (world, engine) = ended(says(403, "invalid_grant")).await;
    for _ in 0..2 {
        engine.refresh(&ui(), NAME).await.unwrap_err();
    }
    world.server.set(|behaviour| behaviour.token_fault = None);
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    assert_eq!(view(&engine).await.notice, None);
}

/// security.md, "Refresh", 9.
#[tokio::test]
async fn while_the_access_token_lives_it_is_served_however_often_the_provider_refuses() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let refuses = says(400, "interaction_required");
    world
        .server
        .set(|behaviour| behaviour.token_fault = Some(refuses));
    let own = token(&engine, 0).await.unwrap();
    for _ in 0..3 {
        let error = engine.refresh(&ui(), NAME).await.unwrap_err();
        assert_eq!(error.code(), Code::ProviderError);
    }
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    assert_eq!(
        token(&engine, 0).await.unwrap().access_token.expose(),
        own.access_token.expose()
    );
    // At its end the next try tells.
    let trouble = view(&engine).await.connection.trouble.unwrap();
    assert_eq!(seconds_from(world.clock_now(), trouble.next_try_at), 3600);
    world.pass(3601);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!((status(&engine).await, world.server.refreshes()), (REFUSED, 4));
}

#[tokio::test]
async fn other_words_begin_anew_and_an_outage_between_them_does_not() {
    let (world, engine) = ended(says(400, "interaction_required")).await;
    engine.refresh(&ui(), NAME).await.unwrap_err();
    world.server.queue(says(400, "invalid_request"));
    engine.refresh(&ui(), NAME).await.unwrap_err();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    world
        .server
        .queue(Fault::TemporarilyUnavailable { retry_after: None });
    engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(status(&engine).await, REFUSED);
}

#[tokio::test]
async fn a_page_of_a_proxy_never_asks_for_a_new_sign_in() {
    for fault in [Fault::ProxyForbiddenHtml403, Fault::CaptivePortalHtml200] {
        let (_world, engine) = ended(fault).await;
        for _ in 0..4 {
            let error = engine.refresh(&ui(), NAME).await.unwrap_err();
            assert_eq!(error.code(), Code::ProviderUnreachable);
        }
        assert_eq!(status(&engine).await, ConnectionStatus::Active);
    }
}

/// One judgement: `token` and `refresh` report one answer alike. One rate: callers keep to the announced time.
#[tokio::test]
async fn a_token_call_waits_for_the_announced_try_and_gives_the_code_of_the_last_answer() {
    for (fault, code) in [
        (says(400, "interaction_required"), Code::ProviderError),
        (
            Fault::TemporarilyUnavailable {
                retry_after: Some(30),
            },
            Code::ProviderUnreachable,
        ),
        (Fault::ProxyForbiddenHtml403, Code::ProviderUnreachable),
    ] {
        let (world, engine) = ended(fault).await;
        // Several failures in a row make the pauses longer than the second that callers wait anyway.
        for _ in 0..2 {
            world.server.queue(Fault::Error500BeforeRotating);
            engine.refresh(&ui(), NAME).await.unwrap_err();
        }
        let refresh = engine.refresh(&ui(), NAME).await.unwrap_err();
        assert_eq!(refresh.code(), code);
        assert_eq!(world.server.refreshes(), 3);
        let next = view(&engine).await.connection.trouble.unwrap().next_try_at;
        let pause = seconds_from(world.clock_now(), next);
        for _ in 0..3 {
            let held = token(&engine, 0).await.unwrap_err();
            assert_eq!(
                (held.code(), held.provider_error()),
                (code, refresh.provider_error())
            );
            assert!(held.to_string().contains("retries at"), "{held}");
            assert!(held.retry_after().unwrap() <= Duration::from_secs(pause.unsigned_abs() + 1));
        }
        assert_eq!(world.server.refreshes(), 3);
        world.pass(pause.unsigned_abs() + 1);
        token(&engine, 0).await.unwrap_err();
        seen(&world, "the announced try", |server| server.refreshes() >= 4).await;
    }
}

#[tokio::test]
async fn a_rejected_client_is_told_in_the_words_of_the_provider() {
    for error in ["invalid_client", "unauthorized_client"] {
        let (_world, engine) = ended(says(401, error)).await;
        let told = token(&engine, 0).await.unwrap_err();
        assert_eq!(told.code(), Code::NeedsReauth);
        assert!(told.to_string().contains("testkit says no"), "{told}");
        let shown = view(&engine).await;
        assert_eq!(
            shown.connection.status,
            ConnectionStatus::NeedsReauth(ReauthReason::ClientRejected)
        );
        assert!(shown.notice.unwrap().contains("testkit says no"));
    }
}

#[tokio::test]
async fn a_grant_that_ended_keeps_the_words_that_ended_it() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    world.server.withdraw();
    let told = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert!(told.to_string().contains("testkit says no"), "{told}");
    let engine = world.restart(engine).await;
    assert!(view(&engine).await.notice.unwrap().contains("invalid_grant"));
    world.pass(3700);
    let told = token(&engine, 0).await.unwrap_err();
    assert!(told.to_string().contains("testkit says no"), "{told}");
}
