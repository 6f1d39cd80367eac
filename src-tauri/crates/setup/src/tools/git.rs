//! git: a credential helper for one host, in the user's configuration.

use super::{Address, Authority, Field, Options, Proposal, ProposedEdit, Tool, shell_word};
use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::record::Entry;
use std::path::{Path, PathBuf};

const DEFAULT_HOST: &str = "github.com";

pub(super) struct Git;

impl Tool for Git {
    fn name(&self) -> &'static str {
        "git"
    }

    fn title(&self) -> &'static str {
        "git"
    }

    fn fields(&self) -> &'static [Field] {
        &[Field {
            name: "address",
            example: DEFAULT_HOST,
            optional: true,
        }]
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("git").is_some()
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let url = Authority::read(options.address.as_deref().unwrap_or(DEFAULT_HOST))?.url();
        let block = block(&url, &helper(environment)?);
        let path = path(environment)?;
        check(environment, &url, &block, &path)?;
        let edit = ProposedEdit {
            target: url,
            label: "git",
            path,
            edit: Edit::Lines(block),
        };
        Ok(Proposal {
            edits: vec![edit],
            ..Proposal::default()
        })
    }

    fn problem(&self, environment: &Environment, entry: &Entry) -> Option<String> {
        let git = environment.find("git")?;
        let key = format!("credential.{}.helper", entry.target);
        let read = environment.output(&git, &["config", "--global", "--includes", "--get-all", &key], "");
        let read = read.unwrap_or_default();
        let Edit::Lines(block) = &entry.edit else {
            return None;
        };
        let is_last = read
            .lines()
            .last()
            .is_some_and(|last| *block == self::block(&entry.target, last));
        (!is_last).then(|| format!("git asks another helper for {}", entry.target))
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        Some(Address {
            url: entry.target.clone(),
            kind: "git",
        })
    }
}

/// What git runs. A path in the configuration survives a shell without our folder on its path.
fn helper(environment: &Environment) -> Result<String, SetupError> {
    Ok(format!(
        "!{} git-credential",
        shell_word(environment.tokenry_text()?)
    ))
}

/// An empty helper ends the list of those that were named before, so that none of them is given the token to store.
/// Sections may be repeated, and the last one comes last in the list.
fn block(url: &str, helper: &str) -> Block {
    Block {
        is_merged: false,
        had_heading: false,
        heading: Some(format!("[credential \"{url}\"]")),
        lines: vec!["\thelper = ".to_owned(), format!("\thelper = {}", quoted(helper))],
    }
}

/// A value of git's configuration in double quotes.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The file that `git config --global` writes.
fn path(environment: &Environment) -> Result<PathBuf, SetupError> {
    if let Some(path) = environment.tool_variable("GIT_CONFIG_GLOBAL")? {
        return Ok(path);
    }
    let usual = environment.home()?.join(".gitconfig");
    let other = environment.config()?.join("git/config");
    Ok(if !usual.exists() && other.exists() {
        other
    } else {
        usual
    })
}

/// git itself reads the file before and after the change.
fn check(environment: &Environment, url: &str, block: &Block, path: &Path) -> Result<(), SetupError> {
    let git = environment.find("git");
    let git = git.ok_or_else(|| SetupError::NotInstalled {
        what: "git".to_owned(),
    })?;
    let text = file::read(path)?.unwrap_or_default();
    let read = |text: &str, arguments: &[&str]| {
        let all = [&["config", "--file", "-"], arguments].concat();
        environment.output(&git, &all, text)
    };
    if read(&text, &["--list"]).is_none() {
        return Err(SetupError::file(path, "cannot be read by git"));
    }
    let key = format!("credential.{url}.helper");
    let listed = read(&block.add(&text), &["--get-all", &key]).unwrap_or_default();
    let is_ours = |line: &str| *block == self::block(url, line);
    let mut last = listed.lines().rev();
    if last.next().is_some_and(is_ours) && last.next() == Some("") {
        return Ok(());
    }
    Err(SetupError::file(path, "would not be read by git as it is meant"))
}
