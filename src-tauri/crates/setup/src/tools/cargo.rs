//! cargo: a credential provider for one registry.

use super::{Address, Authority, Field, Options, Proposal, ProposedEdit, Tool, link};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::record::Entry;
use crate::{file, toml};
use serde_json::json;
use std::path::PathBuf;

const PROGRAM: &str = "cargo-credential-tokenry";

pub(super) struct Cargo;

impl Tool for Cargo {
    fn name(&self) -> &'static str {
        "cargo"
    }

    fn title(&self) -> &'static str {
        "cargo"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                super::field("address", "sparse+https://crates.example.com/index/"),
                Field {
                    name: "name",
                    example: "",
                    optional: true,
                },
            ]
        }
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("cargo").is_some()
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let index = index(options.address.as_deref().unwrap_or_default())?;
        let path = path(environment)?;
        let text = file::read(&path)?.unwrap_or_default();
        let name = match &options.name {
            Some(name) => name.clone(),
            None => name_of(&index),
        };
        check_name(&name)?;
        let mut proposal = Proposal::default();
        let program = link::path(PROGRAM, &index, environment, &mut proposal)?;
        let mut set = |key: &str, value| {
            proposal.edits.push(ProposedEdit {
                target: index.clone(),
                label: "cargo",
                path: path.clone(),
                edit: Edit::toml(&["registries", &name, key], value),
            });
        };
        let known = ["registries".to_owned(), name.clone(), "index".to_owned()];
        let wrong = |why: String| SetupError::file(&path, format!("has {why}"));
        if toml::is(&text, &known, &json!(index)).map_err(wrong)? {
            // The registry is there; only its provider is missing.
        } else if toml::get(&text, &known).map_err(wrong)?.0.is_some() {
            return Err(SetupError::option(
                format!("cargo knows another registry called {name}."),
                "Give this one a name with --name.",
            ));
        } else {
            set("index", json!(index));
        }
        set("credential-provider", json!([program]));
        proposal
            .notes
            .push(format!("Use it with `cargo publish --registry {name}`."));
        Ok(proposal)
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        let url = entry.target.strip_prefix("sparse+").unwrap_or(&entry.target);
        Some(Address {
            url: url.to_owned(),
            kind: "registry",
        })
    }
}

fn path(environment: &Environment) -> Result<PathBuf, SetupError> {
    let folder = match environment.path_variable("CARGO_HOME") {
        Some(folder) => folder,
        None => environment.home()?.join(".cargo"),
    };
    // The name of old versions of cargo comes first where both are there.
    let old = folder.join("config");
    Ok(if old.exists() {
        old
    } else {
        folder.join("config.toml")
    })
}

/// The address of an index.
fn index(text: &str) -> Result<String, SetupError> {
    let wrong = || {
        SetupError::option(
            "This is not the address of a registry's index.",
            "Give it as in Cargo.toml: tokenry setup cargo sparse+https://crates.example.com/index/",
        )
    };
    let text = text.trim();
    let url = text.strip_prefix("sparse+").unwrap_or(text);
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let host = rest.split('/').next().unwrap_or_default();
    Authority::read(&format!("{scheme}://{host}"))?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~/:%[]+@".contains(c);
    if rest.contains('@') || !rest.chars().all(is_part) {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

fn name_of(index: &str) -> String {
    let host = index.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let name = host.split('.').rev().nth(1).unwrap_or(host);
    if name.chars().next().is_some_and(|c| c.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        "private".to_owned()
    }
}

fn check_name(name: &str) -> Result<(), SetupError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.len() <= 64 && name.chars().all(is_part) {
        return Ok(());
    }
    Err(SetupError::option(
        "This is not a name of a registry.",
        "Use letters, digits, hyphens and underscores.",
    ))
}
