//! A profile that lost a part of itself is damaged. It never becomes a new, empty one.

use crate::tests::common::{World, token, ui};
use crate::{Engine, VaultState};
use std::{fs, path::PathBuf};
use tokenry_core::Code;
use tokenry_store::Store;
use tokenry_testkit::Behaviour;

const PAGE: usize = 4096;

fn database(world: &World) -> PathBuf {
    world.options().folder.join("tokenry.db")
}

/// A profile with one connection whose engine has ended: its database with an empty log, and its vault's id.
async fn profile() -> (World, Vec<u8>, [u8; 16], String) {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let got = token(&engine, 0).await.unwrap().access_token;
    engine.shutdown().await;
    drop(engine);
    let store = Store::open(&world.options().folder).unwrap();
    store.checkpoint().unwrap();
    let id = store.vault_id().unwrap().unwrap();
    drop(store);
    let bytes = fs::read(database(&world)).unwrap();
    (world, bytes, id, got.expose().to_owned())
}

fn put(world: &World, bytes: &[u8]) {
    for beside in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(database(world).with_extension(beside));
    }
    fs::write(database(world), bytes).unwrap();
}

async fn stays_damaged(engine: &Engine) {
    for create in [false, true] {
        let error = engine.unlock(&ui(), None, create).await.unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }
    let report = engine.status().vault;
    assert_eq!(report.state, VaultState::Damaged);
    let (code, text) = report.problem.unwrap();
    assert_eq!(code, Code::Internal);
    assert!(text.contains("damaged") && text.contains("backup"), "{text}");
}

/// security.md, "Keys": a new key is never made while a vault exists.
#[tokio::test]
async fn a_lost_vault_id_is_damage_and_the_old_id_put_back_opens_everything() {
    let (world, whole, id, before) = profile().await;
    let at = whole.windows(id.len()).position(|bytes| bytes == id).unwrap();
    // The page of the table `meta` then says that it has no row.
    let mut damaged = whole.clone();
    let cells = at / PAGE * PAGE + 3;
    damaged[cells..cells + 2].fill(0);
    put(&world, &damaged);
    let engine = world.start().await;
    stays_damaged(&engine).await;
    engine.shutdown().await;
    drop(engine);
    assert_eq!(
        fs::read(database(&world)).unwrap(),
        damaged,
        "it is left as it was"
    );

    put(&world, &whole);
    let engine = world.start().await;
    assert_eq!(engine.status().vault.state, VaultState::Unlocked);
    assert_eq!(token(&engine, 0).await.unwrap().access_token.expose(), before);
}

#[tokio::test]
async fn a_log_that_was_emptied_does_not_make_the_profile_look_new() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    // A copy of the files while the engine runs, as a crash leaves them; the log is then emptied.
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("tokenry.db");
    fs::copy(database(&world), &file).unwrap();
    fs::write(file.with_extension("db-wal"), b"").unwrap();
    assert!(Store::open(copy.path()).unwrap().vault_id().unwrap().is_some());
    engine.shutdown().await;
}
