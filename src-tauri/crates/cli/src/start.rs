//! Starts `tokenry-serve`, the engine without a window, which is in the folder of this program.

use crate::failure::Failure;
use crate::find::{self, Found};
use crate::output::write_err;
use crate::{engine, waiting};
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokenry_contract::{EngineStatus, ErrorCode, profile, sanitize_for_display};

const PROGRAM: &str = "tokenry-serve";
/// The engine responds within this time.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// While the OS keyring prompts its user: longer than the engine waits for it.
const KEYRING_TIMEOUT: Duration = Duration::from_secs(90);
/// A larger log is truncated.
const MAX_LOG_BYTES: u64 = 1024 * 1024;
/// This much of the end of the log is searched for the reason of a failure.
const MAX_REASON_BYTES: u64 = 4096;

/// `tokenry-serve` in the folder of this program.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()
        .ok()
        .map(|ours| ours.with_file_name(PROGRAM));
    beside.filter(|path| path.is_file()).ok_or_else(|| {
        Failure::no_engine(
            format!("Cannot start an engine: `{PROGRAM}` is not in the folder of this program."),
            "Install both in the same folder, or open the Tokenry window.",
        )
    })
}

/// What the command knows about the vault before it starts an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vault {
    /// The vault must open without a prompt; otherwise no engine is started.
    OpensByItself,
    /// The engine may run with a locked vault: the command unlocks it next, or needs none.
    MayBeLocked,
    /// The same, with a passphrase.
    OpenedByPassphrase,
}

impl Vault {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::OpensByItself => &["--background"],
            Self::MayBeLocked => &["--background", "--stay-locked"],
            Self::OpenedByPassphrase => &["--background", "--stay-locked", "--vault", "passphrase"],
        }
    }
}

/// Starts an engine that outlives this program, and waits until it responds.
pub(crate) fn in_background(socket: &Path, vault: Vault) -> Result<Found, Failure> {
    if tokenry_contract::profile::forwarded_socket().is_some() {
        return Err(find::absent(socket));
    }
    let program = program()?;
    let mut log = Log::open()?;
    let mut command = Command::new(program);
    command.args(vault.arguments()).process_group(0).current_dir("/");
    // The approval code has to reach the user, which needs a terminal.
    let person = io::stderr().is_terminal();
    match std::env::var("TOKENRY_APPROVE") {
        Ok(word) if !word.is_empty() => drop(command.args(["--approve", &word])),
        _ if !person => drop(command.args(["--approve", "never"])),
        _ => {}
    }
    command
        .stdin(Stdio::null())
        .stdout(if person { Stdio::piped() } else { Stdio::null() })
        .stderr(log.writer()?);
    if std::env::var_os("TOKENRY_HOME").is_some_and(|home| !home.is_empty()) {
        // It starts in another folder, where a relative path would mean another place.
        command.env("TOKENRY_HOME", log.folder.as_os_str());
    }
    let mut child = command.spawn().map_err(|error| not_started(&error.to_string()))?;
    let found = wait(&mut child, socket, &mut log)?;
    if let Some(said) = child.stdout.take() {
        tell_code(said);
    }
    Ok(found)
}

/// Shows the engine's code for `tokenry approve`. The engine prints it before it is ready, if there is one.
fn tell_code(said: ChildStdout) {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(said).lines().map_while(Result::ok);
        let code = lines
            .take_while(|line| !line.starts_with("ready "))
            .find_map(|line| line.strip_prefix("approval ").map(str::to_owned));
        let _ = tell.send(code);
    });
    if let Ok(Some(code)) = told.recv_timeout(START_TIMEOUT) {
        write_err(&format!(
            "Started an engine without a window. It asks before it gives out secrets: answer with `tokenry approve \
             --wait` in another terminal. The approval code is {code}.\n"
        ));
    }
}

