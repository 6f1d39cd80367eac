//! The states of the OS keyring. Each has its own words, and none of them ever makes a new key beside an old vault.

use crate::tests::common::{NAME, World, token, ui, waits};
use crate::{Engine, Options, VaultChoice, VaultState};
use std::collections::HashSet;
use tokenry_core::{Code, Secret};
use tokenry_testkit::Behaviour;
use tokenry_vault::{Fault, Keyring, KeyringError, SlotKind, VaultId};
use zeroize::Zeroizing;

/// An engine that could not open its vault, and what it says.
async fn shut(world: &World, state: VaultState) -> (Engine, Code, String) {
    let engine = world.start().await;
    let report = engine.status().vault;
    assert_eq!(report.state, state);
    assert_eq!(report.slots, [SlotKind::Keyring]);
    let (code, text) = report.problem.expect("it says why");
    let error = token(&engine, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::VaultLocked);
    assert!(
        error.to_string().contains(&text),
        "every caller hears it: {error}"
    );
    (engine, code, text)
}

/// security.md, "Keys": absent, locked, dismissed, timed out, empty, ambiguous or holding another key are distinct
/// states with their own words; a new key is never made while a vault exists.
#[tokio::test]
async fn each_state_of_the_keyring_has_its_own_words_and_makes_no_new_key() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let before = token(&engine, 0).await.unwrap();
    engine.shutdown().await;
    drop(engine);
    let id = world.vault_id();
    let item = world.keyring.item(id).unwrap();
    let mut said = HashSet::new();
    let mut check = async |unlockable: Code| {
        let is_damage = unlockable == Code::Internal;
        let state = if is_damage {
            VaultState::Damaged
        } else {
            VaultState::Locked
        };
        let (engine, code, text) = shut(&world, state).await;
        assert_eq!(code, unlockable, "{text}");
        assert!(said.insert(text.clone()), "said twice: {text}");
        for create in [true, false] {
            assert!(engine.unlock(&ui(), None, create).await.is_err(), "{text}");
        }
        assert!(world.keyring.len() <= 1);
        engine.shutdown().await;
    };
    for fault in [
        KeyringError::Absent,
        KeyringError::NoDefault,
        KeyringError::Ambiguous,
        KeyringError::Failed("out of order".to_owned()),
    ] {
        world.keyring.play(Fault::Fails(fault));
        check(Code::OauthUnavailable).await;
    }
    for fault in [
        KeyringError::Locked,
        KeyringError::Dismissed,
        KeyringError::TimedOut,
    ] {
        world.keyring.play(Fault::Fails(fault));
        check(Code::VaultLocked).await;
    }
    world.keyring.play(None);
    world.keyring.remove(id);
    check(Code::OauthUnavailable).await;
    assert!(world.keyring.is_empty(), "no new key");
    world.keyring.put(id, b"");
    check(Code::OauthUnavailable).await;
    world.keyring.put(id, &other_key(&item));
    check(Code::OauthUnavailable).await;
    let mut wrong = item.clone();
    wrong[25] ^= 1;
    world.keyring.put(id, &wrong);
    check(Code::Internal).await;

    world.keyring.put(id, &item);
    let engine = world.start().await;
    let after = token(&engine, 0).await.unwrap();
    assert_eq!(
        before.access_token.expose(),
        after.access_token.expose(),
        "nothing was lost"
    );
}

/// An item as Tokenry writes it, with the key of another vault.
fn other_key(item: &[u8]) -> Vec<u8> {
    let mut other = item.to_vec();
    other[4..52].iter_mut().for_each(|byte| *byte ^= 0x5a);
    other
}

#[tokio::test]
async fn a_keyring_that_was_locked_opens_the_vault_when_it_is_unlocked() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.shutdown().await;
    world.keyring.play(Fault::Fails(KeyringError::Locked));
    let (engine, ..) = shut(&world, VaultState::Locked).await;
    world.keyring.play(None);
    engine.unlock(&ui(), None, true).await.unwrap();
    assert_eq!(engine.status().vault.problem, None);
    token(&engine, 0).await.unwrap();
}

/// First run: make keys, write the keyring, read back, commit. What fails on the way leaves no vault.
#[tokio::test]
async fn a_first_run_without_a_keyring_makes_nothing_and_says_what_to_do() {
    for fault in [
        Fault::Fails(KeyringError::Absent),
        Fault::FailsToWrite(KeyringError::NoDefault),
        Fault::Forgets,
        Fault::Garbles,
    ] {
        let world = World::new(Behaviour::default());
        world.keyring.play(fault);
        let engine = world.start().await;
        let report = engine.status().vault;
        assert_eq!(report.state, VaultState::Absent);
        assert!(
            report
                .problem
                .unwrap()
                .1
                .contains("`tokenry unlock` in a terminal")
        );
        assert_eq!(
            engine.providers(&ui()).await.unwrap_err().code(),
            Code::VaultLocked
        );
        world.keyring.play(None);
        engine.unlock(&ui(), None, true).await.unwrap();
        world.connect(&engine).await;
    }
}

fn with_passphrase(world: &World, passphrase: &str) -> Options {
    Options {
        vault: VaultChoice::Passphrase,
        passphrase: Some(Secret::new(passphrase.to_owned())),
        ..world.options()
    }
}

