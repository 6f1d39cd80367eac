//! A fake engine on a real socket, and the real program that talks to it.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub(crate) mod objects;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Method and target.
    pub(crate) what: String,
    /// Of the app that asks.
    pub(crate) app_token: Option<String>,
    pub(crate) body: Value,
}

pub(crate) fn seen(what: &str, body: Value) -> Seen {
    Seen {
        what: what.to_owned(),
        app_token: None,
        body,
    }
}

/// An engine that answers as a test says.
pub(crate) struct Fake {
    pub(crate) home: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
    over: Arc<AtomicBool>,
    /// An engine holds the lock of its profile.
    lock: Option<std::fs::File>,
    thread: Option<JoinHandle<()>>,
}

/// A home that no other user can enter.
pub(crate) fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o700)).unwrap();
    home
}

impl Fake {
    /// Answers each request with what `answer` makes of its method and target.
    pub(crate) fn new(answer: impl Fn(&str) -> (u16, Value) + Send + 'static) -> Self {
        Self::raw(move |what| {
            let (status, body) = answer(what);
            response(status, &body.to_string())
        })
    }

    /// Answers one request, and nothing else exists.
    pub(crate) fn only(what: &'static str, status: u16, body: Value) -> Self {
        Self::new(move |asked| {
            if asked == what {
                (status, body.clone())
            } else {
                not_found(asked)
            }
        })
    }

    /// Answers with these bytes.
    pub(crate) fn raw(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self::in_home(home(), answer)
    }

    pub(crate) fn in_home(
        home: tempfile::TempDir,
        answer: impl Fn(&str) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let listener = UnixListener::bind(home.path().join("engine.sock")).unwrap();
        let mut lock = std::fs::File::options();
        let lock = lock.write(true).create(true).truncate(false);
        let lock = lock.open(home.path().join("tokenry.lock")).unwrap();
        lock.lock().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (log, end) = (seen.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                serve(stream.unwrap(), &log, &answer);
            }
        });
        Self {
            home,
            seen,
            over,
            lock: Some(lock),
            thread: Some(thread),
        }
    }

    /// From now on it is any program that listens.
    pub(crate) fn let_go_of_the_lock(&mut self) {
        self.lock = None;
    }

    /// What was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(self.home.path(), arguments, b"")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        run(self.home.path(), arguments, input)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(self.home.path().join("engine.sock"));
        let ended = self.thread.take().unwrap().join();
        assert!(
            ended.is_ok() || std::thread::panicking(),
            "the fake engine panicked"
        );
    }
}

/// The bytes of a response.
pub(crate) fn response(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Any\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

fn serve(stream: UnixStream, log: &Mutex<Vec<Seen>>, answer: &dyn Fn(&str) -> Vec<u8>) {
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            return; // a probe that sends nothing
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let app_token = head
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: Bearer ").map(str::to_owned));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let what = head
        .lines()
        .next()
        .unwrap()
        .strip_suffix(" HTTP/1.1")
        .unwrap()
        .to_owned();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap()
    };
    let bytes = answer(&what);
    log.lock().unwrap().push(Seen {
        what,
        app_token,
        body,
    });
    let _ = (&stream).write_all(&bytes);
}

pub(crate) fn not_found(what: &str) -> (u16, Value) {
    let message = format!("there is nothing at {what}; `tokenry list` shows what there is");
    (404, error("not_found", &message))
}

pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "request_id": "r-1"}})
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn json_error(&self) -> Value {
        serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, out: &str, err: &str) -> Self {
        assert_eq!((self.out.as_str(), self.err.as_str()), (out, err));
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("a signal ended it"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) fn tokenry() -> PathBuf {
    env!("CARGO_BIN_EXE_tokenry").into()
}

/// Our program in a folder in which this very test is installed as the desktop app: it will be taken for an engine.
pub(crate) fn installed() -> PathBuf {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let this = std::env::current_exe().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(this.file_name().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        for (name, program) in [("tokenry", tokenry()), ("tokenry-desktop", this)] {
            let path = folder.join(name);
            let _ = std::fs::remove_file(&path);
            std::fs::hard_link(program, path).unwrap();
        }
        folder
    });
    folder.join("tokenry")
}

/// The program, which sees nothing of this machine but its home.
pub(crate) fn command(program: &Path, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("TOKENRY_HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .args(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn run(home: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let program = match arguments.first() {
        Some(&"unlock") => installed(),
        _ => tokenry(),
    };
    let mut child = command(&program, home, arguments).spawn().unwrap();
    // A program that does not read has closed the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}
