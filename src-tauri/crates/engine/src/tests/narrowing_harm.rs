//! Servers at which a request for less harms the grant: they are asked only where that is known to be harmless, and
//! what was lost is told.

use crate::tests::{
    common::{NAME, World, answer_of, paste, patch, set_narrowing, set_rotation, status, token, ui, view},
    narrowing::{at, less, only, the_grant_is_whole},
};
use crate::{ConnectOptions, TokenRequest};
use serde_json::json;
use tokenry_core::{
    Code, ConnectionStatus, EventKind, NarrowingMethod, ReauthReason, Rotation as KnownRotation, Scopes,
};
use tokenry_testkit::{Behaviour, Fault, Kind, Narrowing, Rotation};

const REVOKED: ConnectionStatus = ConnectionStatus::NeedsReauth(ReauthReason::Revoked);

/// A server that keeps the narrower scope for good and takes the access token back, as many do.
fn harmful(rotation: Rotation) -> Behaviour {
    Behaviour {
        narrowing: Narrowing {
            for_good: true,
            revokes_access_tokens: true,
            ..Narrowing::default()
        },
        ..Behaviour::rotating(rotation)
    }
}

fn confirmed(wish: TokenRequest) -> TokenRequest {
    TokenRequest {
        allow_unknown_target: true,
        ..wish
    }
}

#[tokio::test]
async fn a_provider_that_rotates_is_not_asked_for_less_and_the_whole_is_offered() {
    for known in [
        KnownRotation::Strict,
        KnownRotation::Grace { seconds: 30 },
        KnownRotation::Unknown,
    ] {
        let (world, engine) = World::connected(harmful(Rotation::Strict)).await;
        set_rotation(&engine, known).await;
        set_narrowing(&engine, NarrowingMethod::Unknown).await;
        let got = less(&engine, "read").await.unwrap();
        assert_eq!(
            got.scopes,
            Scopes::parse("read write"),
            "the answer tells the truth"
        );
        assert!(world.server.accepts(got.access_token.expose()));
        let elsewhere = at("https://api.example.com");
        let error = engine.token(&ui(), NAME, confirmed(elsewhere)).await.unwrap_err();
        assert_eq!(error.code(), Code::Conflict);
        assert!(error.to_string().contains("cannot narrow a token"), "{error}");
        assert_eq!(world.server.refreshes(), 0);
        // What a refresh shows counts, whatever the settings leave open.
        engine.refresh(&ui(), NAME).await.unwrap();
        less(&engine, "read").await.unwrap();
        assert_eq!(world.server.refreshes(), 1);
        the_grant_is_whole(&world, engine).await;
    }
}

#[tokio::test]
async fn once_a_refresh_left_the_refresh_token_as_it_was_less_is_asked_for() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    set_rotation(&engine, KnownRotation::Unknown).await;
    set_narrowing(&engine, NarrowingMethod::Unknown).await;
    assert_eq!(
        less(&engine, "read").await.unwrap().scopes,
        Scopes::parse("read write")
    );
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(less(&engine, "read").await.unwrap().scopes, Scopes::parse("read"));
    assert_eq!(world.server.refreshes(), 2);
    assert!(!view(&engine).await.connection.doubtful);
    // A second connection of this provider profits from what the first has shown.
    let label = Some("second".to_owned());
    let how = ConnectOptions {
        label,
        ..ConnectOptions::default()
    };
    world.sign_in(&engine, how).await.unwrap();
    let name = format!("{NAME}/second");
    let got = engine.token(&ui(), &name, only("read")).await.unwrap();
    assert_eq!(got.scopes, Scopes::parse("read"));
}

