//! Damaged databases and logs.

use super::*;
use crate::Row;
use std::{io::Write, ops::ControlFlow};

/// Everything there is to read, or the first error.
fn read_all(store: &Store) -> Result<Vec<(Table, Row)>, Error> {
    let mut rows = Vec::new();
    store.vault_id()?;
    store.manifest()?;
    store.slots()?;
    store.events_before(None, 100)?;
    store.last_event()?;
    for table in Table::ALL {
        for id in 1..=3 {
            store.get(table, id)?;
            store.find(table, &lookup(id))?;
        }
        store.versions(table, |_, _| {})?;
        store.scan(table, |id, version, sealed| {
            rows.push((
                table,
                Row {
                    id,
                    version,
                    sealed: sealed.to_vec(),
                },
            ));
            ControlFlow::Continue(())
        })?;
    }
    Ok(rows)
}

/// Puts `bytes` in the place of the database, and tries everything with it.
fn survives(home: &TempDir, bytes: &[u8], what: &str) -> Result<(), Error> {
    for beside in ["tokenry.db-wal", "tokenry.db-shm"] {
        let _ = fs::remove_file(home.path().join(beside));
    }
    overwrite(home, bytes);
    let store = Store::open(home.path())?;
    let rows = read_all(&store);
    if store.check().is_ok() {
        // SQLite finds no fault: then it is an id, a version or sealed bytes, and there are as many rows as before.
        let all = 3 * Table::ALL.len();
        assert_eq!(rows.as_ref().map_or(all, Vec::len), all, "{what}");
    }
    let _ = write(&store, |writer| {
        writer.update(Table::Tokens, 2, 1, 2, None, b"other")
    });
    rows.map(drop)
}

/// In place: a file that is emptied and written anew is waited for by some file systems, thousands of times here.
fn overwrite(home: &TempDir, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(database(home)).unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

/// An error that tells a person what it is: not ours, newer or damaged.
fn is_clear(result: Result<(), Error>, what: &str) {
    match result {
        Ok(()) | Err(Error::Damaged { .. } | Error::NotOurs { .. } | Error::NewerProfile { .. }) => {}
        Err(other) => panic!("{what}: {other:?}"),
    }
}

/// Issue 2: every byte of a small vault flipped: never a panic, always a clear error. (That sealed bytes which
/// changed do not open is the vault's part.) Of the free room in the pages, where SQLite reads nothing, one byte
/// in 101 does.
#[test]
fn no_flipped_byte_makes_more_than_a_clear_error() {
    let home = filled();
    let whole = fs::read(database(&home)).unwrap();
    let is_used = |at: usize| {
        let around = at.saturating_sub(8)..(at + 9).min(whole.len());
        whole[around].iter().any(|byte| *byte != 0)
    };
    for at in (0..whole.len()).filter(|at| is_used(*at) || at % 101 == 0) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        is_clear(
            survives(&home, &bytes, &format!("byte {at}")),
            &format!("byte {at}"),
        );
    }
}

/// Issue 2: file truncated.
#[test]
fn a_database_cut_short_anywhere_is_damage() {
    let home = filled();
    let whole = fs::read(database(&home)).unwrap();
    for length in (0..whole.len()).step_by(509) {
        let result = survives(&home, &whole[..length], &format!("length {length}"));
        assert!(
            matches!(result, Err(Error::Damaged { .. })),
            "length {length}: {result:?}"
        );
    }
}

#[test]
fn a_write_into_a_damaged_database_is_a_clear_error_or_is_read_back() {
    let home = filled();
    let whole = fs::read(database(&home)).unwrap();
    for at in (0..whole.len()).filter(|at| whole[*at] != 0).step_by(13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        overwrite(&home, &bytes);
        let Ok(store) = Store::open(home.path()) else {
            continue;
        };
        match write(&store, |writer| {
            writer.update(Table::Tokens, 2, 1, 2, None, b"other")
        }) {
            Err(Error::Stale { .. } | Error::Conflict { .. }) => {}
            Ok(()) => match store.get(Table::Tokens, 2) {
                Ok(row) => {
                    let read = row.map(|row| (row.version, row.sealed));
                    assert_eq!(read, Some((2, b"other".to_vec())), "byte {at}");
                }
                Err(error) => is_clear(Err(error), &format!("byte {at}")),
            },
            Err(error) => is_clear(Err(error), &format!("byte {at}")),
        }
    }
}

#[test]
fn a_flipped_byte_in_the_log_ends_at_the_commit_before_it() {
    let home = filled();
    let store = store(&home);
    let whole = fs::read(database(&home)).unwrap();
    write(&store, |writer| {
        writer.update(Table::Tokens, 1, 1, 2, None, b"newer")
    })
    .unwrap();
    let log_path = home.path().join("tokenry.db-wal");
    let log = fs::read(&log_path).unwrap();
    drop(store);
    for at in (0..log.len()).step_by(61) {
        let mut bytes = log.clone();
        bytes[at] ^= 0xff;
        fs::write(database(&home), &whole).unwrap();
        fs::write(&log_path, &bytes).unwrap();
        let store = Store::open(home.path()).unwrap();
        let row = store.get(Table::Tokens, 1).unwrap().unwrap();
        assert!(
            row.version == 1 || (row.version == 2 && row.sealed == b"newer"),
            "byte {at}: {row:?}"
        );
        store.check().unwrap();
    }
}

/// security.md, "Keys": a new key is never made while a vault exists.
#[test]
fn a_profile_without_its_vault_id_is_damaged_as_long_as_anything_is_left() {
    let tables = ["slots", "manifest", "events"].into_iter();
    let tables: Vec<_> = tables
        .chain(Table::ALL.iter().map(|table| table.name()))
        .collect();
    for left in &tables {
        let home = filled();
        let store = store(&home);
        store.writer().execute("DELETE FROM meta", []).unwrap();
        for table in tables.iter().filter(|table| *table != left) {
            store
                .writer()
                .execute(&format!("DELETE FROM {table}"), [])
                .unwrap();
        }
        assert!(matches!(store.vault_id(), Err(Error::Damaged { .. })), "{left}");
        let made = write(&store, |writer| writer.create_vault([9; 16]));
        assert!(matches!(made, Err(Error::Damaged { .. })), "{left}");
    }
}

#[test]
fn a_spilled_record_without_a_vault_is_damage_too() {
    let home = home();
    let store = store(&home);
    assert_eq!(store.vault_id().unwrap(), None);
    crate::spill(home.path(), "one", b"sealed").unwrap();
    assert!(matches!(store.vault_id(), Err(Error::Damaged { .. })));
}
