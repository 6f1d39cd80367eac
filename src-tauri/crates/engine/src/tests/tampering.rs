//! The files are edited while no engine runs. Never a wrong plaintext, never a panic, always a clear error.

use crate::tests::common::{NAME, World, poke, schedule_is_idle, token, ui, until};
use crate::{ConnectOptions, ConnectionChange, Engine, Options, VaultState};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokenry_core::{Code, ConnectionStatus, EventKind, OsRandom};
use tokenry_store::{Store, Table};
use tokenry_testkit::{Account, Behaviour};

mod handing;

fn database(world: &World) -> PathBuf {
    world.options().folder.join("tokenry.db")
}

/// The database alone, all of it: nothing may be left in the log beside it.
fn take_out(world: &World) -> Vec<u8> {
    let store = Store::open(&world.options().folder).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    fs::read(database(world)).unwrap()
}

/// Ends an engine and waits until its last task has let go of the files.
async fn end(world: &World, engine: Engine) {
    close(engine, &database(world)).await;
}

async fn close(engine: Engine, database: &Path) {
    engine.shutdown().await;
    drop(engine);
    let database = fs::canonicalize(database).unwrap();
    let is_open = || {
        let Ok(handles) = fs::read_dir("/proc/self/fd") else {
            return false;
        };
        let mut targets = handles.filter_map(|handle| fs::read_link(handle.ok()?.path()).ok());
        targets.any(|target| target == database)
    };
    for _ in 0..10_000 {
        if !is_open() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the files stay open");
}

fn put_back(world: &World, bytes: &[u8]) {
    put(&database(world), bytes);
}

fn put(database: &Path, bytes: &[u8]) {
    for beside in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(database.with_extension(beside));
    }
    fs::write(database, bytes).unwrap();
}

/// A profile with one connection, whose engine has ended.
async fn profile() -> (World, String) {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let got = token(&engine, 0).await.unwrap().access_token;
    end(&world, engine).await;
    (world, got.expose().to_owned())
}

/// The vault may only be read, says so, and does nothing that changes it or asks the provider.
async fn is_read_only(world: &World, engine: &Engine) {
    let report = engine.status().vault;
    assert_eq!(report.state, VaultState::Unlocked);
    assert!(report.read_only);
    let (code, text) = report.problem.unwrap();
    assert_eq!(code, Code::Conflict);
    assert!(text.contains("older copy"), "{text}");
    world.server.clear_log();
    let nothing = ConnectionChange::default();
    for refused in [
        engine.refresh(&ui(), NAME).await.map(drop),
        engine.change_connection(&ui(), NAME, nothing).await.map(drop),
        engine.disconnect(&ui(), NAME).await.map(drop),
        engine
            .connect(&ui(), NAME, ConnectOptions::default())
            .await
            .map(drop),
        engine.add_provider(&ui(), world.provider("more")).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), Code::Conflict);
    }
    engine.token(&ui(), NAME, Duration::from_secs(0)).await.unwrap();
    world.pass(3500);
    engine.lock(&ui()).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    schedule_is_idle(engine).await;
    engine.token(&ui(), NAME, Duration::from_secs(600)).await.unwrap();
    world.pass(200);
    let error = engine.token(&ui(), NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(world.server.log().is_empty(), "it refreshes nothing");
}

/// security.md, "At rest": a vault that was rolled back opens read-only and refreshes nothing.
#[tokio::test]
async fn an_older_copy_of_the_profile_may_only_be_read_and_refreshes_nothing() {
    let (world, _) = profile().await;
    let id = world.vault_id();
    let old = take_out(&world);
    let engine = world.start().await;
    engine.refresh(&ui(), NAME).await.unwrap();
    poke(&engine, NAME).await;
    let before = world.keyring.item(id);
    let engine = world.restart(engine).await;
    // It may have been while the engine started.
    until("the floor is raised", async || {
        (world.keyring.item(id) != before).then_some(())
    })
    .await;
    end(&world, engine).await;
    let new = take_out(&world);

    put_back(&world, &old);
    let engine = world.start().await;
    is_read_only(&world, &engine).await;
    end(&world, engine).await;

    put_back(&world, &new);
    let engine = world.start().await;
    assert_eq!(engine.status().vault.problem, None, "the newest copy mends it");
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

/// A copy from before a disconnect does not bring the tokens back.
#[tokio::test]
async fn a_copy_from_before_a_disconnect_may_only_be_read() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world
        .server
        .set(|b| b.accounts = vec![Account::new("sub-2", "Grace", "grace@example.com")]);
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    end(&world, engine).await;
    let old = take_out(&world);
    let engine = world.start().await;
    let calls = world.keyring.calls();
    engine.disconnect(&ui(), "grace@example.com").await.unwrap();
    until("the floor is raised", async || {
        (world.keyring.calls() > calls + 1).then_some(())
    })
    .await;
    end(&world, engine).await;
    put_back(&world, &old);
    is_read_only(&world, &world.start().await).await;
}

