//! Opening, and the settings of SQLite.

use super::*;
use crate::{SCHEMA, connect, schema::APPLICATION_ID};
use rusqlite::{Connection, config::DbConfig};
use tokenry_core::Code;

fn raw(home: &TempDir) -> Connection {
    Connection::open(database(home)).unwrap()
}

fn number(connection: &Connection, pragma: &str) -> i64 {
    connection
        .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
        .unwrap()
}

#[test]
fn sqlite_is_new_enough_and_an_older_one_is_refused() {
    connect::is_new_enough(rusqlite::version_number()).unwrap();
    connect::is_new_enough(3_051_003).unwrap();
    assert!(matches!(
        connect::is_new_enough(3_051_002),
        Err(Error::OldSqlite { .. })
    ));
}

/// security.md, "At rest": WAL, synchronous=FULL, secure_delete, trusted_schema off, defensive, foreign keys,
/// mmap 0, our application_id.
#[test]
fn every_setting_of_the_writer_is_in_effect() {
    let home = home();
    let store = store(&home);
    let writer = store.writer();
    let mode: String = writer
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    for (pragma, value) in [
        ("synchronous", 2),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("secure_delete", 1),
        ("trusted_schema", 0),
        ("foreign_keys", 1),
        ("cell_size_check", 1),
        ("mmap_size", 0),
        ("cache_size", -256),
        ("temp_store", 2),
        ("wal_autocheckpoint", 256),
        ("journal_size_limit", 1 << 20),
        ("user_version", i64::from(SCHEMA)),
        ("application_id", i64::from(APPLICATION_ID)),
    ] {
        assert_eq!(number(&writer, pragma), value, "{pragma}");
    }
    guarded(&writer);
    drop(writer);
    store.trust().unwrap();
    let writer = store.writer();
    assert!(
        !writer
            .db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
            .unwrap()
    );
}

#[test]
fn a_reader_is_guarded_the_same_and_cannot_write() {
    let home = filled();
    let store = store(&home);
    store
        .once(|reader| {
            for (pragma, value) in [
                ("query_only", 1),
                ("trusted_schema", 0),
                ("mmap_size", 0),
                ("cache_size", -256),
            ] {
                assert_eq!(number(reader.connection, pragma), value, "{pragma}");
            }
            guarded(reader.connection);
            assert!(reader.connection.is_readonly("main").unwrap());
            assert!(reader.connection.execute("DELETE FROM events", []).is_err());
            Ok(())
        })
        .unwrap();
}

fn guarded(connection: &Connection) {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        assert_eq!(connection.db_config(setting).unwrap(), on, "{setting:?}");
    }
    assert!(
        connection
            .execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema")
            .is_err()
    );
}

/// The profiles of version 0.1 have format 1.
#[test]
fn a_profile_of_the_first_format_is_brought_up_to_date_and_keeps_its_records() {
    let home = filled();
    let before = Store::open(home.path())
        .unwrap()
        .get(Table::Providers, 1)
        .unwrap();
    let connection = raw(&home);
    for table in &Table::ALL[Table::IN_FORMAT_1..] {
        connection
            .execute_batch(&format!("DROP TABLE {}", table.name()))
            .unwrap();
    }
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);
    for _ in 0..2 {
        let store = Store::open(home.path()).unwrap();
        assert_eq!(store.get(Table::Providers, 1).unwrap(), before);
        for table in Table::ALL {
            store.versions(table, |_, _| ()).unwrap();
        }
    }
}

/// Issue 2, "Bad input": a profile made by a newer version.
#[test]
fn a_newer_profile_is_refused_and_left_as_it_is() {
    let home = filled();
    raw(&home)
        .pragma_update(None, "user_version", SCHEMA + 1)
        .unwrap();
    let before = contents(home.path());
    let error = Store::open(home.path()).unwrap_err();
    assert!(matches!(error, Error::NewerProfile { found, known } if (found, known) == (SCHEMA + 1, SCHEMA)));
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(contents(home.path()), before);
}

