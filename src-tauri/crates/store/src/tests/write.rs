//! Writing.

use super::*;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokenry_core::Code;

#[test]
fn nothing_of_a_transaction_that_fails_is_kept() {
    let home = filled();
    let store = store(&home);
    let result = write(&store, |writer| {
        writer.delete(Table::Tokens, 1, 1)?;
        writer.append_event(4, b"event")?;
        Err(Error::BadName)
    });
    assert!(matches!(result, Err(Error::BadName)));
    assert!(store.get(Table::Tokens, 1).unwrap().is_some());
    assert_eq!(store.last_event().unwrap().unwrap().0, 3);
}

#[test]
fn nothing_of_a_transaction_that_panics_is_kept_and_the_next_one_works() {
    let home = filled();
    let store = store(&home);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        write(&store, |writer| {
            writer.delete(Table::Tokens, 1, 1)?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert!(store.get(Table::Tokens, 1).unwrap().is_some());
    write(&store, |writer| writer.delete(Table::Tokens, 2, 1)).unwrap();
    assert_eq!(store.get(Table::Tokens, 2).unwrap(), None);
}

#[test]
fn a_panic_while_reading_leaves_the_store_usable() {
    let home = filled();
    let store = store(&home);
    let read = || store.with(Table::Tokens, 1, |_, _| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
    assert!(store.get(Table::Tokens, 1).unwrap().is_some());
    assert!(store.checkpoint().unwrap(), "no reader was left behind");
}

#[test]
fn a_change_to_another_version_than_the_one_seen_is_stale() {
    let home = filled();
    let store = store(&home);
    let update = |from, to| {
        write(&store, |writer| {
            writer.update(Table::Tokens, 1, from, to, None, b"x")
        })
    };
    update(1, 2).unwrap();
    let error = update(1, 2).unwrap_err();
    assert!(matches!(error, Error::Stale { table: "tokens" }));
    assert_eq!(error.code(), Code::Conflict);
    let delete = |id, version| write(&store, |writer| writer.delete(Table::Tokens, id, version));
    assert!(matches!(delete(1, 1), Err(Error::Stale { .. })));
    assert!(matches!(delete(9, 1), Err(Error::Stale { .. })));
    delete(1, 2).unwrap();
}

#[test]
fn a_second_row_of_the_same_id_or_lookup_is_a_conflict() {
    let home = filled();
    let store = store(&home);
    let insert = |id, lookup: Option<[u8; 16]>| {
        write(&store, |writer| {
            writer.insert(Table::Providers, id, 1, lookup.as_ref(), b"x")
        })
    };
    assert!(matches!(
        insert(1, None),
        Err(Error::Conflict { table: "providers" })
    ));
    assert!(matches!(
        insert(9, Some(lookup(2))),
        Err(Error::Conflict { table: "providers" })
    ));
    let update = write(&store, |writer| {
        writer.update(Table::Providers, 1, 1, 2, Some(&lookup(2)), b"x")
    });
    assert!(matches!(update, Err(Error::Conflict { .. })));
    insert(10, None).unwrap();
    insert(11, None).unwrap();
}

#[test]
fn a_conflict_can_be_answered_within_the_same_transaction() {
    let home = filled();
    let store = store(&home);
    write(&store, |writer| {
        assert!(writer.insert(Table::Providers, 1, 1, None, b"x").is_err());
        writer.update(Table::Providers, 1, 1, 2, None, b"instead")
    })
    .unwrap();
    assert_eq!(
        store.get(Table::Providers, 1).unwrap().unwrap().sealed,
        b"instead"
    );
}

/// security.md, "Keys": a new key is never made while a vault exists.
#[test]
fn a_second_vault_is_refused() {
    let home = filled();
    let store = store(&home);
    let second = write(&store, |writer| writer.create_vault([8; 16]));
    assert!(matches!(second, Err(Error::VaultExists)));
    assert_eq!(store.vault_id().unwrap(), Some([7; 16]));
}

#[test]
fn slots_and_the_manifest_are_replaced_by_their_bytes() {
    let home = filled();
    let store = store(&home);
    write(&store, |writer| {
        writer.remove_slot(b"slot one")?;
        writer.put_slot(b"slot three")?;
        writer.set_manifest(b"newer")
    })
    .unwrap();
    assert_eq!(
        store.slots().unwrap(),
        [b"slot two".to_vec(), b"slot three".to_vec()]
    );
    assert_eq!(store.manifest().unwrap().unwrap(), b"newer");
    let gone = write(&store, |writer| writer.remove_slot(b"slot one"));
    assert!(matches!(gone, Err(Error::Stale { table: "slots" })));
}

#[test]
fn an_event_is_only_ever_added_at_the_end() {
    let home = filled();
    let store = store(&home);
    for seq in [3, 2, 0, -1] {
        let again = write(&store, |writer| writer.append_event(seq, b"other"));
        assert!(matches!(again, Err(Error::Conflict { table: "events" })), "{seq}");
    }
    write(&store, |writer| writer.append_event(4, b"event")).unwrap();
}

#[test]
fn a_version_that_the_file_cannot_hold_is_an_error() {
    let home = filled();
    let store = store(&home);
    let insert = write(&store, |writer| {
        writer.insert(Table::Flows, 9, u64::MAX, None, b"x")
    });
    assert!(matches!(insert, Err(Error::TooLarge { table: "flows" })));
}

#[test]
fn the_time_of_change_is_kept_in_milliseconds() {
    let home = filled();
    let at: i64 = Connection::open(database(&home))
        .unwrap()
        .query_row("SELECT updated_at FROM tokens WHERE id = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(at, now().as_millisecond());
}

/// security.md, "At rest": secure_delete. What was replaced is overwritten once the log is empty.
#[test]
fn the_sealed_bytes_of_a_row_that_is_gone_are_gone_from_the_files() {
    let home = filled();
    let store = store(&home);
    let planted = b"canary-of-a-sealed-record".repeat(40);
    write(&store, |writer| {
        writer.insert(Table::Tokens, 9, 1, None, &planted)
    })
    .unwrap();
    store.checkpoint().unwrap();
    assert!(holds(&home, b"canary-of-a-sealed-record"));
    write(&store, |writer| writer.delete(Table::Tokens, 9, 1)).unwrap();
    store.checkpoint().unwrap();
    assert!(!holds(&home, b"canary-of-a-sealed-record"));
}

fn holds(home: &TempDir, needle: &[u8]) -> bool {
    contents(home.path())
        .iter()
        .any(|(_, bytes)| bytes.windows(needle.len()).any(|part| part == needle))
}

#[test]
fn another_program_that_keeps_writing_makes_us_busy_and_not_broken() {
    let home = filled();
    let store = store(&home);
    store.writer().busy_timeout(std::time::Duration::ZERO).unwrap();
    let other = Connection::open(database(&home)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = write(&store, |writer| writer.put_slot(b"x")).unwrap_err();
    assert!(matches!(error, Error::Busy), "{error}");
    other.execute_batch("COMMIT").unwrap();
    write(&store, |writer| writer.put_slot(b"x")).unwrap();
}
