//! `tokenry setup` without a tool: what is installed, what is set up, and whether it works.

use super::setup::failed;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::helpers::serving;
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, table};
use serde::Serialize;
use tokenry_contract::{Connection, ConnectionStatus, ErrorCode, GrantType, OAuthProvider, Preset};
use tokenry_setup::{EntryState, Environment, ToolState, list};

/// The tools that exchange an ID token.
const ID_TOKEN_TOOLS: [&str; 2] = ["aws", "google"];

/// A tool, and what the engine says about it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    tool: ToolState,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    NotInstalled,
    NotSetUp,
    /// It is set up, and no engine runs that knows whether a connection serves it.
    SetUp,
    Works,
    Problem,
}

impl State {
    fn cell(self) -> Cell {
        let (text, colour) = match self {
            Self::NotInstalled => ("not installed", Colour::Dim),
            Self::NotSetUp => ("not set up", Colour::Plain),
            Self::SetUp => ("set up", Colour::Plain),
            Self::Works => ("works", Colour::Good),
            Self::Problem => ("does not work", Colour::Bad),
        };
        Cell::coloured(text, colour)
    }
}

pub(super) fn run(
    environment: &Environment,
    running: impl Fn() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let tools = list(environment).map_err(failed)?;
    let is_any = tools.iter().any(|tool| !tool.entries.is_empty());
    let (engine, unchecked) = match is_any.then(|| reached(running)) {
        None => (None, None),
        Some(Ok(engine)) => (Some(engine), None),
        Some(Err(failure)) => (None, Some(failure)),
    };
    let listed: Vec<Listed> = tools
        .into_iter()
        .map(|tool| checked(tool, engine.as_ref()))
        .collect();
    output.data(&listed, |style| text(&listed, style))?;
    if let Some(failure) = unchecked {
        output.say(&format!("The connections were not checked: {}", failure.line()));
    }
    Ok(())
}

/// The engine, if it runs and answers.
fn reached(running: impl Fn() -> Result<Engine, Failure>) -> Result<Engine, Failure> {
    let engine = running()?;
    engine.get::<Vec<Connection>>(&["v1", "connections"])?;
    Ok(engine)
}

fn checked(mut tool: ToolState, engine: Option<&Engine>) -> Listed {
    for entry in &mut tool.entries {
        if entry.problem.is_none() {
            entry.problem = engine.and_then(|engine| connection_problem(tool.tool, entry, engine));
        }
    }
    let has_problem = tool.entries.iter().any(|entry| entry.problem.is_some());
    let state = match (tool.entries.is_empty(), has_problem, engine) {
        (true, ..) if tool.installed => State::NotSetUp,
        (true, ..) => State::NotInstalled,
        (_, true, _) => State::Problem,
        (_, _, Some(_)) => State::Works,
        (_, _, None) => State::SetUp,
    };
    Listed { tool, state }
}

fn text(listed: &[Listed], style: Style) -> String {
    let mut rows = Vec::new();
    for one in listed {
        let name = Cell::from(one.tool.tool);
        if one.tool.entries.is_empty() {
            rows.push(vec![name, one.state.cell(), Cell::from("")]);
            continue;
        }
        for entry in &one.tool.entries {
            let state = match (&entry.problem, one.state) {
                (Some(_), _) => State::Problem,
                (None, State::SetUp) => State::SetUp,
                (None, _) => State::Works,
            };
            let what = match &entry.problem {
                Some(problem) => format!("{}: {problem}", entry.target),
                None => entry.target.clone(),
            };
            rows.push(vec![Cell::from(one.tool.tool), state.cell(), Cell::from(what)]);
        }
    }
    table(&["TOOL", "STATE", "FOR"], rows, style)
}

/// Why no connection gives this entry a token. Nothing is handed out for the check.
pub(super) fn connection_problem(tool: &str, entry: &EntryState, engine: &Engine) -> Option<String> {
    let Some(address) = &entry.address else {
        let name = entry.connection.as_deref()?;
        let needs_id_token = ID_TOKEN_TOOLS.contains(&tool);
        let of_token = || needs_id_token.then(|| id_token_problem(name, engine)).flatten();
        return status_problem(name, engine).or_else(of_token);
    };
    let mut found = serving(&address.url, engine).ok()?;
    found.retain(|one| one.is_for(&[address.kind]));
    match found.as_slice() {
        // The bridge signs in by itself.
        [] if address.kind == "mcp" => None,
        [] => Some(no_connection(&address.url, engine)),
        [one] => status_problem(&one.connection_name, engine),
        _ => Some(format!(
            "several connections serve it; choose one with `tokenry bind {} --connection NAME`",
            address.url
        )),
    }
}

/// Why a connection can have no ID token.
fn id_token_problem(name: &str, engine: &Engine) -> Option<String> {
    let connection: Connection = engine.get(&["v1", "connections", name]).ok()?;
    let provider: OAuthProvider = engine
        .get(&["v1", "oauth-providers", &connection.provider_id.to_string()])
        .ok()?;
    let is_program = provider.settings.grant_type == GrantType::ClientCredentials;
    is_program.then(|| {
        format!("{name} is a program's own access, which has no ID token; choose a connection of a user")
    })
}

fn status_problem(name: &str, engine: &Engine) -> Option<String> {
    let connection: Result<Connection, Failure> = engine.get(&["v1", "connections", name]);
    let connection = match connection {
        Ok(connection) => connection,
        Err(failure) if failure.code() == Some(ErrorCode::NotFound) => {
            return Some(format!(
                "there is no connection called {name}; `tokenry list` shows them"
            ));
        }
        Err(failure) => return Some(failure.line()),
    };
    let name = &connection.name;
    match connection.status {
        ConnectionStatus::Active | ConnectionStatus::Refreshing | ConnectionStatus::Expiring => None,
        ConnectionStatus::Pending | ConnectionStatus::NeedsReauth => {
            Some(format!("{name} needs a sign-in: `tokenry connect {name}`"))
        }
        ConnectionStatus::Paused | ConnectionStatus::Disconnecting => Some(format!(
            "{name} gives no tokens now; `tokenry status {name}` says why"
        )),
    }
}

/// Says which command makes a connection, where a preset is known for the host.
fn no_connection(url: &str, engine: &Engine) -> String {
    let host = url.split("://").nth(1).unwrap_or(url);
    let host = host.split([':', '/']).next().unwrap_or(host);
    let label = host.rsplit('.').nth(1).unwrap_or_default();
    let preset: Option<Preset> = engine.get(&["v1", "catalog", label]).ok();
    let serves = |preset: &Preset| {
        let hosts = preset.serves.values().flatten();
        hosts.into_iter().any(|address| address.contains(host))
    };
    let command = match preset.filter(serves) {
        Some(preset) => format!("`tokenry connect {}`", preset.name),
        None => format!("`tokenry bind {url} --connection NAME`"),
    };
    format!("no connection serves {url}; make one with {command}")
}
