//! The check of a vault whose files were edited while no engine ran: each kind of damage is named.

use crate::tests::common::{NAME, World, token, ui};
use crate::{ConsentMode, Engine, NewCredential, NewGrant, VaultState};
use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};
use tokenry_core::{
    ApiScope, Caller, Code, CredentialType, EventKind, Outcome, Secret, Timestamp, VaultCheck, VaultProblem,
};
use tokenry_store::{Store, Table, Writer};
use tokenry_testkit::{Behaviour, Fault};

/// The secret that the planted credential holds, which no report may tell.
pub(super) const CANARY: &str = "cGxhbnRlZC1jYW5hcnk=";

/// A profile whose engine has ended, with a record in almost every table.
pub(super) async fn profile() -> World {
    let world = World::trusting(Behaviour {
        // The same profile is used again and again.
        rotation: tokenry_testkit::Rotation::None,
        ..Behaviour::default()
    });
    let engine = world.start().await;
    world.connect(&engine).await;
    token(&engine, 0).await.unwrap();
    for (name, public) in [("backup", false), ("viewer", true)] {
        engine
            .register_app(&ui(), name, vec!["com.example.viewer:/cb".to_owned()], public)
            .await
            .unwrap();
        let grant = NewGrant {
            app: name.to_owned(),
            scopes: [ApiScope::TokensRead].into(),
            connections: vec![NAME.to_owned()],
            ..NewGrant::default()
        };
        engine.give_grant(&ui(), grant).await.unwrap();
    }
    let credential = NewCredential {
        name: "mail".parse().unwrap(),
        project: None,
        kind: CredentialType::Raw,
        data: BTreeMap::from([("value".to_owned(), Secret::new(CANARY.to_owned()))]),
        redact_fields: Default::default(),
        expires_at: None,
    };
    engine.add_credential(&ui(), credential).await.unwrap();
    engine.remember_loopback_port(49_200).await.unwrap();
    // A refresh that did not work leaves its entry in the journal.
    world
        .server
        .queue(Fault::TemporarilyUnavailable { retry_after: None });
    let _ = engine.refresh(&ui(), NAME).await;
    world.flow(&engine).await;
    end(&world, engine).await;
    world
}

/// Ends an engine and waits until its last task has let go of the files.
pub(super) async fn end(world: &World, engine: Engine) {
    engine.shutdown().await;
    drop(engine);
    let database = fs::canonicalize(database(world)).unwrap();
    let is_open = || {
        let mut handles = fs::read_dir("/proc/self/fd").unwrap();
        handles.any(|handle| handle.is_ok_and(|h| fs::read_link(h.path()).is_ok_and(|at| at == database)))
    };
    while is_open() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    Store::open(&world.options().folder)
        .unwrap()
        .checkpoint()
        .unwrap();
}

pub(super) fn database(world: &World) -> PathBuf {
    world.options().folder.join("tokenry.db")
}

/// The database of a profile, and what its keyring knew then.
pub(super) struct Saved {
    pub(super) bytes: Vec<u8>,
    item: Vec<u8>,
}

impl Saved {
    pub(super) fn of(world: &World) -> Self {
        Self {
            bytes: fs::read(database(world)).unwrap(),
            item: world.keyring.item(world.vault_id()).unwrap(),
        }
    }

    /// Puts it back in every place, so that it is no older copy.
    pub(super) fn put_back(&self, world: &World) {
        put(&database(world), &self.bytes);
        let _ = fs::remove_dir_all(world.state_folder());
        world.keyring.put(world.vault_id(), &self.item);
    }
}

pub(super) fn put(database: &Path, bytes: &[u8]) {
    for beside in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(database.with_extension(beside));
    }
    fs::write(database, bytes).unwrap();
}