#[test]
fn a_newer_format_that_stands_only_in_the_log_is_refused_and_the_log_is_kept() {
    let home = filled();
    let connection = raw(&home);
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    connection
        .pragma_update(None, "user_version", SCHEMA + 1)
        .unwrap();
    drop(connection);
    let before = contents(home.path());
    assert!(
        before
            .iter()
            .any(|(name, bytes)| name == "tokenry.db-wal" && !bytes.is_empty())
    );
    assert!(matches!(
        Store::open(home.path()),
        Err(Error::NewerProfile { .. })
    ));
    assert_eq!(contents(home.path()), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    for application in [0, APPLICATION_ID + 1] {
        let home = home();
        let connection = raw(&home);
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        connection
            .pragma_update(None, "application_id", application)
            .unwrap();
        drop(connection);
        let before = contents(home.path());
        assert!(matches!(Store::open(home.path()), Err(Error::NotOurs { .. })));
        assert_eq!(contents(home.path()), before);
    }
}

#[test]
fn a_trigger_a_view_or_another_table_in_our_file_is_damage() {
    for planted in [
        "CREATE TRIGGER t AFTER INSERT ON tokens BEGIN DELETE FROM events; END",
        "CREATE VIEW v AS SELECT * FROM tokens",
        "CREATE TABLE more (id)",
        "CREATE INDEX i ON tokens (version)",
        "ALTER TABLE tokens ADD COLUMN more TEXT",
        "DROP TABLE journal",
    ] {
        let home = filled();
        raw(&home).execute_batch(planted).unwrap();
        assert!(
            matches!(Store::open(home.path()), Err(Error::Damaged { .. })),
            "{planted}"
        );
    }
}

/// security.md, "Keys": a new key is never made while a vault exists; so what is left of one is never taken for
/// a new profile.
#[test]
fn an_empty_database_and_a_log_without_one_are_damage_and_not_a_new_profile() {
    let home = filled();
    fs::write(database(&home), "").unwrap();
    assert!(matches!(Store::open(home.path()), Err(Error::Damaged { .. })));
    fs::rename(database(&home), home.path().join("tokenry.db-wal")).unwrap();
    fs::write(home.path().join("tokenry.db-wal"), "what was left").unwrap();
    assert!(matches!(
        Store::open(home.path()),
        Err(Error::DatabaseGone { .. })
    ));
    assert!(!database(&home).exists());
}

/// security.md, "Keys", as above: each of these is left by an engine that had a database.
#[test]
fn what_belongs_to_a_lost_database_is_not_taken_for_a_new_profile() {
    for left in ["tokenry.db-wal", "tokenry.reserve", "tokenry.a-1.spill"] {
        let home = home();
        fs::write(home.path().join(left), "left").unwrap();
        let error = Store::open(home.path()).unwrap_err();
        assert!(matches!(error, Error::DatabaseGone { .. }), "{left}: {error}");
        assert!(error.is_damage() && !database(&home).exists(), "{left}");
        assert_eq!(fs::read(home.path().join(left)).unwrap(), b"left");
    }
}

/// SQLite plays any well-formed log: it stays beside the database until the vault was opened.
#[test]
fn a_log_is_brought_into_the_database_only_when_it_is_known_to_be_ours() {
    let home = filled();
    let whole = fs::read(database(&home)).unwrap();
    let change = |store: &Store| {
        write(store, |writer| {
            writer.update(Table::Tokens, 1, 1, 2, None, b"newer")
        })
        .unwrap();
    };
    let store = store(&home);
    change(&store);
    drop(store);
    assert_eq!(fs::read(database(&home)).unwrap(), whole);
    assert!(!fs::read(home.path().join("tokenry.db-wal")).unwrap().is_empty());
    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.get(Table::Tokens, 1).unwrap().unwrap().sealed, b"newer");
    store.trust().unwrap();
    drop(store);
    assert!(!home.path().join("tokenry.db-wal").exists());
}

#[test]
fn a_first_run_that_was_cut_off_is_begun_again() {
    let home = home();
    fs::write(home.path().join("tokenry.db.new"), "half").unwrap();
    fs::write(home.path().join("tokenry.db.new-journal"), "half").unwrap();
    let store = store(&home);
    assert_eq!(store.vault_id().unwrap(), None);
    let names: Vec<_> = contents(home.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["tokenry.db", "tokenry.db-wal", "tokenry.reserve"]);
}

#[test]
fn a_closed_profile_leaves_no_log_behind() {
    let home = filled();
    let names: Vec<_> = contents(home.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["tokenry.db", "tokenry.reserve"]);
}

#[test]
fn a_path_that_is_a_file_is_an_error_with_its_name() {
    let home = home();
    let path = home.path().join("file");
    fs::write(&path, "").unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}
