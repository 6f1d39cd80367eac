//! `tokenry doctor`: the check of the whole installation. It starts no engine, and changes nothing.

mod environment;
mod files;
mod programs;

use crate::commands::check_report;
use crate::engine::{Engine, WhenAbsent};
use crate::failure::Failure;
use crate::find;
use crate::http::{Method, Request, path};
use crate::output::Output;
use std::path::Path;
use tokenry_contract::{CheckReport, CheckedItem, EngineStatus, profile};

/// What is read of the environment, which tests replace.
type Env<'a> = &'a dyn Fn(&str) -> Option<std::ffi::OsString>;

pub(crate) fn run(offline: bool, app_token_file: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let env: Env<'_> = &|name| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut items = engine(offline, app_token_file, output)?;
    match profile::folder() {
        Ok(folder) => items.extend(files::check(&folder)),
        Err(error) => {
            let next = "Set HOME, or set TOKENRY_HOME to a folder of yours.";
            items.push(CheckedItem::problem("profile", error.to_string(), next));
        }
    }
    // The engine looks at the program behind the handler, too.
    if !items.iter().any(|item| item.name == programs::DEEP_LINK) {
        items.push(programs::deep_link());
    }
    items.extend(programs::check(env));
    items.extend(environment::check(env));
    check_report::print(&CheckReport::from(items), output)
}

/// What the engine says, if one runs.
fn engine(
    offline: bool,
    app_token_file: Option<&Path>,
    output: &Output,
) -> Result<Vec<CheckedItem>, Failure> {
    const NAME: &str = "engine";
    let socket = match profile::socket() {
        Ok(socket) => socket,
        Err(error) => {
            let next = "Set TOKENRY_HOME to a folder with a shorter path.";
            return Ok(vec![CheckedItem::problem(NAME, error.to_string(), next)]);
        }
    };
    let found = match find::engine(&socket) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(vec![absent(&socket)]),
        Err(failure) => return Ok(vec![failed(NAME, &failure)]),
    };
    let at = found.socket.display().to_string();
    drop(found);
    let engine = Engine::new(WhenAbsent::Fail, app_token_file, output)?;
    let mut items = vec![match engine.get::<EngineStatus>(&["v1", "status"]) {
        Ok(status) => running(&status, &at),
        Err(failure) => return Ok(vec![failed(NAME, &failure)]),
    }];
    let query = if offline { "?offline=true" } else { "" };
    let request = Request::new(Method::Get, path(&["v1", "doctor"]) + query);
    match engine.ask::<CheckReport>(&request) {
        Ok(report) => items.extend(report.checks),
        Err(failure) => items.push(failed("engine_checks", &failure)),
    }
    Ok(items)
}

fn running(status: &EngineStatus, socket: &str) -> CheckedItem {
    let ours = env!("CARGO_PKG_VERSION");
    if status.version != ours {
        return CheckedItem::problem(
            "engine",
            format!(
                "The engine has version {}, and this command has version {ours}.",
                status.version
            ),
            format!(
                "End it with `kill {}`, and install both programs from one release.",
                status.pid
            ),
        );
    }
    let place = if status.window { "with" } else { "without" };
    CheckedItem::ok(
        "engine",
        format!("Process {} listens at {socket}, {place} a window.", status.pid),
    )
}

/// No engine is no problem: the next command starts one.
fn absent(socket: &Path) -> CheckedItem {
    match find::running() {
        Some(holder) => CheckedItem::problem(
            "engine",
            format!(
                "Process {} is running, and does not listen at {}.",
                holder.pid,
                socket.display()
            ),
            format!("End it: `kill {}`.", holder.pid),
        ),
        None => CheckedItem::not_checked(
            "engine",
            "No engine is running, so the keyring, the vault and the clock were not checked. `tokenry unlock` starts one.",
        ),
    }
}

fn failed(name: &str, failure: &Failure) -> CheckedItem {
    let (text, next) = failure.parts();
    CheckedItem::problem(name, text, next)
}
