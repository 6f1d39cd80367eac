//! A profile that is put back as a whole is noticed, wherever the newest state is written down, and nothing is
//! refreshed from it until the user says so.

use crate::tests::common::{Doomed, NAME, World, schedule_is_idle, token, ui, until};
use crate::{ConsentMode, Engine, Options, VaultChoice, VaultState};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokenry_core::{Caller, Code, EventKind, Secret};
use tokenry_testkit::{Behaviour, Rotation};

const PASSPHRASE: &str = "correct horse";

/// Which of the places outside of the profile there are.
#[derive(Clone, Copy, Debug)]
enum Outside {
    Keyring,
    StateFolder,
}

impl Outside {
    const ALL: [Self; 2] = [Self::Keyring, Self::StateFolder];

    fn options(self, world: &World) -> Options {
        match self {
            Self::Keyring => Options {
                state: None,
                ..world.options()
            },
            Self::StateFolder => Options {
                vault: VaultChoice::Passphrase,
                passphrase: Some(Secret::new(PASSPHRASE.to_owned())),
                ..world.options()
            },
        }
    }

    async fn start(self, world: &World) -> Engine {
        Engine::start(self.options(world)).await.unwrap()
    }
}

fn profile(world: &World) -> PathBuf {
    world.options().folder
}

/// The files of a profile, as another program can copy them at any time.
fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

/// Puts a copy of a profile in the place of what is there.
fn put_back(world: &World, copy: &TempDir) {
    fs::remove_dir_all(profile(world)).unwrap();
    fs::create_dir(profile(world)).unwrap();
    for entry in fs::read_dir(copy.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), profile(world).join(entry.file_name())).unwrap();
    }
}

/// Once the engine's last task has let go of the files, which are then all that is left.
async fn end(world: &World, engine: Engine) {
    engine.shutdown().await;
    drop(engine);
    let database = fs::canonicalize(profile(world).join("tokenry.db")).unwrap();
    until("the files are closed", async || {
        let handles = fs::read_dir("/proc/self/fd").ok()?;
        let mut targets = handles.filter_map(|handle| fs::read_link(handle.ok()?.path()).ok());
        (!targets.any(|target| target == database)).then_some(())
    })
    .await;
}

/// It says what happened and how to go on, and asks the provider nothing.
async fn is_noticed(world: &World, engine: &Engine, what: &str) {
    let report = engine.status().vault;
    assert_eq!(report.state, VaultState::Unlocked, "{what}: {report:?}");
    assert!(report.read_only, "{what}: not noticed");
    let (code, text) = report.problem.unwrap();
    assert_eq!(code, Code::Conflict, "{what}");
    assert!(
        text.contains("older copy") && text.contains("tokenry vault accept-older"),
        "{what}: {text}"
    );
    world.server.clear_log();
    let refused = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(refused.code(), Code::Conflict, "{what}");
    world.pass(3500);
    engine.lock(&ui()).await.unwrap();
    let passphrase = Some(Secret::new(PASSPHRASE.to_owned()));
    let by_keyring = report.slots.contains(&tokenry_vault::SlotKind::Keyring);
    engine
        .unlock(&ui(), passphrase.filter(|_| !by_keyring), false)
        .await
        .unwrap();
    assert!(engine.status().vault.read_only, "{what}: forgotten after a lock");
    schedule_is_idle(engine).await;
    assert!(world.server.log().is_empty(), "{what}: it refreshes nothing");
}

async fn connected(outside: Outside) -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = outside.start(&world).await;
    world.connect(&engine).await;
    (world, engine)
}

/// security.md, "At rest": a vault that was rolled back opens read-only and refreshes nothing.
#[tokio::test]
async fn a_copy_between_two_runs_is_noticed_when_it_is_put_back() {
    for outside in Outside::ALL {
        let (world, engine) = connected(outside).await;
        end(&world, engine).await;
        let old = copy(&profile(&world));
        let engine = outside.start(&world).await;
        engine.refresh(&ui(), NAME).await.unwrap();
        end(&world, engine).await;
        put_back(&world, &old);
        let engine = outside.start(&world).await;
        is_noticed(&world, &engine, &format!("{outside:?}")).await;
        end(&world, engine).await;
    }
}

