//! Parts of a vault that were deleted, changed or exchanged: each has its own words, opens nothing, and is left on
//! the disk as it is.

use crate::tests::common::{NAME, World, token, ui, until};
use crate::{Engine, Options, VaultChoice, VaultState};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokenry_core::{Code, Secret};
use tokenry_store::Store;
use tokenry_testkit::Behaviour;

const PASSPHRASE: &str = "correct horse";

fn database(world: &World) -> PathBuf {
    world.options().folder.join("tokenry.db")
}

fn with_passphrase(world: &World) -> Options {
    Options {
        vault: VaultChoice::Passphrase,
        ..world.options()
    }
}

/// A profile with one connection whose engine has ended, with an empty log.
async fn profile(options: impl Fn(&World) -> Options) -> World {
    let world = World::new(Behaviour::default());
    let engine = Engine::start(Options {
        passphrase: Some(Secret::new(PASSPHRASE.to_owned()))
            .filter(|_| options(&world).vault == VaultChoice::Passphrase),
        ..options(&world)
    })
    .await
    .unwrap();
    world.connect(&engine).await;
    end(&world, engine).await;
    Store::open(&world.options().folder)
        .unwrap()
        .checkpoint()
        .unwrap();
    world
}

async fn end(world: &World, engine: Engine) {
    engine.shutdown().await;
    drop(engine);
    let folder = fs::canonicalize(&world.options().folder).unwrap();
    until("the files are closed", async || {
        let handles = fs::read_dir("/proc/self/fd").ok()?;
        let mut targets = handles.filter_map(|handle| fs::read_link(handle.ok()?.path()).ok());
        (!targets.any(|target| target.starts_with(&folder))).then_some(())
    })
    .await;
}

/// The files of a folder with their bytes; not those that every start makes anew.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let made_anew = ["tokenry.db-shm", "tokenry.lock", "tokenry.reserve"];
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !made_anew.iter().any(|name| path.ends_with(name)))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Starts an engine that says `words` from the first moment and to every caller that unlocks, and changes nothing on the disk.
async fn says(world: &World, options: impl Fn(&World) -> Options, passphrase: bool, words: &[&str]) {
    let before = contents(&world.options().folder);
    let keys = world.keyring.len();
    let engine = Engine::start(options(world)).await.unwrap();
    let given = passphrase.then(|| Secret::new(PASSPHRASE.to_owned()));
    let report = engine.status().vault;
    if !passphrase {
        told(report.problem.as_ref().map(|problem| problem.1.as_str()), words);
    }
    for create in [false, true] {
        let error = engine.unlock(&ui(), given.clone(), create).await.unwrap_err();
        told(Some(&error.to_string()), words);
        assert_ne!(error.code(), Code::VaultLocked, "it is more than locked: {error}");
    }
    let report = engine.status().vault;
    assert!(report.state != VaultState::Unlocked && report.state != VaultState::Absent);
    told(report.problem.as_ref().map(|problem| problem.1.as_str()), words);
    told(Some(&token(&engine, 0).await.unwrap_err().to_string()), words);
    end(world, engine).await;
    assert_eq!(contents(&world.options().folder), before, "it is left as it was");
    assert_eq!(world.keyring.len(), keys, "no new key");
}

