//! Many programs, or one that looks like many.

use super::{Asked, Program, answer, ask, code, question, questions};
use crate::tests::common::{NAME, World};
use crate::{Engine, PromptAnswer};
use std::{process::Command, time::Duration};
use tokenry_core::{Caller, Code, Rule};
use tokenry_testkit::Behaviour;

/// A token request of this program, and the user's answer to its prompt.
async fn asks_and_is_told(engine: &Engine, caller: &Caller, said: PromptAnswer) -> Result<(), Code> {
    let asked = ask(engine, caller);
    answer(engine, &question(engine).await, said).await.unwrap();
    code(asked).await
}

async fn denied(engine: &Engine, program: &Program) {
    let told = asks_and_is_told(engine, &program.caller(), PromptAnswer::Deny).await;
    assert_eq!(told, Err(Code::ConsentDenied));
}

async fn allowed(engine: &Engine, program: &Program) {
    let told = asks_and_is_told(engine, &program.caller(), PromptAnswer::Once).await;
    assert_eq!(told, Ok(()));
}

async fn rule_at_once(engine: &Engine, caller: &Caller) -> Option<Rule> {
    engine
        .token(caller, NAME, Duration::ZERO)
        .await
        .unwrap_err()
        .rule()
}

/// security.md, "Local interfaces": after a Deny a growing pause.
#[tokio::test]
async fn neither_a_session_of_its_own_nor_a_copy_of_the_program_evades_the_pause() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    denied(&engine, &Program::start()).await;
    let in_another_session = Program::in_a_session_of_its_own();
    assert_eq!(
        rule_at_once(&engine, &in_another_session.caller()).await,
        Some(Rule::DeniedBefore)
    );
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("another-name");
    std::fs::copy("/bin/sh", &copy).unwrap();
    let mut copied = Command::new(&copy)
        .args(["-c", "read line # asked by a test"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let uid = rustix::process::getuid().as_raw();
    let caller = Caller::Program(tokenry_peer::of_process(uid, copied.id()));
    assert_eq!(rule_at_once(&engine, &caller).await, Some(Rule::DeniedBefore));
    copied.kill().unwrap();
    copied.wait().unwrap();
    // A program that has nothing to do with it is asked about, and the others are again when the time is over.
    let stranger = Program::orphan();
    allowed(&engine, &stranger).await;
    world.pass(10);
    allowed(&engine, &in_another_session).await;
}

/// The same: programs whose parents have ended have nothing in common.
#[tokio::test]
async fn after_five_noes_in_ten_minutes_only_programs_that_had_a_yes_are_asked_about() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let welcome = Program::start();
    allowed(&engine, &welcome).await;
    for _ in 0..5 {
        denied(&engine, &Program::orphan()).await;
        world.pass(60);
    }
    let stranger = Program::orphan();
    assert_eq!(
        rule_at_once(&engine, &stranger.caller()).await,
        Some(Rule::DeniedBefore)
    );
    allowed(&engine, &welcome).await;
    world.pass(300);
    allowed(&engine, &stranger).await;
}

/// security.md, "Local interfaces": a short queue.
#[tokio::test]
async fn a_crowd_leaves_room_in_the_queue_for_a_program_that_had_a_yes() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let welcome = Program::start();
    allowed(&engine, &welcome).await;
    let crowd: Vec<_> = (0..6).map(|_| Program::orphan()).collect();
    let mut asking: Vec<Asked> = Vec::new();
    for (number, program) in crowd.iter().enumerate() {
        asking.push(ask(&engine, &program.caller()));
        questions(&engine, number + 1).await;
    }
    let one_more = Program::orphan();
    let refused = engine
        .token(&one_more.caller(), NAME, Duration::ZERO)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::RateLimited);
    let asked = ask(&engine, &welcome.caller());
    questions(&engine, 7).await;
    asked.abort();
    asking.iter().for_each(Asked::abort);
}

/// security.md, "Local interfaces": the path decides what the prompt says. A yes for the session of an interpreter that
/// runs no file is one for all that it runs, and the question says so.
#[tokio::test]
async fn the_question_says_when_a_session_covers_everything_that_an_interpreter_runs() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let shown = question(&engine).await;
    assert!(shown.for_session);
    assert!(
        shown
            .notes
            .iter()
            .any(|note| note.contains("for everything that")),
        "{:?}",
        shown.notes
    );
    asked.abort();
}
