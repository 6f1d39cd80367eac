//! Answers to a refresh of which only a part is good. The refresh token in them is never lost (security.md,
//! "Refresh", 8a).

use crate::tests::common::{NAME, World, status, token, ui, view};
use crate::{ConnectOptions, Engine};
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, EventKind, Outcome, ReauthReason};
use tokenry_testkit::{Behaviour, Fault, Flaw, Kind, Refusal, Rotation};

async fn world() -> (World, Engine) {
    World::connected(Behaviour::rotating(Rotation::Strict)).await
}

/// The next refresh sends the refresh token that came last.
async fn goes_on(world: &World, engine: &Engine, refreshes: usize, flaw: &Flaw) {
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(world.server.refreshes(), refreshes + 1, "{flaw:?}");
    assert_eq!(world.server.replays_of_replaced_tokens(), 0, "{flaw:?}");
    assert!(world.server.family_alive(), "{flaw:?}");
    assert_eq!(view(engine).await.connection.trouble, None, "{flaw:?}");
    let got = token(engine, 0).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()), "{flaw:?}");
}

#[tokio::test]
async fn new_tokens_are_used_whatever_is_wrong_beside_them() {
    let (world, engine) = world().await;
    let subject = view(&engine).await.connection.account.unwrap().subject;
    for (flaw, words) in [
        (Flaw::Gzip, None),
        (Flaw::GzipUnnamed, None),
        (Flaw::Deflate, None),
        (Flaw::RawDeflate, None),
        (Flaw::Stacked, None),
        (Flaw::Utf16, None),
        (Flaw::NotUtf8, Some("UTF-8")),
        (Flaw::RepeatedMember, Some("repeats a key")),
        (Flaw::JunkBehind, Some("something else around")),
        (Flaw::NoticeBefore, Some("something else around")),
        (Flaw::TruncatedAfterRefreshToken, Some("ends too early")),
        (Flaw::CutAfterRefreshToken, Some("broke off")),
        (
            Flaw::id_token("https://evil.example", "tokenry", &subject),
            Some("issuer"),
        ),
        (
            Flaw::id_token(&world.server.issuer(), "another", &subject),
            Some("another client"),
        ),
    ] {
        let before = token(&engine, 0).await.unwrap().access_token;
        let refreshes = world.server.refreshes();
        world.server.queue(Fault::Flawed(flaw.clone()));
        let shown = engine.refresh(&ui(), NAME).await.unwrap().connection;
        assert_eq!(shown.status, ConnectionStatus::Active, "{flaw:?}");
        let trouble = shown.trouble.map(|trouble| trouble.message);
        assert_eq!(trouble.is_some(), words.is_some(), "{flaw:?} {trouble:?}");
        if let Some(words) = words {
            assert!(trouble.as_ref().unwrap().contains(words), "{flaw:?} {trouble:?}");
        }
        let got = token(&engine, 0).await.unwrap();
        assert_ne!(got.access_token.expose(), before.expose(), "{flaw:?}");
        assert!(world.server.accepts(got.access_token.expose()), "{flaw:?}");
        goes_on(&world, &engine, refreshes + 1, &flaw).await;
    }
}

#[tokio::test]
async fn an_unusable_access_token_is_not_handed_out_and_the_new_refresh_token_is_sent_next() {
    for (fault, words) in [
        (Fault::TokenType("DPoP".to_owned()), "of type DPoP"),
        (Fault::Flawed(Flaw::UnfitAccessToken), "does not fit in a header"),
        (Fault::Flawed(Flaw::NoAccessToken), "is missing"),
        (Fault::Flawed(Flaw::TwoAccessTokens), "two access tokens"),
        (Fault::DuplicateKey, "two access tokens"),
    ] {
        let (world, engine) = world().await;
        let before = token(&engine, 0).await.unwrap().access_token;
        world.pass(3500);
        world.server.queue(fault.clone());
        let error = engine.refresh(&ui(), NAME).await.unwrap_err();
        assert_eq!(error.code(), Code::ProviderError, "{fault:?}");
        assert!(error.to_string().contains(words), "{error}");
        let shown = view(&engine).await.connection;
        assert_eq!(shown.status, ConnectionStatus::Active, "{fault:?}");
        let trouble = shown.trouble.unwrap();
        assert!(
            trouble.message.contains(words) && trouble.next_try_at.is_some(),
            "{trouble:?}"
        );

        // While the access token before it lives, callers get that one.
        let living = token(&engine, 0).await.unwrap();
        assert_eq!(living.access_token.expose(), before.expose(), "{fault:?}");
        world.pass(200);
        let got = token(&engine, 0).await.unwrap();
        assert!(world.server.accepts(got.access_token.expose()), "{fault:?}");
        assert_eq!(world.server.replays_of_replaced_tokens(), 0, "{fault:?}");
        assert!(world.server.family_alive(), "{fault:?}");
        assert_eq!(view(&engine).await.connection.trouble, None, "{fault:?}");
    }
}

