//! Shows what a command waits for, and what the user can do.

use crate::engine::Engine;
use crate::output::write_err;
use crate::time::relative;
use jiff::Timestamp;
use std::time::{Duration, Instant};
use tokenry_contract::{EngineStatus, Prompt, VaultState, sanitize_for_display};

/// Nothing is shown before this.
const FIRST_CHECK_AFTER: Duration = Duration::from_millis(700);
/// The interval of the checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Checks what a request waits for, and shows each reason once.
pub(crate) struct Waiting<'a> {
    engine: &'a Engine,
    /// Whether the request needs an unlocked vault.
    needs_vault: bool,
    next: Instant,
    said: Option<String>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(engine: &'a Engine, needs_vault: bool) -> Self {
        Self {
            engine,
            needs_vault,
            next: Instant::now() + FIRST_CHECK_AFTER,
            said: None,
        }
    }

    /// The time until the next check.
    pub(crate) fn pause(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    pub(crate) fn check(&mut self) {
        if let Some((what, words)) = self.reason()
            && self.said.as_ref() != Some(&what)
        {
            write_err(&(sanitize_for_display(&words) + "\n"));
            self.said = Some(what);
        }
        self.next = Instant::now() + CHECK_INTERVAL;
    }

    /// The reason and its message.
    fn reason(&self) -> Option<(String, String)> {
        let status: EngineStatus = self.engine.probe(&["v1", "status"])?;
        if let Some(words) = for_keyring(&status) {
            return Some(("keyring".to_owned(), words));
        }
        if let Some(words) = for_unlock(&status).filter(|_| self.needs_vault) {
            return Some(("unlock".to_owned(), words));
        }
        let prompts: Vec<Prompt> = self.engine.probe(&["v1", "prompts"])?;
        let (this, client) = (std::process::id(), std::os::unix::process::parent_id());
        let ours = |prompt: &&Prompt| match prompt.helper {
            Some(_) => prompt.pid == Some(client),
            None => prompt.pid == Some(this),
        };
        let prompt = prompts.iter().find(ours)?;
        let words = for_consent(prompt, &status, Timestamp::now());
        Some((prompt.id.to_string(), words))
    }
}

/// The message while the engine waits for the keyring.
pub(crate) fn for_keyring(status: &EngineStatus) -> Option<String> {
    if !status.vault.waiting_for_keyring {
        return None;
    }
    let message = status.vault.message.as_deref()?;
    let mut letters = message.chars();
    let first = letters.next()?.to_uppercase();
    Some(format!("{first}{}.", letters.as_str().trim_end_matches('.')))
}

/// The message while the request waits for the user to unlock the vault.
fn for_unlock(status: &EngineStatus) -> Option<String> {
    let is_locked = status.window && status.vault.state == VaultState::Locked;
    is_locked.then(|| {
        format!(
            "Waiting until you unlock the vault in the Tokenry window (process {}).",
            status.pid
        )
    })
}

/// Where and how to answer a request, and until when.
fn for_consent(prompt: &Prompt, status: &EngineStatus, now: Timestamp) -> String {
    let (pid, until) = (status.pid, relative(prompt.ends_at, now));
    let how = if status.window {
        format!("Waiting for your consent: answer in the Tokenry window (process {pid}).")
    } else {
        format!(
            "Waiting for your consent: answer with `tokenry approve --wait` in another terminal. The approval code was \
             shown where the engine (process {pid}) was started."
        )
    };
    format!("{how} The request is denied automatically {until}.")
}
