//! pip and uv: both run a program called `keyring`, where their configuration says so.

use super::{Address, Authority, Field, Options, Proposal, ProposedEdit, Tool, link};
use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::ini::{Ini, IniOption};
use crate::record::Entry;
use serde_json::json;
use std::path::{Path, PathBuf};

const PROGRAM: &str = "keyring";
const KEY: &str = "keyring-provider";
const VALUE: &str = "subprocess";
const HEADING: &str = "[global]";

const FIELDS: &[Field] = &[super::field("address", "packages.example.com")];

pub(super) struct Pip;
pub(super) struct Uv;

impl Tool for Pip {
    fn name(&self) -> &'static str {
        "pip"
    }

    fn title(&self) -> &'static str {
        "pip"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        ["pip", "pip3"]
            .iter()
            .any(|name| environment.find(name).is_some())
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let path = match environment.tool_variable("PIP_CONFIG_FILE")? {
            Some(path) => path,
            None => environment.config()?.join("pip/pip.conf"),
        };
        let text = file::read(&path)?.unwrap_or_default();
        let ini = Ini::read(&text);
        check_providers(&ini, &path)?;
        let usual = format!("{KEY} = {VALUE}");
        let own = ini
            .section(HEADING)
            .and_then(|section| section.options.iter().find(is_provider));
        let block = Block {
            heading: Some(HEADING.to_owned()),
            // The user may have written it in another way.
            lines: vec![own.map_or(usual.as_str(), |own| own.line).to_owned()],
            is_merged: true,
            had_heading: false,
        };
        super::check_ini(&block, &text, &path)?;
        let edit = Edit::Lines(block);
        proposal(environment, options, "pip", path, edit)
    }

    fn problem(&self, environment: &Environment, _entry: &Entry) -> Option<String> {
        missing_program(environment)
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        address(entry)
    }
}

impl Tool for Uv {
    fn name(&self) -> &'static str {
        "uv"
    }

    fn title(&self) -> &'static str {
        "uv"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("uv").is_some()
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let path = match environment.tool_variable("UV_CONFIG_FILE")? {
            Some(path) => path,
            None => environment.config()?.join("uv/uv.toml"),
        };
        let edit = Edit::toml(&[KEY], json!(VALUE));
        proposal(environment, options, "uv", path, edit)
    }

    fn problem(&self, environment: &Environment, _entry: &Entry) -> Option<String> {
        missing_program(environment)
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        address(entry)
    }
}

/// Whether pip reads this option as its provider.
fn is_provider(option: &&IniOption) -> bool {
    let key = option.key.replace('_', "-");
    key.strip_prefix("--").unwrap_or(&key) == KEY
}

/// Fails where a section names another provider: that of a command such as `[install]` comes before the one for all.
fn check_providers(ini: &Ini, path: &Path) -> Result<(), SetupError> {
    for section in &ini.sections {
        let found = section
            .options
            .iter()
            .filter(is_provider)
            .find(|one| one.value != VALUE);
        if let Some(found) = found {
            let why = format!(
                "names another {KEY} in [{}], line {}",
                section.name,
                found.start + 1
            );
            return Err(SetupError::blocked(
                path,
                why,
                "Remove that line, and try again. Nothing was changed.",
            ));
        }
    }
    Ok(())
}

fn proposal(
    environment: &Environment,
    options: &Options,
    label: &'static str,
    path: PathBuf,
    edit: Edit,
) -> Result<Proposal, SetupError> {
    let index = Authority::read(options.address.as_deref().unwrap_or_default())?;
    let mut proposal = Proposal::default();
    proposal.edits.push(ProposedEdit {
        target: index.url(),
        label,
        path,
        edit,
    });
    link::on_path(PROGRAM, &index.url(), environment, &mut proposal)?;
    let note = format!(
        "Put a user name into the address of the index: {}://me@{}/…",
        index.scheme, index.host
    );
    proposal.notes.push(note);
    Ok(proposal)
}

fn missing_program(environment: &Environment) -> Option<String> {
    let is_there = environment.find(PROGRAM).is_some();
    (!is_there).then(|| format!("{PROGRAM} is not on your path"))
}

fn address(entry: &Entry) -> Option<Address> {
    Some(Address {
        url: entry.target.clone(),
        kind: "package",
    })
}
