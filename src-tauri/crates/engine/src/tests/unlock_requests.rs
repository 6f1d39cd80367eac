//! Requests that meet a locked vault, where there is a window.

use crate::tests::common::{World, ui, until};
use crate::{Engine, Error};
use std::{sync::atomic::Ordering, time::Duration};
use tokenry_core::{Caller, Code, Peer};
use tokenry_testkit::Behaviour;
use tokio::task::JoinHandle;

fn peer() -> Peer {
    tokenry_peer::of_process(rustix::process::getuid().as_raw(), std::process::id())
}

/// A locked engine with a window.
async fn locked() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    world.host.shows_window.store(true, Ordering::SeqCst);
    let engine = world.start().await;
    engine.lock(&ui()).await.unwrap();
    (world, engine)
}

fn request(engine: &Engine) -> JoinHandle<Result<(), Error>> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.wait_for_unlock(Some(&peer())).await })
}

async fn waiting(engine: &Engine, count: usize) {
    until("so many requests wait", async || {
        (engine.unlock_requests(&ui()).unwrap().len() == count).then_some(())
    })
    .await;
}

fn shown(world: &World) -> usize {
    world.host.shown.load(Ordering::SeqCst)
}

#[tokio::test]
async fn several_requests_show_one_window_and_go_on_once_it_is_unlocked() {
    let (world, engine) = locked().await;
    let (one, other) = (request(&engine), request(&engine));
    waiting(&engine, 2).await;
    assert_eq!(engine.unlock_requests(&ui()).unwrap()[0], peer());
    assert_eq!(shown(&world), 1);
    engine.unlock(&ui(), None, false).await.unwrap();
    one.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    assert_eq!(
        (shown(&world), engine.unlock_requests(&ui()).unwrap().len()),
        (1, 0)
    );
    engine.wait_for_unlock(Some(&peer())).await.unwrap();
    assert_eq!(shown(&world), 1, "an open vault needs no window");
}

#[tokio::test]
async fn after_a_dismissal_no_window_comes_up_for_five_minutes_then_ten() {
    let (world, engine) = locked().await;
    for (at, minutes) in [5, 10].into_iter().enumerate() {
        let waits = request(&engine);
        waiting(&engine, 1).await;
        engine.dismiss_unlock_requests(&ui()).unwrap();
        let error = waits.await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::VaultLocked);
        assert!(error.to_string().contains("`tokenry unlock`"), "{error}");
        world.pass(minutes * 60 - 1);
        assert!(engine.wait_for_unlock(Some(&peer())).await.is_err());
        assert_eq!(shown(&world), at + 1, "the window does not come back");
        world.pass(1);
    }
    let waits = request(&engine);
    waiting(&engine, 1).await;
    engine.unlock(&ui(), None, false).await.unwrap();
    waits.await.unwrap().unwrap();
    engine.lock(&ui()).await.unwrap();
    let waits = request(&engine);
    waiting(&engine, 1).await;
    assert_eq!(shown(&world), 4, "an unlock ends the pause");
    engine.dismiss_unlock_requests(&ui()).unwrap();
    assert!(waits.await.unwrap().is_err());
}

#[tokio::test]
async fn a_dismissal_that_dismisses_nothing_starts_no_pause() {
    let (world, engine) = locked().await;
    engine.dismiss_unlock_requests(&ui()).unwrap();
    let waits = request(&engine);
    waiting(&engine, 1).await;
    assert_eq!(shown(&world), 1);
    waits.abort();
    waiting(&engine, 0).await;
}

#[tokio::test]
async fn only_the_window_sees_and_dismisses_requests_that_wait_for_an_unlock() {
    let (_world, engine) = locked().await;
    for caller in [Caller::Program(peer()), Caller::Consent, Caller::Engine] {
        assert!(engine.unlock_requests(&caller).is_err());
        assert!(engine.dismiss_unlock_requests(&caller).is_err());
    }
}

#[tokio::test]
async fn without_a_window_a_request_does_not_wait_for_an_unlock() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.lock(&ui()).await.unwrap();
    engine.wait_for_unlock(Some(&peer())).await.unwrap();
    let error = engine
        .token(&Caller::Program(peer()), "sandbox", Duration::ZERO)
        .await;
    assert_eq!(error.unwrap_err().code(), Code::VaultLocked);
}

#[tokio::test]
async fn a_program_that_became_another_one_gets_nothing_after_the_unlock() {
    let (_world, engine) = locked().await;
    let other = Peer { started: 1, ..peer() };
    let error = engine.wait_for_unlock(Some(&other)).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_engine_that_ends_answers_requests_that_wait_for_an_unlock() {
    let (_world, engine) = locked().await;
    let waits = request(&engine);
    waiting(&engine, 1).await;
    engine.shutdown().await;
    assert_eq!(waits.await.unwrap().unwrap_err().code(), Code::VaultLocked);
}