/// security.md, "At rest", as above.
#[tokio::test]
async fn a_copy_of_a_running_profile_is_noticed_when_it_is_put_back() {
    for outside in Outside::ALL {
        let (world, engine) = connected(outside).await;
        let old = copy(&profile(&world));
        engine.refresh(&ui(), NAME).await.unwrap();
        end(&world, engine).await;
        put_back(&world, &old);
        let engine = outside.start(&world).await;
        is_noticed(&world, &engine, &format!("{outside:?}")).await;
        end(&world, engine).await;
    }
}

/// security.md, "At rest", as above: without its log the database is of before the last commits.
#[tokio::test]
async fn a_log_deleted_after_a_kill_is_noticed() {
    let outside = Outside::StateFolder;
    let world = World::new(Behaviour::default());
    let doomed = Doomed::start_with(outside.options(&world)).await;
    world.connect(&doomed.engine).await;
    until("the state is written down", async || {
        (!state_files(&world).is_empty()).then_some(())
    })
    .await;
    let before = state_files(&world);
    doomed.engine.refresh(&ui(), NAME).await.unwrap();
    until("the new state is written down", async || {
        (state_files(&world) != before).then_some(())
    })
    .await;
    let database = profile(&world).join("tokenry.db");
    // What a kill leaves: the end of an engine in this process would bring the log into the database.
    let without_log = fs::read(&database).unwrap();
    assert!(fs::metadata(database.with_extension("db-wal")).unwrap().len() > 0);
    doomed.kill(&database).await;
    for beside in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(database.with_extension(beside));
    }
    fs::write(&database, without_log).unwrap();
    let engine = outside.start(&world).await;
    let report = engine.status().vault;
    assert!(report.read_only, "{report:?}");
    let text = report.problem.unwrap().1;
    assert!(text.contains("older copy"), "{text}");
    end(&world, engine).await;
}

/// Every file outside of the profile, with its bytes.
fn state_files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(world.state_folder()) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| Some((path.clone(), fs::read(path).ok()?)))
        .collect();
    files.sort();
    files
}

/// A new machine, or a backup of the profile alone: there is nothing to disagree with.
#[tokio::test]
async fn a_missing_or_corrupt_state_folder_does_not_lock_the_user_out() {
    let outside = Outside::StateFolder;
    let (world, engine) = connected(outside).await;
    end(&world, engine).await;
    let files = state_files(&world);
    assert!(files.len() >= 2, "{files:?}");
    for rubbish in [None, Some(b"".to_vec()), Some(vec![0xff; 400])] {
        for (path, bytes) in &files {
            match &rubbish {
                None => fs::remove_file(path).unwrap(),
                Some(rubbish) => fs::write(path, rubbish).unwrap(),
            }
            let engine = outside.start(&world).await;
            let report = engine.status().vault;
            assert_eq!(report.problem, None, "{path:?} {rubbish:?}");
            engine.refresh(&ui(), NAME).await.unwrap();
            end(&world, engine).await;
            let _ = bytes;
        }
    }
}

/// The file is sealed with a key of the vault: one of another vault, or a made-up number, says nothing.
#[tokio::test]
async fn a_state_file_of_another_vault_is_not_believed() {
    let outside = Outside::StateFolder;
    let (one, engine) = connected(outside).await;
    end(&one, engine).await;
    let (other, engine) = connected(outside).await;
    for _ in 0..5 {
        engine.refresh(&ui(), NAME).await.unwrap();
    }
    end(&other, engine).await;
    let epoch = |world: &World| {
        let mut files = state_files(world).into_iter();
        files.find(|(path, _)| path.extension().is_some_and(|name| name == "epoch"))
    };
    let ((path, _), (_, theirs)) = (epoch(&one).unwrap(), epoch(&other).unwrap());
    fs::write(path, theirs).unwrap();
    let engine = outside.start(&one).await;
    assert_eq!(engine.status().vault.problem, None);
    token(&engine, 0).await.unwrap();
    end(&one, engine).await;
}

/// Raising does nothing for users without a home folder.
#[tokio::test]
async fn without_a_state_folder_nothing_is_written_outside_of_the_profile() {
    let world = World::new(Behaviour::default());
    let options = Options {
        state: None,
        ..world.options()
    };
    let engine = Engine::start(options).await.unwrap();
    world.connect(&engine).await;
    engine.refresh(&ui(), NAME).await.unwrap();
    end(&world, engine).await;
    let names: Vec<_> = fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["profile"]);
}