/// A truncated answer without `expires_in` is fetched again soon, and not used until a caller says that it ended.
#[tokio::test]
async fn when_the_end_of_a_token_was_cut_off_the_next_refresh_comes_soon() {
    let (world, engine) = world().await;
    world
        .server
        .queue(Fault::Flawed(Flaw::TruncatedAfterRefreshToken));
    engine.refresh(&ui(), NAME).await.unwrap();
    let shown = view(&engine).await.connection;
    assert_eq!(shown.expires_at, None);
    let next = shown.trouble.unwrap().next_try_at.unwrap();
    assert!(crate::tests::common::seconds_from(shown.updated_at, Some(next)) <= 300);
    world.pass(301);
    crate::tests::common::poke(&engine, NAME).await;
    crate::tests::common::seen(&world, "the next refresh", |server| server.refreshes() == 2).await;
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

/// OpenID Connect Core §12.2: `sub` of an id token at refresh must be the same.
#[tokio::test]
async fn tokens_of_another_account_are_set_aside_and_the_user_is_told() {
    let (world, engine) = world().await;
    let before = token(&engine, 0).await.unwrap().access_token;
    let other = Flaw::id_token(&world.server.issuer(), "tokenry", "another-client");
    world.server.queue(Fault::Flawed(other));
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::NeedsReauth);
    assert!(error.to_string().contains("another account"), "{error}");
    let reason = ReauthReason::OtherAccount;
    assert_eq!(status(&engine).await, ConnectionStatus::NeedsReauth(reason));
    // The token of the right account is good until it ends; the other one is never handed out.
    let living = token(&engine, 0).await.unwrap();
    assert_eq!(living.access_token.expose(), before.expose());
    world.pass(3700);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!(world.server.refreshes(), 1);
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    let told = events
        .iter()
        .find(|event| event.kind == EventKind::RefreshFailed)
        .unwrap();
    assert_eq!(told.outcome, Outcome::Failed);
    assert!(
        told.detail.as_ref().unwrap().contains("another account"),
        "{told:?}"
    );

    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}

/// The same for the answer to a first sign-in.
#[tokio::test]
async fn a_first_answer_that_is_good_in_part_makes_a_connection() {
    for flaw in [
        Flaw::Gzip,
        Flaw::NotUtf8,
        Flaw::CutAfterRefreshToken,
        Flaw::UnfitAccessToken,
        Flaw::NoAccessToken,
    ] {
        let world = World::new(Behaviour::rotating(Rotation::Strict));
        let engine = world.start().await;
        engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
        world.server.queue(Fault::Flawed(flaw.clone()));
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        world.pass(2);
        let got = token(&engine, 0).await.unwrap();
        assert!(world.server.accepts(got.access_token.expose()), "{flaw:?}");
        engine.refresh(&ui(), NAME).await.unwrap();
        assert_eq!(world.server.replays_of_replaced_tokens(), 0, "{flaw:?}");
        assert!(world.server.family_alive(), "{flaw:?}");
    }
}

#[tokio::test]
async fn a_first_answer_from_another_issuer_is_refused_and_its_tokens_are_given_back() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let other = Flaw::id_token("https://evil.example", "tokenry", "sub-1");
    world.server.queue(Fault::Flawed(other));
    let error = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("issuer"), "{error}");
    assert_eq!(
        world.server.count(Kind::Revoke),
        2,
        "the refresh token and the access token"
    );
    assert!(!world.server.family_alive());
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

#[tokio::test]
async fn without_a_refresh_token_the_user_hears_at_once_what_to_ask_for() {
    let world = World::new(Behaviour {
        refresh_tokens: false,
        ..Behaviour::default()
    });
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let connected = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let trouble = connected.connection.trouble.unwrap();
    for words in ["no refresh token", "offline_access", "prompt=consent"] {
        assert!(trouble.message.contains(words), "{}", trouble.message);
    }
    assert_eq!(trouble.next_try_at, None);
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    let told = events
        .iter()
        .find(|event| event.kind == EventKind::Connected)
        .unwrap();
    assert!(
        told.detail.as_ref().unwrap().contains("no refresh token"),
        "{told:?}"
    );
    let again = Duration::from_secs(600);
    assert!(engine.token(&ui(), NAME, again).await.is_ok());

    // One that does not end needs none.
    let world = World::new(Behaviour {
        refresh_tokens: false,
        token_fault: Some(Fault::OmitExpiresIn),
        ..Behaviour::default()
    });
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let connected = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(connected.connection.trouble, None);
}

/// security.md, "Refresh", 8: said once, in whatever words, it ends nothing; and the words are shown.
#[tokio::test]
async fn one_refusal_in_other_words_is_shown_in_these_words_and_ends_nothing() {
    let (world, engine) = world().await;
    for refusal in Refusal::ALL {
        world.server.queue(Fault::Refused(refusal));
        let error = engine.refresh(&ui(), NAME).await.unwrap_err();
        assert_eq!(error.code(), Code::ProviderError, "{refusal:?} {error}");
        assert!(error.to_string().contains(refusal.words()), "{refusal:?} {error}");
        assert_eq!(status(&engine).await, ConnectionStatus::Active, "{refusal:?}");
        engine.refresh(&ui(), NAME).await.unwrap();
        assert_eq!(world.server.replays_of_replaced_tokens(), 0, "{refusal:?}");
    }
}
