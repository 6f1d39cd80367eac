//! What is set up on this machine, and whether it works.

use crate::edit::Edit;
use crate::environment::{Environment, is_program};
use crate::error::SetupError;
use crate::file;
use crate::link;
use crate::record::{Entry, Record};
use crate::tools::{Address, Field, TOOLS, Tool};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolState {
    /// Its name on the command line.
    pub tool: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Whether it is on this machine.
    pub installed: bool,
    /// What it asks the user for.
    pub fields: &'static [Field],
    /// What Tokenry set up.
    pub entries: Vec<EntryState>,
}

/// One thing that was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryState {
    /// The host, the server or the profile.
    pub target: String,
    /// The files that were changed, and the links.
    pub paths: Vec<String>,
    /// Why it does not work.
    pub problem: Option<String>,
    /// The address that a connection must serve. Whether one does is for the engine to say.
    pub address: Option<Address>,
    /// The connection that it names, where there is no such address.
    pub connection: Option<String>,
}

/// All tools.
///
/// # Errors
/// When the record cannot be read.
pub fn list(environment: &Environment) -> Result<Vec<ToolState>, SetupError> {
    let record = Record::read(environment)?;
    let mut programs = BTreeMap::new();
    let states = TOOLS.iter().map(|tool| ToolState {
        tool: tool.name(),
        title: tool.title(),
        installed: tool.is_installed(environment),
        fields: tool.fields(),
        entries: entries(*tool, &record, environment, &mut programs),
    });
    Ok(states.collect())
}

fn entries(
    tool: &dyn Tool,
    record: &Record,
    environment: &Environment,
    programs: &mut BTreeMap<PathBuf, bool>,
) -> Vec<EntryState> {
    let mut states: Vec<EntryState> = Vec::new();
    for entry in record.entries.iter().filter(|entry| entry.tool == tool.name()) {
        let problem = problem(tool, entry, environment, programs);
        let path = entry.path.display().to_string();
        match states.iter_mut().find(|state| state.target == entry.target) {
            Some(state) => {
                state.paths.push(path);
                state.problem = state.problem.take().or(problem);
            }
            None => states.push(EntryState {
                target: entry.target.clone(),
                paths: vec![path],
                problem,
                address: tool.address(entry),
                connection: entry.connection.clone(),
            }),
        }
    }
    states
}

fn problem(
    tool: &dyn Tool,
    entry: &Entry,
    environment: &Environment,
    programs: &mut BTreeMap<PathBuf, bool>,
) -> Option<String> {
    let path = entry.path.display();
    let again = format!("run `tokenry setup {}` again", entry.tool);
    let starts = programs.entry(entry.command.clone()).or_insert_with(|| {
        is_program(&entry.command) && environment.output(&entry.command, &["--version"], "").is_some()
    });
    if !*starts {
        return Some(format!("{} cannot be started; {again}", entry.command.display()));
    }
    if let Edit::Link { target } = &entry.edit {
        let is_there = link::leads_to(&entry.path, target);
        return (!is_there).then(|| format!("{path} does not lead to Tokenry; {again}"));
    }
    let is_in = match file::read(&entry.path) {
        Ok(text) => text.is_some_and(|text| entry.edit.is_in(&text).unwrap_or(false)),
        Err(error) => return Some(error.to_string()),
    };
    if !is_in {
        return Some(format!("{path} no longer has the entry; {again}"));
    }
    tool.problem(environment, entry)
}
