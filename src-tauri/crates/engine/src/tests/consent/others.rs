//! What is not the caller's own: a sign-in that another program started, and the engine.

use super::{Program, answer, question};
use crate::tests::common::{NAME, World, answer_of, paste, ui};
use crate::{ConnectOptions, Engine, FlowState, Operation, PromptAnswer, StartedFlow};
use std::time::Duration;
use tokenry_core::{Code, EventKind, Outcome};
use tokenry_testkit::Behaviour;

async fn with_a_provider() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    (world, engine)
}

/// A sign-in that this program started with the user's consent.
async fn started_by(engine: &Engine, program: &Program) -> StartedFlow {
    let (asking, caller) = (engine.clone(), program.caller());
    let how = paste(ConnectOptions::default());
    let starting = tokio::spawn(async move { asking.connect(&caller, NAME, how).await });
    answer(engine, &question(engine).await, PromptAnswer::Once)
        .await
        .unwrap();
    starting.await.unwrap().unwrap()
}

/// security.md, "Redirects": a program that knows the `state` could bring an answer of its own.
#[tokio::test]
async fn another_program_sees_that_a_sign_in_is_open_and_nothing_of_its_address() {
    let (_world, engine) = with_a_provider().await;
    let (starter, other) = (Program::start(), Program::in_a_session_of_its_own());
    let flow = started_by(&engine, &starter).await;
    let seen = engine
        .flow(&other.caller(), flow.flow, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        (seen.state, seen.connection),
        (FlowState::Waiting, flow.connection)
    );
    assert_eq!((seen.authorization_url, seen.browser_url), (None, None));
    let (asking, caller) = (engine.clone(), other.caller());
    let opening = tokio::spawn(async move { asking.open_flow(&caller, flow.flow).await });
    answer(&engine, &question(&engine).await, PromptAnswer::Deny)
        .await
        .unwrap();
    assert_eq!(opening.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
    let again = engine
        .start_oauth(&other.caller(), &flow.connection.to_string())
        .await;
    assert_eq!(again.unwrap_err().code(), Code::Conflict);
    // `tokenry` is a new process each time, and the window is the user.
    for caller in [starter.caller(), Program::start().caller(), ui()] {
        let seen = engine.flow(&caller, flow.flow, Duration::ZERO).await.unwrap();
        assert_eq!(seen.authorization_url.as_ref(), Some(&flow.authorization_url));
        assert!(seen.browser_url.is_some());
    }
    // Of one that the window started no program sees more.
    engine.cancel_flow(&starter.caller(), flow.flow).await.unwrap();
    let of_the_window = engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    let seen = engine
        .flow(&starter.caller(), of_the_window.flow, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!((seen.authorization_url, seen.browser_url), (None, None));
}

/// security.md, "Local interfaces": a program that was given no consent changes nothing.
#[tokio::test]
async fn another_program_calls_a_sign_in_off_only_with_consent() {
    let (_world, engine) = with_a_provider().await;
    let (starter, other) = (Program::start(), Program::in_a_session_of_its_own());
    let flow = started_by(&engine, &starter).await;
    let (asking, caller) = (engine.clone(), other.caller());
    let calling_off = tokio::spawn(async move { asking.cancel_flow(&caller, flow.flow).await });
    let asked = question(&engine).await;
    assert_eq!(
        (asked.operation, asked.for_session),
        (Operation::FinishFlow, false)
    );
    assert_eq!(asked.provider.as_deref(), Some(NAME));
    assert!(
        asked.notes.iter().any(|note| note.contains("It calls off")),
        "{:?}",
        asked.notes
    );
    answer(&engine, &asked, PromptAnswer::Deny).await.unwrap();
    assert_eq!(
        calling_off.await.unwrap().unwrap_err().code(),
        Code::ConsentDenied
    );
    let stands = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert_eq!(stands.state, FlowState::Waiting);
    // The starter of the flow is not asked.
    engine.cancel_flow(&starter.caller(), flow.flow).await.unwrap();
}

/// security.md, "Redirects": with an account of its own a program would take the place of the user's.
#[tokio::test]
async fn an_answer_that_another_program_brings_counts_only_with_consent() {
    let (_world, engine) = with_a_provider().await;
    let (starter, other) = (Program::start(), Program::in_a_session_of_its_own());
    let flow = started_by(&engine, &starter).await;
    let brought = answer_of(&flow);
    let (asking, caller, address) = (engine.clone(), other.caller(), brought.clone());
    let finishing = tokio::spawn(async move { asking.callback(&caller, &address).await.map(drop) });
    let asked = question(&engine).await;
    assert_eq!(asked.operation, Operation::FinishFlow);
    answer(&engine, &asked, PromptAnswer::Deny).await.unwrap();
    assert_eq!(finishing.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
    assert!(engine.prompts(&tokenry_core::Caller::Consent).unwrap().is_empty());
    engine.callback(&starter.caller(), &brought).await.unwrap();
}

/// security.md, "Local interfaces": a program that ends the engine can listen in its place.
#[tokio::test]
async fn a_program_that_is_not_the_installed_app_ends_the_engine_only_with_consent_and_that_is_logged() {
    let (_world, engine) = with_a_provider().await;
    let program = Program::start();
    for reply in [PromptAnswer::Deny, PromptAnswer::Once] {
        // The second has nothing to do with the first, which was told no.
        let second = Program::orphan();
        let asking = engine.clone();
        let caller = match reply {
            PromptAnswer::Deny => program.caller(),
            _ => second.caller(),
        };
        let ending = tokio::spawn(async move { asking.hand_over(&caller).await });
        let shown = question(&engine).await;
        assert_eq!((shown.operation, shown.for_session), (Operation::HandOver, false));
        answer(&engine, &shown, reply.clone()).await.unwrap();
        let ended = ending.await.unwrap();
        if reply == PromptAnswer::Deny {
            assert_eq!(ended.unwrap_err().code(), Code::ConsentDenied);
            let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
            let line = events
                .iter()
                .find(|line| line.kind == EventKind::HandedOver)
                .unwrap();
            assert_eq!(
                (line.outcome, &line.caller),
                (Outcome::Refused, &program.caller())
            );
        } else {
            ended.unwrap();
        }
    }
    engine.finished().await;
}

/// A program that has the token was allowed to have it; one that does not, is asked about as for a token.
#[tokio::test]
async fn a_program_reports_the_token_it_has_without_a_prompt_and_no_other_one() {
    use crate::tests::rejected::fingerprint;
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let held = crate::tests::common::token(&engine, 0).await.unwrap();
    let caller = program.caller();
    let done = engine
        .token_rejected(&caller, NAME, fingerprint(&held.access_token))
        .await;
    assert_eq!(done.unwrap(), crate::RejectedOutcome::Refreshed);
    assert_eq!(world.server.refreshes(), 1);

    let asking = engine.clone();
    let guessed = fingerprint(&tokenry_core::Secret::new("a guess".to_owned()));
    let asked = tokio::spawn(async move { asking.token_rejected(&caller, NAME, guessed).await });
    let prompt = question(&engine).await;
    assert_eq!(prompt.operation, crate::Operation::Token);
    answer(&engine, &prompt, PromptAnswer::Deny).await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
    assert_eq!(world.server.refreshes(), 1);
}
