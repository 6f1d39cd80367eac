//! Backups, by the engine's public functions: what is in one, where it may be written, and what a restore does.

mod cancelled;
mod conflicts;
mod places;

use super::common::{NAME, World, patch, poke, set_rotation, status, token, ui, until, view};
use crate::{
    BackupKey, BackupSeal, ConnectOptions, ConsentMode, Engine, Error, JobEnd, JobResult, JobView, NewBackup,
    NewCredential, Options, RestoreItem, RestoreKind, RestorePreview, RestoreState, Restored,
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokenry_core::{
    Caller, Code, ConnectionStatus, CredentialType, EventKind, Outcome, Peer, ReauthReason, Rotation, Secret,
};
use tokenry_testkit::{Account, Behaviour};
use tokenry_vault::MemoryKeyring;

const SECRET_KEY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
const PASSPHRASE: &str = "correct horse battery";

fn program() -> Caller {
    Caller::Program(Peer {
        uid: 1000,
        pid: std::process::id(),
        started: 0,
        program: Some("/usr/bin/tokenry".to_owned()),
        session: None,
        helper: None,
        remote: None,
    })
}

fn new(file: &Path) -> NewBackup {
    NewBackup {
        file: file.to_owned(),
        seal: BackupSeal::Recipients(vec![RECIPIENT.to_owned()]),
        with_refresh_tokens: true,
        replace: false,
    }
}

fn identity() -> BackupKey {
    BackupKey::Identity(Secret::new(SECRET_KEY.to_owned()))
}

/// Waits for the end of a job.
async fn ended(engine: &Engine, job: JobView) -> JobEnd {
    until("the end of the job", async || {
        engine.job(&ui(), job.id).unwrap().end
    })
    .await
}

async fn done(engine: &Engine, job: JobView) -> Result<JobResult, Arc<Error>> {
    match ended(engine, job).await {
        JobEnd::Done(result) => Ok(result),
        JobEnd::Failed(error) => Err(error),
        JobEnd::Cancelled => panic!("it was cancelled"),
    }
}

async fn back_up(engine: &Engine, new: NewBackup) -> Result<(), String> {
    let job = engine
        .start_backup(&ui(), new)
        .await
        .map_err(|error| error.to_string())?;
    done(engine, job)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

async fn read(engine: &Engine, file: &Path, key: BackupKey) -> Result<Arc<RestorePreview>, Arc<Error>> {
    let job = engine
        .start_restore(&ui(), file.to_owned(), key)
        .await
        .map_err(Arc::new)?;
    match done(engine, job).await? {
        JobResult::Read(preview) => Ok(preview),
        other => panic!("{other:?}"),
    }
}

async fn apply(engine: &Engine, preview: &RestorePreview, replace: &[&str]) -> Result<Restored, String> {
    let replace = replace.iter().map(|id| (*id).to_owned()).collect();
    let job = engine.apply_restore(&ui(), preview.id, replace).await;
    let job = job.map_err(|error| error.to_string())?;
    match done(engine, job).await.map_err(|error| error.to_string())? {
        JobResult::Restored(done) => Ok((*done).clone()),
        other => panic!("{other:?}"),
    }
}

fn item(preview: &RestorePreview, kind: RestoreKind) -> &RestoreItem {
    preview.items.iter().find(|item| item.kind == kind).unwrap()
}

fn states(preview: &RestorePreview) -> Vec<(RestoreKind, RestoreState)> {
    preview.items.iter().map(|item| (item.kind, item.state)).collect()
}

async fn add_credential(engine: &Engine, name: &str, value: &str) {
    let new = NewCredential {
        name: name.parse().unwrap(),
        project: None,
        kind: CredentialType::Raw,
        data: BTreeMap::from([("value".to_owned(), Secret::new(value.to_owned()))]),
        redact_fields: Default::default(),
        expires_at: None,
    };
    engine.add_credential(&ui(), new).await.unwrap();
}

/// A folder that goes away with the world.
fn file(world: &World) -> PathBuf {
    world.folder.path().join("backup.age")
}

fn files_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// One with a provider, a connection and a credential, and its backup.
async fn backed_up(with_refresh_tokens: bool) -> (World, Engine, PathBuf) {
    let (world, engine) = World::connected(Behaviour::default()).await;
    add_credential(&engine, "api-key", "c2VjcmV0IHZhbHVl").await;
    let file = file(&world);
    let new = NewBackup {
        with_refresh_tokens,
        ..new(&file)
    };
    back_up(&engine, new).await.unwrap();
    (world, engine, file)
}

fn plain(file: &Path) -> String {
    let key = tokenry_backup::Key::identities(&Secret::new(SECRET_KEY.to_owned())).unwrap();
    let mut reader = tokenry_backup::Reader::open(fs::File::open(file).unwrap(), &key).unwrap();
    let mut text = serde_json::to_string(reader.header()).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        text += &serde_json::to_string(&entry).unwrap();
    }
    text
}

/// Another profile on the same machine, with nothing in it.
struct Elsewhere<'a> {
    world: &'a World,
    keyring: Arc<MemoryKeyring>,
}