/// Waits until the engine responds and no longer waits for the keyring.
fn wait(child: &mut Child, socket: &Path, log: &mut Log) -> Result<Found, Failure> {
    let mut deadline = Instant::now() + START_TIMEOUT;
    let mut pause = Duration::from_millis(1);
    let mut said = false;
    loop {
        let ended = child.try_wait().ok().flatten();
        if find::engine(socket)?.is_some() {
            let status: Option<EngineStatus> = engine::probe(socket, &["v1", "status"]);
            match status.as_ref().and_then(waiting::for_keyring) {
                Some(words) if !said => {
                    write_err(&(sanitize_for_display(&words) + "\n"));
                    said = true;
                    deadline = Instant::now() + KEYRING_TIMEOUT;
                }
                Some(_) => {}
                None => {
                    if let Some(found) = find::engine(socket)? {
                        return Ok(found);
                    }
                }
            }
        }
        if let Some(status) = ended.filter(|status| !lost_the_race(*status)) {
            return Err(gave_up(status, &log.reason()));
        }
        if Instant::now() > deadline {
            return Err(no_answer(socket));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn no_answer(socket: &Path) -> Failure {
    match find::running() {
        Some(holder) => find::out_of_reach(&holder, socket),
        None => Failure::no_engine(
            format!(
                "An engine was started but does not respond at {}.",
                socket.display()
            ),
            "Try again, or run `tokenry serve` to see its messages.",
        ),
    }
}

/// Another engine was started at the same moment and holds the profile: it will respond soon.
fn lost_the_race(status: ExitStatus) -> bool {
    status.code() == Some(ErrorCode::Conflict.exit_code().into())
}

/// The engine's own message, which says what to do. `tokenry unlock` helps only with a locked vault.
fn gave_up(status: ExitStatus, reason: &str) -> Failure {
    let shut = [ErrorCode::VaultLocked, ErrorCode::OauthUnavailable];
    let is_shut = shut
        .iter()
        .any(|code| status.code() == Some(code.exit_code().into()));
    if is_shut {
        not_started(reason).with_next("Run `tokenry unlock` in a terminal, or open the Tokenry window.")
    } else {
        not_started(reason)
    }
}

fn not_started(reason: &str) -> Failure {
    let next = "Fix this and try again. `tokenry serve` shows the engine's messages.";
    match reason.trim_start_matches("error:").trim() {
        "" => Failure::no_engine("No engine is running, and none could be started.", next),
        what => Failure::no_engine(
            format!("No engine is running, and none could be started: {what}"),
            next,
        ),
    }
}

/// `engine.log` in the profile: the messages of an engine in the background.
struct Log {
    folder: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    fn open() -> Result<Self, Failure> {
        let folder = profile::folder().map_err(|error| not_started(&error.to_string()))?;
        let failed = |error: std::io::Error| {
            let file = folder.join("engine.log");
            Failure::no_engine(
                format!(
                    "No engine is running, and none could be started: cannot write {}: {error}.",
                    file.display()
                ),
                "Check the folder, or set TOKENRY_HOME to another one.",
            )
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed)?;
        let mut options = OpenOptions::new();
        // Never through a link, which could lead to any file of the user: a long log is truncated. And without waiting
        // for the other end of a pipe.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed());
        let mut file = options.open(folder.join("engine.log")).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() || found.uid() != rustix::process::geteuid().as_raw() {
            return Err(failed(std::io::Error::other(
                "it is not a regular file of your own",
            )));
        }
        if file.seek(SeekFrom::End(0)).map_err(failed)? > MAX_LOG_BYTES {
            file.set_len(0).map_err(failed)?;
        }
        let start = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self { folder, file, start })
    }

    fn writer(&self) -> Result<Stdio, Failure> {
        self.file
            .try_clone()
            .map(Stdio::from)
            .map_err(|error| not_started(&error.to_string()))
    }

    /// The last error in the log, with its next step.
    fn reason(&mut self) -> String {
        let mut text = Vec::new();
        let end = self.file.seek(SeekFrom::End(0)).unwrap_or(self.start);
        let from = self.start.max(end.saturating_sub(MAX_REASON_BYTES));
        let read = self.file.seek(SeekFrom::Start(from)).is_ok()
            && (&mut self.file)
                .take(MAX_REASON_BYTES)
                .read_to_end(&mut text)
                .is_ok();
        let text = String::from_utf8_lossy(&text);
        let at = text
            .rfind("error:")
            .or_else(|| text.trim_end().rfind('\n'))
            .unwrap_or(0);
        if read {
            text[at..].trim().to_owned()
        } else {
            String::new()
        }
    }
}

/// Replaces this process by `tokenry-serve` with these arguments. Returns only when that fails.
pub(crate) fn in_foreground(arguments: &[OsString]) -> Failure {
    match program() {
        Ok(program) => not_started(&Command::new(program).args(arguments).exec().to_string()),
        Err(failure) => failure,
    }
}
