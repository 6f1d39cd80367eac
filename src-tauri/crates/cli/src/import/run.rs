//! Reads, shows the plan, asks, and imports.

use super::plan::{self, Here, Planned, State};
use super::{
    Found, ImportArgs, Tool, Unread, What, gh, git_config, glab, mcp_remote, oidc_agent, pizauth, source,
};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use tokenry_contract::{CreateCredential, Credential, CredentialType, ErrorCode, OAuthProvider};

/// The report as JSON.
#[derive(Serialize)]
struct Report<'a> {
    tool: &'static str,
    imported: usize,
    items: &'a [Planned],
    unread: &'a [Unread],
    warnings: &'a [String],
}

pub(crate) fn run(
    args: &ImportArgs,
    engine: impl FnOnce() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let Some(tool) = args.tool else {
        return overview(output);
    };
    let from_stdin = args.file.as_deref() == Some(Path::new("-"));
    let can_ask = !from_stdin && !output.is_json() && io::stdin().is_terminal();
    if !args.yes && !args.dry_run && !can_ask {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "There is no terminal to ask whether to import this.",
            "Look at it with --dry-run, then add --yes.",
        ));
    }
    let mut found = read(tool, args.file.as_deref())?;
    let engine = engine()?;
    let here = Here {
        providers: engine.get(&["v1", "oauth-providers"])?,
        credentials: engine.get(&["v1", "credentials"])?,
    };
    let mut plan = plan::plan(&mut found, &here);
    tell(&plan, &found, output)?;
    let wanted = plan.iter().filter(|item| item.state != State::Same).count();
    let agrees = args.yes || args.dry_run || wanted == 0 || asked(wanted)?;
    let mut imported = 0;
    let mut failure = None;
    if agrees && !args.dry_run {
        for item in plan.iter_mut().filter(|item| item.state != State::Same) {
            match import(item, &engine) {
                Ok(()) => imported += 1,
                Err(error) => {
                    output.say(&format!("{}: not imported: {}", item.name, error.parts().0));
                    item.error = Some(error.parts().0);
                    failure = Some(error);
                }
            }
        }
    }
    let report = Report {
        tool: tool.name(),
        imported,
        items: &plan,
        unread: &found.unread,
        warnings: &found.warnings,
    };
    let words = match args.dry_run {
        true => format!("Would import {wanted}. Nothing was changed."),
        false => format!("Imported {imported} of {}. Nothing was overwritten.", plan.len()),
    };
    output.done(&report, &words)?;
    failure.map_or(Ok(()), Err)
}

/// The plan, what could not be read, and what to know. JSON has them in the report.
fn tell(plan: &[Planned], found: &Found, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(());
    }
    output.data(&(), |style| plan::text(plan, style))?;
    for unread in &found.unread {
        output.say(&format!("Not read: {}: {}.", unread.place, unread.text));
    }
    found.warnings.iter().for_each(|warning| output.say(warning));
    Ok(())
}

fn asked(count: usize) -> Result<bool, Failure> {
    let answer = secret_input::shown_line(&format!("Import {count}? [y/N] "))?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

fn import(item: &Planned, engine: &Engine) -> Result<(), Failure> {
    match &item.what {
        What::Provider {
            settings,
            client_secret,
        } => {
            let mut fields = with_endpoints(settings, engine)?;
            fields.insert("name".to_owned(), item.name.clone().into());
            if let Some(secret) = client_secret {
                fields.insert("client_secret".to_owned(), secret.as_str().into());
            }
            engine.send_body::<OAuthProvider>(Method::Post, &["v1", "oauth-providers"], fields)?;
        }
        What::Token { value, expires_at } => {
            let body = CreateCredential {
                name: item.name.clone(),
                project: None,
                kind: CredentialType::Raw,
                data: BTreeMap::from([("value".to_owned(), STANDARD.encode(value.as_str()))]),
                redact_fields: Vec::new(),
                expires_at: expires_at.map(|time| time.to_string()),
            };
            engine.send_body::<Credential>(Method::Post, &["v1", "credentials"], body)?;
        }
    }
    Ok(())
}

/// The settings; with those of the issuer's metadata below them, where they name no endpoint.
fn with_endpoints(settings: &Map<String, Value>, engine: &Engine) -> Result<Map<String, Value>, Failure> {
    let issuer = settings.get("issuer").and_then(Value::as_str);
    let (false, Some(issuer)) = (settings.contains_key("token_endpoint"), issuer) else {
        return Ok(settings.clone());
    };
    let found: Value = engine.send_body(Method::Post, &["v1", "discovery"], json!({ "address": issuer }))?;
    let mut fields = found["settings"].as_object().cloned().unwrap_or_default();
    fields.extend(
        settings
            .iter()
            .filter(|(name, _)| *name != "issuer")
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Ok(fields)
}

fn read(tool: Tool, file: Option<&Path>) -> Result<Found, Failure> {
    let mut found = Found::default();
    match (tool, file) {
        (Tool::GitCredentialOauth | Tool::GitCredentialManager, file) => {
            let file = file
                .map(std::path::absolute)
                .transpose()
                .map_err(|error| missing(tool, &error.to_string()))?;
            git_config::read(&git_config::list(file.as_deref())?, tool, &mut found);
        }
        (Tool::OidcAgent, None) => {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                "The accounts of oidc-agent are encrypted, so only it can read them.",
                "Send one: `oidc-gen --print NAME | tokenry import oidc-agent - --yes`. `oidc-gen --accounts` lists them.",
            ));
        }
        (Tool::McpRemote, None) => {
            let folder = default_place(tool).ok_or_else(|| missing(tool, "HOME is not set"))?;
            for file in mcp_remote::files(&folder) {
                let text = source::read(&file, &mut found)?;
                mcp_remote::read(&text, &file, &mut found);
            }
        }
        (tool, file) => {
            let file = file.map(Path::to_owned).or_else(|| default_place(tool));
            let file = file.ok_or_else(|| missing(tool, "HOME is not set"))?;
            let text = match file == Path::new("-") {
                true => source::read_stdin()?,
                false => source::read(&file, &mut found)?,
            };
            of_text(tool, &text, &file, &mut found);
        }
    }
    Ok(found)
}