#[tokio::test]
async fn a_passphrase_opens_its_vault_and_the_keyring_is_never_asked() {
    let world = World::new(Behaviour::default());
    let none = Options {
        passphrase: None,
        ..with_passphrase(&world, "")
    };
    let engine = Engine::start(none).await.unwrap();
    assert_eq!(engine.status().vault.state, VaultState::Absent);
    let short = engine
        .unlock(&ui(), Some(Secret::new("short".to_owned())), true)
        .await;
    assert_eq!(short.unwrap_err().code(), Code::ValidationError);
    engine.shutdown().await;

    let engine = Engine::start(with_passphrase(&world, "correct horse"))
        .await
        .unwrap();
    world.connect(&engine).await;
    engine.lock(&ui()).await.unwrap();
    let wrong = Some(Secret::new("wrong horse".to_owned()));
    assert_eq!(
        engine.unlock(&ui(), wrong, true).await.unwrap_err().code(),
        Code::VaultLocked
    );
    assert_eq!(
        engine.status().vault.problem,
        None,
        "one wrong try is no state of the vault"
    );
    assert!(
        engine.unlock(&ui(), None, true).await.is_err(),
        "nothing else opens it"
    );
    let right = || Some(Secret::new("correct horse".to_owned()));
    engine.unlock(&ui(), right(), false).await.unwrap();
    token(&engine, 0).await.unwrap();
    let wrong = Some(Secret::new("wrong horse".to_owned()));
    let while_open = engine.unlock(&ui(), wrong, false).await.unwrap_err();
    assert_eq!(
        while_open.code(),
        Code::VaultLocked,
        "a mistyped passphrase is told"
    );
    engine.unlock(&ui(), right(), false).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(world.keyring.calls(), 0);
    engine.shutdown().await;

    // Started like a desktop app: locked until the passphrase is given.
    let engine = world.start().await;
    let report = engine.status().vault;
    assert_eq!(
        (report.state, report.slots),
        (VaultState::Locked, vec![SlotKind::Passphrase])
    );
    assert_eq!(report.problem, None);
    engine.unlock(&ui(), right(), false).await.unwrap();
    assert_eq!(engine.connection(&ui(), NAME).await.unwrap().name, NAME);
}

/// Two profiles beside each other have an item each.
#[tokio::test]
async fn two_profiles_share_a_keyring_and_nothing_else() {
    let (one, first) = World::connected(Behaviour::default()).await;
    let two = World {
        keyring: one.keyring.clone(),
        ..World::new(Behaviour::default())
    };
    let second = two.start().await;
    assert!(second.connections(&ui()).await.unwrap().is_empty());
    assert_eq!(one.keyring.len(), 2);
    token(&first, 0).await.unwrap();
}

/// A keyring that answers once its window is answered.
#[derive(Default)]
struct Slow {
    keyring: std::sync::Arc<tokenry_vault::MemoryKeyring>,
    answered: (std::sync::Mutex<bool>, std::sync::Condvar),
}

impl Slow {
    fn answer(&self) {
        *self.answered.0.lock().unwrap() = true;
        self.answered.1.notify_all();
    }

    fn wait(&self) {
        let answered = self.answered.0.lock().unwrap();
        drop(
            self.answered
                .1
                .wait_while(answered, |answered| !*answered)
                .unwrap(),
        );
    }
}

impl Keyring for Slow {
    fn read(&self, id: VaultId) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.wait();
        self.keyring.read(id)
    }

    fn write(&self, id: VaultId, item: &[u8]) -> Result<(), KeyringError> {
        self.wait();
        self.keyring.write(id, item)
    }
}

/// An engine does not wait for its keyring to be there: it says that it waits, and for what.
#[tokio::test]
async fn a_keyring_that_does_not_answer_is_waited_for_in_the_open_and_unlocks_later() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.shutdown().await;
    drop(engine);
    for (folder, state) in [
        (None, VaultState::Locked),
        (Some(tempfile::tempdir().unwrap()), VaultState::Absent),
    ] {
        let keyring = world.keyring.clone();
        let slow = std::sync::Arc::new(Slow {
            keyring,
            ..Slow::default()
        });
        let mut options = Options {
            keyring: slow.clone(),
            ..world.options()
        };
        if let Some(folder) = &folder {
            options.folder = folder.path().join("p");
        }
        let engine = Engine::start(options).await.unwrap();
        let vault = engine.status().vault;
        assert_eq!((vault.state, vault.waiting_for_keyring), (state, true));
        let (code, text) = vault.problem.unwrap();
        assert_eq!(code, Code::VaultLocked);
        assert!(text.starts_with("waiting for the OS keyring"), "{text}");
        let error = token(&engine, 0).await.unwrap_err();
        assert!(
            error.code() == Code::VaultLocked && error.to_string().contains(&text),
            "{error}"
        );
        // A caller that asks for the vault and goes away leaves nothing behind.
        let caller = ui();
        let mut unlock = Box::pin(engine.unlock(&caller, None, true));
        waits(&mut unlock).await;
        drop(unlock);
        slow.answer();
        engine.tried_to_open().await;
        let vault = engine.status().vault;
        assert_eq!(
            (vault.state, vault.waiting_for_keyring, vault.problem),
            (VaultState::Unlocked, false, None)
        );
        engine.shutdown().await;
    }
}
