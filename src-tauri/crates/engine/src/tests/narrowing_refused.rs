//! Providers that give the whole, too much, or nothing when a token is to do less.

use crate::TokenRequest;
use crate::tests::{
    common::{Doomed, NAME, World, seen, set_rotation, status, token, ui, until, view, waits},
    narrowing::{less, only, the_grant_is_whole},
};
use tokenry_core::{Code, ConnectionStatus, ReauthReason, Rotation as KnownRotation, Scopes};
use tokenry_testkit::{Behaviour, Fault, Rotation};

const LOST: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::LostResponse);

fn says(scope: &str) -> Fault {
    Fault::NarrowerScope(scope.to_owned())
}

fn refuses(error: &str) -> Fault {
    Fault::OauthError {
        status: 400,
        error: error.to_owned(),
    }
}

/// Checklist A12.2: the answer's scope is the truth, and what it does not say it does not prove.
#[tokio::test]
async fn a_provider_that_does_not_narrow_is_remembered_and_gives_the_whole_to_who_may_have_it() {
    for (fault, becomes_own) in [
        (says("write read"), true),
        (says("read write more"), true),
        (says("read more"), false),
        (Fault::NoScope, false),
    ] {
        let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
        let before = token(&engine, 0).await.unwrap();
        world.pass(100);
        world.server.queue(fault.clone());
        let got = less(&engine, "read").await.unwrap();
        assert!(Scopes::parse("read write").is_within(&got.scopes), "{fault:?}");
        assert!(world.server.accepts(got.access_token.expose()));
        let shown = view(&engine).await.connection;
        assert_eq!(shown.narrows, Some(false), "{fault:?}");
        let own = token(&engine, 0).await.unwrap();
        assert_eq!(own.access_token.expose(), got.access_token.expose(), "{fault:?}");
        assert_eq!(
            own.access_token.expose() != before.access_token.expose(),
            becomes_own,
            "{fault:?}"
        );
        assert_eq!(own.expires_at, shown.expires_at);
        less(&engine, "write").await.unwrap();
        assert_eq!(world.server.refreshes(), 1, "it is not tried again: {fault:?}");
        the_grant_is_whole(&world, engine).await;
    }
}

/// security.md, "Local interfaces": the token is narrowed, or the prompt says what it can really do. Here it said less.
#[tokio::test]
async fn a_provider_that_narrowed_before_and_now_does_not_gives_nothing_to_who_was_allowed_less() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    less(&engine, "read").await.unwrap();
    world.server.queue(says("read write"));
    let error = less(&engine, "write").await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.to_string().contains("the whole was not allowed"), "{error}");
    assert_eq!(view(&engine).await.connection.narrows, Some(false));
    // From now on the user is asked about the whole.
    assert_eq!(
        less(&engine, "write").await.unwrap().scopes,
        Scopes::parse("read write")
    );
    assert_eq!(world.server.refreshes(), 2);
    the_grant_is_whole(&world, engine).await;
}

#[tokio::test]
async fn less_than_what_was_asked_is_narrowed_too_and_the_answer_says_so() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world
        .sign_in(
            &engine,
            crate::ConnectOptions {
                scopes: Some(Scopes::parse("a b c")),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    world.server.queue(says("a"));
    assert_eq!(less(&engine, "b a").await.unwrap().scopes, Scopes::parse("a"));
    assert_eq!(view(&engine).await.connection.narrows, Some(true));
}

/// Checklist A4.12: `invalid_scope` is configuration: stop. RFC 8707 §2: `invalid_target`.
#[tokio::test]
async fn a_wish_that_is_refused_is_told_to_who_had_it_and_never_troubles_the_grant() {
    for error in ["invalid_scope", "invalid_target", "invalid_request"] {
        let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
        let before = view(&engine).await.connection;
        world.server.queue(refuses(error));
        let wish = TokenRequest {
            resource: Some("https://api.example.com".to_owned()),
            ..only("read")
        };
        let told = engine.token(&ui(), NAME, wish.clone()).await.unwrap_err();
        assert_eq!(
            (told.code(), told.provider_error()),
            (Code::ProviderError, Some(error))
        );
        let after = view(&engine).await.connection;
        assert_eq!((after.status, &after.trouble), (ConnectionStatus::Active, &None));
        assert_eq!((after.refresh_at, after.narrows), (before.refresh_at, None));
        // A program that asks in a loop does not become one at the provider.
        engine.token(&ui(), NAME, wish.clone()).await.unwrap_err();
        assert_eq!(world.server.refreshes(), 1);
        less(&engine, "read").await.unwrap();
        world.pass(1);
        engine.token(&ui(), NAME, wish).await.unwrap();
        assert_eq!(world.server.refreshes(), 3);
        the_grant_is_whole(&world, engine).await;
    }
}

/// What came of one wish is nothing to those who wait in line behind it.
#[tokio::test]
async fn a_refused_request_does_not_fail_those_that_wait_for_another() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    world.server.queue(refuses("invalid_scope"));
    let ask = |wish: TokenRequest| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.token(&ui(), NAME, wish).await })
    };
    let first = ask(TokenRequest::default());
    seen(&world, "the first", |server| server.refreshes() == 1).await;
    let caller = ui();
    let mut refused = Box::pin(engine.token(&caller, NAME, only("read")));
    waits(&mut refused).await;
    world.server.release();
    let (first, refused) = tokio::join!(first, refused);
    first.unwrap().unwrap();
    assert_eq!(refused.unwrap_err().provider_error(), Some("invalid_scope"));
    assert_eq!(
        less(&engine, "write").await.unwrap().scopes,
        Scopes::parse("write")
    );
}

