//! What is remembered of a program and its session, and for how long.

use super::{Program, answer, ask, code, question, questions};
use crate::tests::common::{NAME, World, ui};
use crate::{Engine, PromptAnswer};
use std::time::Duration;
use tokenry_core::{Caller, Code, Peer, Rule};
use tokenry_testkit::Behaviour;

#[tokio::test]
async fn a_session_is_not_asked_again_until_ten_minutes_unused_twelve_hours_or_a_lock() {
    let (world, engine) = World::connected(Behaviour {
        token_life: 1_000_000,
        ..Behaviour::default()
    })
    .await;
    let program = Program::start();
    let allow = async |engine: &Engine| {
        let asked = ask(engine, &program.caller());
        let prompt = question(engine).await;
        assert!(prompt.for_session);
        answer(engine, &prompt, PromptAnswer::Session).await.unwrap();
        assert_eq!(code(asked).await, Ok(()));
    };
    let is_asked = async |engine: &Engine| {
        let asked = ask(engine, &program.caller());
        let is_asked = tokio::select! {
            prompt = question(engine) => { answer(engine, &prompt, PromptAnswer::Once).await.unwrap(); true }
            () = async { while !asked.is_finished() { tokio::task::yield_now().await } } => false,
        };
        assert_eq!(code(asked).await, Ok(()));
        is_asked
    };
    allow(&engine).await;
    // Another process of the same program in the same session counts as the same.
    let twin = Program::start();
    let asked = ask(&engine, &twin.caller());
    assert_eq!(code(asked).await, Ok(()));
    for _ in 0..71 {
        world.pass(599);
        assert!(!is_asked(&engine).await);
    }
    // 71 * 599 s is not yet twelve hours.
    world.pass(599);
    world.pass(72);
    assert!(is_asked(&engine).await, "twelve hours are over");
    allow(&engine).await;
    world.pass(600);
    assert!(is_asked(&engine).await, "it was unused for ten minutes");
    allow(&engine).await;
    engine.lock(&ui()).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    assert!(is_asked(&engine).await, "the vault was locked meanwhile");
}

#[tokio::test]
async fn what_was_allowed_for_one_session_is_not_allowed_for_another_program_or_another_operation() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    answer(&engine, &prompt, PromptAnswer::Session).await.unwrap();
    assert_eq!(code(asked).await, Ok(()));
    let mut other = program.caller();
    if let Caller::Program(peer) = &mut other {
        *peer = tokenry_peer::of_process(peer.uid, std::process::id());
    }
    let asked = ask(&engine, &other);
    answer(&engine, &question(&engine).await, PromptAnswer::Deny)
        .await
        .unwrap();
    assert_eq!(code(asked).await, Err(Code::ConsentDenied));
    let (asking, caller) = (engine.clone(), program.caller());
    let disconnecting = tokio::spawn(async move { asking.disconnect(&caller, NAME).await });
    answer(&engine, &question(&engine).await, PromptAnswer::Deny)
        .await
        .unwrap();
    assert_eq!(
        disconnecting.await.unwrap().unwrap_err().code(),
        Code::ConsentDenied
    );
}

#[tokio::test]
async fn a_program_whose_session_cannot_be_seen_is_asked_about_each_time_and_held_back_like_any_other() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let without_session = |program: &Program| match program.caller() {
        Caller::Program(peer) => Caller::Program(Peer {
            session: None,
            ..peer
        }),
        caller => caller,
    };
    let caller = without_session(&program);
    let asked = ask(&engine, &caller);
    let prompt = question(&engine).await;
    assert!(!prompt.for_session);
    let error = answer(&engine, &prompt, PromptAnswer::Session).await.unwrap_err();
    assert_eq!(error.code(), Code::ValidationError);
    // The question waits for an answer that fits.
    assert_eq!(question(&engine).await.id, prompt.id);
    answer(&engine, &prompt, PromptAnswer::Deny).await.unwrap();
    assert_eq!(code(asked).await, Err(Code::ConsentDenied));
    let error = engine.token(&caller, NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.rule(), Some(Rule::DeniedBefore));

    world.pass(3600);
    for number in 0..3 {
        let (engine, caller) = (engine.clone(), caller.clone());
        let new = world.provider(&format!("new-{number}"));
        tokio::spawn(async move { engine.add_provider(&caller, new).await });
    }
    questions(&engine, 3).await;
    let error = engine.refresh(&caller, NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::RateLimited);
}

/// security.md, "Prompts": what was allowed for a session ends by the time that passes, and not by the wall clock.
#[tokio::test]
async fn a_session_is_no_longer_when_the_clock_is_set_back() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    answer(&engine, &question(&engine).await, PromptAnswer::Session)
        .await
        .unwrap();
    assert_eq!(code(asked).await, Ok(()));
    world.pass(540);
    world.clock.set(world.clock_now() - Duration::from_secs(480));
    world.pass(120);
    let asked = ask(&engine, &program.caller());
    answer(&engine, &question(&engine).await, PromptAnswer::Once)
        .await
        .unwrap();
    assert_eq!(code(asked).await, Ok(()));
}
