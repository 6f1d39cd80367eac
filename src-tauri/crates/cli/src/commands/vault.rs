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

/// Without an engine there is no key in any memory: that is as locked as it gets.
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
        // A backup may have been put in its place since: the engine looks again.
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

/// Goes on with an older copy, when the user agrees.
pub(crate) fn accept_older(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let success: Success = engine.send(Method::Post, &["v1", "vault", "accept-older"])?;
    output.done(
        &success,
        "This copy of the vault counts as the newest from now on, and connections are refreshed from it.",
    )
}

fn damaged(vault: &Vault) -> Failure {
    let message = vault.message.clone().unwrap_or_default();
    Failure::told(vault.code.unwrap_or(ErrorCode::Internal), message)
}

/// Asks the OS keyring; not once more when an engine that was just started has done so.
fn by_keyring(engine: &Engine, vault: &Vault, create: bool, is_new: bool) -> Result<Success, Failure> {
    match (vault.code, &vault.message) {
        (Some(code), Some(message)) if is_new => Err(Failure::told(code, message.clone())),
        _ => send(engine, None, create),
    }
}

/// The passphrase that is given; else the keyring, where it can open the vault alone; else a passphrase that is asked
/// for.
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

/// The first vault of this profile: the OS keyring opens it, unless a passphrase is given. Where there is no keyring,
/// a person at a terminal is asked for a passphrase.
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
                    "Run `tokenry unlock` in a terminal, which asks for a passphrase, or send one: `tokenry unlock \
                     --passphrase-fd 0`.",
                ));
            }
            output.say(
                "No OS keyring can open the vault here. Choose a passphrase of 8 characters or more for it; whoever \
                 loses the passphrase loses the vault.",
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
