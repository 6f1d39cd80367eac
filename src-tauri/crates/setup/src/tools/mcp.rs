//! Clients of MCP: a server entry whose command is `tokenry mcp URL`.

use super::{Address, Authority, Field, Options, Proposal, ProposedEdit, Tool};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::record::Entry;
use crate::{file, json, toml};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to do when an address is wrong.
const NEXT: &str = "Give it in full: tokenry setup mcp https://mcp.example.com/mcp";

pub(super) struct Mcp;

/// A client and its file.
struct Client {
    name: &'static str,
    title: &'static str,
    path: PathBuf,
    /// The key of the servers.
    key: &'static str,
    /// Whether an entry says that it is a program.
    has_type: bool,
    is_toml: bool,
    is_installed: bool,
}

/// The clients, installed or not.
fn clients(environment: &Environment) -> Result<Vec<Client>, SetupError> {
    let (home, config) = (environment.home()?, environment.config()?);
    let config = if cfg!(target_os = "macos") {
        home.join("Library/Application Support")
    } else {
        config
    };
    let codex = environment
        .tool_variable("CODEX_HOME")?
        .unwrap_or_else(|| home.join(".codex"));
    let claude = environment.tool_variable("CLAUDE_CONFIG_DIR")?;
    let client = |name, title, path: PathBuf, key, has_type| {
        // Its own folder is there once it has run.
        let is_installed = path.exists()
            || path
                .parent()
                .is_some_and(|folder| folder != home && folder.exists());
        let is_toml = path.extension().is_some_and(|kind| kind == "toml");
        Client {
            name,
            title,
            path,
            key,
            has_type,
            is_toml,
            is_installed,
        }
    };
    let claude_code = claude.as_deref().unwrap_or(&home).join(".claude.json");
    let mut all = vec![
        client(
            "claude-desktop",
            "Claude Desktop",
            config.join("Claude/claude_desktop_config.json"),
            "mcpServers",
            false,
        ),
        client("claude-code", "Claude Code", claude_code, "mcpServers", true),
        client(
            "cursor",
            "Cursor",
            home.join(".cursor/mcp.json"),
            "mcpServers",
            false,
        ),
        client(
            "vscode",
            "VS Code",
            config.join("Code/User/mcp.json"),
            "servers",
            true,
        ),
        client("codex", "Codex", codex.join("config.toml"), "mcp_servers", false),
    ];
    all[1].is_installed |= home.join(".claude").exists() || environment.find("claude").is_some();
    all[4].is_installed |= environment.find("codex").is_some();
    Ok(all)
}

impl Tool for Mcp {
    fn name(&self) -> &'static str {
        "mcp"
    }

    fn title(&self) -> &'static str {
        "MCP: Claude Desktop, Claude Code, Cursor, VS Code, Codex"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field {
                name: "address",
                example: "https://mcp.example.com/mcp",
                optional: false,
            },
            Field {
                name: "name",
                example: "",
                optional: true,
            },
        ]
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        clients(environment).is_ok_and(|all| all.iter().any(|client| client.is_installed))
    }

    fn takes_clients(&self) -> bool {
        true
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let url = url(options.address.as_deref().unwrap_or_default())?;
        if let Some(name) = &options.name {
            check_name(name)?;
        }
        let mut meant = chosen(clients(environment)?, &options.clients)?;
        let mut proposal = Proposal::default();
        for client in meant.drain(..) {
            let name = entry_name(&client, &url, options.name.as_deref())?;
            let mut value = json!({"command": environment.tokenry_text()?, "args": ["mcp", url]});
            if client.has_type {
                value["type"] = "stdio".into();
            }
            let path = [client.key, name.as_str()];
            proposal.edits.push(ProposedEdit {
                target: url.clone(),
                label: client.title,
                edit: if client.is_toml {
                    Edit::toml(&path, value)
                } else {
                    Edit::json(&path, value)
                },
                path: client.path,
            });
        }
        let titles: Vec<_> = proposal.edits.iter().map(|edit| edit.label).collect();
        proposal
            .notes
            .push(format!("Restart {} to use the server.", titles.join(", ")));
        Ok(proposal)
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        Some(Address {
            url: entry.target.clone(),
            kind: "mcp",
        })
    }
}

/// An address of a server. It is an argument of a program, so it may hold no password.
fn url(text: &str) -> Result<String, SetupError> {
    let text = text.trim();
    authority(text)?;
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\'' | '\\'))
    {
        return Err(no_server());
    }
    Ok(text.to_owned())
}

/// The host of an address.
fn authority(url: &str) -> Result<Authority, SetupError> {
    let (scheme, rest) = url.split_once("://").ok_or_else(no_server)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Authority::read(&format!("{scheme}://{host}")).map_err(|error| error.with_next(NEXT))
}

fn no_server() -> SetupError {
    SetupError::option("This is not the address of an MCP server.", NEXT)
}

fn check_name(name: &str) -> Result<(), SetupError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.len() <= 64 && name.chars().all(is_part) {
        return Ok(());
    }
    Err(SetupError::option(
        "This is not a name of a server.",
        "Use letters, digits, hyphens and underscores.",
    ))
}

/// The clients that are named, else all that are installed.
fn chosen(all: Vec<Client>, named: &[String]) -> Result<Vec<Client>, SetupError> {
    let names: Vec<_> = all.iter().map(|client| client.name).collect();
    let known = format!("Name one with --client: {}.", names.join(", "));
    if named.iter().any(|name| !names.contains(&name.as_str())) {
        return Err(SetupError::option("This client of MCP is not known.", known));
    }
    let is_meant = |client: &Client| match named {
        [] => client.is_installed,
        _ => named.iter().any(|name| name == client.name),
    };
    let meant: Vec<_> = all.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(SetupError::option("No client of MCP was found.", known));
    }
    Ok(meant)
}

/// The name of an entry: the one that the user chose, that of an entry for the same address, such as one of `mcp-remote`,
/// or one made of the host.
fn entry_name(client: &Client, url: &str, chosen: Option<&str>) -> Result<String, SetupError> {
    let text = file::read(&client.path)?.unwrap_or_default();
    let key = [client.key.to_owned()];
    let servers = if client.is_toml {
        toml::json(&text, &key)
    } else {
        json::get(&text, &key).map(|(servers, _)| servers)
    };
    let servers = servers.map_err(|why| SetupError::file(&client.path, format!("has {why}")))?;
    let servers = servers.as_ref().and_then(Value::as_object);
    let is_same = |entry: &Value| entry.to_string().contains(&format!("\"{url}\""));
    let same = servers.into_iter().flatten().find(|(_, entry)| is_same(entry));
    let name = match (chosen, same) {
        (Some(name), _) => name.to_owned(),
        (None, Some((name, _))) => return Ok(name.clone()),
        (None, None) => name_of(authority(url)?.name()),
    };
    let taken = servers.and_then(|servers| servers.get(&name));
    if taken.is_some_and(|entry| !is_same(entry)) {
        return Err(SetupError::option(
            format!("{} has another server called {name}.", client.title),
            "Give this one another name with --name.",
        ));
    }
    Ok(name)
}

/// A name made of a host.
fn name_of(host: &str) -> String {
    let part = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = host.chars().map(part).collect();
    let name = name.trim_matches('-');
    // An IPv6 address says nothing to the user.
    if host.starts_with('[') || name.is_empty() {
        return "mcp-server".to_owned();
    }
    name.to_owned()
}
