//! One question at a time: whose turn it is, and how long each is shown.

use super::{Asked, Program, answer, ask, question, questions};
use crate::tests::common::{NAME, World, ui};
use crate::{Engine, Error, PromptAnswer};
use std::time::Duration;
use tokenry_core::{Caller, Code, Rule};
use tokenry_testkit::Behaviour;

type Adding = tokio::task::JoinHandle<Result<tokenry_core::Provider, Error>>;

fn add(world: &World, engine: &Engine, caller: &Caller, name: &str) -> Adding {
    let (engine, caller, new) = (engine.clone(), caller.clone(), world.provider(name));
    tokio::spawn(async move { engine.add_provider(&caller, new).await })
}

/// The first question is of one program, the second of another.
async fn two(world: &World, engine: &Engine, first: &Program, second: &Program) -> (Asked, Adding) {
    let asked = ask(engine, &first.caller());
    question(engine).await;
    let adding = add(world, engine, &second.caller(), "new");
    questions(engine, 2).await;
    (asked, adding)
}

#[tokio::test]
async fn the_time_of_a_question_runs_from_when_it_is_shown() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (first, second) = (Program::start(), Program::start());
    let (asked, adding) = two(&world, &engine, &first, &second).await;
    let open = engine.prompts(&Caller::Consent).unwrap();
    assert_eq!((open[0].is_shown, open[0].ahead, open[0].waiting), (true, 0, 1));
    assert_eq!((open[1].is_shown, open[1].ahead, open[1].waiting), (false, 1, 0));
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(50)).await;
    world.pass(50);
    answer(&engine, &open[0], PromptAnswer::Once).await.unwrap();
    asked.await.unwrap().unwrap();
    // It has waited 50 s, and all of its 60 s are still to come.
    let shown = question(&engine).await;
    assert!(shown.is_shown);
    let left = shown.ends_at.duration_since(shown.asked_at);
    assert_eq!(left, Duration::from_secs(110).try_into().unwrap());
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert!(!adding.is_finished());
    answer(&engine, &question(&engine).await, PromptAnswer::Once)
        .await
        .unwrap();
    adding.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_question_that_is_shown_and_not_answered_ends_after_a_minute_and_the_next_is_shown() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (first, second) = (Program::start(), Program::start());
    let (asked, adding) = two(&world, &engine, &first, &second).await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.rule(), Some(Rule::Unanswered));
    let error = adding.await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.rule()),
        (Code::ConsentDenied, Some(Rule::Unanswered))
    );
    let both = begun.elapsed();
    let expected = Duration::from_secs(119)..Duration::from_secs(122);
    assert!(expected.contains(&both), "{both:?}");
}

#[tokio::test]
async fn a_question_that_never_comes_up_is_given_up_and_counts_as_no_denial() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    // Their own time lasts longer than the wait behind them.
    let crowd: Vec<_> = (0..6).map(|_| Program::orphan()).collect();
    let mut adding = Vec::new();
    for (number, program) in crowd.iter().enumerate() {
        adding.push(add(&world, &engine, &program.caller(), &format!("new-{number}")));
        questions(&engine, number + 1).await;
    }
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let last = adding.pop().unwrap().await.unwrap().unwrap_err();
    assert_eq!(
        (last.code(), last.rule()),
        (Code::RateLimited, Some(Rule::Unanswered))
    );
    let waited = begun.elapsed();
    assert!(
        (Duration::from_secs(238)..Duration::from_secs(242)).contains(&waited),
        "{waited:?}"
    );
    // The program may ask again at once.
    let again = add(&world, &engine, &crowd[5].caller(), "again");
    let shown = question_of(&engine, "again").await;
    answer(&engine, &shown, PromptAnswer::Once).await.unwrap();
    again.await.unwrap().unwrap();
}

async fn question_of(engine: &Engine, name: &str) -> crate::Prompt {
    crate::tests::common::until("its question", async || {
        let open = engine.prompts(&Caller::Consent).unwrap();
        let found = open
            .into_iter()
            .find(|prompt| prompt.notes.iter().any(|note| note.contains(name)));
        found.filter(|prompt| prompt.is_shown)
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_asked_in_its_own_words_and_never_for_a_session() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let (deleting, caller) = (engine.clone(), program.caller());
    let asked = tokio::spawn(async move { deleting.remove_provider(&caller, NAME, true).await });
    let prompt = question(&engine).await;
    assert_eq!(prompt.operation, crate::Operation::DeleteProvider);
    assert_eq!((prompt.provider.as_deref(), prompt.disconnects), (Some(NAME), 1));
    assert!(!prompt.for_session);
    let error = answer(&engine, &prompt, PromptAnswer::Session).await.unwrap_err();
    assert_eq!(error.code(), Code::ValidationError);
    assert_eq!(
        question(&engine).await.id,
        prompt.id,
        "it waits for an answer that fits"
    );
    asked.abort();
    questions(&engine, 0).await;

    // One more connection than the user was told of is another question.
    let (deleting, caller) = (engine.clone(), program.caller());
    let asked = tokio::spawn(async move { deleting.remove_provider(&caller, NAME, true).await });
    question(&engine).await;
    let how = crate::ConnectOptions {
        label: Some("second".to_owned()),
        ..Default::default()
    };
    world.server.set(|behaviour| {
        behaviour.accounts = vec![tokenry_testkit::Account::new(
            "sub-2",
            "Grace",
            "grace@example.com",
        )];
    });
    world.sign_in(&engine, how).await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap_err().code(), Code::Conflict);

    let (deleting, caller) = (engine.clone(), program.caller());
    let asked = tokio::spawn(async move { deleting.remove_provider(&caller, NAME, true).await });
    let prompt = question(&engine).await;
    assert_eq!(prompt.disconnects, 2);
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    asked.await.unwrap().unwrap();
    assert!(engine.providers(&ui()).await.unwrap().is_empty());
}