/// RFC 8693: the grant is not touched, at whatever server.
#[tokio::test]
async fn by_token_exchange_nothing_happens_to_the_grant() {
    let mut behaviour = harmful(Rotation::Strict);
    behaviour.narrowing.exchanges = true;
    let (world, engine) = World::connected(behaviour).await;
    set_narrowing(&engine, NarrowingMethod::Exchange).await;
    let own = token(&engine, 0).await.unwrap();
    for wish in [only("read"), at("https://api.example.com")] {
        let got = engine.token(&ui(), NAME, wish.clone()).await.unwrap();
        assert_ne!(got.access_token.expose(), own.access_token.expose());
        assert!(world.server.accepts(got.access_token.expose()));
        let sent = world.server.log().pop().unwrap();
        assert_eq!(sent.kind, Kind::Exchange);
        assert_eq!(sent.parameter("subject_token"), Some(own.access_token.expose()));
        assert_eq!(sent.parameter("refresh_token"), None);
        assert_eq!(sent.parameter("scope"), wish.scopes.as_ref().map(|_| "read"));
        assert_eq!(sent.parameter("resource"), wish.resource.as_deref());
        let kept = engine.token(&ui(), NAME, wish).await.unwrap();
        assert_eq!(
            kept.access_token.expose(),
            got.access_token.expose(),
            "it is kept"
        );
    }
    assert_eq!(world.server.count(Kind::Exchange), 2);
    assert_eq!(
        token(&engine, 0).await.unwrap().access_token.expose(),
        own.access_token.expose()
    );
    assert_eq!(world.server.refreshes(), 0);
    // A refusal says nothing of the grant, and requests in a loop are not passed on.
    world
        .server
        .set(|behaviour| behaviour.narrowing.refuses_with = Some("invalid_grant".to_owned()));
    for _ in 0..3 {
        let error = less(&engine, "write").await.unwrap_err();
        assert_eq!(error.provider_error(), Some("invalid_grant"));
    }
    assert_eq!(world.server.count(Kind::Exchange), 3);
    let shown = view(&engine).await.connection;
    assert_eq!((shown.status, shown.trouble), (ConnectionStatus::Active, None));
    // What is exchanged is refreshed first when it has ended.
    world
        .server
        .set(|behaviour| behaviour.narrowing.refuses_with = None);
    world.pass(3700);
    less(&engine, "write").await.unwrap();
    assert_eq!(
        (world.server.refreshes(), world.server.count(Kind::Exchange)),
        (1, 4)
    );
    the_grant_is_whole(&world, engine).await;
}

/// The provider is marked as harmless and is not: nothing is lost in silence.
#[tokio::test]
async fn scopes_that_a_narrower_token_cost_are_told_and_the_access_token_is_not_handed_out_blindly() {
    for rotation in [Rotation::Strict, Rotation::Grace(30)] {
        let (world, engine) = World::connected(harmful(rotation)).await;
        let before = token(&engine, 0).await.unwrap();
        assert_eq!(less(&engine, "read").await.unwrap().scopes, Scopes::parse("read"));
        assert!(!world.server.accepts(before.access_token.expose()));
        let engine = world.restart(engine).await;
        // It seems to live for an hour, and it does not.
        world
            .server
            .queue(Fault::TemporarilyUnavailable { retry_after: None });
        assert_eq!(
            token(&engine, 0).await.unwrap_err().code(),
            Code::ProviderUnreachable
        );
        world.pass(301);
        let own = token(&engine, 0).await.unwrap();
        assert!(world.server.accepts(own.access_token.expose()));
        assert_eq!(own.scopes, Scopes::parse("read"));
        let engine = world.restart(engine).await;
        let shown = view(&engine).await;
        assert_eq!(
            shown.connection.lost.as_ref().unwrap().scopes,
            Scopes::parse("write")
        );
        let notice = shown.notice.unwrap();
        for words in ["Lost: write.", "tokenry connect sandbox", "narrower"] {
            assert!(notice.contains(words), "{notice}");
        }
        let (events, _) = engine.events(&ui(), None, 20).await.unwrap();
        let told: Vec<_> = events
            .iter()
            .filter(|e| e.kind == EventKind::ScopesLost)
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].detail.as_deref(), Some(notice.as_str()));
        // It is told once, and shown until a sign-in brings them back.
        engine.refresh(&ui(), NAME).await.unwrap();
        assert!(view(&engine).await.notice.is_some());
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        assert_eq!(view(&engine).await.notice, None);
        assert_eq!(
            token(&engine, 0).await.unwrap().scopes,
            Scopes::parse("read write")
        );
        assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    }
}

#[tokio::test]
async fn a_server_that_narrows_for_good_without_rotating_is_asked_for_less_once() {
    let (world, engine) = World::connected(harmful(Rotation::None)).await;
    set_narrowing(&engine, NarrowingMethod::Unknown).await;
    less(&engine, "read").await.unwrap();
    engine.refresh(&ui(), NAME).await.unwrap();
    assert!(view(&engine).await.notice.unwrap().contains("Lost: write."));
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(
        less(&engine, "read").await.unwrap().scopes,
        Scopes::parse("read write"),
        "that it costs scopes is remembered"
    );
    assert_eq!(world.server.refreshes(), 2);
}