fn program() -> Caller {
    Caller::Program(tokenry_peer::of_process(0, std::process::id()))
}

/// A vault whose older copy was put back, and the newest one.
async fn rolled_back(outside: Outside, asking: ConsentMode) -> (World, Engine, TempDir) {
    let world = World {
        asking,
        // One whose old refresh tokens go on working, so that something can be refreshed after all.
        ..World::new(Behaviour::rotating(Rotation::None))
    };
    let engine = outside.start(&world).await;
    world.connect(&engine).await;
    end(&world, engine).await;
    let old = copy(&profile(&world));
    let engine = outside.start(&world).await;
    token(&engine, 0).await.unwrap();
    engine.refresh(&ui(), NAME).await.unwrap();
    end(&world, engine).await;
    let new = copy(&profile(&world));
    put_back(&world, &old);
    let engine = outside.start(&world).await;
    assert!(engine.status().vault.older);
    (world, engine, new)
}

/// The user says so: the copy counts as the newest, is refreshed from, and what was newer is older from then on.
#[tokio::test]
async fn an_older_copy_that_the_user_accepts_is_the_newest_from_then_on() {
    for outside in Outside::ALL {
        let (world, engine, newer) = rolled_back(outside, ConsentMode::Possible).await;
        engine.accept_older(&ui()).await.unwrap();
        let report = engine.status().vault;
        assert!(!report.read_only && !report.older && report.problem.is_none());
        engine.refresh(&ui(), NAME).await.unwrap();
        let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
        let told = events
            .iter()
            .filter(|event| event.kind == EventKind::OlderAccepted);
        assert_eq!(told.count(), 1, "{outside:?}");
        end(&world, engine).await;
        let engine = outside.start(&world).await;
        assert_eq!(
            engine.status().vault.problem,
            None,
            "{outside:?}: also after a restart"
        );
        let again = engine.accept_older(&ui()).await.unwrap_err();
        assert_eq!(again.code(), Code::Conflict, "{again}");
        end(&world, engine).await;
        put_back(&world, &newer);
        let engine = outside.start(&world).await;
        is_noticed(
            &world,
            &engine,
            &format!("{outside:?}: the one that was not taken"),
        )
        .await;
        end(&world, engine).await;
    }
}

/// security.md, "Local interfaces": a program without consent gets nothing, and this too needs the user's yes.
#[tokio::test]
async fn a_program_accepts_an_older_copy_only_with_the_users_consent() {
    let (world, engine, _) = rolled_back(Outside::Keyring, ConsentMode::Never).await;
    let refused = engine.accept_older(&program()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InteractionRequired, "{refused}");
    assert!(engine.status().vault.older);
    end(&world, engine).await;
    let (world, engine, _) = rolled_back(Outside::Keyring, ConsentMode::Possible).await;
    let asker = tokio::spawn({
        let engine = engine.clone();
        async move { engine.accept_older(&program()).await }
    });
    let prompt = until("the question", async || {
        engine.prompts(&ui()).unwrap().into_iter().next()
    })
    .await;
    assert!(prompt.notes[0].contains("older than"), "{:?}", prompt.notes);
    assert!(!prompt.for_session, "it is decided each time");
    let proof = crate::Proof::Number(prompt.number.clone());
    engine
        .answer(&Caller::Consent, prompt.id, &proof, crate::PromptAnswer::Once)
        .await
        .unwrap();
    asker.await.unwrap().unwrap();
    assert!(!engine.status().vault.read_only);
    engine.refresh(&ui(), NAME).await.unwrap();
    end(&world, engine).await;
}

/// security.md, "At rest": a line that cannot be written yet is kept until it can.
#[tokio::test]
async fn what_happened_before_an_older_copy_is_accepted_is_in_the_log_after_it() {
    let (world, engine, _) = rolled_back(Outside::Keyring, ConsentMode::Possible).await;
    token(&engine, 0).await.unwrap();
    let handed_out = async || {
        // Reading the log writes what waits first.
        let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
        let kinds = events.into_iter().map(|event| event.kind);
        kinds.filter(|kind| *kind == EventKind::TokenHandedOut).count()
    };
    assert_eq!(handed_out().await, 0, "nothing can be written yet");
    engine.accept_older(&ui()).await.unwrap();
    assert_eq!(handed_out().await, 1);
    end(&world, engine).await;
}