pub(super) fn edit(world: &World, change: impl Fn(&Writer<'_>) -> Result<(), tokenry_store::Error>) {
    let store = Store::open(&world.options().folder).unwrap();
    store
        .write(Timestamp::UNIX_EPOCH, |writer| change(writer))
        .unwrap();
    store.checkpoint().unwrap();
}

/// The first row of a table: its number, version and bytes.
pub(super) fn row(world: &World, table: Table) -> Option<(i64, u64, Vec<u8>)> {
    let store = Store::open(&world.options().folder).unwrap();
    let mut found = None;
    store
        .scan(table, |row, version, sealed| {
            found = Some((row, version, sealed.to_vec()));
            ControlFlow::Break(())
        })
        .unwrap();
    found
}

/// Flips a bit in the sealed bytes of the first row of a table, and gives the row's number.
pub(super) fn flip(world: &World, table: Table) -> i64 {
    let mut found = row(world, table);
    if table == Table::Connections {
        // The one that has tokens; another waits for its sign-in.
        let id = row(world, Table::Tokens).unwrap().0;
        let store = Store::open(&world.options().folder).unwrap();
        found = store
            .get(table, id)
            .unwrap()
            .map(|row| (row.id, row.version, row.sealed));
    }
    let (id, version, mut sealed) = found.unwrap_or_else(|| panic!("{table:?} is empty"));
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    edit(world, |writer| {
        let lookup = writer.lookup_of(table, id)?;
        writer.update(table, id, version, version, lookup.as_ref(), &sealed)
    });
    id
}

pub(super) async fn checked(world: &World) -> VaultCheck {
    let engine = world.start().await;
    let check = engine.check_vault(&ui(), None, None).await.unwrap();
    end(world, engine).await;
    assert!(!format!("{check:?}").contains(CANARY));
    check
}

fn about<'a>(check: &'a VaultCheck, part: &str) -> Vec<&'a VaultProblem> {
    let problems = check.problems.iter();
    problems.filter(|problem| problem.part == part).collect()
}

/// Each part says what it is, whole or not.
fn wrong_parts(check: &VaultCheck) -> Vec<&str> {
    let wrong = check.parts.iter().filter(|part| !part.whole);
    wrong.map(|part| part.part.as_str()).collect()
}

#[tokio::test]
async fn a_whole_vault_is_said_to_be_whole_part_by_part() {
    let world = profile().await;
    let check = checked(&world).await;
    assert!(check.whole, "{check:#?}");
    let parts: Vec<_> = check.parts.iter().map(|part| part.part.as_str()).collect();
    let mut expected = vec!["files", "database", "keys"];
    expected.extend(Table::ALL.map(Table::name));
    expected.extend(["manifest", "activity log", "spilled records"]);
    assert_eq!(parts, expected);
    let engine = world.start().await;
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    let told = events.iter().find(|event| event.kind == EventKind::VaultChecked);
    assert_eq!(told.unwrap().outcome, Outcome::Done);
}

#[tokio::test]
async fn a_changed_record_of_each_table_is_named() {
    let world = profile().await;
    let good = Saved::of(&world);
    for table in Table::ALL {
        good.put_back(&world);
        if table == Table::Issued {
            // Our own authorization server issued nothing here.
            continue;
        }
        let id = flip(&world, table);
        let check = checked(&world).await;
        let problems = about(&check, table.name());
        assert_eq!(
            problems.iter().map(|problem| problem.row).collect::<Vec<_>>(),
            [Some(id)],
            "{check:#?}"
        );
        let name = problems[0].name.as_deref();
        let expected = match table {
            Table::Tokens | Table::Journal => Some(NAME),
            // Its name is sealed in it: what is known is whose provider it is.
            Table::Providers => Some("the provider of ada@example.com"),
            _ => None,
        };
        assert_eq!(name, expected, "{table:?}");
        assert_eq!(wrong_parts(&check), [table.name()], "{check:#?}");
    }
    // And the vault that stays closed over it can still be checked.
    good.put_back(&world);
    flip(&world, Table::Connections);
    let engine = world.start().await;
    assert_eq!(engine.status().vault.state, VaultState::Damaged);
    assert!(engine.connections(&ui()).await.is_err());
    assert!(!engine.check_vault(&ui(), None, None).await.unwrap().whole);
    assert_eq!(
        engine.status().vault.state,
        VaultState::Damaged,
        "it serves no caller"
    );
    end(&world, engine).await;
    good.put_back(&world);
    assert!(checked(&world).await.whole);
}

