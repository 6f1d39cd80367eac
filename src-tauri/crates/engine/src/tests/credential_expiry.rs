//! Credentials that delete themselves when their time comes, also while no engine ran.

use crate::tests::common::{World, ui, until};
use crate::tests::credentials::{entered, new, program};
use crate::{CredentialChange, Engine, NewCredential};
use std::time::Duration;
use tokenry_core::{Caller, Clock, Code, CredentialType, Event, EventKind, Timestamp};
use tokenry_testkit::Behaviour;

fn ending(world: &World, name: &str, seconds: u64) -> NewCredential {
    NewCredential {
        expires_at: Some(world.clock.now() + Duration::from_secs(seconds)),
        ..new(name, CredentialType::Raw, &[("value", "x")])
    }
}

/// The schedule looks at the clock after every change.
async fn stir(engine: &Engine) {
    let draft = new("stirring", CredentialType::Raw, &[("value", "x")]);
    engine.add_credential(&ui(), draft).await.unwrap();
    engine.remove_credential(&ui(), "stirring").await.unwrap();
}

async fn removals(engine: &Engine) -> Vec<Event> {
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    let is_expiry =
        |event: &Event| event.kind == EventKind::CredentialRemoved && event.caller == Caller::Engine;
    events.into_iter().filter(is_expiry).collect()
}

#[tokio::test]
async fn it_is_deleted_by_itself_when_its_time_comes() {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    let made = engine
        .add_credential(&ui(), ending(&world, "brief", 60))
        .await
        .unwrap();
    engine
        .add_credential(&ui(), ending(&world, "longer", 120))
        .await
        .unwrap();
    stir(&engine).await;
    assert!(engine.credential(&program(), "brief").await.is_ok());
    world.pass(60);
    stir(&engine).await;
    let gone = until("deleted", async || removals(&engine).await.pop()).await;
    assert_eq!(gone.credential, Some(made.id));
    assert!(gone.detail.unwrap().contains("expired"));
    assert_eq!(engine.credentials(&ui()).await.unwrap().len(), 1);
}

/// Nothing depends on how soon the schedule comes to it.
#[tokio::test]
async fn from_that_moment_on_it_is_not_handed_out_deleted_or_not() {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    let id = engine
        .add_credential(&ui(), ending(&world, "brief", 60))
        .await
        .unwrap()
        .id
        .to_string();
    world.pass(60);
    for reference in ["brief", &id] {
        for error in [
            engine
                .credential(&program(), reference)
                .await
                .map(drop)
                .unwrap_err(),
            engine
                .credential_value(&ui(), reference, "value")
                .await
                .map(drop)
                .unwrap_err(),
            engine
                .change_credential(
                    &ui(),
                    reference,
                    CredentialChange {
                        expires_at: Some(None),
                        ..Default::default()
                    },
                )
                .await
                .map(drop)
                .unwrap_err(),
            engine.remove_credential(&ui(), reference).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), Code::NotFound, "{error}");
        }
    }
    assert!(engine.credentials(&ui()).await.unwrap().is_empty());
    engine
        .add_credential(&ui(), ending(&world, "brief", 60))
        .await
        .unwrap();
    assert_eq!(removals(&engine).await.len(), 1);
}

#[tokio::test]
async fn one_that_expired_while_no_engine_ran_is_gone_before_it_can_be_read() {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    let made = engine
        .add_credential(&ui(), ending(&world, "brief", 60))
        .await
        .unwrap();
    engine
        .add_credential(&ui(), ending(&world, "longer", 6000))
        .await
        .unwrap();
    engine.shutdown().await;
    drop(engine);
    world.pass(61);
    let engine = world.start().await;
    let gone = removals(&engine).await;
    assert_eq!(
        gone.iter().map(|event| event.credential).collect::<Vec<_>>(),
        [Some(made.id)]
    );
    assert_eq!(
        engine.credential(&program(), "brief").await.unwrap_err().code(),
        Code::NotFound
    );
    // Not even a clock that is set back brings it out again.
    world.clock.set(Timestamp::from_second(1_767_225_600).unwrap());
    assert_eq!(
        engine.credential(&program(), "brief").await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(engine.credentials(&ui()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_vault_that_was_locked_when_the_time_came_deletes_it_when_it_is_opened() {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    engine
        .add_credential(&ui(), ending(&world, "brief", 60))
        .await
        .unwrap();
    engine.lock(&ui()).await.unwrap();
    world.pass(61);
    engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(removals(&engine).await.len(), 1);
}

#[tokio::test]
async fn an_end_can_be_moved_and_taken_away_but_not_into_the_past() {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    engine
        .add_credential(&ui(), ending(&world, "brief", 60))
        .await
        .unwrap();
    let to = |end| CredentialChange {
        expires_at: Some(end),
        ..CredentialChange::default()
    };
    let past = engine
        .change_credential(&ui(), "brief", to(Some(world.clock.now())))
        .await
        .unwrap_err();
    assert!(past.fields().unwrap().contains_key("expires_at"), "{past}");
    engine.change_credential(&ui(), "brief", to(None)).await.unwrap();
    world.pass(100_000);
    stir(&engine).await;
    assert_eq!(
        entered(engine.credential(&program(), "brief").await.unwrap()).expires_at,
        None
    );
    assert!(removals(&engine).await.is_empty());
}