/// Rows that are moved, put back or taken out one by one, each through the store as its own writer would.
#[tokio::test]
async fn a_row_that_is_swapped_rolled_back_or_dropped_is_noticed() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world
        .server
        .set(|b| b.accounts = vec![Account::new("sub-2", "Grace", "grace@example.com")]);
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    end(&world, engine).await;
    let older = all_rows(&world, Table::Tokens);
    let engine = world.start().await;
    engine.refresh(&ui(), NAME).await.unwrap();
    end(&world, engine).await;
    let good = take_out(&world);
    let id = world.vault_id();
    let item = world.keyring.item(id).unwrap();
    let rows = all_rows(&world, Table::Tokens);
    assert_eq!(rows.len(), 2);
    // All places at once, so that nothing but the rows tells.
    let put_back = |world: &World, good: &[u8]| {
        put_back(world, good);
        world.keyring.put(id, &item);
        let _ = fs::remove_dir_all(world.state_folder());
    };
    let now = tokenry_core::Timestamp::UNIX_EPOCH;
    let store = |change: &dyn Fn(&tokenry_store::Writer<'_>) -> Result<(), tokenry_store::Error>| {
        put_back(&world, &good);
        let store = Store::open(&world.options().folder).unwrap();
        store.write(now, |writer| change(writer)).unwrap();
    };
    let (a, b) = (rows[0].clone(), rows[1].clone());

    // One connection's tokens in the place of another's: neither opens.
    store(&|writer| {
        writer.update(Table::Tokens, a.0, a.1, a.1, None, &b.2)?;
        writer.update(Table::Tokens, b.0, b.1, b.1, None, &a.2)
    });
    let engine = world.start().await;
    for name in [NAME, "grace@example.com"] {
        let error = engine.token(&ui(), name, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.to_string().contains("tokens"), "{error}");
    }
    assert_eq!(
        engine.connections(&ui()).await.unwrap().len(),
        2,
        "the rest can be read"
    );
    end(&world, engine).await;

    // The tokens from before the refresh under the new version, then with their own.
    let changed = older.iter().find(|old| !rows.contains(old)).unwrap().clone();
    let current = rows.iter().find(|row| row.0 == changed.0).unwrap().clone();
    store(&|writer| writer.update(Table::Tokens, changed.0, current.1, current.1, None, &changed.2));
    let engine = world.start().await;
    let error = engine.token(&ui(), NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    end(&world, engine).await;
    store(&|writer| writer.update(Table::Tokens, changed.0, current.1, changed.1, None, &changed.2));
    let engine = world.start().await;
    is_read_only(&world, &engine).await;
    end(&world, engine).await;

    // A row less, and a row more.
    store(&|writer| writer.delete(Table::Tokens, b.0, b.1));
    let engine = world.start().await;
    assert!(engine.status().vault.read_only);
    end(&world, engine).await;
    store(&|writer| writer.insert(Table::Tokens, 7, 1, None, &b.2));
    let engine = world.start().await;
    assert!(engine.status().vault.read_only);
    end(&world, engine).await;

    // A manifest of before, with everything else as it is.
    put_back(&world, &good);
    let before = Store::open(&world.options().folder).unwrap();
    let manifest = before.manifest().unwrap().unwrap();
    drop(before);
    let engine = world.start().await;
    poke(&engine, NAME).await;
    end(&world, engine).await;
    let store = Store::open(&world.options().folder).unwrap();
    store.write(now, |writer| writer.set_manifest(&manifest)).unwrap();
    drop(store);
    let engine = world.start().await;
    assert!(engine.status().vault.read_only);
}

