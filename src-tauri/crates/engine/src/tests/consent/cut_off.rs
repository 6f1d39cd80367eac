//! Cutting off ends what was allowed for a session, and closes what is being asked.

use super::{Program, answer, ask, code, question, questions};
use crate::tests::common::{NAME, World, seen, ui, until};
use crate::{CutOff, PromptAnswer};
use tokenry_core::{Code, EventKind};
use tokenry_testkit::{Behaviour, Fault};

/// SECURITY.md, "Consent".
#[tokio::test]
async fn a_session_that_was_allowed_and_a_prompt_that_is_open_end_with_a_cut_off() {
    let all = || CutOff::All;
    let connection = || CutOff::Connection(NAME.to_owned());
    for what in [connection(), all()] {
        let (_world, engine) = World::connected(Behaviour::default()).await;
        let (allowed, open) = (Program::start(), Program::in_a_session_of_its_own());
        let asked = ask(&engine, &allowed.caller());
        answer(&engine, &question(&engine).await, PromptAnswer::Session)
            .await
            .unwrap();
        assert_eq!(code(asked).await, Ok(()));
        assert_eq!(
            code(ask(&engine, &allowed.caller())).await,
            Ok(()),
            "it is not asked again"
        );
        let waiting = ask(&engine, &open.caller());
        questions(&engine, 1).await;
        let cut = engine.cut_off(&ui(), what.clone()).await.unwrap();
        assert_eq!((cut.sessions, cut.prompts), (1, 1), "{what:?}");
        assert_eq!(code(waiting).await, Err(Code::PermissionDenied));
        assert!(questions(&engine, 0).await.is_empty());
        // A request that is decided anew comes to nothing: there is no token.
        assert_eq!(
            code(ask(&engine, &allowed.caller())).await,
            Err(Code::NeedsReauth)
        );
    }
}

/// An app that is cut off takes no permission of another program with it.
#[tokio::test]
async fn the_session_of_a_program_outlives_the_cut_off_of_an_app() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    answer(&engine, &question(&engine).await, PromptAnswer::Session)
        .await
        .unwrap();
    assert_eq!(code(asked).await, Ok(()));
    let cut = engine
        .cut_off(&ui(), CutOff::App("backup".to_owned()))
        .await
        .unwrap();
    assert_eq!((cut.sessions, cut.prompts), (0, 0));
    assert_eq!(code(ask(&engine, &program.caller())).await, Ok(()));
}

/// A program that waits for a refresh gets its token although an app is cut off, and none when the connection is.
#[tokio::test]
async fn a_program_that_waits_gets_nothing_only_when_its_own_access_is_cut_off() {
    let app = || CutOff::App("backup".to_owned());
    let connection = || CutOff::Connection(NAME.to_owned());
    for (what, expected) in [(app(), Ok(())), (connection(), Err(Code::NeedsReauth))] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        engine
            .register_app(&ui(), "backup", Vec::new(), false)
            .await
            .unwrap();
        let program = Program::start();
        world.pass(3700);
        world.server.queue(Fault::Gate);
        let waiting = ask(&engine, &program.caller());
        answer(&engine, &question(&engine).await, PromptAnswer::Session)
            .await
            .unwrap();
        seen(&world, "the refresh", |server| server.refreshes() == 1).await;
        let cutting = {
            let (engine, what) = (engine.clone(), what.clone());
            tokio::spawn(async move { engine.cut_off(&ui(), what).await })
        };
        until("it was cut off", async || {
            let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
            events
                .iter()
                .any(|event| event.kind == EventKind::CutOff)
                .then_some(())
        })
        .await;
        world.server.release();
        assert_eq!(code(waiting).await, expected, "{what:?}");
        cutting.await.unwrap().unwrap();
    }
}
