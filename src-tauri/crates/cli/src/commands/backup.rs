//! `tokenry backup`: writes everything into one encrypted file.

use super::{job, proof};
use crate::backup_args::BackupArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input::{self, Sent};
use serde::Serialize;
use std::io::{self, IsTerminal};
use std::path::Path;
use tokenry_contract::{BackupCounts, ErrorCode, Job};

/// `CreateBackup`, without a copy of its secret.
#[derive(Serialize)]
struct New<'a> {
    file: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    recipients: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<Sent>,
    with_refresh_tokens: bool,
    replace: bool,
}

pub(super) fn run(args: &BackupArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let file = absolute(&args.file)?;
    if !args.replace && std::fs::symlink_metadata(&file).is_ok() {
        // Before a passphrase is typed. The engine decides.
        return Err(Failure::new(
            ErrorCode::Conflict,
            format!("{file} exists, and was left as it is."),
            "Choose another name, or add --replace.",
        ));
    }
    if args.with_refresh_tokens {
        output.say(
            "The backup will contain refresh tokens. A rotating refresh token can live in one place only: after a restore \
             on another machine, the connection on this one ends.",
        );
    }
    let passphrase = passphrase(args, engine)?;
    let is_secret = passphrase.is_some();
    let new = New {
        file,
        recipients: &args.recipients,
        passphrase,
        with_refresh_tokens: args.with_refresh_tokens,
        replace: args.replace,
    };
    let begun: Job = match is_secret {
        true => engine.send_passphrase(Method::Post, &["v1", "backups"], new)?,
        false => engine.send_body(Method::Post, &["v1", "backups"], new)?,
    };
    let ended = job::follow(engine, begun, "Writing the backup", output)?;
    let made = ended
        .backup
        .ok_or_else(|| Failure::invalid_response("a backup has no result"))?;
    if let Some(warning) = &made.warning {
        output.say(&format!("Warning: {warning}"));
    }
    output.done(
        &made,
        &format!("Wrote and checked {}: {}.", made.file, words(&made.counts)),
    )
}

/// The passphrase of the backup; `None` with recipients. A terminal prompts for it twice.
fn passphrase(args: &BackupArgs, engine: &Engine) -> Result<Option<Sent>, Failure> {
    if !args.recipients.is_empty() {
        return Ok(None);
    }
    let fd = match args.passphrase_fd {
        Some(fd) => fd,
        None if io::stdin().is_terminal() => 0,
        None => {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                "A backup needs recipients or a passphrase.",
                "Add `--recipient age1…`, or send a passphrase: `tokenry backup FILE --passphrase-fd 0`.",
            ));
        }
    };
    engine.is_the_engine()?;
    let passphrase = secret_input::new_from_fd(fd, "passphrase for this backup")?;
    Ok(Some(Sent(proof::first_line(&passphrase))))
}

/// The path as the engine, which runs in another folder, has to know it.
pub(super) fn absolute(path: &Path) -> Result<String, Failure> {
    let wrong = |why: String| {
        Failure::new(
            ErrorCode::ValidationError,
            format!("The path {} cannot be used: {why}.", path.display()),
            "Give another path.",
        )
    };
    let whole = std::path::absolute(path).map_err(|error| wrong(error.to_string()))?;
    let whole = whole.into_os_string().into_string();
    whole.map_err(|_| wrong("it is not UTF-8".to_owned()))
}

pub(super) fn words(counts: &BackupCounts) -> String {
    let of = |count: u64, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    format!(
        "{}, {}, {}",
        of(counts.providers, "provider"),
        of(counts.connections, "connection"),
        of(counts.credentials, "credential")
    )
}