impl<'a> Elsewhere<'a> {
    fn of(world: &'a World) -> Self {
        let keyring = Arc::default();
        Self { world, keyring }
    }

    async fn start(&self) -> Engine {
        let folder = self.world.folder.path().join("elsewhere");
        let options = Options {
            state: Some(folder.join("state")),
            folder: folder.join("profile"),
            keyring: self.keyring.clone(),
            ..self.world.options()
        };
        Engine::start(options).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_no_access_token_and_a_refresh_token_only_when_asked_for() {
    let (_world, engine, file) = backed_up(true).await;
    let access = token(&engine, 0).await.unwrap().access_token;
    let with = plain(&file);
    assert!(
        !with.contains(access.expose())
            && with.contains("\"refresh_token\":")
            && with.contains("c2VjcmV0IHZhbHVl")
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let without = file.with_file_name("without.age");
    back_up(
        &engine,
        NewBackup {
            with_refresh_tokens: false,
            ..new(&without)
        },
    )
    .await
    .unwrap();
    let text = plain(&without);
    assert!(
        !text.contains(access.expose()) && !text.contains("\"refresh_token\":"),
        "{text}"
    );
    assert_eq!(
        files_in(file.parent().unwrap()),
        ["backup.age", "profile", "state", "without.age"]
    );
}

/// Restored into itself nothing changes; into an empty profile everything comes, with its id.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_into_an_empty_profile_and_changes_nothing_in_its_own() {
    let (world, engine, file) = backed_up(true).await;
    let before = view(&engine).await.connection;
    let preview = read(&engine, &file, identity()).await.unwrap();
    assert!(preview.is_of_this_vault && preview.items.iter().all(|item| item.state == RestoreState::Same));
    let restored = apply(&engine, &preview, &[]).await.unwrap();
    assert_eq!(
        (restored.added, restored.replaced, restored.same, restored.left),
        (0, 0, 3, 0)
    );
    assert_eq!(view(&engine).await.connection.updated_at, before.updated_at);
    engine.shutdown().await;

    let other = Elsewhere::of(&world);
    let engine = other.start().await;
    let preview = read(&engine, &file, identity()).await.unwrap();
    assert!(!preview.is_of_this_vault && preview.items.iter().all(|item| item.state == RestoreState::New));
    assert_eq!(preview.items.len(), 3);
    assert!(!item(&preview, RestoreKind::Connection).needs_sign_in);
    let restored = apply(&engine, &preview, &[]).await.unwrap();
    assert_eq!((restored.added, restored.needs_sign_in.len()), (3, 0));
    let after = view(&engine).await.connection;
    assert_eq!(
        (after.id, after.account, after.created_at),
        (before.id, before.account, before.created_at)
    );
    // Its first token comes by a refresh with the restored refresh token.
    assert!(
        world
            .server
            .accepts(token(&engine, 0).await.unwrap().access_token.expose())
    );
    let log = engine.events(&ui(), None, 100).await.unwrap();
    assert!(
        log.0
            .iter()
            .any(|event| event.kind == EventKind::Restored && event.outcome == Outcome::Done)
    );
    // And it survives a restart.
    engine.shutdown().await;
    let engine = other.start().await;
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_its_refresh_token_asks_for_a_new_sign_in_and_comes_back_with_it() {
    let (world, engine, file) = backed_up(false).await;
    engine.shutdown().await;
    let other = Elsewhere::of(&world);
    let engine = other.start().await;
    let preview = read(&engine, &file, identity()).await.unwrap();
    assert!(item(&preview, RestoreKind::Connection).needs_sign_in);
    let restored = apply(&engine, &preview, &[]).await.unwrap();
    assert_eq!(restored.needs_sign_in, [NAME]);
    assert_eq!(
        status(&engine).await,
        ConnectionStatus::NeedsReauth(ReauthReason::Restored)
    );
    let error = token(&engine, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::NeedsReauth, "{error}");
    assert!(error.to_string().contains("restored from a backup"), "{error}");
    let refused = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(refused.code(), Code::NeedsReauth, "{refused}");
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    assert_eq!(
        engine.connections(&ui()).await.unwrap().len(),
        1,
        "it was renewed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_backup_restores_nothing_and_says_so() {
    let (_world, engine, file) = backed_up(true).await;
    let bytes = fs::read(&file).unwrap();
    for at in [0, 30, 60, 100, 150, 200, 250, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        for bad in [changed, bytes[..at].to_vec()] {
            fs::write(&file, bad).unwrap();
            let error = read(&engine, &file, identity()).await.unwrap_err();
            assert_eq!(error.code(), Code::ValidationError, "{at}: {error}");
            assert!(error.to_string().contains("backup.age"), "{error}");
        }
    }
    fs::write(&file, &bytes).unwrap();
    read(&engine, &file, identity()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_backup_opens_with_it_alone_and_a_short_one_is_refused() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let file = file(&world);
    let with = |text: &str| NewBackup {
        seal: BackupSeal::Passphrase(Secret::new(text.to_owned())),
        ..new(&file)
    };
    let short = back_up(&engine, with("short")).await.unwrap_err();
    assert!(short.contains("8 to 1024"), "{short}");
    back_up(&engine, with(PASSPHRASE)).await.unwrap();
    let of = |text: &str| BackupKey::Passphrase(Secret::new(text.to_owned()));
    let wrong = read(&engine, &file, of("another one")).await.unwrap_err();
    assert!(
        wrong.to_string().contains("does not open with this passphrase"),
        "{wrong}"
    );
    let other = read(&engine, &file, identity()).await.unwrap_err();
    assert!(
        other.to_string().contains("encrypted with a passphrase"),
        "{other}"
    );
    read(&engine, &file, of(PASSPHRASE)).await.unwrap();
}

/// The user is asked each time, and sees the file, the recipient and whether refresh tokens go into it.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_writes_and_restores_a_backup_only_with_the_users_consent() {
    let world = World {
        asking: ConsentMode::Never,
        ..World::new(Behaviour::default())
    };
    let engine = world.start().await;
    world.connect(&engine).await;
    let file = file(&world);
    let error = engine.start_backup(&program(), new(&file)).await.unwrap_err();
    assert_eq!(error.code(), Code::InteractionRequired);
    assert!(!file.exists());
    back_up(&engine, new(&file)).await.unwrap();
    // Reading changes nothing and needs no consent; restoring does.
    let job = engine
        .start_restore(&program(), file.clone(), identity())
        .await
        .unwrap();
    let JobResult::Read(preview) = done(&engine, job).await.unwrap() else {
        panic!()
    };
    let error = engine
        .apply_restore(&program(), preview.id, Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InteractionRequired);
    engine.shutdown().await;

    let world = World {
        asking: ConsentMode::Possible,
        ..world
    };
    let engine = world.start().await;
    let asking = engine.clone();
    let wanted = NewBackup {
        replace: true,
        ..new(&file)
    };
    let asked = tokio::spawn(async move { asking.start_backup(&program(), wanted).await });
    let prompt = until("the prompt", async || {
        engine.prompts(&Caller::Consent).unwrap().into_iter().next()
    })
    .await;
    let notes = prompt.notes.join(" ");
    assert!(!prompt.for_session, "it is asked about each time");
    for part in [
        "backup.age",
        "replaces",
        "age1t7rxyev2…",
        "refresh token can live in one place only",
        "client secrets",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    asked.abort();
}

/// The database takes all of a restore or nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_on_a_full_disk_changes_nothing() {
    let (world, engine, file) = backed_up(true).await;
    engine.shutdown().await;
    let other = Elsewhere::of(&world);
    let engine = other.start().await;
    let preview = read(&engine, &file, identity()).await.unwrap();
    let store = engine.store().unwrap();
    store.database().fail_commits(2);
    drop(store);
    let error = apply(&engine, &preview, &[]).await.unwrap_err();
    assert!(error.contains("full"), "{error}");
    assert!(
        engine.connections(&ui()).await.unwrap().is_empty()
            && engine.providers(&ui()).await.unwrap().is_empty()
    );
    // What was read is still there for another try.
    assert_eq!(apply(&engine, &preview, &[]).await.unwrap().added, 3);
}
