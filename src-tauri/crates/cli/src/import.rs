//! `tokenry import`: providers and static tokens from the files of other tools.
//!
//! What must never be true of it: that it changes a file of another tool; that it overwrites anything here; that it
//! prints a secret. What it cannot read is named with its file and line.

mod gh;
mod git_config;
mod glab;
mod mcp_remote;
mod oidc_agent;
mod pizauth;
mod plan;
mod run;
mod source;
mod yaml;

pub(crate) use run::run;

use crate::secret_input::SecretText;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Import providers and tokens from another tool; without a tool, list what there is.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The tool [default: look at all of them and import nothing]
    pub(crate) tool: Option<Tool>,
    /// Its file, or `-` for standard input [default: where the tool keeps it]
    #[arg(requires = "tool")]
    pub(crate) file: Option<PathBuf>,
    /// Show what would be imported, and import nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Import without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    Pizauth,
    OidcAgent,
    McpRemote,
    GitCredentialOauth,
    GitCredentialManager,
    Gh,
    Glab,
}

impl Tool {
    const ALL: [Self; 7] = [
        Self::Pizauth,
        Self::OidcAgent,
        Self::McpRemote,
        Self::GitCredentialOauth,
        Self::GitCredentialManager,
        Self::Gh,
        Self::Glab,
    ];

    /// As it is typed.
    fn name(self) -> &'static str {
        match self {
            Self::Pizauth => "pizauth",
            Self::OidcAgent => "oidc-agent",
            Self::McpRemote => "mcp-remote",
            Self::GitCredentialOauth => "git-credential-oauth",
            Self::GitCredentialManager => "git-credential-manager",
            Self::Gh => "gh",
            Self::Glab => "glab",
        }
    }
}

/// What the files of a tool hold.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    /// What could not be read.
    unread: Vec<Unread>,
    /// What the user should know before it is imported.
    warnings: Vec<String>,
}

impl Found {
    fn unread(&mut self, place: &str, text: impl Into<String>) {
        self.unread.push(Unread {
            place: place.to_owned(),
            text: text.into(),
        });
    }

    fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}

/// Something that was not understood: where, and why. Never the value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
struct Unread {
    place: String,
    text: String,
}

/// Something that can be imported.
struct Item {
    /// As the tool calls it; a name of ours is made of it.
    name: String,
    /// Its file, with the line where there is one.
    place: String,
    what: What,
}

enum What {
    Provider {
        /// The settings that differ from the defaults. Without endpoints they are read from the issuer's metadata.
        settings: Map<String, Value>,
        client_secret: Option<SecretText>,
    },
    Token {
        value: SecretText,
        expires_at: Option<Timestamp>,
    },
}

/// A text setting, where it is not empty.
fn put(settings: &mut Map<String, Value>, name: &str, value: &str) {
    if !value.is_empty() {
        settings.insert(name.to_owned(), value.into());
    }
}

/// The settings of a redirect URI on loopback that another tool uses. Such tools take any free port where the address
/// has none.
fn put_redirect(settings: &mut Map<String, Value>, address: &str) -> Result<(), &'static str> {
    let rest = address
        .strip_prefix("http://")
        .ok_or("its redirect URI is not on loopback, so sign-ins use Tokenry's own")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if !matches!(host, "localhost" | "127.0.0.1" | "[::1]") || path.contains(['?', '#']) {
        return Err("its redirect URI is not on loopback, so sign-ins use Tokenry's own");
    }
    match port.map(str::parse::<u16>) {
        None => drop(settings.insert("loopback_any_port".to_owned(), true.into())),
        Some(Ok(port)) if port != 0 => drop(settings.insert("loopback_ports".to_owned(), vec![port].into())),
        Some(_) => return Err("the port of its redirect URI is not a number"),
    }
    put(settings, "loopback_host", host);
    settings.insert("redirect_path".to_owned(), format!("/{path}").into());
    Ok(())
}

/// The first line of a text with a character that no setting has: a control character.
fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_loopback_redirect_of_another_tool_becomes_settings() {
        let of = |address: &str| {
            let mut settings = Map::new();
            put_redirect(&mut settings, address).map(|()| Value::Object(settings))
        };
        assert_eq!(
            of("http://localhost/"),
            Ok(json!({"loopback_any_port": true, "loopback_host": "localhost", "redirect_path": "/"}))
        );
        assert_eq!(
            of("http://127.0.0.1:8080/a/b"),
            Ok(json!({"loopback_ports": [8080], "loopback_host": "127.0.0.1", "redirect_path": "/a/b"}))
        );
        assert_eq!(of("http://[::1]").unwrap()["loopback_host"], "[::1]");
        for odd in [
            "https://a.example/cb",
            "http://10.0.0.1/",
            "http://localhost:99999/",
            "x",
            "http://localhost/?a",
        ] {
            assert!(of(odd).is_err(), "{odd}");
        }
    }
}
