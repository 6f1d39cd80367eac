//! The Sandbox in a profile: added to it, or pointed at the port that it has today.

use crate::programs::Profile;
use crate::repo;
use crate::sandbox::PROVIDER;
use crate::sh::{self, Result};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// An engine is ready within this time. A keyring that prompts takes longer; then the window waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Exit codes of `tokenry`, as in the README.
const NO_ENGINE: i32 = 3;
const CONSENT_DENIED: i32 = 13;
const NOT_FOUND: i32 = 15;
const VAULT_LOCKED: i32 = 20;
const OAUTH_UNAVAILABLE: i32 = 25;

/// The outcome of a registration.
pub(crate) enum Outcome {
    Done,
    /// There is no engine, or its vault is locked.
    NotYet,
    /// The user denied it.
    Denied,
    /// With the message of `tokenry`.
    Failed(String),
}

/// Registers the Sandbox with an engine that needs no consent, and has ended when this returns.
///
/// # Errors
/// When a program is missing.
pub(crate) fn unasked(profile: &Path, provider: &Value) -> Result<Outcome> {
    match Engine::start(profile)? {
        Some(_engine) => register(profile, provider),
        None => Ok(Outcome::NotYet),
    }
}

/// Registers the Sandbox with the running engine, which asks for consent.
///
/// # Errors
/// When a program is missing.
pub(crate) fn asked(profile: &Path, provider: &Value) -> Result<Outcome> {
    // Only this command and `lock` never start an engine.
    let status = tokenry(profile, &["status"], "")?;
    if status.status.success() {
        register(profile, provider)
    } else {
        Ok(judged(&status))
    }
}

/// The command line's program.
pub(crate) fn program() -> PathBuf {
    repo::program(Profile::Dev.folder(), "tokenry")
}

fn register(profile: &Path, provider: &Value) -> Result<Outcome> {
    let known = tokenry(profile, &["provider", "show", PROVIDER], "")?;
    let verb: &[&str] = match known.status.code() {
        Some(0) => &["provider", "edit", PROVIDER],
        Some(NOT_FOUND) => &["provider", "add"],
        _ => return Ok(judged(&known)),
    };
    let args = [verb, &["--from", "-"]].concat();
    Ok(judged(&tokenry(profile, &args, &provider.to_string())?))
}

fn judged(output: &Output) -> Outcome {
    match output.status.code() {
        Some(0) => Outcome::Done,
        Some(NO_ENGINE | VAULT_LOCKED | OAUTH_UNAVAILABLE) => Outcome::NotYet,
        Some(CONSENT_DENIED) => Outcome::Denied,
        _ => Outcome::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

fn tokenry(profile: &Path, args: &[&str], stdin: &str) -> Result<Output> {
    let run = || {
        let mut child = sh::command(program(), args)
            .env(repo::HOME, profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // An engine that has ended says why.
            let _ = input.write_all(stdin.as_bytes());
        }
        child.wait_with_output()
    };
    run().map_err(|e| format!("`tokenry` could not be run: {e}."))
}

/// An engine without a window that allows everything. It ends when this is dropped, and at Ctrl-C.
struct Engine(Child);

impl Engine {
    /// Returns `None` when its vault does not open without a prompt.
    fn start(profile: &Path) -> Result<Option<Self>> {
        let program = repo::program(Profile::Dev.folder(), "tokenry-serve");
        let child = sh::command(program, ["--background", "--approve", "all"])
            .env(repo::HOME, profile)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut engine = Self(child.map_err(|e| format!("`tokenry-serve` could not be started: {e}."))?);
        let output = engine.0.stdout.take();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let first = output.and_then(|output| BufReader::new(output).lines().next()?.ok());
            let _ = tell.send(first.is_some_and(|line| line.starts_with("ready ")));
        });
        Ok(told.recv_timeout(TIMEOUT).unwrap_or(false).then_some(engine))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It cleans up after a signal; the kill of the standard library would end it at once.
        let _ = sh::command("sh", ["-c", "kill \"$0\"", &self.0.id().to_string()]).status();
        sh::end(&mut self.0, TIMEOUT);
    }
}
