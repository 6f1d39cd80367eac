//! The program with a profile of its own.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokenry_testkit::http::{Connection, Request, Response};

/// A user who is not root, whatever it is called here.
pub(crate) const OTHER_USER: u32 = 65_534;
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A profile that goes away, with no keyring within reach.
pub(crate) struct Profile(pub(crate) TempDir);

impl Profile {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("p")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.home().join("engine.sock")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenry-serve"));
        command
            .args(arguments)
            .env("TOKENRY_HOME", self.home())
            .env("HOME", self.0.path())
            .env_remove("XDG_STATE_HOME")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = self.command(arguments).spawn().unwrap();
        // A program that ends without reading closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Starts it with a passphrase and waits until it is ready.
    pub(crate) fn serve(&self) -> Serving {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, more: &[&str]) -> Serving {
        let arguments = [&["--vault", "passphrase", "--passphrase-fd", "0"], more].concat();
        let mut child = self.command(&arguments).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{PASSPHRASE}\n").as_bytes())
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, format!("ready {}\n", self.socket().display()));
        Serving(child, out)
    }
}

pub(crate) struct Serving(pub(crate) Child, pub(crate) BufReader<std::process::ChildStdout>);

impl Serving {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits for its end: exit code, the rest of standard output, standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        let (mut out, mut err) = (String::new(), String::new());
        self.1.read_to_string(&mut out).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.0.wait().unwrap().code(), out, err)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The response of the engine at this socket.
pub(crate) fn ask(socket: &Path, method: &str, path: &str) -> Response {
    let request = Request::new(method, path).close();
    Connection::unix(socket).unwrap().ask(&request).unwrap()
}
