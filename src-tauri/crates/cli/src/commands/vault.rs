//! `tokenry lock`, `unlock` and `vault`.

use crate::args::UnlockArgs;
use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input::{self, SecretText, Sent};
use crate::{find, start};
use serde::Serialize;
use std::io::{self, IsTerminal};
use tokenry_contract::{EngineStatus, ErrorCode, SlotKind, Success, Vault, VaultState};

const PASSPHRASE: &str = "Passphrase";

/// `UnlockRequest`, without a copy of its secret.
#[derive(Serialize)]
struct Unlock {
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<Sent>,
    create: bool,
}

/// Without an engine no process holds the key, so the vault is locked.
pub(crate) fn lock(engine: impl FnOnce() -> Result<Engine, Failure>, output: &Output) -> Result<(), Failure> {
    if find::engine(&engine::socket()?)?.is_none() && find::running().is_none() {
        return output.done(
            &Success { success: true },
            "No engine is running, so the vault is locked.",
        );
    }
    let success: Success = engine()?.send(Method::Post, &["v1", "lock"])?;
    output.done(&success, "Locked.")
}

pub(crate) fn unlock(
    args: &UnlockArgs,
    engine: impl FnOnce() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let socket = engine::socket()?;
    let is_new = find::engine(&socket)?.is_none();
    if is_new {
        start::in_background(
            &socket,
            match args.passphrase_fd {
                Some(_) => start::Vault::OpenedByPassphrase,
                None => start::Vault::OpenedNext,
            },
        )?;
    }
    let engine = engine()?;
    let mut status: EngineStatus = engine.get(&["v1", "status"])?;
    if status.vault.state == VaultState::Damaged && !is_new {
        // A backup may have been restored since: the engine checks again.
        let _ = send(&engine, None, false);
        status = engine.get(&["v1", "status"])?;
    }
    let success = match status.vault.state {
        VaultState::Damaged => return Err(damaged(&status.vault)),
        VaultState::Unlocked => Success { success: true },
        VaultState::Locked => open(&engine, &status.vault, args.passphrase_fd, is_new)?,
        VaultState::Absent => create(&engine, &status.vault, args.passphrase_fd, is_new, output)?,
    };
    output.done(&success, "The vault is unlocked.")
}

/// Accepts an older copy, if the user agrees.
pub(crate) fn accept_older(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let success: Success = engine.send(Method::Post, &["v1", "vault", "accept-older"])?;
    output.done(
        &success,
        "Accepted this copy of the vault. Connections are refreshed again.",
    )
}

fn damaged(vault: &Vault) -> Failure {
    let message = vault.message.clone().unwrap_or_default();
    Failure::of_engine(vault.code.unwrap_or(ErrorCode::Internal), message)
}

/// Unlocks with the OS keyring, unless an engine that was just started has tried that.
fn by_keyring(engine: &Engine, vault: &Vault, create: bool, is_new: bool) -> Result<Success, Failure> {
    match (vault.code, &vault.message) {
        (Some(code), Some(message)) if is_new => Err(Failure::of_engine(code, message.clone())),
        _ => send(engine, None, create),
    }
}

/// Unlocks with the given passphrase; otherwise with the keyring, if it can open the vault alone; otherwise with a
/// passphrase from a prompt.
fn open(engine: &Engine, vault: &Vault, fd: Option<u32>, is_new: bool) -> Result<Success, Failure> {
    let by_passphrase = |fd| {
        engine.is_the_engine()?;
        let passphrase = first_line(&secret_input::from_fd(fd, PASSPHRASE)?);
        send(engine, Some(passphrase), false)
    };
    if let Some(fd) = fd {
        return by_passphrase(fd);
    }
    let asks = vault.slots.iter().any(|slot| *slot != SlotKind::Keyring);
    if vault.slots.contains(&SlotKind::Keyring) || !asks {
        match by_keyring(engine, vault, false, is_new) {
            Err(_) if asks => {}
            end => return end,
        }
    }
    by_passphrase(0)
}

/// Creates the vault of this profile: with the OS keyring, unless a passphrase is given. Without a keyring, a terminal
/// prompts for a passphrase.
fn create(
    engine: &Engine,
    vault: &Vault,
    fd: Option<u32>,
    is_new: bool,
    output: &Output,
) -> Result<Success, Failure> {
    let by_passphrase = |fd| {
        engine.is_the_engine()?;
        let passphrase = first_line(&secret_input::new_from_fd(fd, "passphrase")?);
        send(engine, Some(passphrase), true)
    };
    if let Some(fd) = fd {
        return by_passphrase(fd);
    }
    let no_keyring = [Some(ErrorCode::OauthUnavailable), Some(ErrorCode::VaultLocked)];
    match by_keyring(engine, vault, true, is_new) {
        Err(failure) if no_keyring.contains(&failure.code()) => {
            if output.is_json() || !io::stdin().is_terminal() {
                return Err(failure.with_next(
                    "Run `tokenry unlock` in a terminal to choose a passphrase, or send one: `tokenry unlock \
                     --passphrase-fd 0`.",
                ));
            }
            output.say(
                "No OS keyring is available. Choose a passphrase of at least 8 characters for the vault. It cannot be \
                 recovered.",
            );
            by_passphrase(0)
        }
        end => end,
    }
}

fn send(engine: &Engine, passphrase: Option<SecretText>, create: bool) -> Result<Success, Failure> {
    let passphrase = passphrase.map(Sent);
    let is_secret = passphrase.is_some();
    let body = Unlock { passphrase, create };
    match is_secret {
        true => engine.send_passphrase(&["v1", "unlock"], body),
        false => engine.send_body(Method::Post, &["v1", "unlock"], body),
    }
}

/// As `tokenry-serve --passphrase-fd` reads it.
fn first_line(text: &str) -> SecretText {
    SecretText::new(text.lines().next().unwrap_or_default().to_owned())
}
