//! What this crate promises, tried on real files.

mod damage;
mod full;
mod modes;
mod open;
mod process;
mod read;
mod spill;
mod write;

use crate::{Error, Store, Table, Writer};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokenry_core::Timestamp;

const FOLDER: &str = "TOKENRY_STORE_TEST_FOLDER";

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(1_750_000_000_123).unwrap()
}

fn store(home: &TempDir) -> Store {
    Store::open(home.path()).unwrap()
}

/// A profile with something in every table, closed.
fn filled() -> TempDir {
    let home = home();
    let store = store(&home);
    write(&store, |writer| {
        writer.create_vault([7; 16])?;
        writer.put_slot(b"slot one")?;
        writer.put_slot(b"slot two")?;
        writer.set_manifest(b"manifest")?;
        for table in Table::ALL {
            for id in 1..=3 {
                writer.insert(table, id, 1, Some(&lookup(id)), &sealed(table, id))?;
            }
        }
        (1..=3).try_for_each(|seq| writer.append_event(seq, b"event"))
    })
    .unwrap();
    store.trust().unwrap();
    drop(store);
    home
}

fn lookup(id: i64) -> [u8; 16] {
    [id.to_le_bytes(); 2].concat().try_into().unwrap()
}

fn sealed(table: Table, id: i64) -> Vec<u8> {
    format!("{} {id} sealed", table.name()).into_bytes()
}

fn write(store: &Store, change: impl FnOnce(&Writer<'_>) -> Result<(), Error>) -> Result<(), Error> {
    store.write(now(), change)
}

fn database(home: &TempDir) -> PathBuf {
    home.path().join("tokenry.db")
}

/// Every file of a folder with its bytes; the log's index, which holds nothing, left out.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("tokenry.db-shm"))
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// The folder to work in, in a process that [`Second::start`] started.
fn folder_as_second() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// This very test in a second process, which ends with it.
struct Second(Child);

impl Second {
    fn start(test: &str, folder: &Path) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("tests::{test}"), "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
