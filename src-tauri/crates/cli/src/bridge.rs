//! Becomes `tokenry-bridge`, which is in the folder of this program and talks to servers: it has an HTTP stack.

use crate::failure::Failure;
use clap::{Arg, ArgAction};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_contract::{BridgeCommand, ErrorCode};

/// The program's name.
pub(crate) const PROGRAM: &str = "tokenry-bridge";

/// `tokenry-bridge` in the folder of this program.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()
        .ok()
        .map(|ours| ours.with_file_name(PROGRAM));
    beside
        .filter(|path| path.is_file())
        .ok_or_else(|| not_started("it is not in the folder of this program"))
}

/// Replaces this process by `tokenry-bridge` with this command. Returns only when that fails. The process keeps its parent,
/// which the engine shows as the requester.
pub(crate) fn in_place(
    command: &BridgeCommand,
    app_token_file: Option<&Path>,
    arguments: &[OsString],
) -> Failure {
    let mut bridge = match program() {
        Ok(program) => Command::new(program),
        Err(failure) => return failure,
    };
    bridge.arg(command.name);
    if let Some(file) = app_token_file {
        bridge.arg("--app-token-file").arg(file);
    }
    not_started(&bridge.args(arguments).exec().to_string())
}

/// The grammar of one of its commands, for the manual and the completions: it reads its arguments itself.
pub(crate) fn command(bridge: &BridgeCommand) -> clap::Command {
    // Every command of `tokenry` has this one.
    let own = bridge
        .options
        .iter()
        .filter(|option| option.name != "app-token-file");
    let options = own.map(|option| {
        let arg = Arg::new(option.name)
            .long(option.name)
            .required(option.is_required)
            .help(option.help);
        match option.value {
            Some(value) if option.values.is_empty() => arg.value_name(value),
            Some(value) => arg.value_name(value).value_parser(option.values.to_vec()),
            None => arg.action(ArgAction::SetTrue),
        }
    });
    let argument = bridge
        .argument
        .map(|(name, help)| Arg::new(name).help(help).required(true));
    clap::Command::new(bridge.name)
        .about(bridge.about)
        .long_about(format!("{}\n\n{}", bridge.about, bridge.details))
        .args(argument)
        .args(options)
}

fn not_started(why: &str) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("Cannot start `{PROGRAM}`: {why}."),
        "Install both programs from one release, in one folder.",
    )
}
