//! Several processes, and kills.

use super::*;
use crate::ProfileLock;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    ops::ControlFlow,
};

/// Lines of the second process that are its own and not the test runner's.
fn lines(second: &mut Second) -> impl Iterator<Item = String> {
    let out = second.0.stdout.take().unwrap();
    BufReader::new(out)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.rsplit_once("second: ").map(|(_, said)| said.to_owned()))
}

fn say(what: &str) -> io::Result<()> {
    writeln!(io::stdout(), "second: {what}")
}

/// Issue 2, "Bad input": a second engine.
#[test]
fn a_profile_held_by_another_process_is_refused_with_its_pid_until_that_one_is_gone() {
    let test = "process::a_profile_held_by_another_process_is_refused_with_its_pid_until_that_one_is_gone";
    if let Some(folder) = folder_as_second() {
        let _lock = ProfileLock::take(&folder).unwrap();
        say("held").unwrap();
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let home = home();
    let mut second = Second::start(test, home.path());
    assert_eq!(lines(&mut second).next().as_deref(), Some("held"));
    let error = ProfileLock::take(home.path()).unwrap_err();
    assert!(
        matches!(error, Error::HeldBy { pid, .. } if pid == Some(second.0.id())),
        "{error:?}"
    );
    assert!(error.to_string().contains(&second.0.id().to_string()), "{error}");
    second.0.kill().unwrap();
    second.0.wait().unwrap();
    let lock = ProfileLock::take(home.path()).unwrap();
    let stated = fs::read_to_string(home.path().join("tokenry.lock")).unwrap();
    assert_eq!(stated.trim(), std::process::id().to_string());
    drop(lock);
    assert_eq!(fs::read_to_string(home.path().join("tokenry.lock")).unwrap(), "");
}

#[test]
fn a_lock_file_that_says_rubbish_is_a_lock_all_the_same() {
    let home = home();
    let lock = ProfileLock::take(home.path()).unwrap();
    fs::write(home.path().join("tokenry.lock"), [0xff; 5000]).unwrap();
    assert!(matches!(
        ProfileLock::take(home.path()),
        Err(Error::HeldBy { pid: None, .. })
    ));
    drop(lock);
    ProfileLock::take(home.path()).unwrap();
}

/// security.md, "Refresh" 5: one transaction holds all of it, and no caller is answered before the commit. Killed at
/// five moments: every transaction that was answered is there, and each one is there whole or not at all.
#[test]
fn a_process_killed_while_it_writes_leaves_only_whole_transactions() {
    let test = "process::a_process_killed_while_it_writes_leaves_only_whole_transactions";
    if let Some(folder) = folder_as_second() {
        return write_for_ever(&Store::open(&folder).unwrap());
    }
    let home = home();
    let mut reached = 0;
    for round in 0..5 {
        let mut second = Second::start(test, home.path());
        let answered = lines(&mut second).nth(20 + 7 * round).unwrap().parse().unwrap();
        second.0.kill().unwrap();
        second.0.wait().unwrap();
        reached = whole_until(&store(&home));
        assert!(reached >= answered, "{answered} was answered, {reached} is there");
    }
    assert!(reached >= 5 * 20);
}

/// Writes until its reader is gone.
fn write_for_ever(store: &Store) {
    let first = store.last_event().unwrap().map_or(1, |(seq, _)| seq + 1);
    for seq in first.. {
        write(store, |writer| {
            writer.insert(Table::Tokens, seq, 1, Some(&lookup(seq)), &[1; 3000])?;
            writer.insert(Table::Journal, seq, 1, None, b"journal")?;
            writer.append_event(seq, b"event")?;
            writer.set_manifest(&seq.to_le_bytes())
        })
        .unwrap();
        if say(&seq.to_string()).is_err() {
            return;
        }
    }
}

fn whole_until(store: &Store) -> i64 {
    store.check().unwrap();
    let last = store.last_event().unwrap().unwrap().0;
    assert_eq!(store.manifest().unwrap().unwrap(), last.to_le_bytes());
    for table in [Table::Tokens, Table::Journal] {
        let mut ids = Vec::new();
        store.versions(table, |id, _| ids.push(id)).unwrap();
        assert!(ids.iter().copied().eq(1..=last), "{table:?}");
    }
    let mut next = 1;
    store
        .events_from(1, |seq, _| {
            assert_eq!(seq, next);
            next += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    last
}
