//! The disk is full when a refreshed token arrives. Nothing acknowledged is lost, and no caller waits for the disk.

use crate::{
    Engine, Error,
    tests::common::{NAME, World, schedule_is_idle, seen, status, token, ui, until, view},
};
use std::{fs, time::Duration};
use tokenry_core::{Code, ConnectionStatus, Secret, Tokens};
use tokenry_testkit::{Behaviour, Rotation};

/// More commits fail than are tried while a test looks.
const FOR_LONG: u32 = 1_000_000;

fn fail_commits(engine: &Engine, times: u32) {
    engine.inner.opener.database().unwrap().fail_commits(times);
}

fn spills(world: &World) -> usize {
    let files = fs::read_dir(world.options().folder).unwrap();
    files
        .filter(|file| {
            file.as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|end| end == "spill")
        })
        .count()
}

/// A refresh whose answer meets a full disk.
async fn refreshed_onto_a_full_disk() -> (World, Engine, Secret) {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::Strict)).await;
    let before = token(&engine, 0).await.unwrap().access_token;
    engine.flush_activity().await;
    world.pass(3500);
    world.server.queue(tokenry_testkit::Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.refresh(&ui(), NAME).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    fail_commits(&engine, FOR_LONG);
    world.server.release();
    let error = asking.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.to_string().contains("disk is full"), "{error}");
    (world, engine, before)
}

/// security.md, "Refresh", 6: free the disk reserve and retry.
#[tokio::test]
async fn one_failed_commit_costs_nothing() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.flush_activity().await;
    world.pass(3500);
    world.server.queue(tokenry_testkit::Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.refresh(&ui(), NAME).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    fail_commits(&engine, 1);
    world.server.release();
    asking.await.unwrap().unwrap();
    assert_eq!(spills(&world), 0);
}

/// security.md, "Refresh", 6 and 9.
#[tokio::test]
async fn while_the_disk_is_full_the_living_token_is_served_and_nothing_is_sent_again() {
    let (world, engine, before) = refreshed_onto_a_full_disk().await;
    assert_eq!(spills(&world), 1);
    assert_eq!(status(&engine).await, ConnectionStatus::Refreshing);
    for _ in 0..3 {
        let living = token(&engine, 600).await.unwrap();
        assert_eq!(living.access_token.expose(), before.expose());
    }
    world.pass(200);
    let error = token(&engine, 0).await.unwrap_err();
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert_eq!(world.server.refreshes(), 1);

    fail_commits(&engine, 0);
    until("there is room again", async || token(&engine, 0).await.ok()).await;
    until("it is over", async || {
        (status(&engine).await == ConnectionStatus::Active).then_some(())
    })
    .await;
    assert_eq!(spills(&world), 0);
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
}

