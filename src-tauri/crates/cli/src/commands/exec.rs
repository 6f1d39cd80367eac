//! `tokenry exec`: runs a program that finds an access token in one environment variable, or behind a file descriptor;
//! and `tokenry headers`, for programs that take headers.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::helpers::bearer;
use crate::output::{check_out, write_out};
use crate::token_args::{ExecArgs, HeadersArgs};
use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::unix::process::CommandExt;
use std::process::Command;
use tokenry_contract::{ErrorCode, TokenRequest};
use zeroize::Zeroizing;

/// Replaces this process by the program; returns only when that fails.
///
/// The variable is in that program alone: the shell, and what else it starts, never see it.
pub(crate) fn run(args: &ExecArgs, engine: &Engine) -> Result<(), Failure> {
    let token = token(&args.connection, &args.scopes, engine)?;
    let mut words = args.command.iter();
    let program = words
        .next()
        .ok_or_else(|| unusable("there is no program to run"))?;
    let mut command = Command::new(program);
    command.args(words);
    if let Some(name) = &args.env {
        command.env(name, token.as_str());
    }
    if let Some(number) = args.fd {
        offer(&token, number)?;
    }
    let error = command.exec();
    Err(Failure::new(
        ErrorCode::NotFound,
        format!("{} cannot be started: {error}", program.display()),
        "Check its name, or give its whole path.",
    ))
}

/// Prints a JSON object with the header of a request.
pub(crate) fn headers(args: &HeadersArgs, engine: &Engine) -> Result<(), Failure> {
    check_out()?;
    let token = token(&args.connection, &args.scopes, engine)?;
    let header = Zeroizing::new(format!("Bearer {}", token.as_str()));
    let text = serde_json::to_string(header.as_str()).map_err(Failure::invalid_response)?;
    let line = Zeroizing::new(format!(
        "{{\"Authorization\":{}}}\n",
        Zeroizing::new(text).as_str()
    ));
    write_out(line.as_bytes())
}

/// A token of a connection, within these scopes where there are any.
pub(super) fn token(name: &str, scopes: &[String], engine: &Engine) -> Result<Zeroizing<String>, Failure> {
    let request = TokenRequest {
        scope: (!scopes.is_empty()).then(|| scopes.join(" ")),
        ..TokenRequest::default()
    };
    bearer(name, &request, engine).map(|answer| Zeroizing::new(answer.access_token))
}

/// A descriptor that a program inherits, and at which it reads this text once.
pub(super) fn readable(text: &str) -> Result<OwnedFd, Failure> {
    let (reader, _) = piped(text)?;
    fcntl_setfd(&reader, FdFlags::empty()).map_err(cannot)?;
    Ok(reader)
}

/// A pipe that holds this text; its other end may be closed.
fn piped(text: &str) -> Result<(OwnedFd, OwnedFd), Failure> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(cannot)?;
    // Its reader is not there yet, so what does not fit at once would wait for ever.
    fcntl_setfl(&writer, OFlags::NONBLOCK).map_err(cannot)?;
    let written = rustix::io::write(&writer, text.as_bytes()).map_err(cannot)?;
    if written < text.len() {
        return Err(unusable(
            "the token is too long for a descriptor; use `tokenry exec --env`",
        ));
    }
    Ok((reader, writer))
}

fn cannot(error: rustix::io::Errno) -> Failure {
    unusable(&format!("the descriptor cannot be made: {error}"))
}

/// Makes the token readable once at this descriptor, which the program inherits.
fn offer(token: &str, number: u32) -> Result<(), Failure> {
    let wanted = i32::try_from(number).map_err(|_| unusable("there is no such descriptor"))?;
    let (reader, writer) = piped(token)?;
    // The pipe itself may have the number that is wanted: it moves out of the way.
    let kept = fcntl_dupfd_cloexec(&reader, wanted.saturating_add(1)).map_err(cannot)?;
    drop((reader, writer));
    let there: OwnedFd = fcntl_dupfd_cloexec(&kept, wanted).map_err(cannot)?;
    fcntl_setfd(&there, FdFlags::empty()).map_err(cannot)?;
    // It stays open until the program has it.
    if there.into_raw_fd() != wanted {
        return Err(unusable(&format!(
            "descriptor {wanted} is in use; choose another one"
        )));
    }
    Ok(())
}

fn unusable(what: &str) -> Failure {
    Failure::new(ErrorCode::ValidationError, what, "See `tokenry exec --help`.")
}
