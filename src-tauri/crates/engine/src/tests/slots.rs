//! The ways to unlock a vault: a lost keyring or passphrase costs nothing while one of the others is left.

use crate::tests::common::{NAME, World, token, ui, until};
use crate::{Engine, Error, Options, SlotChange, SlotProof, VaultChoice, VaultState};
use tokenry_core::{Caller, Code, EventKind, Outcome, Secret};
use tokenry_testkit::Behaviour;
use tokenry_vault::{Fault, KeyringError, SlotKind};

fn program() -> Caller {
    Caller::Program(tokenry_peer::of_process(0, std::process::id()))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn passphrase(text: &str) -> Option<SlotProof> {
    Some(SlotProof::Passphrase(secret(text)))
}

fn code_of(code: &Secret) -> Option<SlotProof> {
    Some(SlotProof::RecoveryCode(secret(code.expose())))
}

/// A recovery code that was shown and confirmed.
async fn recovery_code(engine: &Engine, proof: Option<SlotProof>) -> Secret {
    let code = engine.new_recovery_code(&ui(), proof).await.unwrap();
    engine.confirm_recovery_code(&ui(), &code).await.unwrap();
    code
}

fn slots(engine: &Engine) -> Vec<SlotKind> {
    engine.status().vault.slots
}

/// A vault with a connection that a passphrase alone opens.
async fn with_passphrase(world: &World, text: &str) -> Engine {
    let options = Options {
        vault: VaultChoice::Passphrase,
        passphrase: Some(secret(text)),
        ..world.options()
    };
    let engine = Engine::start(options).await.unwrap();
    world.connect(&engine).await;
    engine.shutdown().await;
    drop(engine);
    let engine = world.start().await;
    engine.unlock(&ui(), Some(secret(text)), false).await.unwrap();
    engine
}

async fn restarted(world: &World, engine: Engine) -> Engine {
    engine.shutdown().await;
    drop(engine);
    world.start().await
}

/// security.md, "Keys": the recovery code opens the vault when the keyring is gone, and no new key is made for it.
#[tokio::test]
async fn the_recovery_code_opens_a_vault_whose_keyring_item_is_lost() {
    for lose in [
        (&|world: &World| world.keyring.remove(world.vault_id())) as &dyn Fn(&World),
        &|world| world.keyring.put(world.vault_id(), b"hunter2"),
        &|world| world.keyring.play(Fault::Fails(KeyringError::Locked)),
        &|world| world.keyring.play(Fault::Fails(KeyringError::Absent)),
    ] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let before = token(&engine, 0).await.unwrap();
        let code = recovery_code(&engine, None).await;
        assert_eq!(slots(&engine), [SlotKind::Keyring, SlotKind::RecoveryCode]);
        engine.shutdown().await;
        drop(engine);
        lose(&world);
        let engine = world.start().await;
        assert_eq!(engine.status().vault.state, VaultState::Locked);
        engine.unlock_with_recovery_code(&ui(), &code).await.unwrap();
        let after = token(&engine, 0).await.unwrap();
        assert_eq!(after.access_token.expose(), before.access_token.expose());
        // The keyring is mended, and opens the vault again.
        world.keyring.play(None);
        engine.set_slot(&ui(), SlotChange::Keyring, None).await.unwrap();
        let engine = restarted(&world, engine).await;
        assert_eq!(engine.status().vault.state, VaultState::Unlocked);
        token(&engine, 0).await.unwrap();
    }
}

#[tokio::test]
async fn the_recovery_code_replaces_a_forgotten_passphrase() {
    let world = World::new(Behaviour::default());
    let engine = with_passphrase(&world, "first passphrase").await;
    let code = recovery_code(&engine, passphrase("first passphrase")).await;
    let engine = restarted(&world, engine).await;
    assert_eq!(engine.status().vault.state, VaultState::Locked);
    engine.unlock_with_recovery_code(&ui(), &code).await.unwrap();
    let change = || SlotChange::Passphrase(secret("second passphrase"));
    for proof in [None, passphrase("a wrong one")] {
        let refused = engine.set_slot(&ui(), change(), proof).await.unwrap_err();
        assert_eq!(refused.code(), Code::ValidationError, "{refused}");
        assert!(refused.fields().unwrap().contains_key("passphrase"));
    }
    engine.set_slot(&ui(), change(), code_of(&code)).await.unwrap();
    engine.lock(&ui()).await.unwrap();
    let first = engine
        .unlock(&ui(), Some(secret("first passphrase")), false)
        .await;
    assert_eq!(first.unwrap_err().code(), Code::VaultLocked);
    engine
        .unlock(&ui(), Some(secret("second passphrase")), false)
        .await
        .unwrap();
    token(&engine, 0).await.unwrap();
}

