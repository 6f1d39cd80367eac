//! A profile of its own (`TOKENRY_HOME`) with the real programs on it.

use crate::desktop_session::DesktopSession;
use crate::folder::Folder;
use crate::process::{Finished, Running, program};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// A Unix socket's address holds this many bytes, the closing zero included.
const SOCKET_PATH_LIMIT: usize = 108;

/// A folder for `TOKENRY_HOME`, and the environment of the programs that use it.
pub struct Profile {
    folder: Folder,
    env: BTreeMap<String, OsString>,
}

impl Profile {
    /// A profile without a desktop: no keyring, no display, no session bus.
    pub fn headless() -> Self {
        let folder = Folder::new();
        let mut env = BTreeMap::new();
        for name in ["PATH", "LANG", "LLVM_PROFILE_FILE", "RUST_BACKTRACE"] {
            env.extend(std::env::var_os(name).map(|value| (name.to_owned(), value)));
        }
        let home = folder.path().join("user");
        std::fs::create_dir(&home).unwrap();
        env.insert("HOME".to_owned(), home.into());
        Self::in_environment(folder, env)
    }

    /// A profile of a person who works in this session.
    pub fn in_session(session: &DesktopSession) -> Self {
        Self::in_session_below(session, &std::env::temp_dir())
    }

    /// The same, in a folder below this one.
    pub fn in_session_below(session: &DesktopSession, folder: &Path) -> Self {
        let folder = Folder::below(folder);
        Self::in_environment(folder, session.env().clone())
    }

    fn in_environment(folder: Folder, mut env: BTreeMap<String, OsString>) -> Self {
        let home = folder.path().join("p");
        // The longest name below it that is a socket's must fit; ours are short.
        assert!(
            home.as_os_str().len() + 40 < SOCKET_PATH_LIMIT,
            "TMPDIR is too long: {}",
            home.display()
        );
        env.insert("TOKENRY_HOME".to_owned(), home.into());
        Self { folder, env }
    }

    /// `TOKENRY_HOME`. Our programs make the folder itself.
    pub fn home(&self) -> &Path {
        Path::new(&self.env["TOKENRY_HOME"])
    }

    /// A folder beside the profile for a test's own files.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// The environment its programs run in.
    pub fn env(&self) -> &BTreeMap<String, OsString> {
        &self.env
    }

    /// Sets a variable for the programs started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.insert(name.to_owned(), value.into());
    }

    /// One of our programs on this profile, with nothing of the environment of the test run.
    pub fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program(name));
        command
            .env_clear()
            .envs(&self.env)
            .current_dir(self.folder.path())
            .args(arguments);
        command
    }

    /// Runs `tokenry` with nothing on its standard input.
    pub fn tokenry(&self, arguments: &[&str]) -> Finished {
        self.tokenry_with(arguments, "")
    }

    /// Runs `tokenry` with this on its standard input.
    pub fn tokenry_with(&self, arguments: &[&str], stdin: &str) -> Finished {
        let mut running = Running::start(self.command("tokenry", arguments));
        running.write(stdin);
        running.wait()
    }

    /// Starts `tokenry` and leaves it running: a `connect` waits for its browser.
    pub fn tokenry_running(&self, arguments: &[&str]) -> Running {
        Running::start(self.command("tokenry", arguments))
    }

    /// Starts `tokenry-serve` with the OS keyring and waits for the line that says that it is ready. It needs no
    /// consent.
    pub fn serve(&self) -> Running {
        self.serve_with(&["--vault", "keyring", "--approve", "all"], "")
    }

    /// Starts `tokenry-serve` with a passphrase on its standard input. It needs no consent.
    pub fn serve_with_passphrase(&self, passphrase: &str) -> Running {
        self.serve_with(
            &[
                "--vault",
                "passphrase",
                "--passphrase-fd",
                "0",
                "--approve",
                "all",
            ],
            &format!("{passphrase}\n"),
        )
    }

    /// Starts `tokenry-serve` with these arguments and waits for the line that says that it is ready.
    pub fn serve_with(&self, arguments: &[&str], stdin: &str) -> Running {
        let mut engine = Running::start(self.command("tokenry-serve", arguments));
        engine.write(stdin);
        engine.close_stdin();
        engine.line();
        engine
    }
}
