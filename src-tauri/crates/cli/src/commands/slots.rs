//! `tokenry vault slots`.

use super::proof::{self, SentProof};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input::{self, Sent};
use crate::vault_args::SlotsCommand;
use serde::Serialize;
use tokenry_contract::{EngineStatus, ErrorCode, SlotKind, Success};

/// `SetSlot`, without a copy of its secrets.
#[derive(Serialize)]
struct Set {
    #[serde(skip_serializing_if = "Option::is_none")]
    new_passphrase: Option<Sent>,
    #[serde(flatten)]
    proof: SentProof,
}

pub(super) fn run(command: Option<&SlotsCommand>, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match command {
        None | Some(SlotsCommand::List) => list(engine, output),
        Some(SlotsCommand::Set {
            kind: SlotKind::RecoveryCode,
            ..
        }) => Err(Failure::new(
            ErrorCode::ValidationError,
            "A recovery code cannot be chosen.",
            "Create one: `tokenry recovery new`.",
        )),
        Some(SlotsCommand::Set {
            kind,
            new_passphrase_fd,
            proof,
        }) => {
            proof::one_from_stdin_only(*new_passphrase_fd, proof.passphrase_fd.or(proof.recovery_fd))?;
            let proof = proof::for_a_change(proof, engine)?;
            let new_passphrase = new_passphrase(*kind, *new_passphrase_fd, engine)?;
            let is_secret = new_passphrase.is_some() || !proof.is_empty();
            let body = Set {
                new_passphrase,
                proof,
            };
            let success: Success = proof::send(engine, Method::Put, &path(*kind), is_secret, body)?;
            output.done(
                &success,
                &format!("The vault unlocks with {}.", kind.description()),
            )?;
            hint(*kind, engine, output);
            Ok(())
        }
        Some(SlotsCommand::Remove { kind, proof }) => {
            let proof = proof::for_a_change(proof, engine)?;
            let success: Success =
                proof::send(engine, Method::Delete, &path(*kind), !proof.is_empty(), proof)?;
            output.done(
                &success,
                &format!("The vault no longer unlocks with {}.", kind.description()),
            )
        }
    }
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    let slots = status.vault.slots;
    output.data(&slots, |_| {
        slots
            .iter()
            .map(|slot| format!("{}\n", slot.description()))
            .collect()
    })?;
    if !slots.contains(&SlotKind::RecoveryCode) {
        output.say("There is no recovery code. `tokenry recovery new` creates one.");
    }
    Ok(())
}

/// For a kind that takes one: from the file descriptor, or from a prompt.
fn new_passphrase(kind: SlotKind, fd: Option<u32>, engine: &Engine) -> Result<Option<Sent>, Failure> {
    if kind == SlotKind::Keyring {
        return match fd {
            None => Ok(None),
            Some(_) => Err(Failure::new(
                ErrorCode::ValidationError,
                "The OS keyring alone takes no passphrase.",
                "Leave out --new-passphrase-fd, or set `keyring-and-passphrase`.",
            )),
        };
    }
    engine.is_the_engine()?;
    let passphrase = secret_input::new_from_fd(fd.unwrap_or(0), "passphrase")?;
    Ok(Some(Sent(proof::first_line(&passphrase))))
}

/// A way that is easier for a thief makes the other one worth little.
fn hint(kind: SlotKind, engine: &Engine, output: &Output) {
    let Ok(status) = engine.get::<EngineStatus>(&["v1", "status"]) else {
        return;
    };
    if kind != SlotKind::Keyring && status.vault.slots.contains(&SlotKind::Keyring) {
        output.say(
            "The OS keyring still unlocks it alone. To require the passphrase: `tokenry vault slots remove keyring`.",
        );
    }
}

fn path(kind: SlotKind) -> [&'static str; 4] {
    let kind = match kind {
        SlotKind::Keyring => "keyring",
        SlotKind::KeyringAndPassphrase => "keyring_and_passphrase",
        SlotKind::Passphrase => "passphrase",
        SlotKind::RecoveryCode => "recovery_code",
    };
    ["v1", "vault", "slots", kind]
}
