//! The `tokenry` program: the command line client of the engine.
//!
//! What must never be true of this crate: that it links an async runtime, an HTTP stack, TLS or a store (starting
//! the process is most of the cost of a token), that it makes a decision of the engine, that it takes a secret as an
//! argument, or that it writes an access token anywhere but to standard output and to the program that `tokenry exec` starts.

mod app_token;
mod args;
mod assignment;
mod backup_args;
mod bridge;
mod browser;
mod commands;
mod credential_args;
mod doctor;
mod engine;
mod export;
mod failure;
mod find;
mod helpers;
mod hidden;
mod http;
mod import;
mod interrupt;
mod names;
mod output;
mod peer;
mod proof;
mod provider_args;
mod qr;
mod secret_input;
mod setup_args;
mod socket_args;
mod start;
mod table;
mod time;
mod token_args;
mod usage;
mod vault_args;
mod waiting;

use std::ffi::OsString;
use std::process::ExitCode;
use tokenry_contract::BRIDGE_COMMANDS;

/// The grammar of the command line, for its manual and its completions.
pub fn command() -> clap::Command {
    let command = <args::Cli as clap::CommandFactory>::command();
    BRIDGE_COMMANDS.iter().fold(command, |command, bridge| {
        command.mut_subcommand(bridge.name, |_| bridge::command(bridge))
    })
}

/// The whole program.
pub fn run() -> ExitCode {
    no_core_dumps();
    let arguments = helpers::arguments(std::env::args_os().collect());
    let (output, result) = match plain_token(&arguments) {
        Some(name) => {
            let output = output::Output::new(false);
            let result = commands::token(name, &output);
            (output, result)
        }
        None => match helpers::HelperCommand::plain(&arguments) {
            Some(command) => {
                let output = output::Output::new(false);
                let result = commands::run(&args::Command::Helper(command), None, &output);
                (output, result)
            }
            None => parsed(arguments),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.fail(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// A core file of this process could contain a token, a passphrase or a code. A refusal by the system is ignored.
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
}

fn parsed(arguments: Vec<OsString>) -> (output::Output, Result<(), failure::Failure>) {
    let cli = usage::parsed(arguments);
    let output = output::Output::new(cli.json);
    let result = commands::run(&cli.command, cli.app_token_file.as_deref(), &output);
    (output, result)
}

/// The name in exactly `tokenry token NAME`. Programs run this command often, so it skips clap, which would first
/// build the description of all commands.
fn plain_token(arguments: &[OsString]) -> Option<&str> {
    match arguments {
        [_, command, name] if command == "token" => name.to_str().filter(|name| !name.starts_with('-')),
        _ => None,
    }
}