fn of_text(tool: Tool, text: &str, file: &Path, found: &mut Found) {
    let name = file.display().to_string();
    match tool {
        Tool::Pizauth => pizauth::read(text, &name, found),
        Tool::OidcAgent => oidc_agent::read(text, found),
        Tool::McpRemote => mcp_remote::read(text, file, found),
        Tool::Gh => gh::read(text, &name, found),
        Tool::Glab => glab::read(text, &name, Timestamp::now(), found),
        Tool::GitCredentialOauth | Tool::GitCredentialManager => {}
    }
}

fn missing(tool: Tool, why: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("The file of {} cannot be found: {why}.", tool.name()),
        format!("Name it: `tokenry import {} FILE`.", tool.name()),
    )
}

/// Where a tool keeps its file, or its folder.
fn default_place(tool: Tool) -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = || set("HOME");
    let config = || set("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")));
    match tool {
        Tool::Pizauth => Some(config()?.join("pizauth.conf")),
        Tool::OidcAgent => set("OIDC_CONFIG_DIR").or_else(|| {
            let new = config()?.join("oidc-agent");
            if new.is_dir() {
                Some(new)
            } else {
                Some(home()?.join(".oidc-agent"))
            }
        }),
        Tool::McpRemote => set("MCP_REMOTE_CONFIG_DIR").or_else(|| Some(home()?.join(".mcp-auth"))),
        Tool::Gh => set("GH_CONFIG_DIR")
            .or_else(|| Some(config()?.join("gh")))
            .map(|folder| folder.join("hosts.yml")),
        Tool::Glab => set("GLAB_CONFIG_DIR")
            .or_else(|| Some(config()?.join("glab-cli")))
            .map(|folder| folder.join("config.yml")),
        Tool::GitCredentialOauth | Tool::GitCredentialManager => None,
    }
}

/// What is at the default places.
#[derive(Serialize)]
struct Place {
    tool: &'static str,
    place: String,
    /// How many can be imported.
    items: usize,
    unread: usize,
    command: String,
}

fn overview(output: &Output) -> Result<(), Failure> {
    let places: Vec<Place> = Tool::ALL.into_iter().filter_map(place).collect();
    if places.is_empty() {
        output.say("Nothing of these tools was found. Name a file: `tokenry import TOOL FILE`.");
    }
    output.data(&places, |_| {
        let line = |place: &Place| {
            let count = match place.items {
                0 => format!(
                    "nothing that can be imported as it is ({} to look at)",
                    place.unread
                ),
                count => format!("{count} to import"),
            };
            format!(
                "{}: {count}. {} Look: `{}`",
                place.tool, place.place, place.command
            )
        };
        places
            .iter()
            .map(|place| tokenry_contract::sanitize_for_display(&line(place)) + "\n")
            .collect()
    })
}

fn place(tool: Tool) -> Option<Place> {
    let at = default_place(tool);
    if tool == Tool::OidcAgent {
        let folder = at.filter(|folder| folder.is_dir())?;
        return Some(Place {
            tool: tool.name(),
            place: format!("{} is encrypted.", folder.display()),
            items: 0,
            unread: 1,
            command: "oidc-gen --print NAME | tokenry import oidc-agent - --dry-run".to_owned(),
        });
    }
    if at.as_ref().is_some_and(|at| !at.exists()) {
        return None;
    }
    let found = read(tool, None).ok()?;
    if found.items.is_empty() && found.unread.is_empty() {
        return None;
    }
    let shown = at.map_or_else(|| "git's configuration".to_owned(), |at| at.display().to_string());
    Some(Place {
        tool: tool.name(),
        place: format!("{shown}."),
        items: found.items.len(),
        unread: found.unread.len(),
        command: format!("tokenry import {} --dry-run", tool.name()),
    })
}
