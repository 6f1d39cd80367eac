//! What still opens of a damaged vault is copied into a new profile, and the damaged one is left as it is.

use super::vault_check::{CANARY, Saved, checked, database, edit, end, flip, profile, put};
use crate::tests::common::{NAME, World, ui, until};
use crate::{ConsentMode, Engine, Options, PromptAnswer, Proof, VaultState};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};
use tokenry_core::{Caller, Code, ConnectionStatus, EventKind, Outcome, Rule, SalvageAnswer, Secret};
use tokenry_store::{Store, Table};
use tokenry_vault::MemoryKeyring;

/// Every file of the profile, byte for byte, without the shared memory of SQLite.
fn files(world: &World) -> BTreeMap<String, Vec<u8>> {
    let folder = world.options().folder;
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named
        .filter(|(name, _)| !name.ends_with("-shm") && name != "tokenry.lock")
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

fn new_folder(world: &World) -> std::path::PathBuf {
    world.folder.path().join("saved")
}

async fn salvaged(world: &World, engine: &Engine) -> SalvageAnswer {
    let folder = new_folder(world);
    let copied = engine
        .salvage(&ui(), folder.to_str().unwrap(), None, None)
        .await
        .unwrap();
    assert_eq!(Path::new(&copied.folder), fs::canonicalize(&folder).unwrap());
    assert!(!format!("{copied:?}").contains(CANARY));
    copied
}

/// An engine on the new profile.
async fn open_new(world: &World) -> Engine {
    let options = Options {
        folder: new_folder(world),
        ..world.options()
    };
    let engine = Engine::start(options).await.unwrap();
    assert_eq!(
        engine.status().vault.state,
        VaultState::Unlocked,
        "{:?}",
        engine.status().vault.problem
    );
    engine
}

async fn close(engine: Engine, world: &World) {
    engine.shutdown().await;
    drop(engine);
    until("the new folder is free", async || {
        tokenry_store::ProfileLock::take(&new_folder(world)).ok()
    })
    .await;
    let _ = fs::remove_dir_all(new_folder(world));
}

fn count(copied: &SalvageAnswer, part: &str) -> u64 {
    let found = copied.copied.iter().find(|copied| copied.part == part);
    found.map_or(0, |found| found.count)
}

/// Every kind of damage: what opens is there, what does not is named, and not a byte of the old profile changes.
#[tokio::test]
async fn what_opens_is_copied_from_each_kind_of_damage_and_the_old_profile_stays_as_it_is() {
    let world = profile().await;
    let good = Saved::of(&world);
    let kinds = [
        Some(Table::Providers),
        Some(Table::Connections),
        Some(Table::Tokens),
        Some(Table::Apps),
        Some(Table::Grants),
        Some(Table::Credentials),
        Some(Table::Settings),
        None,
    ];
    for damage in kinds {
        good.put_back(&world);
        match damage {
            Some(table) => drop(flip(&world, table)),
            None => edit(&world, |writer| writer.set_manifest(b"nothing")),
        }
        let engine = world.start().await;
        let is_shut = engine.store().is_err();
        let before = files(&world);
        let copied = salvaged(&world, &engine).await;
        if is_shut {
            assert!(files(&world) == before, "{damage:?}: the old profile was changed");
        }
        end(&world, engine).await;
        let lost = |part: Table| copied.lost.iter().any(|lost| lost.part == part.name());
        if let Some(table) = damage {
            assert!(lost(table), "{damage:?}: {copied:#?}");
        }
        let connections = u64::from(!matches!(damage, Some(Table::Providers | Table::Connections)));
        assert_eq!(count(&copied, "connections"), connections, "{damage:?}");
        assert_eq!(
            count(&copied, "credentials"),
            u64::from(damage != Some(Table::Credentials))
        );
        assert!(count(&copied, "activity log") > 5);

        let new = open_new(&world).await;
        assert_eq!(new.status().vault.problem, None, "{damage:?}");
        let check = new.check_vault(&ui(), None, None).await.unwrap();
        assert!(check.whole, "{damage:?}: {check:#?}");
        if connections == 1 && damage != Some(Table::Tokens) {
            new.token(&ui(), NAME, Duration::ZERO).await.unwrap();
            new.refresh(&ui(), NAME).await.unwrap();
        } else if connections == 1 {
            let left = new.connection(&ui(), NAME).await.unwrap().connection;
            assert!(matches!(left.status, ConnectionStatus::NeedsReauth(_)));
        }
        let (events, _) = new.events(&ui(), None, 500).await.unwrap();
        assert!(events.iter().all(|event| event.kind != EventKind::LogDamaged));
        let told = events
            .iter()
            .find(|event| event.kind == EventKind::Salvaged)
            .unwrap();
        assert_eq!((told.outcome, told.rule), (Outcome::Done, Some(Rule::Window)));
        assert!(new.check_events(&ui()).await.unwrap().whole);
        close(new, &world).await;
    }
}

/// An app's own token is kept as a keyed hash of the old vault: it is named, and not carried over without a word.
#[tokio::test]
async fn an_app_with_a_token_of_its_own_is_named_and_has_to_be_registered_again() {
    let world = profile().await;
    let engine = world.start().await;
    let copied = salvaged(&world, &engine).await;
    let app = copied.lost.iter().find(|lost| lost.part == "apps").unwrap();
    assert_eq!(app.name.as_deref(), Some("backup"));
    assert!(app.text.contains("`tokenry app add backup`"), "{app:?}");
    assert_eq!((count(&copied, "apps"), count(&copied, "grants")), (1, 1));
    assert_eq!(copied.refresh_tokens, 1);
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    assert!(events.iter().any(|event| event.kind == EventKind::Salvaged));
    end(&world, engine).await;
    let new = open_new(&world).await;
    assert_eq!(new.apps(&ui()).await.unwrap()[0].app.name.as_str(), "viewer");
    close(new, &world).await;
}

#[tokio::test]
async fn a_damaged_log_and_a_newer_spilled_token_are_carried_over() {
    let world = profile().await;
    let engine = world.start().await;
    let store = engine.store().unwrap();
    let id = engine.connection(&ui(), NAME).await.unwrap().connection.id;
    let connection = store.get::<tokenry_core::Connection>(id.row()).unwrap().unwrap();
    let mut tokens = store.get::<tokenry_core::Tokens>(id.row()).unwrap().unwrap();
    tokens.fence += 1;
    tokens.access_token = Secret::new("spilled".to_owned());
    crate::lifecycle::recover::spill(&world.options().folder, &store, &connection, &tokens).unwrap();
    drop(store);
    let lines = Store::open(&world.options().folder)
        .unwrap()
        .events_before(None, 500)
        .unwrap();
    end(&world, engine).await;
    let mut bytes = fs::read(database(&world)).unwrap();
    let (_, sealed) = lines
        .iter()
        .skip(2)
        .find(|(_, sealed)| sealed.len() < 800)
        .unwrap();
    let at = bytes
        .windows(sealed.len())
        .position(|window| window == sealed)
        .unwrap();
    bytes[at + 40] ^= 1;
    put(&database(&world), &bytes);
    flip(&world, Table::Settings);
    // A damaged vault: the spill cannot be taken in before.
    flip(&world, Table::Credentials);
    let engine = world.start().await;
    assert_eq!(engine.status().vault.state, VaultState::Damaged);
    let copied = salvaged(&world, &engine).await;
    engine.shutdown().await;
    let log = copied
        .lost
        .iter()
        .find(|lost| lost.part == "activity log")
        .unwrap();
    assert!(log.text.starts_with("1 lines"), "{log:?}");
    let new = open_new(&world).await;
    let got = new.token(&ui(), NAME, Duration::ZERO).await.unwrap();
    assert_eq!(got.access_token.expose(), "spilled");
    let (events, _) = new.events(&ui(), None, 500).await.unwrap();
    let told = events.iter().filter(|event| event.kind == EventKind::LogDamaged);
    assert_eq!(told.count(), 1, "the gap is in its place");
    close(new, &world).await;
}

#[tokio::test]
async fn the_daily_backup_is_checked_and_copied_beside_the_settings() {
    let world = profile().await;
    let engine = world.start().await;
    let change = crate::DailyBackupChange {
        folder: Some(world.folder.path().to_owned()),
        passphrase: Some(Secret::new("a passphrase of backups".to_owned())),
        ..Default::default()
    };
    engine.change_daily_backup(&ui(), change).await.unwrap();
    let check = engine.check_vault(&ui(), None, None).await.unwrap();
    assert!(check.whole, "{check:#?}");
    salvaged(&world, &engine).await;
    end(&world, engine).await;
    let new = open_new(&world).await;
    let daily = new.daily_backup(&ui()).await.unwrap();
    assert_eq!(daily.folder.as_deref(), Some(world.folder.path()));
    assert!(daily.has_passphrase && !daily.enabled);
    assert_eq!(new.settings(&ui()).await.unwrap().loopback_port, Some(49200));
    close(new, &world).await;
}

/// The other ways in open it, too, when the keyring is gone.
#[tokio::test]
async fn the_recovery_code_opens_a_vault_for_its_check_and_its_copy() {
    let world = profile().await;
    let engine = world.start().await;
    let code = engine.new_recovery_code(&ui(), None).await.unwrap();
    engine.confirm_recovery_code(&ui(), &code).await.unwrap();
    end(&world, engine).await;
    flip(&world, Table::Connections);
    world.keyring.remove(world.vault_id());
    let engine = world.start().await;
    let code = || Some(Secret::new(code.expose().to_owned()));
    let check = engine.check_vault(&ui(), None, code()).await.unwrap();
    assert!(
        check.problems.iter().any(|problem| problem.part == "connections"),
        "{check:#?}"
    );
    let folder = new_folder(&world);
    // The damaged vault stays locked, so a copy of it is refused until it was seen to be damaged.
    let unlocked = engine.unlock_with_recovery_code(&ui(), &code().unwrap()).await;
    assert!(unlocked.unwrap_err().is_damage());
    let passphrase = Some(Secret::new("a new passphrase".to_owned()));
    let copied = engine
        .salvage(&ui(), folder.to_str().unwrap(), passphrase, code())
        .await
        .unwrap();
    assert_eq!(count(&copied, "credentials"), 1);
    end(&world, engine).await;
}

#[tokio::test]
async fn a_passphrase_protects_the_new_vault_and_no_other_opens_it() {
    let world = profile().await;
    flip(&world, Table::Connections);
    let engine = world.start().await;
    let folder = new_folder(&world);
    let passphrase = || Some(Secret::new("a new passphrase".to_owned()));
    let copied = engine
        .salvage(&ui(), folder.to_str().unwrap(), passphrase(), None)
        .await
        .unwrap();
    assert_eq!(count(&copied, "credentials"), 1);
    engine.shutdown().await;
    let options = || Options {
        folder: folder.clone(),
        keyring: Arc::new(MemoryKeyring::new()),
        ..world.options()
    };
    let new = Engine::start(options()).await.unwrap();
    assert_eq!(new.status().vault.state, VaultState::Locked);
    let wrong = Some(Secret::new("another passphrase".to_owned()));
    assert!(new.unlock(&ui(), wrong, false).await.is_err());
    new.unlock(&ui(), passphrase(), false).await.unwrap();
    assert_eq!(new.credentials(&ui()).await.unwrap().len(), 1);
    close(new, &world).await;
}

/// Nothing appears in a folder that is not empty, is no folder, or is inside of the profile.
#[tokio::test]
async fn a_folder_that_cannot_be_a_new_profile_is_refused_and_left_alone() {
    let world = profile().await;
    let engine = world.start().await;
    let base = world.folder.path();
    let full = base.join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), b"x").unwrap();
    fs::write(base.join("file"), b"x").unwrap();
    std::os::unix::fs::symlink(base.join("elsewhere"), base.join("link")).unwrap();
    let inside = world.options().folder.join("new");
    for folder in [
        "relative".into(),
        full.clone(),
        base.join("file"),
        base.join("link"),
        base.join("no/such/parent"),
        inside,
        world.options().folder,
        base.to_owned(),
    ] {
        let error = engine
            .salvage(&ui(), folder.to_str().unwrap(), None, None)
            .await
            .unwrap_err();
        assert!(
            error.fields().unwrap().contains_key("folder"),
            "{folder:?}: {error}"
        );
    }
    let short = Some(Secret::new("short".to_owned()));
    let error = engine
        .salvage(&ui(), base.join("new").to_str().unwrap(), short, None)
        .await;
    assert!(error.unwrap_err().fields().unwrap().contains_key("passphrase"));
    let mut names: Vec<_> = fs::read_dir(base)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["file", "full", "link", "profile", "state"],
        "nothing is left behind"
    );
    end(&world, engine).await;
}