#[tokio::test]
async fn a_deleted_row_an_older_row_and_a_planted_row_are_named() {
    let world = profile().await;
    let (id, version, older) = row(&world, Table::Tokens).unwrap();
    let engine = world.start().await;
    engine.refresh(&ui(), NAME).await.unwrap();
    end(&world, engine).await;
    let good = Saved::of(&world);
    let now = row(&world, Table::Tokens).unwrap();
    assert!(now.1 > version);

    edit(&world, |writer| writer.delete(Table::Tokens, id, now.1));
    let check = checked(&world).await;
    let gone = about(&check, "tokens");
    assert_eq!((gone[0].row, gone[0].name.as_deref()), (Some(id), Some(NAME)));
    let manifest = about(&check, "manifest")[0];
    assert_eq!(manifest.row, Some(id));
    assert!(
        manifest.text.contains("deleted") && manifest.text.contains(&now.1.to_string()),
        "{manifest:?}"
    );

    good.put_back(&world);
    edit(&world, |writer| {
        writer.update(Table::Tokens, id, now.1, version, None, &older)
    });
    let check = checked(&world).await;
    let manifest = about(&check, "manifest")[0];
    assert_eq!(
        (manifest.row, manifest.name.as_deref()),
        (Some(id), Some(NAME)),
        "{check:#?}"
    );
    assert!(manifest.text.contains("older copy") && manifest.text.contains(&version.to_string()));

    good.put_back(&world);
    edit(&world, |writer| {
        writer.insert(Table::Issued, 7, 1, None, b"planted")
    });
    let check = checked(&world).await;
    assert_eq!(about(&check, "issued")[0].row, Some(7));
    let manifest = about(&check, "manifest")[0];
    assert!(
        manifest.row == Some(7) && manifest.text.contains("added"),
        "{manifest:?}"
    );

    // Two at once: which ones is not known, and that is said.
    good.put_back(&world);
    let app = row(&world, Table::Grants).unwrap();
    edit(&world, |writer| {
        writer.delete(Table::Grants, app.0, app.1)?;
        writer.update(Table::Tokens, id, now.1, version, None, &older)
    });
    let check = checked(&world).await;
    assert!(
        about(&check, "manifest")[0].text.contains("not known"),
        "{check:#?}"
    );
}

#[tokio::test]
async fn a_damaged_manifest_key_spill_and_mode_are_named() {
    let world = profile().await;
    let good = Saved::of(&world);
    let folder = world.options().folder;
    edit(&world, |writer| writer.set_manifest(b"nothing"));
    let check = checked(&world).await;
    assert_eq!(wrong_parts(&check), ["manifest"], "{check:#?}");

    good.put_back(&world);
    edit(&world, |writer| writer.put_slot(b"nothing"));
    let check = checked(&world).await;
    assert_eq!(
        (about(&check, "keys")[0].row, wrong_parts(&check)),
        (Some(2), vec!["keys"])
    );

    good.put_back(&world);
    let slot = Store::open(&folder).unwrap().slots().unwrap().remove(0);
    edit(&world, |writer| {
        writer.remove_slot(&slot)?;
        writer.put_slot(b"nothing")
    });
    let check = checked(&world).await;
    assert_eq!(wrong_parts(&check), ["keys", "records"], "{check:#?}");

    good.put_back(&world);
    let spill = folder.join("tokenry.12-3.spill");
    fs::write(&spill, b"nothing").unwrap();
    let check = checked(&world).await;
    let spilled = about(&check, "spilled records")[0];
    assert_eq!(
        (spilled.row, spilled.name.as_deref()),
        (Some(12), Some("tokenry.12-3.spill"))
    );
    fs::remove_file(&spill).unwrap();

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let engine = world.start().await;
        fs::set_permissions(database(&world), fs::Permissions::from_mode(0o644)).unwrap();
        let check = engine.check_vault(&ui(), None, None).await.unwrap();
        assert_eq!(about(&check, "files")[0].name.as_deref(), Some("tokenry.db"));
        end(&world, engine).await;
    }
    let mut cut = good.bytes.clone();
    cut.truncate(cut.len() - 100);
    put(&database(&world), &cut);
    let engine = world.start().await;
    let check = engine.check_vault(&ui(), None, None).await.unwrap();
    assert!(wrong_parts(&check).contains(&"database"), "{check:#?}");
    engine.shutdown().await;
}

