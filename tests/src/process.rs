//! Programs that are started by a test, and end with it.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything may take that should be a moment's work: only a broken program takes that long.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// What a finished program left.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit code; 128 and more for a signal, as shells count.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Itself, when the exit code is 0.
    ///
    /// # Panics
    /// When it is not; both streams are shown.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }
}

/// A running program with a process group of its own, which is killed when this is dropped.
pub struct Running {
    child: Child,
    name: String,
    lines: Receiver<String>,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts a program with all three streams in the test's hands.
    pub fn start(mut command: Command) -> Self {
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        let (sender, lines) = channel();
        let (stdout, stderr) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<String>>::default());
        let out = reader(child.stdout.take().unwrap(), stdout.clone(), move |line| {
            drop(sender.send(line))
        });
        let err = reader(child.stderr.take().unwrap(), stderr.clone(), drop);
        Self {
            child,
            name,
            lines,
            stdout,
            stderr,
            readers: vec![out, err],
        }
    }

    /// Its process id, which is its process group's too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input and leaves it open.
    pub fn write(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("standard input is open");
        // A program that ended without reading says so with its exit code.
        let _ = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// The next line of its standard output; waits for it.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(TIMEOUT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("{} says nothing; {}", self.name, self.words()),
            Err(RecvTimeoutError::Disconnected) => panic!("{} ended; {}", self.name, self.words()),
        }
    }

    /// The next line of its standard output, if it comes within `timeout`.
    pub fn line_within(&mut self, timeout: Duration) -> Option<String> {
        self.lines.recv_timeout(timeout).ok()
    }

    /// Everything it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Whether it has ended, and how.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end; its standard input is closed first.
    ///
    /// # Panics
    /// When it does not end within [`TIMEOUT`].
    #[track_caller]
    pub fn wait(self) -> Finished {
        self.wait_within(TIMEOUT)
    }

    /// The same for what takes longer by its nature.
    ///
    /// # Panics
    /// When it does not end within `timeout`.
    #[track_caller]
    pub fn wait_within(mut self, timeout: Duration) -> Finished {
        self.close_stdin();
        let end = Instant::now() + timeout;
        let status = loop {
            match self.try_wait() {
                Some(status) => break status,
                None if Instant::now() > end => panic!("{} does not end; {}", self.name, self.words()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        use std::os::unix::process::ExitStatusExt;
        let code = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let stdout = self.stdout.lock().unwrap().clone();
        Finished {
            code,
            stdout,
            stderr: self.stderr(),
        }
    }

    /// Sends a signal to the program alone, not to its group.
    pub fn signal(&self, signal: Signal) {
        let _ = rustix::process::kill_process(pid(&self.child), signal);
    }

    /// What Ctrl-C in its terminal does: the signal goes to the program and to everything it started.
    pub fn interrupt_group(&self) {
        let _ = kill_process_group(pid(&self.child), Signal::INT);
    }

    /// `kill -9` to the program and everything it started, and the wait for its end.
    pub fn kill(&mut self) {
        if !self.readers.is_empty() {
            // An error means that nothing is left of the group.
            let _ = kill_process_group(pid(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }

    fn words(&self) -> String {
        format!(
            "stdout: {}\nstderr: {}",
            self.stdout.lock().unwrap(),
            self.stderr()
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Collects a stream as text, and tells its lines one by one.
fn reader(
    stream: impl Read + Send + 'static,
    whole: Arc<Mutex<String>>,
    tell: impl Fn(String) + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            whole.lock().unwrap().push_str(&text);
            tell(text.trim_end_matches('\n').to_owned());
            line.clear();
        }
    })
}

/// Tries again and again until `ready` has something to give.
///
/// # Panics
/// When that takes longer than [`TIMEOUT`].
#[track_caller]
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + TIMEOUT;
    loop {
        match ready() {
            Some(found) => return found,
            None if Instant::now() > end => panic!("{what} did not happen within {TIMEOUT:?}"),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The path of one of our programs: in `TOKENRY_BIN_DIR`, else beside the folder this test was built into.
///
/// # Panics
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let folder = match std::env::var_os("TOKENRY_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        // target/debug/deps/test-hash, or target/debug/program
        None => {
            let own = std::env::current_exe().unwrap();
            let folder = own.parent().unwrap();
            let deps = folder.file_name().is_some_and(|name| name == "deps");
            if deps { folder.parent().unwrap() } else { folder }.to_owned()
        }
    };
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{name} is not in {}: build it first, or set TOKENRY_BIN_DIR",
        folder.display()
    );
    path
}
