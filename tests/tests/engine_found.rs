//! Commands of another environment, like a cron job or a new session, find the engine of their profile.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, stop};
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::profile::Profile;

/// A profile whose socket is in a session's folder.
struct Session {
    profile: Profile,
    runtime: PathBuf,
}

impl Session {
    fn new() -> Self {
        let mut profile = Profile::headless();
        let runtime = profile.scratch().join("run");
        fs::create_dir(&runtime).unwrap();
        profile.set("XDG_RUNTIME_DIR", runtime.clone());
        Self { profile, runtime }
    }

    fn command(&self, name: &str, arguments: &[&str], runtime: Option<&Path>) -> Command {
        let mut command = self.profile.command(name, arguments);
        command.env_remove("TOKENRY_HOME").env_remove("XDG_RUNTIME_DIR");
        if let Some(runtime) = runtime {
            command.env("XDG_RUNTIME_DIR", runtime);
        }
        command
    }

    fn serve(&self) -> Running {
        let arguments = [
            "--vault",
            "passphrase",
            "--passphrase-fd",
            "0",
            "--approve",
            "all",
        ];
        let mut engine = Running::start(self.command("tokenry-serve", &arguments, Some(&self.runtime)));
        engine.write(&format!("{PASSPHRASE}\n"));
        engine.close_stdin();
        assert!(engine.line().starts_with("ready "));
        engine
    }

    #[track_caller]
    fn finds(&self, engine: &Running, runtime: Option<&Path>) {
        let status = Running::start(self.command("tokenry", &["status", "--json"], runtime)).wait();
        assert_eq!(status.success().json()["pid"], engine.id());
        let list = Running::start(self.command("tokenry", &["list", "--json"], runtime)).wait();
        assert_eq!(list.success().json(), json!([]));
    }
}

#[test]
fn the_engine_is_found_after_a_cleaner_a_logout_and_from_a_cron_job() {
    let session = Session::new();
    let engine = session.serve();
    let here = Some(session.runtime.as_path());
    session.finds(&engine, here);
    session.finds(&engine, None);
    let other = session.profile.scratch().join("other");
    fs::create_dir(&other).unwrap();
    session.finds(&engine, Some(&other));

    let folder = session.runtime.join("io.github.tokenry");
    fs::remove_file(folder.join("engine.sock")).unwrap();
    session.finds(&engine, here);
    fs::remove_dir_all(&folder).unwrap();
    session.finds(&engine, here);
    fs::remove_dir_all(&session.runtime).unwrap();
    session.finds(&engine, here);
    session.finds(&engine, None);
    fs::create_dir(&session.runtime).unwrap();
    session.finds(&engine, here);
    wait_for("the socket in the new session", || {
        folder.join("engine.sock").exists().then_some(())
    });
    session.finds(&engine, here);
    assert_eq!(stop(engine).code, 0);
    assert!(!folder.join("engine.sock").exists());
}

#[test]
fn a_second_engine_from_another_environment_names_the_first() {
    let session = Session::new();
    let engine = session.serve();
    let second = Running::start(session.command("tokenry", &["serve"], None)).wait();
    assert_eq!(second.code, 16, "{second:?}");
    assert!(second.stderr.contains(&engine.id().to_string()), "{second:?}");
}
