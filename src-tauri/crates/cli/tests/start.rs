//! Starting an engine, becoming one, and leaving it alone.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use support::objects::*;
use support::{Fake, Run};

/// One at a time: a program that is just being written cannot be executed, nor while any child still holds the file.
static TURN: Mutex<()> = Mutex::new(());

/// A folder that holds our program and a `tokenry-serve` that is this shell script.
struct Installed {
    folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Installed {
    fn new(serve: Option<&str>) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // Where a file of the build can have a second name.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::hard_link(support::tokenry(), folder.path().join("tokenry")).unwrap();
        // The engine that appears in a test is the test itself.
        let this = std::env::current_exe().unwrap();
        std::fs::hard_link(this, folder.path().join("tokenry-desktop")).unwrap();
        if let Some(script) = serve {
            let path = folder.path().join("tokenry-serve");
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        }
        Self { folder, _turn: turn }
    }

    fn spawn(&self, home: &Path, arguments: &[&str]) -> Child {
        support::command(&self.folder.path().join("tokenry"), home, arguments)
            .spawn()
            .unwrap()
    }

    fn run(&self, home: &Path, arguments: &[&str]) -> Run {
        self.spawn(home, arguments).wait_with_output().unwrap().into()
    }
}

/// Writes down how it was called, and stays until its home is gone.
const ENGINE: &str = "echo \"$*\" > \"$TOKENRY_HOME/new\"; pwd >> \"$TOKENRY_HOME/new\"\n\
                      mv \"$TOKENRY_HOME/new\" \"$TOKENRY_HOME/called\"\n\
                      while [ -d \"$TOKENRY_HOME\" ]; do sleep 0.02; done";
const FAILS: &str = "echo 'noise' >&2; echo \"$*\" > \"$TOKENRY_HOME/called\"\n\
                     echo 'error: the vault is locked; unlock it with `tokenry unlock`' >&2; exit 20";

fn called(home: &Path) -> Option<String> {
    std::fs::read_to_string(home.join("called")).ok()
}

/// Waits until the engine was started, and then is one.
fn appear(home: tempfile::TempDir, answer: fn(&str) -> (u16, Value)) -> Fake {
    let deadline = Instant::now() + Duration::from_secs(20);
    while called(home.path()).is_none() {
        assert!(Instant::now() < deadline, "no engine was started");
        std::thread::sleep(Duration::from_millis(5));
    }
    Fake::in_home(home, move |what| {
        let (status, body) = answer(what);
        support::response(status, &body.to_string())
    })
}

#[test]
fn a_command_that_needs_an_engine_starts_one_that_asks_nothing_and_waits_for_it() {
    let (installed, home) = (Installed::new(Some(ENGINE)), support::home());
    let child = installed.spawn(home.path(), &["token", "github"]);
    let fake = appear(home, |_| (200, token()));
    Run::from(child.wait_with_output().unwrap())
        .ends(0)
        .says("gho_abc\n", "");
    assert_eq!(
        called(fake.home.path()).unwrap(),
        "--background --approve never\n/\n"
    );
    let log = std::fs::metadata(fake.home.path().join("engine.log")).unwrap();
    assert_eq!(log.permissions().mode() & 0o777, 0o600);
}

/// security.md, "At rest": no file of the profile is opened through a link.
#[test]
fn a_log_that_is_a_link_is_not_followed_and_what_it_leads_to_stays_whole() {
    let (installed, home) = (Installed::new(Some(ENGINE)), support::home());
    let target = home.path().join("precious");
    std::fs::write(&target, vec![b'x'; 4 << 20]).unwrap();
    std::os::unix::fs::symlink(&target, home.path().join("engine.log")).unwrap();
    let run = installed.run(home.path(), &["token", "github"]).ends(3);
    assert!(
        run.err.contains("cannot write") && run.err.contains("engine.log"),
        "{run:?}"
    );
    assert_eq!(std::fs::metadata(&target).unwrap().len(), 4 << 20);
}

#[test]
fn an_engine_that_cannot_start_says_why_in_its_own_words() {
    let (installed, home) = (Installed::new(Some(FAILS)), support::home());
    for _ in 0..2 {
        let run = installed.run(home.path(), &["list"]).ends(3);
        assert_eq!(run.err.lines().count(), 2, "{run:?}");
        assert!(
            run.err
                .contains("could be started: the vault is locked; unlock it"),
            "{run:?}"
        );
        assert!(!run.err.contains("noise"), "{run:?}");
    }
    let run = installed.run(home.path(), &["list", "--json"]).ends(3);
    assert_eq!(run.json_error()["error"]["code"], "no_engine");
}