#[tokio::test]
async fn a_spilled_token_is_taken_in_by_the_next_engine() {
    let (world, engine, _) = refreshed_onto_a_full_disk().await;
    let engine = world.restart(engine).await;
    assert_eq!(spills(&world), 0);
    let got = token(&engine, 600).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    assert_eq!(view(&engine).await.connection.expires_at, got.expires_at);
    assert_eq!(world.server.refreshes(), 1);
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

#[tokio::test]
async fn a_full_disk_outlives_a_lock_and_an_unlock() {
    let (world, engine, _) = refreshed_onto_a_full_disk().await;
    engine.set_vault_handle(crate::lifecycle::vault_handle::VaultHandle::Shut {
        state: crate::VaultState::Locked,
        problem: None,
        waiting_for_keyring: false,
    });
    let unlocked = engine.unlock(&ui(), None, false).await;
    assert!(
        matches!(unlocked, Err(Error::Store(tokenry_store::Error::DiskFull))),
        "{unlocked:?}"
    );
    fail_commits(&engine, 0);
    engine.unlock(&ui(), None, false).await.unwrap();
    let got = token(&engine, 600).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    until("the spill is gone", async || (spills(&world) == 0).then_some(())).await;
    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

/// A foreign file, or one that is older than what is kept, changes nothing.
#[tokio::test]
async fn a_spill_that_is_old_or_not_ours_changes_nothing() {
    let (world, engine, _) = refreshed_onto_a_full_disk().await;
    let folder = world.options().folder;
    let (name, old) = tokenry_store::spilled(&folder).unwrap().remove(0);
    fail_commits(&engine, 0);
    until("there is room again", async || token(&engine, 600).await.ok()).await;
    until("the spill is gone", async || (spills(&world) == 0).then_some(())).await;
    engine.refresh(&ui(), NAME).await.unwrap();
    let newest = token(&engine, 0).await.unwrap().access_token;
    engine.shutdown().await;
    drop(engine);
    tokenry_store::spill(&folder, &name, &old).unwrap();
    let (row, _) = name.split_once('-').unwrap();
    tokenry_store::spill(&folder, &format!("{row}-9"), &old).unwrap();
    tokenry_store::spill(&folder, "rubbish", b"rubbish").unwrap();

    let engine = world.start().await;
    assert_eq!(engine.status().vault.problem, None);
    assert_eq!(
        token(&engine, 0).await.unwrap().access_token.expose(),
        newest.expose()
    );
    assert_eq!(spills(&world), 2, "what does not open is left alone");
}

/// A full disk at the journal: nothing is sent, and the schedule does not try it over and over.
#[tokio::test]
async fn without_room_for_the_journal_nothing_is_sent() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.flush_activity().await;
    fail_commits(&engine, FOR_LONG);
    world.pass(3500);
    engine.inner.due.notify_one();
    until("the schedule has failed", async || {
        engine.has_paused().then_some(())
    })
    .await;
    let living = token(&engine, 600).await.unwrap();
    assert!(living.expires_at.is_some());
    assert_eq!(world.server.refreshes(), 0);
    fail_commits(&engine, 2);
    schedule_is_idle(&engine).await;
    assert_eq!(world.server.refreshes(), 0, "it pauses");
    fail_commits(&engine, 0);
    world.pass(31);
    engine.inner.due.notify_one();
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
}

/// What a failure means is written down for sure: with the journal at `sent`, a 503 would look like a lost answer.
#[tokio::test]
async fn a_failure_that_meets_a_full_disk_is_still_known_for_what_it_was() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::Strict)).await;
    engine.flush_activity().await;
    world.pass(3500);
    world.server.queue(tokenry_testkit::Fault::Gate);
    world.server.set(|behaviour| behaviour.clients.clear());
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.refresh(&ui(), NAME).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    fail_commits(&engine, 1);
    world.server.release();
    assert_eq!(asking.await.unwrap().unwrap_err().code(), Code::NeedsReauth);
    let rejected = ConnectionStatus::NeedsReauth(tokenry_core::ReauthReason::ClientRejected);
    assert_eq!(status(&engine).await, rejected);
}

/// security.md, "Refresh", 8: the token stays sealed as a tombstone for 7 days.
#[tokio::test]
async fn the_tombstone_of_an_ended_grant_is_kept_for_a_week() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let row = view(&engine).await.connection.id.row();
    let tokens = |engine: &Engine| engine.store().unwrap().get::<Tokens>(row).unwrap().unwrap();
    let token = tokens(&engine).refresh_token.unwrap();
    world.server.withdraw();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    assert!(tokens(&engine).refresh_token.is_none());
    world.pass(6 * 24 * 3600);
    let engine = world.restart(engine).await;
    let tombstone = tokens(&engine).replaced.unwrap();
    assert_eq!(tombstone.refresh_token.expose(), token.expose());
    world.pass(24 * 3600);
    let engine = world.restart(engine).await;
    assert!(tokens(&engine).replaced.is_none());
}

/// A replaced refresh token is kept for a short while, and the one before it not at all.
#[tokio::test]
async fn a_replaced_refresh_token_is_kept_beside_the_new_one() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let row = view(&engine).await.connection.id.row();
    let tokens = || engine.store().unwrap().get::<Tokens>(row).unwrap().unwrap();
    let first = tokens();
    assert!(first.replaced.is_none());
    engine.refresh(&ui(), NAME).await.unwrap();
    let second = tokens();
    assert_eq!(second.fence, first.fence + 1);
    assert_eq!(
        second.replaced.unwrap().refresh_token.expose(),
        first.refresh_token.unwrap().expose()
    );
    let again = Duration::from_secs(600);
    assert_eq!(
        engine.token(&ui(), NAME, again).await.unwrap().scopes,
        second.scopes
    );
}