/// The log: a line that was changed, two that were exchanged, one that is missing, and an end that was cut off.
#[tokio::test]
async fn a_log_that_was_tampered_with_is_found_with_the_number_of_the_line() {
    let world = profile().await;
    let good = Saved::of(&world);
    let store = Store::open(&world.options().folder).unwrap();
    let lines = store.events_before(None, 500).unwrap();
    drop(store);
    let at = |sealed: &[u8]| {
        let bytes = &good.bytes;
        bytes
            .windows(sealed.len())
            .position(|bytes| bytes == sealed)
            .unwrap()
    };
    let problems = async |bytes: &[u8]| {
        good.put_back(&world);
        put(&database(&world), bytes);
        let engine = world.start().await;
        let check = engine.check_events(&ui()).await.unwrap();
        assert_eq!(check.whole, check.problems.is_empty());
        end(&world, engine).await;
        let texts: Vec<_> = check.problems.iter().map(|problem| problem.text()).collect();
        texts
    };
    assert!(problems(&good.bytes).await.is_empty());
    // One that is in one piece in the file, and not the newest.
    let some: Vec<_> = lines
        .iter()
        .skip(2)
        .filter(|(_, sealed)| sealed.len() < 800)
        .collect();
    let twin_of = |line: &(i64, Vec<u8>)| {
        some.iter()
            .find(|other| other.0 != line.0 && other.1.len() == line.1.len())
    };
    let (one, twin) = some.iter().find_map(|line| Some((line, twin_of(line)?))).unwrap();
    let ((number, sealed), (other, twin)) = (*one, *twin);
    let mut changed = good.bytes.clone();
    changed[at(sealed) + 40] ^= 1;
    assert_eq!(problems(&changed).await, [format!("line {number} is damaged")]);
    let mut exchanged = good.bytes.clone();
    exchanged[at(sealed)..][..sealed.len()].copy_from_slice(twin);
    exchanged[at(twin)..][..twin.len()].copy_from_slice(sealed);
    let expected = [*other.min(number), *other.max(number)].map(|line| format!("line {line} is damaged"));
    assert_eq!(problems(&exchanged).await, expected);

    good.put_back(&world);
    let engine = world.start().await;
    let store = engine.store().unwrap();
    let end_of_log = store.log_end().0;
    let skip = |transaction: &mut crate::records::transaction::Transaction<'_>| {
        transaction.manifest.next_event += 2;
        Ok(())
    };
    store.change(engine.now(), skip).unwrap();
    let cut = engine.check_events(&ui()).await.unwrap();
    let text = format!("lines {end_of_log} to {} are missing", end_of_log + 1);
    assert_eq!(cut.problems[0].text(), text, "{cut:?}");
    engine.lock(&ui()).await.unwrap();
    drop(store);
    end(&world, engine).await;
    // The line that the lock wrote follows the gap.
    let engine = world.start().await;
    assert!(engine.status().vault.problem.is_none());
    let gap = engine.check_events(&ui()).await.unwrap();
    assert_eq!(gap.problems[0].text(), text, "{gap:?}");
    end(&world, engine).await;
}

#[tokio::test]
async fn an_app_may_not_check_the_vault_and_a_locked_one_needs_its_key() {
    let world = profile().await;
    let engine = world.start().await;
    let (_, token) = engine
        .register_app(&ui(), "other", Vec::new(), false)
        .await
        .unwrap();
    let app = engine.authenticate(&token.unwrap(), None).await.unwrap();
    let refused = engine.check_vault(&app, None, None).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let program = Caller::Program(tokenry_peer::unknown());
    assert!(engine.check_vault(&program, None, None).await.unwrap().whole);
    engine.lock(&ui()).await.unwrap();
    assert!(
        engine.check_vault(&ui(), None, None).await.unwrap().whole,
        "the keyring opens it"
    );
    assert!(engine.store().is_err(), "and it stays locked");
    world
        .keyring
        .play(tokenry_vault::Fault::Fails(tokenry_vault::KeyringError::Locked));
    let refused = engine.check_vault(&ui(), None, None).await.unwrap_err();
    assert_ne!(refused.code(), Code::Internal, "{refused}");
    world.keyring.play(None);
    end(&world, engine).await;
    assert_eq!(world.asking, ConsentMode::AllowAll);
}
