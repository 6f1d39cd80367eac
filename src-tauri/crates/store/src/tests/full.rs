//! A full disk, and the reserve.

use super::*;
use tokenry_core::Code;

fn reserve(home: &TempDir) -> PathBuf {
    home.path().join("tokenry.reserve")
}

#[test]
fn a_full_disk_loses_nothing_and_the_same_change_works_once_there_is_room() {
    let home = filled();
    let store = store(&home);
    store.limit_growth(Some(2));
    let change = |writer: &Writer<'_>| {
        writer.update(Table::Tokens, 1, 1, 2, None, b"small")?;
        writer.insert(Table::Tokens, 9, 1, None, &[7; 100_000])
    };
    let error = write(&store, change).unwrap_err();
    assert!(matches!(error, Error::DiskFull), "{error}");
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(store.get(Table::Tokens, 1).unwrap().unwrap().version, 1);
    store.limit_growth(None);
    write(&store, change).unwrap();
    assert_eq!(
        store.get(Table::Tokens, 9).unwrap().unwrap().sealed.len(),
        100_000
    );
}

#[test]
fn a_change_that_goes_on_after_the_disk_was_full_saves_nothing() {
    let home = filled();
    let store = store(&home);
    store.limit_growth(Some(0));
    let result = write(&store, |writer| {
        assert!(writer.insert(Table::Tokens, 9, 1, None, &[7; 100_000]).is_err());
        writer.connection.execute_batch("ROLLBACK").unwrap_or_default();
        writer.put_slot(b"on its own")
    });
    assert!(matches!(result, Err(Error::Undone)), "{result:?}");
    assert_eq!(store.slots().unwrap().len(), 2);
}

#[test]
fn commits_that_were_asked_to_fail_fail_so_often_and_are_undone() {
    let home = filled();
    let store = store(&home);
    store.fail_commits(2);
    let put = || write(&store, |writer| writer.put_slot(b"three"));
    assert!(matches!(put(), Err(Error::DiskFull)));
    assert!(matches!(put(), Err(Error::DiskFull)));
    assert_eq!(store.slots().unwrap().len(), 2);
    put().unwrap();
    assert_eq!(store.slots().unwrap().len(), 3);
}

/// security.md, "Refresh" 6: the commit fails: free the disk reserve and retry.
#[test]
fn the_reserve_is_really_allocated_given_once_and_taken_again() {
    use std::os::unix::fs::MetadataExt;
    let home = home();
    let store = store(&home);
    let found = fs::metadata(reserve(&home)).unwrap();
    assert_eq!(found.len(), 1 << 20);
    assert!(found.blocks() * 512 >= 1 << 20);
    assert!(store.release_reserve().unwrap());
    assert!(!reserve(&home).exists());
    assert!(!store.release_reserve().unwrap());
    store.checkpoint().unwrap();
    assert!(reserve(&home).exists(), "taken again when there is room");
    assert!(store.release_reserve().unwrap());
    drop(store);
    Store::open(home.path()).unwrap();
    assert!(reserve(&home).exists(), "taken again at the next open");
}

#[test]
fn a_reserve_that_was_cut_off_is_filled_again() {
    let home = filled();
    fs::write(reserve(&home), "short").unwrap();
    let _store = store(&home);
    assert_eq!(fs::metadata(reserve(&home)).unwrap().len(), 1 << 20);
}

#[test]
fn a_profile_opens_although_its_reserve_cannot_be_taken() {
    let home = filled();
    fs::remove_file(reserve(&home)).unwrap();
    fs::create_dir(reserve(&home)).unwrap();
    assert_eq!(store(&home).vault_id().unwrap(), Some([7; 16]));
}
