//! What would be refused after a yes is refused before the user is asked.

use super::{Program, answer, ask, question};
use crate::tests::common::{NAME, World, paste, patch, ui, until, view};
use crate::{ConnectOptions, ConnectionChange, Engine, Error, PromptAnswer, SchemeState, TokenRequest};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Caller, Code, EventKind, Outcome, Redirect, Scopes};
use tokenry_testkit::{Behaviour, Fault};

/// A refusal at once: no prompt appeared.
async fn refused_unasked<T: std::fmt::Debug>(
    engine: &Engine,
    what: &str,
    doing: impl Future<Output = Result<T, Error>>,
) -> Code {
    let wait = Duration::from_secs(10);
    let ended = tokio::select! {
        ended = tokio::time::timeout(wait, doing) => ended.unwrap_or_else(|_| panic!("{what}: no answer")),
        prompt = question(engine) => panic!("{what}: the user was asked: {prompt:?}"),
    };
    ended.expect_err(what).code()
}

async fn token(engine: &Engine, caller: &Caller, wish: TokenRequest) -> Result<(), Error> {
    engine.token(caller, NAME, wish).await.map(drop)
}

fn paused(paused: bool) -> ConnectionChange {
    ConnectionChange {
        label: None,
        paused: Some(paused),
        bindings: None,
    }
}

#[tokio::test]
async fn a_paused_connection_is_refused_before_the_user_is_asked() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    engine.change_connection(&ui(), NAME, paused(true)).await.unwrap();
    let caller = program.caller();
    let plain = token(&engine, &caller, TokenRequest::default());
    assert_eq!(refused_unasked(&engine, "token", plain).await, Code::Conflict);
    let narrow = TokenRequest {
        scopes: Some(Scopes::parse("read")),
        ..TokenRequest::default()
    };
    let narrow = token(&engine, &caller, narrow);
    assert_eq!(refused_unasked(&engine, "less", narrow).await, Code::Conflict);
    let refresh = engine.refresh(&caller, NAME);
    assert_eq!(refused_unasked(&engine, "refresh", refresh).await, Code::Conflict);
    // It stands in the log as what it is: a request that came to nothing.
    let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
    let of_program: Vec<_> = events.iter().filter(|event| event.caller == caller).collect();
    assert_eq!(of_program.iter().map(|event| event.count).sum::<u64>(), 3);
    assert!(of_program.iter().all(|event| event.outcome == Outcome::Failed));
    assert!(events.iter().all(|event| event.kind != EventKind::ConsentAsked));

    engine
        .change_connection(&ui(), NAME, paused(false))
        .await
        .unwrap();
    let asked = ask(&engine, &caller);
    answer(&engine, &question(&engine).await, PromptAnswer::Once)
        .await
        .unwrap();
    asked.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_without_a_living_token_or_a_way_to_one_is_refused_before_the_question() {
    // Ended, and there is nothing to refresh it with.
    let (world, engine) = World::connected(Behaviour {
        refresh_tokens: false,
        ..Behaviour::default()
    })
    .await;
    let program = Program::start();
    let caller = program.caller();
    let refresh = engine.refresh(&caller, NAME);
    assert_eq!(
        refused_unasked(&engine, "refresh", refresh).await,
        Code::NeedsReauth
    );
    world.pass(3601);
    let wish = token(&engine, &caller, TokenRequest::default());
    assert_eq!(refused_unasked(&engine, "ended", wish).await, Code::NeedsReauth);

    // The provider ended the grant; as long as the token lives, it may be asked for.
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.withdraw();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    let asked = ask(&engine, &caller);
    answer(&engine, &question(&engine).await, PromptAnswer::Once)
        .await
        .unwrap();
    asked.await.unwrap().unwrap();
    world.pass(3601);
    let wish = token(&engine, &caller, TokenRequest::default());
    assert_eq!(
        refused_unasked(&engine, "withdrawn", wish).await,
        Code::NeedsReauth
    );

    // The provider asked for a pause, and the token has ended.
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.pass(3601);
    world.server.set(|behaviour| {
        behaviour.token_fault = Some(Fault::TemporarilyUnavailable {
            retry_after: Some(300),
        })
    });
    engine.token(&ui(), NAME, Duration::ZERO).await.unwrap_err();
    let wish = token(&engine, &caller, TokenRequest::default());
    let code = refused_unasked(&engine, "pause", wish).await;
    assert_eq!(code, Code::ProviderUnreachable);
}

