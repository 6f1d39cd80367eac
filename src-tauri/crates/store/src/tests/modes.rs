//! Modes and owners of files.

use super::*;
use crate::{ProfileLock, spill};
use std::os::unix::fs::PermissionsExt;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// security.md, "At rest": files 0600 in a 0700 folder. The second process has a umask that hides nothing, and
/// looks while the log and its index are there.
#[test]
fn files_are_0600_in_a_0700_folder_even_when_the_umask_is_loose() {
    let test = "modes::files_are_0600_in_a_0700_folder_even_when_the_umask_is_loose";
    let Some(folder) = folder_as_second() else {
        let home = home();
        let mut second = Second::start(test, &home.path().join("deep/profile"));
        assert!(second.0.wait().unwrap().success());
        assert_eq!(mode(&home.path().join("deep/profile")), 0o700);
        return;
    };
    rustix::process::umask(rustix::fs::Mode::empty());
    let _lock = ProfileLock::take(&folder).unwrap();
    let store = Store::open(&folder).unwrap();
    write(&store, |writer| writer.put_slot(b"slot")).unwrap();
    spill(&folder, "one", b"sealed").unwrap();
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(
        files.len(),
        6,
        "database, log, index, reserve, lock, spill: {files:?}"
    );
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_folder_and_files_of_ours_that_were_opened_to_others_are_closed_again() {
    let home = filled();
    set_mode(home.path(), 0o755);
    set_mode(&database(&home), 0o644);
    let _store = store(&home);
    assert_eq!((mode(home.path()), mode(&database(&home))), (0o700, 0o600));
}

#[test]
fn an_open_folder_with_other_things_in_it_is_refused_and_left_as_it_is() {
    let home = home();
    fs::write(home.path().join("letter.txt"), "dear").unwrap();
    set_mode(home.path(), 0o755);
    assert!(matches!(
        Store::open(home.path()),
        Err(Error::SharedFolder { .. })
    ));
    assert!(matches!(
        ProfileLock::take(home.path()),
        Err(Error::SharedFolder { .. })
    ));
    assert_eq!((mode(home.path()), contents(home.path()).len()), (0o755, 1));
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let home = home();
    let path = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(home.path(), Some(65534), None).unwrap();
        home.path()
    } else {
        Path::new("/")
    };
    assert!(matches!(Store::open(path), Err(Error::OtherUser { .. })));
}

#[test]
fn a_database_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file away; the rule is the one of the folder, which the test above shows.
        return;
    }
    let home = filled();
    std::os::unix::fs::chown(database(&home), Some(65534), None).unwrap();
    assert!(matches!(Store::open(home.path()), Err(Error::OtherUser { .. })));
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let (home, elsewhere) = (home(), home());
    let target = elsewhere.path().join("target");
    for name in ["tokenry.db", "tokenry.lock"] {
        std::os::unix::fs::symlink(&target, home.path().join(name)).unwrap();
    }
    assert!(matches!(Store::open(home.path()), Err(Error::Damaged { .. })));
    assert!(matches!(
        ProfileLock::take(home.path()),
        Err(Error::Damaged { .. })
    ));
    assert!(!target.exists());
}

/// Puts something in the place of a file.
type Plant = fn(&Path);

/// security.md, "At rest": files 0600 in a 0700 folder. A pipe would never answer, and a folder or a link is no file of
/// ours, whichever of our files it stands for.
#[test]
fn a_pipe_a_folder_or_a_link_in_the_place_of_any_file_is_refused_at_once() {
    let plant: [(&str, Plant); 3] = [
        ("pipe", |path| {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }),
        ("folder", |path| fs::create_dir(path).unwrap()),
        ("link", |path| {
            std::os::unix::fs::symlink("/dev/zero", path).unwrap()
        }),
    ];
    for (kind, plant) in plant {
        for name in [
            "tokenry.db",
            "tokenry.db-wal",
            "tokenry.lock",
            "tokenry.a-1.spill",
        ] {
            let home = filled();
            let path = home.path().join(name);
            let _ = fs::remove_file(&path);
            plant(&path);
            let refused = match name {
                "tokenry.lock" => ProfileLock::take(home.path()).map(drop),
                "tokenry.a-1.spill" => crate::spilled(home.path()).map(drop),
                _ => Store::open(home.path()).map(drop),
            };
            assert!(refused.is_err_and(|error| error.is_damage()), "{kind} {name}");
        }
    }
}

/// The file that was opened is judged, and not the one that had its name a moment before.
#[test]
fn a_small_file_that_was_open_to_others_is_closed_when_it_is_read() {
    let home = home();
    let path = home.path().join("tokenry.note");
    fs::write(&path, "x").unwrap();
    set_mode(&path, 0o644);
    assert_eq!(crate::read_file(&path, 10).unwrap().unwrap(), b"x");
    assert_eq!(mode(&path) & 0o777, 0o600);
}

#[test]
fn a_folder_that_cannot_be_written_is_called_read_only_and_left_as_it_is() {
    let home = filled();
    let before = contents(home.path());
    set_mode(home.path(), 0o500);
    let refused = without_root(|| Store::open(home.path()).map(drop));
    set_mode(home.path(), 0o700);
    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
    assert_eq!(contents(home.path()), before);
}

#[test]
fn a_database_that_cannot_be_written_is_called_read_only() {
    let home = filled();
    set_mode(&database(&home), 0o400);
    let refused = without_root(|| Store::open(home.path()).map(drop));
    assert!(
        matches!(&refused, Err(Error::ReadOnly { path }) if path.ends_with("tokenry.db")),
        "{refused:?}"
    );
}

/// Permission bits do not stop root; without this one capability of the thread they do.
fn without_root<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
        let all = capabilities(None).unwrap();
        let mut fewer = all;
        fewer.effective &= !CapabilitySet::DAC_OVERRIDE;
        set_capabilities(None, fewer).unwrap();
        let result = work();
        set_capabilities(None, all).unwrap();
        result
    }
    #[cfg(not(target_os = "linux"))]
    work()
}
