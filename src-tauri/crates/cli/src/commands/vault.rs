//! `tokenry lock`, `unlock` and `vault accept-older`.

use super::proof::{self, SentProof};
use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input;
use crate::vault_args::ProofArgs;
use crate::{find, start};
use serde::Serialize;
use std::io::{self, IsTerminal};
use tokenry_contract::{EngineStatus, ErrorCode, SlotKind, Success, Vault, VaultState};

/// `UnlockRequest`, without a copy of its secret.
#[derive(Default, Serialize)]
struct Unlock {
    #[serde(flatten)]
    proof: SentProof,
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
    args: &ProofArgs,
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
                None => start::Vault::MayBeLocked,
            },
        )?;
    }
    let engine = engine()?;
    let mut status: EngineStatus = engine.get(&["v1", "status"])?;
    if status.vault.state == VaultState::Damaged && !is_new {
        // A backup may have been restored since: the engine checks again.
        let _ = send(&engine, Unlock::default());
        status = engine.get(&["v1", "status"])?;
    }
    let before = status.vault.state;
    let success = match before {
        VaultState::Damaged => return Err(damaged(&status.vault)),
        VaultState::Unlocked => Success { success: true },
        VaultState::Locked => open(&engine, &status.vault, args, is_new)?,
        VaultState::Absent => create(&engine, &status.vault, args.passphrase_fd, is_new, output)?,
    };
    output.done(&success, "The vault is unlocked.")?;
    if before == VaultState::Absent {
        output.say(
            "It has no recovery code yet. `tokenry recovery new` creates one, for the day when the keyring or the \
             passphrase is lost.",
        );
    } else if args.recovery || args.recovery_fd.is_some() {
        output.say(
            "If the keyring or the passphrase is lost, set a new way to unlock: `tokenry vault slots set passphrase \
             --recovery` or `tokenry vault slots set keyring --recovery`.",
        );
    }
    Ok(())
}

/// Creates the vault of a profile that has none, as `unlock` does. A vault that exists is left as it is.
pub(super) fn create_if_absent(
    engine: impl FnOnce() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let socket = engine::socket()?;
    let is_new = find::engine(&socket)?.is_none();
    if is_new {
        start::in_background(&socket, start::Vault::MayBeLocked)?;
    }
    let engine = engine()?;
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    if status.vault.state == VaultState::Absent {
        create(&engine, &status.vault, None, is_new, output)?;
        output.say("Created a vault for this profile.");
    }
    Ok(())
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
    Failure::of_engine(vault.code.unwrap_or(ErrorCode::Internal), message).with_next(
        "`tokenry vault check` names what is damaged; `tokenry vault salvage NEW_FOLDER` copies what still opens.",
    )
}

/// Unlocks with the OS keyring, unless an engine that was just started has tried that.
fn by_keyring(engine: &Engine, vault: &Vault, create: bool, is_new: bool) -> Result<Success, Failure> {
    match (vault.code, &vault.message) {
        (Some(code), Some(message)) if is_new => Err(Failure::of_engine(code, message.clone())),
        _ => send(
            engine,
            Unlock {
                create,
                ..Unlock::default()
            },
        ),
    }
}

/// Unlocks with what is given; otherwise with the keyring, if it can open the vault alone; otherwise with a passphrase
/// from a prompt.
fn open(engine: &Engine, vault: &Vault, args: &ProofArgs, is_new: bool) -> Result<Success, Failure> {
    if proof::is_given(args) {
        return by_proof(engine, args);
    }
    let asks = vault.slots.iter().any(|slot| *slot != SlotKind::Keyring);
    let by_passphrase = vault.slots.iter().any(|slot| slot.takes_passphrase()) || vault.slots.is_empty();
    if vault.slots.contains(&SlotKind::Keyring) || !asks {
        match by_keyring(engine, vault, false, is_new) {
            Err(_) if by_passphrase => {}
            end => return end,
        }
    }
    by_proof(engine, args)
}

fn by_proof(engine: &Engine, args: &ProofArgs) -> Result<Success, Failure> {
    engine.is_the_engine()?;
    let proof = proof::read(args, "Passphrase")?;
    send(engine, Unlock { proof, create: false })
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
        let passphrase = proof::first_line(&secret_input::new_from_fd(fd, "passphrase")?);
        let proof = SentProof::passphrase(passphrase);
        send(engine, Unlock { proof, create: true })
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
                "No OS keyring is available. Choose a passphrase of at least 8 characters for the vault, and keep a copy \
                 of it.",
            );
            by_passphrase(0)
        }
        end => end,
    }
}

fn send(engine: &Engine, unlock: Unlock) -> Result<Success, Failure> {
    proof::send(
        engine,
        Method::Post,
        &["v1", "unlock"],
        !unlock.proof.is_empty(),
        unlock,
    )
}