/// security.md, "Keys": a new code replaces the old one, and only once the user has it.
#[tokio::test]
async fn a_code_that_was_not_confirmed_replaces_nothing() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let first = recovery_code(&engine, None).await;
    let second = engine.new_recovery_code(&ui(), None).await.unwrap();
    let wrong = engine.confirm_recovery_code(&ui(), &first).await.unwrap_err();
    assert!(
        wrong.fields().unwrap()["code"].contains("not the code"),
        "{wrong}"
    );
    let mistyped = secret(&second.expose()[1..]);
    let wrong = engine.confirm_recovery_code(&ui(), &mistyped).await.unwrap_err();
    assert!(
        wrong.fields().unwrap()["code"].contains("34 characters"),
        "{wrong}"
    );
    engine.lock(&ui()).await.unwrap();
    engine.unlock_with_recovery_code(&ui(), &first).await.unwrap();
    let forgotten = engine.confirm_recovery_code(&ui(), &second).await.unwrap_err();
    assert_eq!(forgotten.code(), Code::Conflict, "a lock forgets it: {forgotten}");
    let third = recovery_code(&engine, None).await;
    engine.lock(&ui()).await.unwrap();
    for old in [first, second] {
        let refused = engine.unlock_with_recovery_code(&ui(), &old).await.unwrap_err();
        assert_eq!(refused.code(), Code::VaultLocked, "{refused}");
    }
    engine.unlock_with_recovery_code(&ui(), &third).await.unwrap();
    assert_eq!(slots(&engine), [SlotKind::Keyring, SlotKind::RecoveryCode]);
    drop(world);
}

#[tokio::test]
async fn keyring_and_passphrase_together_open_a_vault_and_neither_alone() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let both = || SlotChange::KeyringAndPassphrase(secret("second factor"));
    engine.set_slot(&ui(), both(), None).await.unwrap();
    engine
        .remove_slot(&ui(), SlotKind::Keyring, passphrase("second factor"))
        .await
        .unwrap();
    assert_eq!(slots(&engine), [SlotKind::KeyringAndPassphrase]);
    let engine = restarted(&world, engine).await;
    assert_eq!(engine.status().vault.state, VaultState::Locked);
    assert_eq!(
        engine.unlock(&ui(), None, false).await.unwrap_err().code(),
        Code::VaultLocked
    );
    let wrong = engine.unlock(&ui(), Some(secret("another factor")), false).await;
    assert_eq!(wrong.unwrap_err().code(), Code::VaultLocked);
    world.keyring.play(Fault::Fails(KeyringError::Locked));
    let alone = engine.unlock(&ui(), Some(secret("second factor")), false).await;
    assert!(alone.unwrap_err().to_string().contains("keyring is locked"));
    world.keyring.play(None);
    engine
        .unlock(&ui(), Some(secret("second factor")), false)
        .await
        .unwrap();
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn the_last_way_in_cannot_be_removed_and_a_recovery_code_is_none() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let last = engine
        .remove_slot(&ui(), SlotKind::Keyring, None)
        .await
        .unwrap_err();
    assert_eq!(last.code(), Code::Conflict, "{last}");
    recovery_code(&engine, None).await;
    let last = engine
        .remove_slot(&ui(), SlotKind::Keyring, None)
        .await
        .unwrap_err();
    assert_eq!(last.code(), Code::Conflict, "{last}");
    let absent = engine
        .remove_slot(&ui(), SlotKind::Passphrase, None)
        .await
        .unwrap_err();
    assert!(absent.to_string().contains("passphrase"), "{absent}");
    assert_eq!(slots(&engine), [SlotKind::Keyring, SlotKind::RecoveryCode]);
    engine
        .remove_slot(&ui(), SlotKind::RecoveryCode, None)
        .await
        .unwrap();
    assert_eq!(slots(&engine), [SlotKind::Keyring]);
}