/// It hands every secret to the program that chose the folder: a program needs the user's yes each time, of a damaged vault too.
#[tokio::test]
async fn a_program_salvages_only_with_the_users_consent_also_from_a_damaged_vault() {
    for is_damaged in [false, true] {
        let mut world = profile().await;
        world.asking = ConsentMode::Possible;
        if is_damaged {
            flip(&world, Table::Providers);
        }
        let engine = world.start().await;
        assert_eq!(engine.store().is_err(), is_damaged);
        let folder = new_folder(&world).to_str().unwrap().to_owned();
        let program = || Caller::Program(tokenry_peer::of_process(0, std::process::id()));
        for answer in [PromptAnswer::Deny, PromptAnswer::Once] {
            let asking = {
                let (engine, folder) = (engine.clone(), folder.clone());
                tokio::spawn(async move { engine.salvage(&program(), &folder, None, None).await })
            };
            let prompt = until("the question", async || {
                engine.prompts(&ui()).unwrap().into_iter().next()
            })
            .await;
            assert!(!prompt.for_session, "it is decided each time");
            assert!(
                prompt
                    .changes
                    .iter()
                    .any(|change| change.to.as_deref() == Some(&folder))
            );
            let proof = Proof::Number(prompt.number.clone());
            engine
                .answer(&Caller::Consent, prompt.id, &proof, answer.clone())
                .await
                .unwrap();
            let salvaged = asking.await.unwrap();
            if answer == PromptAnswer::Deny {
                assert_eq!(salvaged.unwrap_err().code(), Code::ConsentDenied);
                assert!(!new_folder(&world).exists());
                world.pass(3600);
            } else {
                salvaged.unwrap();
            }
        }
        engine.shutdown().await;
        let new = open_new(&world).await;
        let (events, _) = new.events(&ui(), None, 500).await.unwrap();
        let told = events
            .iter()
            .find(|event| event.kind == EventKind::Salvaged)
            .unwrap();
        assert_eq!(
            told.rule,
            Some(Rule::Once),
            "the decision is written down with what it did"
        );
        close(new, &world).await;
    }
    let mut world = profile().await;
    world.asking = ConsentMode::Never;
    let engine = world.start().await;
    let program = Caller::Program(tokenry_peer::unknown());
    let refused = engine
        .salvage(&program, "/tmp/nowhere", None, None)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InteractionRequired);
    assert!(checked_while_running(&engine).await);
    end(&world, engine).await;
    assert!(checked(&world).await.whole);
}

async fn checked_while_running(engine: &Engine) -> bool {
    engine.check_vault(&ui(), None, None).await.unwrap().whole
}