/// security.md, "Refresh", 8: the grant is judged by a plain refresh alone.
#[tokio::test]
async fn whatever_a_limited_request_is_answered_the_grant_stands() {
    for rotation in [Rotation::None, Rotation::Strict] {
        for (http, error) in [
            (400, "invalid_grant"),
            (401, "invalid_grant"),
            (403, "invalid_grant"),
            (400, "invalid_target"),
            (401, "invalid_client"),
            (400, "unauthorized_client"),
            (400, "invalid_scope"),
            (400, "interaction_required"),
            (403, "access_denied"),
        ] {
            let (world, engine) = World::connected(Behaviour::rotating(rotation)).await;
            let own = token(&engine, 0).await.unwrap();
            world.server.queue(Fault::OauthError {
                status: http,
                error: error.to_owned(),
            });
            let told = less(&engine, "read").await.unwrap_err();
            assert_eq!(
                (told.code(), told.provider_error()),
                (Code::ProviderError, Some(error)),
                "{http}"
            );
            assert!(!told.to_string().contains("Connect again"), "{told}");
            let after = view(&engine).await.connection;
            assert_eq!(after.status, ConnectionStatus::Active, "{http} {error}");
            assert!(after.refreshable);
            assert_eq!(
                token(&engine, 0).await.unwrap().access_token.expose(),
                own.access_token.expose()
            );
            assert_eq!(world.server.refreshes(), 1);
            the_grant_is_whole(&world, engine).await;
        }
    }
}

/// Such a server has used the refresh token up: the access token is used until it ends, and then a plain refresh tells.
#[tokio::test]
async fn a_refusal_that_used_the_refresh_token_up_costs_no_living_token() {
    let mut behaviour = Behaviour::rotating(Rotation::Strict);
    behaviour.narrowing.consumes_first = true;
    behaviour.narrowing.targets = Some(vec!["https://api.example.com".to_owned()]);
    for known in [KnownRotation::Strict, KnownRotation::Unknown] {
        let (world, engine) = World::connected(behaviour.clone()).await;
        set_rotation(&engine, known).await;
        let own = token(&engine, 0).await.unwrap();
        let wrong = confirmed(at("https://api.exmaple.com"));
        let told = engine.token(&ui(), NAME, wrong.clone()).await.unwrap_err();
        assert_eq!(told.provider_error(), Some("invalid_target"));
        world.pass(3000);
        for wish in [wrong, only("read")] {
            let error = engine.token(&ui(), NAME, wish).await.unwrap_err();
            assert_eq!(error.code(), Code::ProviderUnreachable, "{error}");
            assert!(error.to_string().contains("narrower token"), "{error}");
        }
        let engine = world.restart(engine).await;
        assert_eq!(
            token(&engine, 0).await.unwrap().access_token.expose(),
            own.access_token.expose()
        );
        assert_eq!(
            (status(&engine).await, world.server.refreshes()),
            (ConnectionStatus::Active, 1)
        );
        world.pass(700);
        assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
        assert_eq!(status(&engine).await, REVOKED);
        assert_eq!(world.server.refreshes(), 2);
    }
}

#[tokio::test]
async fn a_target_that_was_never_used_is_refused_before_anything_is_sent() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let named = |audience: &str| TokenRequest {
        audience: Some(audience.to_owned()),
        ..TokenRequest::default()
    };
    for (wish, field) in [
        (at("https://api.example.com"), "resource"),
        (named("api"), "audience"),
    ] {
        let error = engine.token(&ui(), NAME, wish).await.unwrap_err();
        assert_eq!(error.code(), Code::ValidationError);
        let wrong = &error.fields().unwrap()[field];
        assert!(
            wrong.contains("nothing was sent") && wrong.contains("--allow-unknown-target"),
            "{wrong}"
        );
    }
    assert_eq!(world.server.refreshes(), 0);
    // What the settings of the provider name is known, and so is what was served once.
    let change = patch(json!({"authorize_params": {"resource": "https://api.example.com"}}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    engine
        .token(&ui(), NAME, at("https://api.example.com"))
        .await
        .unwrap();
    engine
        .token(&ui(), NAME, named("https://api.example.com"))
        .await
        .unwrap_err();
    engine.token(&ui(), NAME, confirmed(named("api"))).await.unwrap();
    world.pass(3700);
    engine.token(&ui(), NAME, named("api")).await.unwrap();
    assert_eq!(world.server.refreshes(), 3);
}

#[tokio::test]
async fn a_target_of_an_earlier_sign_in_is_known_after_the_setting_is_gone() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let how = ConnectOptions {
        parameters: vec![("resource".to_owned(), "urn:example:api".to_owned())],
        ..paste(ConnectOptions::default())
    };
    let flow = engine.connect(&ui(), NAME, how).await.unwrap();
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
    engine.token(&ui(), NAME, at("urn:example:api")).await.unwrap();
    engine
        .token(&ui(), NAME, at("urn:example:other"))
        .await
        .unwrap_err();
    assert_eq!(world.server.refreshes(), 1);
}