/// security.md, "Refresh", 8: only a plain refresh tells about the grant.
#[tokio::test]
async fn a_grant_that_ended_is_noticed_by_a_plain_refresh_and_living_tokens_are_still_served() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    let kept = less(&engine, "read").await.unwrap();
    world.server.withdraw();
    let told = less(&engine, "write").await.unwrap_err();
    assert_eq!(
        (told.code(), told.provider_error()),
        (Code::ProviderError, Some("invalid_grant"))
    );
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    assert_eq!(
        engine.refresh(&ui(), NAME).await.unwrap_err().code(),
        Code::NeedsReauth
    );
    let revoked = ConnectionStatus::NeedsReauth(ReauthReason::Revoked);
    assert_eq!(status(&engine).await, revoked);
    // security.md, "Refresh", 9.
    assert_eq!(
        less(&engine, "read").await.unwrap().access_token.expose(),
        kept.access_token.expose()
    );
    assert_eq!(
        less(&engine, "write").await.unwrap_err().code(),
        Code::NeedsReauth
    );
    assert_eq!(world.server.refreshes(), 3);
}

#[tokio::test]
async fn a_provider_that_is_out_of_reach_is_left_alone_for_as_long_as_it_asks() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.queue(Fault::TemporarilyUnavailable {
        retry_after: Some(60),
    });
    assert_eq!(
        less(&engine, "read").await.unwrap_err().code(),
        Code::ProviderUnreachable
    );
    world.pass(30);
    let error = less(&engine, "write").await.unwrap_err();
    assert_eq!(error.code(), Code::ProviderUnreachable);
    assert!(error.retry_after().is_some());
    assert_eq!(world.server.refreshes(), 1);
    assert!(token(&engine, 0).await.is_ok(), "its own token still lives");
}

/// security.md, "Refresh", 7: it is the connection's refresh token that was sent.
#[tokio::test]
async fn a_lost_answer_means_for_the_grant_what_it_always_means() {
    for fault in [Fault::LoseAnswer, Fault::CutAnswer, Fault::TruncatedJson] {
        let (world, engine) = World::connected(Behaviour::rotating(Rotation::Strict)).await;
        world.server.queue(fault.clone());
        assert!(less(&engine, "read").await.is_err(), "{fault:?}");
        assert_eq!(status(&engine).await, LOST, "{fault:?}");
        assert!(token(&engine, 0).await.is_ok(), "its own token still lives");
        world.pass(1);
        assert_eq!(less(&engine, "read").await.unwrap_err().code(), Code::NeedsReauth);
        assert_eq!(
            (
                world.server.refreshes(),
                world.server.replays_of_replaced_tokens()
            ),
            (1, 0)
        );

        let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
        world.server.queue(fault.clone());
        assert!(less(&engine, "read").await.is_err());
        world.pass(10);
        less(&engine, "read").await.unwrap();
        the_grant_is_whole(&world, engine).await;

        let (world, engine) = World::connected(Behaviour::rotating(Rotation::Grace(7200))).await;
        set_rotation(&engine, KnownRotation::Unknown).await;
        world.server.queue(fault);
        assert!(less(&engine, "read").await.is_err());
        world.pass(10);
        assert_eq!(
            less(&engine, "read").await.unwrap_err().code(),
            Code::ProviderUnreachable
        );
        assert_eq!(
            world.server.refreshes(),
            1,
            "the connection's own token is used up first"
        );
        world.pass(3600);
        less(&engine, "read").await.unwrap();
        engine.refresh(&ui(), NAME).await.unwrap();
        assert!(world.server.family_alive());
    }
}

/// security.md, "Refresh", 3: the journal was there before the request.
#[tokio::test]
async fn a_crash_in_the_middle_of_a_narrowed_request_is_known_for_what_it_was() {
    for (rotation, is_lost) in [
        (Rotation::Strict, true),
        (Rotation::Grace(30), false),
        (Rotation::None, false),
    ] {
        let world = World::new(Behaviour::rotating(rotation));
        let doomed = Doomed::start(&world).await;
        world.connect(&doomed.engine).await;
        world.server.queue(Fault::Hang {
            processed: true,
            millis: None,
        });
        doomed.spawn(async |engine| drop(less(&engine, "read").await));
        seen(&world, "the request", |server| {
            server.log().iter().any(|r| r.fault.is_some() && r.processed)
        })
        .await;
        let engine = doomed.crash(&world).await;
        world.server.release();
        if is_lost {
            until("it is known", async || {
                (status(&engine).await == LOST).then_some(())
            })
            .await;
            assert_eq!(world.server.refreshes(), 1);
            continue;
        }
        seen(&world, "the second try", |server| server.refreshes() == 2).await;
        assert_eq!(less(&engine, "read").await.unwrap().scopes, Scopes::parse("read"));
        assert!(world.server.family_alive());
        engine.refresh(&ui(), NAME).await.unwrap();
    }
}

/// Without a refresh token there is nothing to ask with.
#[tokio::test]
async fn without_a_refresh_token_the_whole_is_all_there_is() {
    let (world, engine) = World::connected(Behaviour {
        refresh_tokens: false,
        ..Behaviour::default()
    })
    .await;
    let own = token(&engine, 0).await.unwrap();
    assert_eq!(
        less(&engine, "read").await.unwrap().access_token.expose(),
        own.access_token.expose()
    );
    let elsewhere = TokenRequest {
        audience: Some("api".to_owned()),
        ..TokenRequest::default()
    };
    let error = engine.token(&ui(), NAME, elsewhere).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.to_string().contains("no refresh token"), "{error}");
    assert_eq!(world.server.refreshes(), 0);
}
