//! A server for users with an access token, and a connection whose tokens it takes.

use crate::accounts::{connected, token};
use crate::process::{Finished, Running, program};
use crate::profile::Profile;
use crate::python;
use crate::sandbox::{self, Sandbox};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server of `tests/support/servers`, and a connection whose tokens it takes.
pub struct TokenServer {
    /// The connection. The ports of its redirect come from the name, so each test has its own.
    pub name: String,
    /// What the server said when it was ready: `address`, and `certificate` where it speaks https.
    pub ready: Value,
    /// The profile with the connection. The server's files are in the folder `server` of its scratch folder.
    pub profile: Profile,
    _sandbox: Sandbox,
    _server: Running,
    _engine: Running,
}

/// Starts a server of `tests/support/servers`, with its files in this folder, and gives what it said when it was ready.
pub fn server(
    script: &str,
    profile: &Profile,
    folder: &Path,
    sandbox: &Sandbox,
    options: &[&str],
) -> (Running, Value) {
    let mut server = python::command("python", profile.env());
    server
        .arg("-B")
        .arg(sandbox::support().join("servers").join(script))
        .arg(folder)
        .arg(sandbox.endpoint("userinfo_endpoint").as_str())
        .args(options);
    let mut server = Running::start(server);
    let ready = serde_json::from_str(&server.line()).unwrap();
    (server, ready)
}

impl TokenServer {
    /// Starts all of it. Nothing is bound.
    pub fn start(script: &str) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("forge-{}-{number}", std::process::id());
        let (sandbox, profile, engine) = connected(&name);
        let folder = profile.scratch().join("server");
        std::fs::create_dir(&folder).unwrap();
        let (server, ready) = server(script, &profile, &folder, &sandbox, &[]);
        Self {
            name,
            ready,
            profile,
            _sandbox: sandbox,
            _server: server,
            _engine: engine,
        }
    }

    /// What the server said of itself under this name.
    pub fn said(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    /// Its host and port.
    pub fn host(&self) -> &str {
        let (_, rest) = self.said("address").split_once("://").unwrap();
        rest.split('/').next().unwrap()
    }

    /// A file of the server.
    pub fn file(&self, name: &str) -> PathBuf {
        self.profile.scratch().join("server").join(name)
    }

    /// Binds the server's address to the connection.
    pub fn bind(&self) {
        let arguments = ["bind", self.said("address"), "--connection", &self.name];
        self.profile.tokenry(&arguments).success();
    }

    /// The connection's token.
    pub fn token(&self) -> String {
        token(&self.profile, &self.name)
    }

    /// The server refuses this token from now on, though the provider takes it; `*` stands for every token.
    pub fn refuse(&self, token: &str) {
        std::fs::write(self.file("refused"), token).unwrap();
    }

    /// A link with this name to `tokenry`, in a folder that is on the path of [`Self::command`].
    pub fn link(&self, name: &str) -> PathBuf {
        let folder = self.profile.scratch().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let link = folder.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(program("tokenry"), &link).unwrap();
        }
        link
    }

    /// A program in the profile's environment, with the links and `tokenry` before everything else on its path.
    pub fn command(&self, name: impl AsRef<OsStr>) -> Command {
        let system = self.profile.env()["PATH"].clone();
        let ours = program("tokenry").parent().unwrap().to_owned();
        let links = [self.profile.scratch().join("bin"), ours];
        let path = links.into_iter().chain(std::env::split_paths(&system));
        let mut command = Command::new(name);
        command
            .env_clear()
            .envs(self.profile.env())
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("TMPDIR", self.profile.scratch())
            .current_dir(self.profile.scratch());
        command
    }

    /// Runs lines of a shell, as a user pastes them.
    pub fn paste(&self, lines: &str) -> Finished {
        let mut command = self.command("sh");
        command.args(["-euc", lines]);
        Running::start(command).wait()
    }

    /// Runs a link, with this on its standard input.
    pub fn run(&self, link: &str, arguments: &[&str], input: &str) -> Finished {
        let mut command = self.command(self.link(link));
        command.args(arguments);
        let mut running = Running::start(command);
        running.write(input);
        running.wait()
    }

    /// How many lines of the activity log say this of the connection.
    pub fn events(&self, kind: &str) -> usize {
        let events = self.profile.tokenry(&["--json", "events", "--limit", "200"]);
        let events = events.success().json().to_string();
        events.matches(&format!("\"kind\":\"{kind}\"")).count()
    }
}
