//! The passphrase or the recovery code, as `unlock`, `recovery` and `vault slots` read and send it.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::secret_input::{self, SecretText, Sent};
use crate::vault_args::ProofArgs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, IsTerminal};
use tokenry_contract::{EngineStatus, ErrorCode, SlotKind};

/// The fields of a body that prove that the user makes the request.
#[derive(Default, Serialize)]
pub(super) struct SentProof {
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_code: Option<Sent>,
}

impl SentProof {
    pub(super) fn passphrase(passphrase: SecretText) -> Self {
        Self {
            passphrase: Some(Sent(passphrase)),
            recovery_code: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.passphrase.is_none() && self.recovery_code.is_none()
    }
}

/// Whether the command line says where to read it.
pub(super) fn is_given(args: &ProofArgs) -> bool {
    args.passphrase_fd.is_some() || args.recovery || args.recovery_fd.is_some()
}

/// Reads what is given; otherwise the passphrase from a prompt or standard input.
pub(super) fn read(args: &ProofArgs, what: &str) -> Result<SentProof, Failure> {
    if args.recovery || args.recovery_fd.is_some() {
        // A code that was pasted in several lines is one code.
        let code = secret_input::from_fd(args.recovery_fd.unwrap_or(0), "Recovery code")?;
        return Ok(SentProof {
            passphrase: None,
            recovery_code: Some(Sent(code)),
        });
    }
    let passphrase = secret_input::from_fd(args.passphrase_fd.unwrap_or(0), what)?;
    Ok(SentProof::passphrase(first_line(&passphrase)))
}

/// Reads the passphrase, the recovery code, or both, from these file descriptors.
pub(super) fn of_both(passphrase_fd: Option<u32>, recovery_fd: Option<u32>) -> Result<SentProof, Failure> {
    let read = |fd: Option<u32>, what: &str| fd.map(|fd| secret_input::from_fd(fd, what)).transpose();
    let passphrase = read(passphrase_fd, "Passphrase")?;
    Ok(SentProof {
        passphrase: passphrase.map(|text| Sent(first_line(&text))),
        recovery_code: read(recovery_fd, "Recovery code")?.map(Sent),
    })
}

/// Standard input that is not a terminal ends with the first secret.
pub(super) fn one_from_stdin_only(one: Option<u32>, other: Option<u32>) -> Result<(), Failure> {
    if one == Some(0) && other == Some(0) && !io::stdin().is_terminal() {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "Both secrets would be read from standard input.",
            "Send one of them by another file descriptor, for example `--passphrase-fd 3 3<FILE`.",
        ));
    }
    Ok(())
}

/// Reads it where the vault needs it for a change: where the OS keyring does not unlock the vault alone.
pub(super) fn for_a_change(args: &ProofArgs, engine: &Engine) -> Result<SentProof, Failure> {
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    if !is_given(args) && status.vault.slots.contains(&SlotKind::Keyring) {
        return Ok(SentProof::default());
    }
    engine.is_the_engine()?;
    read(args, "Current passphrase")
}

/// Sends a body, with a secret to the engine of this profile only.
pub(super) fn send<T: DeserializeOwned>(
    engine: &Engine,
    method: Method,
    segments: &[&str],
    is_secret: bool,
    body: impl Serialize,
) -> Result<T, Failure> {
    match is_secret {
        true => engine.send_passphrase(method, segments, body),
        false => engine.send_body(method, segments, body),
    }
}

/// As `tokenry-serve --passphrase-fd` reads it.
pub(super) fn first_line(text: &str) -> SecretText {
    SecretText::new(text.lines().next().unwrap_or_default().to_owned())
}