#[tokio::test]
async fn a_connection_that_waits_or_goes_is_refused_before_the_question() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let caller = program.caller();
    let how = ConnectOptions {
        label: Some("second".to_owned()),
        ..ConnectOptions::default()
    };
    let flow = engine.connect(&ui(), NAME, paste(how)).await.unwrap();
    let pending = flow.connection.to_string();
    let wish = engine.token(&caller, &pending, Duration::ZERO);
    assert_eq!(refused_unasked(&engine, "pending", wish).await, Code::Conflict);
    let refresh = engine.refresh(&caller, &pending);
    assert_eq!(refused_unasked(&engine, "pending", refresh).await, Code::Conflict);
    let pause = engine.change_connection(&caller, &pending, paused(true));
    assert_eq!(refused_unasked(&engine, "pending", pause).await, Code::Conflict);

    let id = view(&engine).await.connection.id.to_string();
    world
        .server
        .set(|behaviour| behaviour.revocation_fault = Some(Fault::Error500BeforeRotating));
    engine.disconnect(&ui(), &id).await.unwrap();
    let wish = engine.token(&caller, &id, Duration::ZERO);
    assert_eq!(refused_unasked(&engine, "going", wish).await, Code::NotFound);
    let refresh = engine.refresh(&caller, &id);
    assert_eq!(refused_unasked(&engine, "going", refresh).await, Code::NotFound);
    let label = ConnectionChange {
        label: Some(Some("x".to_owned())),
        paused: None,
        bindings: None,
    };
    let label = engine.change_connection(&caller, &id, label);
    assert_eq!(refused_unasked(&engine, "going", label).await, Code::NotFound);
}

#[tokio::test]
async fn a_sign_in_that_cannot_start_is_refused_before_the_question() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let caller = program.caller();
    let labelled = ConnectionChange {
        label: Some(Some("work".to_owned())),
        paused: None,
        bindings: None,
    };
    engine
        .change_connection(&ui(), NAME, labelled.clone())
        .await
        .unwrap();
    let started = |how: ConnectOptions| engine.connect(&caller, NAME, how);
    let taken = ConnectOptions {
        label: Some("work".to_owned()),
        ..paste(ConnectOptions::default())
    };
    assert_eq!(
        refused_unasked(&engine, "label", started(taken)).await,
        Code::Conflict
    );
    let scopes = ConnectOptions {
        scopes: Some(Scopes::from(vec!["a\"b".to_owned()])),
        ..paste(ConnectOptions::default())
    };
    assert_eq!(
        refused_unasked(&engine, "scope", started(scopes)).await,
        Code::ValidationError
    );
    let ours = ConnectOptions {
        parameters: vec![("state".to_owned(), "x".to_owned())],
        ..paste(ConnectOptions::default())
    };
    assert_eq!(
        refused_unasked(&engine, "parameter", started(ours)).await,
        Code::ValidationError
    );
    *world.host.scheme.lock().unwrap() = Some(SchemeState::NotRegistered);
    let link = ConnectOptions {
        redirect: Some(Redirect::DeepLink),
        ..ConnectOptions::default()
    };
    assert_eq!(
        refused_unasked(&engine, "scheme", started(link)).await,
        Code::OauthUnavailable
    );
    let new = world.provider("other");
    engine.add_provider(&ui(), new).await.unwrap();
    let change = patch(json!({"client_id": String::new()}));
    let change = engine.change_provider(&caller, "other", change);
    assert_eq!(
        refused_unasked(&engine, "client id", change).await,
        Code::ValidationError
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_refused_before_the_question() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let caller = program.caller();
    let twin = engine.add_provider(&caller, world.provider(NAME));
    assert_eq!(refused_unasked(&engine, "name", twin).await, Code::Conflict);
    let mut wrong = world.provider("wrong");
    wrong = wrong.with("token_endpoint", json!("http://example.com/token"));
    let wrong = engine.add_provider(&caller, wrong);
    assert_eq!(
        refused_unasked(&engine, "http", wrong).await,
        Code::ValidationError
    );
    let used = engine.remove_provider(&caller, NAME, false);
    assert_eq!(refused_unasked(&engine, "used", used).await, Code::Conflict);
    engine
        .register_app(&ui(), "app", Vec::new(), false)
        .await
        .unwrap();
    let app = engine.register_app(&caller, "app", Vec::new(), false);
    assert_eq!(refused_unasked(&engine, "app", app).await, Code::ValidationError);
}

#[tokio::test]
async fn a_profile_that_may_only_be_read_asks_nothing_that_it_could_not_write_down() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    engine.shutdown().await;
    drop(engine);
    // The keyring says that a newer copy was seen.
    let id = world.vault_id();
    tokenry_vault::raise_epoch_floor(id, &*world.keyring, 1_000_000).unwrap();
    let engine = world.start().await;
    until("it is open", async || {
        engine.status().vault.read_only.then_some(())
    })
    .await;
    let caller = program.caller();
    let wish = token(&engine, &caller, TokenRequest::default());
    assert_eq!(refused_unasked(&engine, "token", wish).await, Code::Conflict);
    let add = engine.add_provider(&caller, world.provider("new"));
    assert_eq!(refused_unasked(&engine, "provider", add).await, Code::Conflict);
}