#[test]
fn one_that_lost_the_race_gives_way_to_the_one_that_won() {
    let (installed, home) = (
        Installed::new(Some("echo x > \"$TOKENRY_HOME/called\"; exit 16")),
        support::home(),
    );
    let child = installed.spawn(home.path(), &["list", "--json"]);
    let fake = appear(home, |_| (200, json!([])));
    Run::from(child.wait_with_output().unwrap())
        .ends(0)
        .says("[]\n", "");
    drop(fake);
}

#[test]
fn status_and_lock_start_nothing() {
    let (installed, home) = (Installed::new(Some(FAILS)), support::home());
    let run = installed.run(home.path(), &["status"]).ends(3);
    assert!(run.err.contains("`tokenry unlock`"), "{run:?}");
    installed.run(home.path(), &["status", "github"]).ends(3);
    let run = installed.run(home.path(), &["lock"]).ends(0);
    assert!(run.err.contains("o engine is running"), "{run:?}");
    assert_eq!(called(home.path()), None);
}

#[test]
fn unlock_starts_an_engine_that_may_be_locked_and_opens_it() {
    for (arguments, how, body) in [
        (
            &["unlock"][..],
            "--background --stay-locked --approve never\n/\n",
            json!({"create": true}),
        ),
        (
            &["unlock", "--passphrase-fd", "0"],
            "--background --stay-locked --vault passphrase --approve never\n/\n",
            json!({"create": true, "passphrase": "pw"}),
        ),
    ] {
        let (installed, home) = (Installed::new(Some(ENGINE)), support::home());
        let mut child = installed.spawn(home.path(), arguments);
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"pw\n").unwrap();
        let fake = appear(home, |what| match what {
            "GET /v1/status" => (200, status("absent", &[])),
            _ => (200, json!({"success": true})),
        });
        Run::from(child.wait_with_output().unwrap())
            .ends(0)
            .says(
                "",
                "The vault is unlocked.\nIt has no recovery code yet. `tokenry recovery new` creates one, for the day \
                 when the keyring or the passphrase is lost.\n",
            );
        assert_eq!(called(fake.home.path()).unwrap(), how);
        assert_eq!(fake.seen().pop().unwrap(), support::seen("POST /v1/unlock", body));
    }
}

#[test]
fn serve_becomes_the_engine_and_passes_every_argument_on() {
    let script = "for word; do echo \"<$word>\"; done; cat; exit 17";
    for arguments in [
        &["--loopback", "--vault", "passphrase", "--passphrase-fd=0"][..],
        &["--help"],
        &["-h"],
        &["--version"],
        &["--loopback", "--json"],
        &["--passphrase", "x"],
        &["a word", "--", "-x"],
        &[],
    ] {
        let (installed, home) = (Installed::new(Some(script)), support::home());
        let mut child = installed.spawn(home.path(), &[&["serve"][..], arguments].concat());
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"pw\n").unwrap();
        let run = Run::from(child.wait_with_output().unwrap()).ends(17);
        let passed: String = arguments.iter().map(|word| format!("<{word}>\n")).collect();
        assert_eq!(run.out, format!("{passed}pw\n"));
    }
}

#[test]
fn help_names_the_program_that_has_the_options_of_serve() {
    let (installed, home) = (Installed::new(None), support::home());
    let run = installed.run(home.path(), &["help", "serve"]).ends(0);
    assert!(run.out.contains("options are those of tokenry-serve"), "{run:?}");
}

#[test]
fn without_an_engine_to_start_the_error_says_what_is_missing() {
    let (installed, home) = (Installed::new(None), support::home());
    for arguments in [["list"].as_slice(), &["serve"], &["unlock"]] {
        let run = installed.run(home.path(), arguments).ends(3);
        assert!(run.err.contains("`tokenry-serve`"), "{run:?}");
    }
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "nothing is made for nothing"
    );
}

#[test]
fn a_home_that_is_not_whole_means_the_same_for_the_engine() {
    let (installed, home) = (Installed::new(Some(ENGINE)), support::home());
    let (parent, name) = (home.path().parent().unwrap(), home.path().file_name().unwrap());
    let program = installed.folder.path().join("tokenry");
    let child = support::command(&program, Path::new(name), &["list", "--json"])
        .current_dir(parent)
        .spawn()
        .unwrap();
    let _fake = appear(home, |_| (200, json!([])));
    Run::from(child.wait_with_output().unwrap()).ends(0);
}

#[test]
fn a_home_that_cannot_be_is_an_error_that_names_it() {
    let installed = Installed::new(Some(FAILS));
    let run = installed.run(Path::new("/dev/null/home"), &["list"]).ends(3);
    assert!(
        run.err.contains("/dev/null/home/engine.log") && run.err.contains("TOKENRY_HOME"),
        "{run:?}"
    );
    let long = PathBuf::from("/tmp").join("x".repeat(120));
    let run = installed.run(&long, &["list"]).ends(10);
    assert!(
        run.err.contains("TOKENRY_HOME") && run.err.contains("137"),
        "{run:?}"
    );
}