#[tokio::test]
async fn two_removals_at_once_leave_a_way_in() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let change = SlotChange::Passphrase(secret("a passphrase"));
    engine.set_slot(&ui(), change, None).await.unwrap();
    let (ui, proof) = (ui(), || passphrase("a passphrase"));
    let (one, other) = tokio::join!(
        engine.remove_slot(&ui, SlotKind::Keyring, proof()),
        engine.remove_slot(&ui, SlotKind::Passphrase, proof()),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(slots(&engine).len(), 1);
}

#[tokio::test]
async fn a_keyring_that_does_not_take_its_item_leaves_every_way_as_it_was() {
    let world = World::new(Behaviour::default());
    let engine = with_passphrase(&world, "first passphrase").await;
    for fault in [
        Fault::Fails(KeyringError::Absent),
        Fault::FailsToWrite(KeyringError::NoDefault),
        Fault::Forgets,
    ] {
        world.keyring.play(fault);
        let refused = engine
            .set_slot(&ui(), SlotChange::Keyring, passphrase("first passphrase"))
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::OauthUnavailable);
        assert_eq!(slots(&engine), [SlotKind::Passphrase]);
    }
    engine.lock(&ui()).await.unwrap();
    engine
        .unlock(&ui(), Some(secret("first passphrase")), false)
        .await
        .unwrap();
}

