//! What is handed out is logged, or not handed out.

use super::{end, put_back, take_out};
use crate::tests::common::{NAME, World, poke, ui, until};
use std::time::Duration;
use tokenry_core::{Caller, Code, Peer};
use tokenry_testkit::Behaviour;

/// security.md, "At rest": a program gets no token from a profile whose log cannot be written.
#[tokio::test]
async fn a_program_is_handed_nothing_that_cannot_be_logged() {
    let (world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    end(&world, engine).await;
    let (id, old) = (world.vault_id(), take_out(&world));
    let engine = world.start().await;
    engine.refresh(&ui(), NAME).await.unwrap();
    poke(&engine, NAME).await;
    let before = world.keyring.item(id);
    let engine = world.restart(engine).await;
    until("the floor is raised", async || {
        (world.keyring.item(id) != before).then_some(())
    })
    .await;
    end(&world, engine).await;
    put_back(&world, &old);

    let engine = world.start().await;
    assert!(engine.status().vault.read_only);
    let program = Caller::Program(Peer {
        uid: 1000,
        pid: 1,
        started: 1,
        program: Some("/usr/bin/git".to_owned()),
        session: Some(1),
        helper: None,
        remote: None,
    });
    let error = engine.token(&program, NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.to_string().contains("could not be logged"), "{error}");
    engine.token(&ui(), NAME, Duration::ZERO).await.unwrap();
    end(&world, engine).await;
}