fn told(text: Option<&str>, words: &[&str]) {
    let text = text.expect("it says why");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

fn change(world: &World, change: impl Fn(&tokenry_store::Writer<'_>) -> Result<(), tokenry_store::Error>) {
    let store = Store::open(&world.options().folder).unwrap();
    store
        .write(tokenry_core::Timestamp::UNIX_EPOCH, |writer| change(writer))
        .unwrap();
    store.checkpoint().unwrap();
}

/// security.md, "At rest": a deleted slot has its own words, with a passphrase and with the keyring.
#[tokio::test]
async fn a_deleted_slot_is_damage_in_its_own_words() {
    for options in [World::options, with_passphrase] {
        let world = profile(options).await;
        let slots = Store::open(&world.options().folder).unwrap().slots().unwrap();
        change(&world, |writer| writer.remove_slot(&slots[0]));
        let by_passphrase = options(&world).vault == VaultChoice::Passphrase;
        says(&world, options, false, &["wrapped key", "backup"]).await;
        if by_passphrase {
            says(&world, options, true, &["wrapped key", "backup"]).await;
        }
    }
}

/// security.md, "Keys": parameters read from a file are checked against a floor and a ceiling; the state says so
/// before anybody types a passphrase.
#[tokio::test]
async fn hostile_costs_in_a_slot_are_told_before_a_passphrase_is_asked_for() {
    for cost in [[u32::MAX, 3, 4], [64 * 1024, 3, 1000], [1024, 1, 1]] {
        let world = profile(with_passphrase).await;
        let slot = Store::open(&world.options().folder).unwrap().slots().unwrap()[0].clone();
        let mut hostile = slot.clone();
        for (at, part) in cost.iter().enumerate() {
            hostile[22 + 4 * at..26 + 4 * at].copy_from_slice(&part.to_le_bytes());
        }
        let sum = hostile.len() - 8;
        let hash = Sha256::digest(&hostile[..sum]);
        hostile[sum..].copy_from_slice(&hash[..8]);
        change(&world, |writer| {
            writer.remove_slot(&slot)?;
            writer.put_slot(&hostile)
        });
        says(&world, with_passphrase, false, &["19 MiB", "backup"]).await;
        says(&world, with_passphrase, true, &["19 MiB", "backup"]).await;
    }
}

/// security.md, "At rest": a changed vault id is neither a wrong passphrase nor a keyring without a key.
#[tokio::test]
async fn a_changed_vault_id_is_damage_in_its_own_words() {
    for options in [World::options, with_passphrase] {
        let world = profile(options).await;
        let id = world.vault_id().0;
        let whole = fs::read(database(&world)).unwrap();
        let at = whole.windows(id.len()).position(|bytes| bytes == id).unwrap();
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(database(&world), &changed).unwrap();
        let by_passphrase = options(&world).vault == VaultChoice::Passphrase;
        says(&world, options, by_passphrase, &["id", "changed", "backup"]).await;
        fs::write(database(&world), &whole).unwrap();
        let engine = Engine::start(options(&world)).await.unwrap();
        let passphrase = by_passphrase.then(|| Secret::new(PASSPHRASE.to_owned()));
        engine.unlock(&ui(), passphrase, false).await.unwrap();
        token(&engine, 0).await.unwrap();
        end(&world, engine).await;
    }
}

/// security.md, "Refresh" 6: the newest token may be in a spill that cannot be read, so nothing is refreshed without it.
#[tokio::test]
async fn a_spill_that_cannot_be_read_leaves_the_vault_read_only_and_is_named() {
    let world = profile(World::options).await;
    let spill = world.options().folder.join("tokenry.77-1.spill");
    for kind in ["large", "link", "folder"] {
        match kind {
            "large" => fs::File::create(&spill).unwrap().set_len(64 << 20).unwrap(),
            "link" => std::os::unix::fs::symlink("/etc/passwd", &spill).unwrap(),
            _ => fs::create_dir(&spill).unwrap(),
        }
        let engine = world.start().await;
        let report = engine.status().vault;
        assert_eq!(report.state, VaultState::Unlocked, "{kind}: {report:?}");
        assert!(report.read_only, "{kind}");
        let text = report.problem.unwrap().1;
        assert!(text.contains("tokenry.77-1.spill"), "{kind}: {text}");
        assert!(engine.refresh(&ui(), NAME).await.is_err(), "{kind}");
        assert!(fs::symlink_metadata(&spill).is_ok(), "{kind}: it is left alone");
        end(&world, engine).await;
        match kind {
            "folder" => fs::remove_dir(&spill).unwrap(),
            _ => fs::remove_file(&spill).unwrap(),
        }
    }
    let engine = world.start().await;
    assert_eq!(engine.status().vault.problem, None);
    engine.refresh(&ui(), NAME).await.unwrap();
    end(&world, engine).await;
}

/// security.md, "Keys": a new key is never made while a vault exists; what is known outside of the profile counts.
#[tokio::test]
async fn a_profile_that_was_emptied_is_not_begun_anew_while_a_vault_of_it_is_known() {
    let world = profile(World::options).await;
    let folder = world.options().folder;
    for left in [&[][..], &["tokenry.lock", "loopback.json", "engine.log"]] {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for name in left {
            fs::write(folder.join(name), b"").unwrap();
        }
        says(&world, World::options, false, &["backup", "rm "]).await;
        assert!(!database(&world).exists(), "no database is made");
    }
    // An empty database of the right form in its place.
    drop(Store::open(&folder).unwrap());
    says(&world, World::options, false, &["backup", "rm "]).await;
    // The user begins anew, as the words say.
    let engine = world.start().await;
    let words = engine.status().vault.problem.unwrap().1;
    end(&world, engine).await;
    let marker = words
        .split('`')
        .find_map(|part| part.strip_prefix("rm "))
        .unwrap();
    fs::remove_file(marker).unwrap();
    let engine = world.start().await;
    assert_eq!(engine.status().vault.state, VaultState::Unlocked);
    end(&world, engine).await;
}

/// The same without a state folder: what an engine leaves in the profile tells that a database was there.
#[tokio::test]
async fn a_deleted_database_beside_what_belongs_to_it_is_damage() {
    let options = |world: &World| Options {
        state: None,
        ..world.options()
    };
    for left in ["tokenry.reserve", "tokenry.5-1.spill", "tokenry.db-wal"] {
        let world = profile(options).await;
        let folder = options(&world).folder;
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(left), b"something").unwrap();
        says(&world, options, false, &["damaged", "backup"]).await;
        assert!(!database(&world).exists(), "no database is made");
    }
}

/// SQLite plays any well-formed log into any database of the same page size.
#[tokio::test]
async fn the_log_of_another_vault_is_not_written_into_the_database() {
    let (one, other) = (profile(World::options).await, World::new(Behaviour::default()));
    let engine = other.start().await;
    other.connect(&engine).await;
    let theirs = fs::read(database(&other).with_extension("db-wal")).unwrap();
    assert!(!theirs.is_empty());
    let whole = fs::read(database(&one)).unwrap();
    let log = database(&one).with_extension("db-wal");
    fs::write(&log, &theirs).unwrap();
    let started = Engine::start(one.options()).await.unwrap();
    let report = started.status().vault;
    assert!(report.problem.is_some(), "{report:?}");
    end(&one, started).await;
    assert_eq!(
        fs::read(database(&one)).unwrap(),
        whole,
        "the database is left as it was"
    );
    for beside in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(database(&one).with_extension(beside));
    }
    let started = one.start().await;
    assert_eq!(started.status().vault.problem, None);
    token(&started, 0).await.unwrap();
    end(&one, started).await;
    end(&other, engine).await;
}

/// `tokenry status` can only say what an engine that runs says: a database that cannot be opened does not end it.
#[tokio::test]
async fn a_damaged_database_is_told_by_a_running_engine_and_a_backup_opens_without_a_restart() {
    let world = profile(World::options).await;
    let whole = fs::read(database(&world)).unwrap();
    for damage in [&whole[..0], &whole[..5000], &[7; 8192][..]] {
        fs::write(database(&world), damage).unwrap();
        says(&world, World::options, false, &["damaged", "backup"]).await;
    }
    let engine = world.start().await;
    fs::write(database(&world), &whole).unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    token(&engine, 0).await.unwrap();
    end(&world, engine).await;
}