/// security.md, "Keys": a changed passphrase leaves the records as they are, whatever the disk does.
#[tokio::test]
async fn a_full_disk_changes_no_passphrase_and_loses_none() {
    let world = World::new(Behaviour::default());
    let engine = with_passphrase(&world, "first passphrase").await;
    let store = engine.store().unwrap();
    // The reserve is given up for it, and the second try fails, too.
    store.database().fail_commits(1000);
    let change = || SlotChange::Passphrase(secret("second passphrase"));
    let refused = engine
        .set_slot(&ui(), change(), passphrase("first passphrase"))
        .await;
    assert!(
        matches!(refused, Err(Error::Store(tokenry_store::Error::DiskFull))),
        "{refused:?}"
    );
    store.database().fail_commits(0);
    drop(store);
    engine.lock(&ui()).await.unwrap();
    engine
        .unlock(&ui(), Some(secret("first passphrase")), false)
        .await
        .unwrap();
    engine
        .set_slot(&ui(), change(), passphrase("first passphrase"))
        .await
        .unwrap();
    engine.lock(&ui()).await.unwrap();
    engine
        .unlock(&ui(), Some(secret("second passphrase")), false)
        .await
        .unwrap();
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn changing_the_passphrase_rewrites_no_record() {
    let world = World::new(Behaviour::default());
    let engine = with_passphrase(&world, "first passphrase").await;
    let rows = || {
        let store = engine.store().unwrap();
        let mut rows = Vec::new();
        for table in tokenry_store::Table::ALL {
            let each = |row, version| rows.push((table.name(), row, version));
            store.database().versions(table, each).unwrap();
        }
        rows
    };
    let before = rows();
    let change = SlotChange::Passphrase(secret("second passphrase"));
    engine
        .set_slot(&ui(), change, passphrase("first passphrase"))
        .await
        .unwrap();
    assert_eq!(rows(), before);
    assert!(!before.is_empty());
}

/// security.md, "At rest": an older copy of the profile, which the old passphrase opens, refreshes nothing.
#[tokio::test]
async fn an_older_copy_that_the_old_passphrase_opens_is_noticed() {
    let world = World::new(Behaviour::default());
    let engine = with_passphrase(&world, "first passphrase").await;
    engine.shutdown().await;
    drop(engine);
    let (profile, copy) = (world.options().folder, world.folder.path().join("copy"));
    let copied = |from: &std::path::Path, to: &std::path::Path| {
        let _ = std::fs::remove_dir_all(to);
        std::fs::create_dir(to).unwrap();
        for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    };
    copied(&profile, &copy);
    let engine = world.start().await;
    engine
        .unlock(&ui(), Some(secret("first passphrase")), false)
        .await
        .unwrap();
    let change = SlotChange::Passphrase(secret("second passphrase"));
    engine
        .set_slot(&ui(), change, passphrase("first passphrase"))
        .await
        .unwrap();
    engine.shutdown().await;
    drop(engine);
    copied(&copy, &profile);
    let engine = world.start().await;
    engine
        .unlock(&ui(), Some(secret("first passphrase")), false)
        .await
        .unwrap();
    assert!(engine.status().vault.older);
    let proof = passphrase("first passphrase");
    let change = engine
        .set_slot(&ui(), SlotChange::Keyring, proof)
        .await
        .unwrap_err();
    assert!(matches!(change, Error::ReadOnly(_)), "{change}");
}

/// security.md, "Local interfaces": a program gets no code and changes no way in without the user's yes.
#[tokio::test]
async fn a_program_changes_a_way_in_only_with_the_users_consent_each_time() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let asker = tokio::spawn({
        let engine = engine.clone();
        async move { engine.new_recovery_code(&program(), None).await }
    });
    let prompt = until("the prompt", async || {
        engine.prompts(&ui()).unwrap().into_iter().next()
    })
    .await;
    assert!(
        prompt.notes[0].contains("unlocks the vault on its own"),
        "{:?}",
        prompt.notes
    );
    assert!(!prompt.for_session, "it is decided each time");
    let proof = crate::Proof::Number(prompt.number.clone());
    let deny = crate::PromptAnswer::Deny;
    engine
        .answer(&Caller::Consent, prompt.id, &proof, deny)
        .await
        .unwrap();
    assert_eq!(asker.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
    assert_eq!(slots(&engine), [SlotKind::Keyring]);
}

#[tokio::test]
async fn a_change_is_in_the_activity_log_and_so_is_a_wrong_code() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let code = recovery_code(&engine, None).await;
    engine.lock(&ui()).await.unwrap();
    let other = tokenry_vault::RecoveryCode::new(&tokenry_core::OsRandom).text();
    engine.unlock_with_recovery_code(&ui(), &other).await.unwrap_err();
    engine.unlock_with_recovery_code(&ui(), &code).await.unwrap();
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    let told = |kind: EventKind, outcome: Outcome, detail: &str| {
        let mut events = events.iter();
        events.any(|event| {
            event.kind == kind && event.outcome == outcome && event.detail.as_deref() == Some(detail)
        })
    };
    assert!(told(
        EventKind::UnlockingChanged,
        Outcome::Done,
        "recovery code set"
    ));
    assert!(told(EventKind::Unlocked, Outcome::Refused, "wrong recovery code"));
    assert!(told(EventKind::Unlocked, Outcome::Done, "with the recovery code"));
}

/// What one version writes, each later one reads: this vault was made when there were slots of these kinds first.
#[tokio::test]
async fn a_vault_of_an_older_version_opens_with_its_passphrase_and_its_recovery_code() {
    let world = World::new(Behaviour::default());
    let folder = world.options().folder;
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("tokenry.db"), include_bytes!("fixtures/vault-1.db")).unwrap();
    let engine = world.start().await;
    assert_eq!(slots(&engine), [SlotKind::Passphrase, SlotKind::RecoveryCode]);
    let code = secret("7Q324-S0870-YVVDP-9EFA1-K8CYF-QAYAS-7M49Z");
    engine.unlock_with_recovery_code(&ui(), &code).await.unwrap();
    engine.lock(&ui()).await.unwrap();
    let passphrase = secret("a passphrase of version 1");
    engine.unlock(&ui(), Some(passphrase), false).await.unwrap();
    assert!(!engine.status().vault.read_only);
    assert_eq!(engine.connection(&ui(), NAME).await.unwrap().name, NAME);
    assert!(!token(&engine, 0).await.unwrap().access_token.expose().is_empty());
}
