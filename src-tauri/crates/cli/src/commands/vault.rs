use crate::args::UnlockArgs;
use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input::{self, SecretText};
use crate::{peer, start};
use serde::Serialize;
use tokenry_contract::{EngineStatus, SlotKind, Success, Vault, VaultState};

const PASSPHRASE: &str = "Passphrase";

/// `UnlockRequest`, without a copy of its secret.
#[derive(Serialize)]
struct Unlock<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<&'a str>,
    create: bool,
}

/// Without an engine there is no key in any memory: that is as locked as it gets.
pub(crate) fn lock(engine: impl FnOnce() -> Result<Engine, Failure>, output: &Output) -> Result<(), Failure> {
    if peer::connect(&engine::socket()?)?.is_none() {
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
    if peer::connect(&socket)?.is_none() {
        start::in_background(
            &socket,
            match args.passphrase_fd {
                Some(_) => start::Vault::OpenedByPassphrase,
                None => start::Vault::OpenedNext,
            },
        )?;
    }
    let engine = engine()?;
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    let success = match status.vault.state {
        VaultState::Unlocked => Success { success: true },
        VaultState::Locked => open(&engine, &status.vault, args.passphrase_fd)?,
        VaultState::Absent => create(&engine, args.passphrase_fd)?,
    };
    output.done(&success, "The vault is unlocked.")
}

/// The passphrase that is given; else the keyring, where it can open the vault alone; else a passphrase that is asked
/// for.
fn open(engine: &Engine, vault: &Vault, fd: Option<u32>) -> Result<Success, Failure> {
    let by_passphrase = |fd| {
        send(
            engine,
            Some(&first_line(&secret_input::from_fd(fd, PASSPHRASE)?)),
            false,
        )
    };
    if let Some(fd) = fd {
        return by_passphrase(fd);
    }
    let asks = vault.slots.iter().any(|slot| *slot != SlotKind::Keyring);
    if vault.slots.contains(&SlotKind::Keyring) || !asks {
        match send(engine, None, false) {
            Err(_) if asks => {}
            end => return end,
        }
    }
    by_passphrase(0)
}

/// The first vault of this profile: the OS keyring opens it, unless a passphrase is given.
fn create(engine: &Engine, fd: Option<u32>) -> Result<Success, Failure> {
    match fd {
        Some(fd) => send(
            engine,
            Some(&first_line(&secret_input::new_from_fd(fd, "passphrase")?)),
            true,
        ),
        None => send(engine, None, true).map_err(|failure| {
            failure.with_next("A passphrase can open the vault instead: `tokenry unlock --passphrase-fd 0`.")
        }),
    }
}

fn send(engine: &Engine, passphrase: Option<&str>, create: bool) -> Result<Success, Failure> {
    engine.send_body(Method::Post, &["v1", "unlock"], &Unlock { passphrase, create })
}

/// As `tokenry-serve --passphrase-fd` reads it.
fn first_line(text: &str) -> SecretText {
    SecretText::new(text.lines().next().unwrap_or_default().to_owned())
}
