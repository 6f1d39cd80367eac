//! What is set up: one file for each tool.

mod authority;
mod aws;
mod cargo;
mod docker;
mod git;
mod google;
mod kubectl;
mod link;
mod mail;
mod mcp;
mod oidc_agent;
mod packages;
mod terraform;

use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::ini::{Ini, is_only_change};
use crate::record::Entry;
pub(crate) use authority::Authority;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// All tools, in the order in which they are listed.
pub(crate) const TOOLS: &[&dyn Tool] = &[
    &git::Git,
    &docker::Docker,
    &mcp::Mcp,
    &kubectl::Kubectl,
    &cargo::Cargo,
    &packages::Pip,
    &packages::Uv,
    &terraform::Terraform,
    &aws::Aws,
    &google::Google,
    &mail::Mail,
    &oidc_agent::OidcAgent,
];

/// A program that can get tokens from Tokenry.
pub(crate) trait Tool: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// What it asks the user for.
    fn fields(&self) -> &'static [Field];

    /// Whether it is on this machine.
    fn is_installed(&self, environment: &Environment) -> bool;

    /// Whether the user can choose between several clients or shells.
    fn takes_clients(&self) -> bool {
        false
    }

    /// The target of an entry that the user calls by another name.
    fn target(&self, _named: &str) -> Option<String> {
        None
    }

    /// The changes that set it up.
    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError>;

    /// What the tool itself says about an entry, if that is a problem.
    fn problem(&self, _environment: &Environment, _entry: &Entry) -> Option<String> {
        None
    }

    /// The address that a connection must serve.
    fn address(&self, _entry: &Entry) -> Option<Address> {
        None
    }
}

/// A value that the user gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The member of [`Options`].
    pub name: &'static str,
    /// A value to begin with.
    pub example: &'static str,
    /// Whether it can be left out.
    pub optional: bool,
}

/// What the user wants to set up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A host, or the address of a server.
    pub address: Option<String>,
    /// A connection.
    pub connection: Option<String>,
    /// The name of an entry: a server, a registry, a profile.
    pub name: Option<String>,
    /// The role that AWS gives.
    pub role: Option<String>,
    /// The audience of a workload identity pool of Google.
    pub audience: Option<String>,
    /// The clients that are meant; all that are installed when there are none.
    pub clients: Vec<String>,
}

/// An address, and what a tool uses it for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    pub url: String,
    pub kind: &'static str,
}

/// A change of one file.
pub(crate) struct ProposedEdit {
    pub(crate) target: String,
    pub(crate) label: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) edit: Edit,
}

/// What a tool proposes.
#[derive(Default)]
pub(crate) struct Proposal {
    pub(crate) edits: Vec<ProposedEdit>,
    pub(crate) notes: Vec<String>,
    pub(crate) lines: Vec<Lines>,
}

/// Lines that the user adds to a file: some files are too much the user's own to be changed by a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// The file, or the program that reads it.
    pub title: String,
    /// The lines.
    pub text: String,
}

/// The tool of this name.
pub(crate) fn tool(name: &str) -> Result<&'static dyn Tool, SetupError> {
    let found = TOOLS.iter().find(|tool| tool.name() == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = TOOLS.iter().map(|tool| tool.name()).collect();
        SetupError::option(
            "This tool is not known.",
            format!("Known tools: {}.", names.join(", ")),
        )
    })
}

/// The options that a tool cannot do without.
pub(crate) fn needed<'a>(value: &'a Option<String>, option: &str) -> Result<&'a str, SetupError> {
    let given = value.as_deref().map(str::trim).filter(|value| !value.is_empty());
    let given = given.ok_or_else(|| {
        SetupError::option(
            format!("{option} is missing."),
            format!("Add {option} and try again."),
        )
    })?;
    // It becomes part of a line.
    let is_plain =
        |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '"' | '\'' | '\\' | '`' | '$');
    if given.len() <= 2048 && given.chars().all(is_plain) && !given.starts_with('-') {
        return Ok(given);
    }
    Err(SetupError::option(
        format!("The value of {option} cannot be right."),
        "Leave out blanks and quotes.",
    ))
}

/// Fails where configparser would not read the lines of a block as they are meant.
fn check_ini(block: &Block, text: &str, path: &Path) -> Result<(), SetupError> {
    let (heading, line) = (
        block.heading.as_deref().unwrap_or_default(),
        block.all().last().unwrap_or_default(),
    );
    if let Some(number) = Ini::read(text).error {
        let next = format!("Correct that line, and try again. Or write `{line}` below {heading} yourself.");
        return Err(SetupError::blocked(
            path,
            format!("has an error in line {number}"),
            next,
        ));
    }
    if block.is_in(text) || is_only_change(text, &block.add(text), heading, line) {
        return Ok(());
    }
    Err(SetupError::blocked(
        path,
        format!("cannot be changed safely, because lines of {heading} are indented"),
        format!("Write `{line}` below {heading} yourself, indented as the lines there. Nothing was changed."),
    ))
}

/// A field of the name `name` that the user must fill.
const fn field(name: &'static str, example: &'static str) -> Field {
    Field {
        name,
        example,
        optional: false,
    }
}

/// A word in single quotes for a shell.
pub(crate) fn shell_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_path_stays_in_one_word_of_a_shell() {
        assert_eq!(shell_word("/o'neill/tokenry"), "'/o'\\''neill/tokenry'");
    }
}
