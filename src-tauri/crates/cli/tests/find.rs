//! The engine is found wherever it listens, and one that cannot be reached is named.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use support::objects::*;
use support::{Fake, Run};

/// A user's home with a profile in it, beside a fake engine that listens elsewhere.
struct User {
    home: tempfile::TempDir,
}

impl User {
    fn new() -> Self {
        let home = support::home();
        fs::create_dir_all(home.path().join(".local/share/io.github.tokenry")).unwrap();
        Self { home }
    }

    fn lock_file(&self) -> PathBuf {
        self.home
            .path()
            .join(".local/share/io.github.tokenry/tokenry.lock")
    }

    fn told(&self, pid: u32, socket: &Path) {
        fs::write(self.lock_file(), format!("{pid}\n{}\n", socket.display())).unwrap();
    }

    fn run(&self, runtime: Option<&Path>, arguments: &[&str]) -> Run {
        let mut command = support::command(&support::tokenry(), self.home.path(), arguments);
        command.env_remove("TOKENRY_HOME").env("HOME", self.home.path());
        if let Some(runtime) = runtime {
            command.env("XDG_RUNTIME_DIR", runtime);
        }
        command.output().unwrap().into()
    }
}

fn engine() -> Fake {
    Fake::new(|what| match what {
        "GET /v1/status" => (200, status("unlocked", &["keyring"])),
        "POST /v1/lock" => (200, json!({"success": true})),
        _ => (200, json!([])),
    })
}

/// A program that has the name of an engine and listens nowhere.
fn mute(folder: &Path) -> Child {
    let program = folder.join("tokenry-mute");
    fs::copy("/bin/sleep", &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let mut child = Command::new(program)
        .arg("60")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    while !fs::read_to_string(&comm).unwrap().starts_with("tokenry") {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child
}

#[test]
fn the_lock_file_leads_to_an_engine_that_another_environment_started() {
    let (user, fake, other) = (User::new(), engine(), support::home());
    let socket = fake.home.path().join("engine.sock");
    user.told(std::process::id(), &socket);
    for runtime in [None, Some(other.path()), Some(Path::new("/nonexistent/runtime"))] {
        user.run(runtime, &["list", "--json"]).ends(0).says("[]\n", "");
        let shown = user.run(runtime, &["status"]).ends(0).out;
        assert!(shown.contains(&socket.display().to_string()), "{shown}");
        user.run(runtime, &["lock", "--json"]).ends(0);
    }
}

/// security.md, "Local interfaces": both sides check the user of the other, wherever the lock file leads.
#[test]
fn the_lock_file_leads_into_no_folder_that_others_can_write_to() {
    let (user, fake) = (User::new(), engine());
    fs::set_permissions(fake.home.path(), fs::Permissions::from_mode(0o777)).unwrap();
    user.told(std::process::id(), &fake.home.path().join("engine.sock"));
    user.run(None, &["status"]).ends(3);
    assert!(fake.seen().is_empty());
}

#[test]
fn an_engine_that_runs_and_listens_nowhere_is_named_with_what_ends_it() {
    let (user, scratch) = (User::new(), support::home());
    let mut child = mute(scratch.path());
    let pid = child.id();
    user.told(pid, Path::new("/nonexistent/engine.sock"));
    for command in ["status", "lock"] {
        let run = user.run(None, &[command]).ends(3);
        for part in [
            &format!("process {pid}"),
            "/nonexistent/engine.sock",
            &format!("`kill {pid}`"),
        ] {
            assert!(run.err.contains(part), "{part}: {run:?}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let run = user.run(None, &["status"]).ends(3);
    assert!(run.err.contains("o engine is running"), "{run:?}");
    user.run(None, &["lock"]).ends(0);
}

#[test]
fn the_number_of_a_process_that_is_no_engine_is_not_taken_for_one() {
    let user = User::new();
    for told in ["1\n", "", "x\n", "4294967295\n/nonexistent/engine.sock\n"] {
        fs::write(user.lock_file(), told).unwrap();
        let run = user.run(None, &["status"]).ends(3);
        assert!(run.err.contains("o engine is running"), "{told:?}: {run:?}");
    }
}
