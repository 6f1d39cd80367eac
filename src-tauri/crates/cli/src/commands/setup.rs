//! `tokenry setup`: changes the configuration of other programs, so that they get their tokens from Tokenry.

use super::bind;
use super::setup_list;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::names::{self, Kind};
use crate::output::{Colour, Output, Style};
use crate::secret_input;
use crate::setup_args::SetupArgs;
use serde::Serialize;
use std::io::{self, IsTerminal};
use tokenry_contract::{Connection, ErrorCode};
use tokenry_setup::{Environment, Options, Plan, PlanView, SetupError, plan, plan_undo, write};

/// What was shown, and whether it was written.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    plan: PlanView,
    written: bool,
}

/// `engine` starts one when there is none, `running` does not.
pub(crate) fn run(
    args: &SetupArgs,
    engine: impl Fn() -> Result<Engine, Failure>,
    running: impl Fn() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let environment = Environment::of_process().map_err(failed)?;
    let Some(tool) = &args.tool else {
        return setup_list::run(&environment, running, output);
    };
    check_connection(args, &running)?;
    let plan = planned(tool, args, &environment).map_err(failed)?;
    // There is nothing to write, so there is nothing to ask.
    let is_printed = tool == "mail";
    let can_ask = !output.is_json() && io::stdin().is_terminal();
    if !args.yes && !args.dry_run && !is_printed && !can_ask {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "There is no terminal to ask whether to write this.",
            "Look at it with --dry-run, then add --yes.",
        ));
    }
    let view = plan.view();
    show(&view, output)?;
    let agrees = args.yes || args.dry_run || plan.is_empty() || asked()?;
    let is_written = agrees && !args.dry_run && !plan.is_empty();
    let done = format!(
        "Done. `tokenry setup` says whether it works, and `tokenry setup --undo {tool}` takes it back."
    );
    let words = match (plan.is_empty(), is_written, args.undo) {
        (true, ..) if !view.lines.is_empty() => "Nothing was changed.",
        (true, ..) => "Nothing to change: it is set up already.",
        (_, false, _) => "Nothing was changed.",
        (_, _, true) if view.notes.is_empty() => "Done. It is as it was before.",
        (_, _, true) => "Done.",
        (_, _, false) => &done,
    };
    let target = plan.target().map(str::to_owned);
    let before = match args.undo {
        true => addresses(tool, &environment)?,
        false => Vec::new(),
    };
    if is_written {
        write(&environment, plan).map_err(failed)?;
    }
    output.done(
        &Report {
            plan: view,
            written: is_written,
        },
        words,
    )?;
    if args.undo && is_written {
        let after = addresses(tool, &environment)?;
        let gone: Vec<_> = before.into_iter().filter(|one| !after.contains(one)).collect();
        tell_of_bindings(&gone, &running, output);
    }
    if args.undo || args.dry_run || !agrees {
        return Ok(());
    }
    match target {
        Some(target) => connect(&target, tool, args, &environment, engine, running, output),
        None => Ok(()),
    }
}

/// Nothing is written for a connection that does not exist. Without an engine this cannot be known yet.
fn check_connection(args: &SetupArgs, running: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    let Some(name) = args.connection.as_ref().filter(|_| !args.undo) else {
        return Ok(());
    };
    let engine = running()?;
    let found = engine.get::<Connection>(&["v1", "connections", name]);
    match found {
        Err(failure) if failure.code().is_some() => {
            Err(names::explain(failure, &engine, Kind::Connection, name))
        }
        _ => Ok(()),
    }
}

fn planned(tool: &str, args: &SetupArgs, environment: &Environment) -> Result<Plan, SetupError> {
    let address = args.address.as_ref().or(args.host.as_ref());
    if args.undo {
        return plan_undo(environment, tool, address.map(String::as_str));
    }
    let options = Options {
        address: address.cloned(),
        connection: args.connection.clone(),
        name: args.name.clone(),
        role: args.role.clone(),
        audience: args.audience.clone(),
        clients: args.clients.clone(),
    };
    plan(environment, tool, &options)
}

/// The addresses that a tool is set up for.
fn addresses(tool: &str, environment: &Environment) -> Result<Vec<String>, Failure> {
    let states = tokenry_setup::list(environment).map_err(failed)?;
    let entries = states.into_iter().filter(|state| state.tool == tool);
    let entries = entries.flat_map(|state| state.entries);
    Ok(entries.filter_map(|entry| Some(entry.address?.url)).collect())
}

/// A binding may be older than the setup, and may serve other tools: the user decides about it.
fn tell_of_bindings(gone: &[String], running: impl Fn() -> Result<Engine, Failure>, output: &Output) {
    let connections = running().and_then(|engine| engine.get::<Vec<Connection>>(&["v1", "connections"]));
    for connection in connections.unwrap_or_default() {
        for address in connection.bindings.iter().filter(|one| gone.contains(one)) {
            output.say(&format!(
                "{address} is still bound to {}. To remove that as well: tokenry bind {address} --remove",
                connection.name
            ));
        }
    }
}

/// Binds the host to the connection that was named, or says what is missing.
fn connect(
    target: &str,
    tool: &str,
    args: &SetupArgs,
    environment: &Environment,
    engine: impl Fn() -> Result<Engine, Failure>,
    running: impl Fn() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let states = tokenry_setup::list(environment).map_err(failed)?;
    let entries = states.into_iter().filter(|state| state.tool == tool);
    let mut entries = entries.flat_map(|state| state.entries);
    let Some(entry) = entries.find(|entry| entry.target == target) else {
        return Ok(());
    };
    if let (Some(name), Some(address)) = (&args.connection, &entry.address) {
        return bind::bind(&address.url, name, &engine()?, output);
    }
    if let Ok(engine) = running()
        && let Some(problem) = setup_list::connection_problem(tool, &entry, &engine)
    {
        output.say(&problem);
    }
    Ok(())
}

fn show(view: &PlanView, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(());
    }
    output.data(&(), |style| text(view, style))?;
    if view.changes.is_empty() && !view.lines.is_empty() {
        output.say("Add these lines to your own files; Tokenry writes nothing there.");
    }
    view.notes.iter().for_each(|note| output.say(note));
    Ok(())
}

fn text(view: &PlanView, style: Style) -> String {
    let mut text = String::new();
    for change in &view.changes {
        text += &style.paint(&tokenry_contract::sanitize_for_display(&change.path), Colour::Dim);
        text += "\n";
        for line in change.diff.lines() {
            let colour = match line.as_bytes().first() {
                Some(b'+') => Colour::Good,
                Some(b'-') => Colour::Bad,
                _ => Colour::Plain,
            };
            text += &style.paint(line, colour);
            text += "\n";
        }
    }
    for lines in &view.lines {
        text += &style.paint(&lines.title, Colour::Dim);
        text += &format!("\n{}", lines.text);
    }
    text
}

fn asked() -> Result<bool, Failure> {
    let answer = secret_input::shown_line("Write this? [y/N] ")?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

pub(super) fn failed(error: SetupError) -> Failure {
    Failure::new(error.code(), format!("{error}"), error.next_step())
}
