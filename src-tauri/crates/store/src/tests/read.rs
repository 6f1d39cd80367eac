//! Reading.

use super::*;
use crate::Row;
use std::ops::ControlFlow;

#[test]
fn what_was_written_is_read_back_by_id_by_lookup_and_in_order() {
    let home = filled();
    let store = store(&home);
    assert_eq!(store.vault_id().unwrap(), Some([7; 16]));
    assert_eq!(store.manifest().unwrap().unwrap(), b"manifest");
    assert_eq!(store.slots().unwrap(), [b"slot one", b"slot two"]);
    for table in Table::ALL {
        let row = Row {
            id: 2,
            version: 1,
            sealed: sealed(table, 2),
        };
        assert_eq!(store.get(table, 2).unwrap().unwrap(), row);
        assert_eq!(store.find(table, &lookup(2)).unwrap().unwrap(), row);
        assert_eq!(store.get(table, 4).unwrap(), None);
        assert_eq!(store.find(table, &lookup(4)).unwrap(), None);
        let seen = store
            .with(table, 3, |version, bytes| (version, bytes.to_vec()))
            .unwrap();
        assert_eq!(seen, Some((1, sealed(table, 3))));
        let mut versions = Vec::new();
        store
            .versions(table, |id, version| versions.push((id, version)))
            .unwrap();
        assert_eq!(versions, [(1, 1), (2, 1), (3, 1)]);
    }
}

#[test]
fn a_scan_goes_in_the_order_of_the_ids_and_stops_when_told() {
    let home = filled();
    let store = store(&home);
    let mut seen = Vec::new();
    store
        .scan(Table::Tokens, |id, _, bytes| {
            seen.push((id, bytes.to_vec()));
            if id == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!(
        seen,
        [(1, sealed(Table::Tokens, 1)), (2, sealed(Table::Tokens, 2))]
    );
}

#[test]
fn events_are_read_newest_first_or_from_a_number_on() {
    let home = filled();
    let store = store(&home);
    let numbers = |before, limit| -> Vec<i64> {
        store
            .events_before(before, limit)
            .unwrap()
            .into_iter()
            .map(|(seq, _)| seq)
            .collect()
    };
    assert_eq!(numbers(None, 2), [3, 2]);
    assert_eq!(numbers(Some(2), 9), [1]);
    assert_eq!(store.last_event().unwrap(), Some((3, b"event".to_vec())));
    let mut seen = Vec::new();
    store
        .events_from(2, |seq, _| {
            seen.push(seq);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, [2, 3]);
}

#[test]
fn a_reader_is_not_held_up_by_a_transaction_and_does_not_see_it() {
    let home = filled();
    let store = store(&home);
    let before = store.get(Table::Tokens, 1).unwrap();
    write(&store, |writer| {
        writer.update(Table::Tokens, 1, 1, 2, None, b"newer")?;
        assert_eq!(writer.get(Table::Tokens, 1)?.unwrap().sealed, b"newer");
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| store.get(Table::Tokens, 1).unwrap()))
                .collect();
            for reader in readers {
                assert_eq!(reader.join().unwrap(), before);
            }
        });
        Ok(())
    })
    .unwrap();
    assert_eq!(store.get(Table::Tokens, 1).unwrap().unwrap().version, 2);
}

#[test]
fn several_reads_see_one_state_while_others_commit() {
    let home = filled();
    let store = store(&home);
    store
        .read(|reader| {
            assert_eq!(reader.get(Table::Tokens, 1)?.unwrap().version, 1);
            write(&store, |writer| {
                writer.update(Table::Tokens, 1, 1, 2, None, b"newer")
            })?;
            assert_eq!(reader.get(Table::Tokens, 1)?.unwrap().version, 1);
            Ok::<(), Error>(())
        })
        .unwrap();
    assert_eq!(store.get(Table::Tokens, 1).unwrap().unwrap().version, 2);
}

#[test]
fn reads_within_reads_never_wait_for_each_other() {
    fn deeper(store: &Store, depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        store
            .with(Table::Tokens, 1, |_, _| 1 + deeper(store, depth - 1))
            .unwrap()
            .unwrap()
    }
    let home = filled();
    assert_eq!(deeper(&store(&home), 12), 12);
}

#[test]
fn a_checkpoint_empties_the_log_unless_a_reader_is_in_the_way() {
    let home = filled();
    let store = store(&home);
    write(&store, |writer| writer.put_slot(b"three")).unwrap();
    let log = home.path().join("tokenry.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    assert!(store.checkpoint().unwrap());
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    store.check().unwrap();
}

#[test]
fn a_row_shows_no_sealed_byte_in_debug() {
    let row = Row {
        id: 1,
        version: 2,
        sealed: b"planted".to_vec(),
    };
    assert_eq!(format!("{row:?}"), "Row(1 v2, 7 bytes)");
}

#[test]
fn the_store_is_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Store>();
}