fn all_rows(world: &World, table: Table) -> Vec<(i64, u64, Vec<u8>)> {
    let store = Store::open(&world.options().folder).unwrap();
    let mut rows = Vec::new();
    store
        .scan(table, |row, version, sealed| {
            rows.push((row, version, sealed.to_vec()));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

/// A record of another vault's profile, even of the same place, opens nothing here.
#[tokio::test]
async fn the_files_of_one_profile_and_the_key_of_another_do_not_go_together() {
    let ((one, _), (two, _)) = (profile().await, profile().await);
    let theirs = take_out(&two);
    put_back(&one, &theirs);
    let engine = one.start().await;
    let report = engine.status().vault;
    assert_eq!(report.state, VaultState::Locked);
    assert!(report.problem.unwrap().1.contains("no key for this vault"));
    assert_eq!(one.keyring.len(), 1, "no new key");
}

#[tokio::test]
async fn a_truncated_database_is_never_replaced_by_a_new_one() {
    let (world, _) = profile().await;
    let good = take_out(&world);
    for length in [
        0,
        1,
        99,
        100,
        512,
        4095,
        4096,
        4097,
        good.len() / 2,
        good.len() - 4096,
        good.len() - 1,
    ] {
        put_back(&world, &good[..length]);
        match Engine::start(world.options()).await {
            Err(error) => {
                assert_eq!(error.code(), Code::Internal, "{error}");
                assert!(error.to_string().contains("tokenry.db"), "{error}");
            }
            Ok(engine) => {
                let problem = engine.status().vault.problem;
                let readable = engine.connections(&ui()).await.is_ok_and(|list| list.len() == 1);
                assert!(
                    problem.is_some() || readable,
                    "{length} bytes: everything is gone, and no error says so"
                );
                engine.shutdown().await;
            }
        }
        assert_eq!(
            fs::metadata(database(&world)).unwrap().len(),
            length as u64,
            "it was written to"
        );
        assert_eq!(world.keyring.len(), 1, "no new key");
    }
    put_back(&world, &good);
    token(&world.start().await, 0).await.unwrap();
}

#[tokio::test]
async fn a_lost_database_beside_its_log_is_not_begun_anew() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let folder = world.options().folder;
    let wal = fs::read(folder.join("tokenry.db-wal")).unwrap();
    assert!(!wal.is_empty());
    end(&world, engine).await;
    fs::remove_file(database(&world)).unwrap();
    fs::write(folder.join("tokenry.db-wal"), wal).unwrap();
    let engine = world.start().await;
    let report = engine.status().vault;
    assert_eq!(report.state, VaultState::Damaged);
    assert!(report.problem.unwrap().1.contains("database is gone"));
    assert!(!database(&world).exists());
    assert_eq!(world.keyring.len(), 1);
}

#[tokio::test]
async fn a_profile_of_a_newer_version_is_left_as_it_is() {
    let (world, _) = profile().await;
    let good = take_out(&world);
    // The database header's user_version, big endian at 60 (SQLite file format, 1.3).
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    put_back(&world, &newer);
    let error = Engine::start(world.options()).await.err().unwrap();
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(fs::read(database(&world)).unwrap(), newer);
    put_back(&world, &good);
    token(&world.start().await, 0).await.unwrap();
}

/// What an engine on these files shows: each value is right, or it is an error.
async fn shows_the_truth_or_an_error(options: Options, right: &Right, what: &str) {
    let database = options.folder.join("tokenry.db");
    let engine = match Engine::start(options).await {
        Err(error) => {
            assert!(error.to_string().len() > 20, "{what}: {error}");
            return;
        }
        Ok(engine) => engine,
    };
    if let Ok(list) = engine.connections(&ui()).await {
        for view in list {
            assert_eq!(view.name, NAME, "{what}");
            assert_eq!(view.connection.status, ConnectionStatus::Active, "{what}");
            assert_eq!(view.connection.account.unwrap().subject, "sub-1", "{what}");
        }
    }
    if let Ok(got) = token(&engine, 0).await {
        assert_eq!(got.access_token.expose(), right.token, "{what}");
    }
    if let Ok(provider) = engine.provider(&ui(), NAME).await {
        assert_eq!(provider.token_endpoint().unwrap(), right.endpoint, "{what}");
        assert_eq!(provider.settings.client_id, "tokenry", "{what}");
    }
    if let Ok((events, _)) = engine.events(&ui(), None, 100).await {
        let mut lines = events.iter().filter(|line| line.kind != EventKind::LogDamaged);
        assert!(lines.all(|line| line.provider.is_some()), "{what}");
    }
    close(engine, &database).await;
}

struct Right {
    token: String,
    endpoint: url::Url,
}

/// "Every byte of a small vault flipped": through the engine a sample, another one in every run, and every byte of
/// the beginnings of the pages, where their structure is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_byte_is_an_error_or_nothing_and_never_a_wrong_value() {
    let (world, token) = profile().await;
    let good = Arc::new(take_out(&world));
    let endpoint = world.server.token_endpoint();
    let right = Arc::new(Right { token, endpoint });
    let mut seed = [0; 8];
    tokenry_core::Random::fill(&OsRandom, &mut seed);
    let first = usize::from(seed[0]) % STRIDE;
    let structure = (0..good.len()).filter(|at| at % 4096 < 12);
    let positions: Vec<usize> = (0..good.len())
        .skip(first)
        .step_by(STRIDE)
        .chain(structure)
        .collect();
    let workers: Vec<_> = positions
        .chunks(positions.len() / WORKERS + 1)
        .enumerate()
        .map(|(number, positions)| {
            let (positions, good, right) = (positions.to_vec(), good.clone(), right.clone());
            let folder = world.folder.path().join(number.to_string());
            let options: Vec<_> = positions
                .iter()
                .map(|_| Options {
                    folder: folder.clone(),
                    ..world.options()
                })
                .collect();
            fs::create_dir(&folder).unwrap();
            tokio::spawn(async move {
                for (at, options) in positions.into_iter().zip(options) {
                    let mut bytes = (*good).clone();
                    bytes[at] ^= 1 << (at % 8);
                    put(&folder.join("tokenry.db"), &bytes);
                    shows_the_truth_or_an_error(options, &right, &format!("byte {at}")).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(world.keyring.len(), 1, "no new key");
    assert_eq!(world.server.refreshes(), 0);
}

const WORKERS: usize = 6;
const STRIDE: usize = 89;

/// The files of a profile are its owner's alone.
#[cfg(unix)]
#[tokio::test]
async fn the_profile_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (world, engine) = World::connected(Behaviour::default()).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = world.options().folder;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    engine.shutdown().await;
}
