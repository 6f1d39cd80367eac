//! `cargo xtask`: sets the machine up, builds, checks, tests, runs and packs Tokenry.
//!
//! It is the first thing that a newcomer waits for, so it depends on nothing but the standard library and
//! `serde_json`, and on none of our crates. It must never carry on as if a part that is missing had passed,
//! and must never change a file of the user's outside the work tree.

// This is a program for a terminal: printing is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod apt;
mod args;
mod bench;
mod codegen;
mod commits;
mod deny;
mod dist;
mod hermetic;
mod lint;
mod npm;
mod programs;
mod python;
mod registration;
mod repo;
mod run;
mod sandbox;
mod setup;
mod sh;
mod stage;
mod test;

use args::Task;
use std::process::ExitCode;

fn main() -> ExitCode {
    let task = match args::parse(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(message) => {
            eprintln!("{message}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let outcome = match task {
        Task::Help => {
            println!("{}", args::USAGE);
            Ok(())
        }
        Task::Setup => setup::everything(),
        Task::Run(options) => run::run(&options),
        Task::Test { filters } => test::run(&filters),
        Task::Lint => lint::command(),
        Task::Codegen => codegen::command(),
        Task::Bench { args } => bench::run(&args),
        Task::Dist => dist::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
