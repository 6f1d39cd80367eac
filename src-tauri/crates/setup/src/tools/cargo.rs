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
        let (index, name) = index(options.address.as_deref().unwrap_or_default())?;
        let path = path(environment)?;
        let text = file::read(&path)?.unwrap_or_default();
        let name = options.name.clone().unwrap_or(name);
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
    let folder = match environment.tool_variable("CARGO_HOME")? {
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

/// The address of an index, and a name for its registry.
fn index(text: &str) -> Result<(String, String), SetupError> {
    const NEXT: &str =
        "Give it as in Cargo.toml: tokenry setup cargo sparse+https://crates.example.com/index/";
    let wrong = || SetupError::option("This is not the address of a registry's index.", NEXT);
    let text = text.trim();
    let url = text.strip_prefix("sparse+").unwrap_or(text);
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let host = rest.split('/').next().unwrap_or_default();
    let authority = Authority::read(&format!("{scheme}://{host}")).map_err(|error| error.with_next(NEXT))?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~/:%[]+".contains(c);
    if rest.contains("://") || !rest.chars().all(is_part) {
        return Err(wrong());
    }
    Ok((text.to_owned(), name_of(authority.name())))
}

/// The name of a registry: the part of its host that is registered.
fn name_of(host: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_named_after_its_host_in_lower_case() {
        for (text, name) in [
            ("sparse+https://crates.EXAMPLE.com/index/", "example"),
            ("https://localhost:8/git", "localhost"),
            ("sparse+https://[::1]:8/", "private"),
            ("sparse+https://10.0.0.1/", "private"),
        ] {
            assert_eq!(index(text), Ok((text.to_owned(), name.to_owned())));
        }
    }

    #[test]
    fn a_text_that_is_not_the_address_of_an_index_is_refused() {
        for text in [
            "",
            "crates.example.com",
            "sparse+https://http://git.example/index/",
            "sparse+https://git.example/http://other.example/",
            "sparse+sparse+https://git.example/",
            "sparse+http://git.example/",
            "sparse+https:///index/",
            "sparse+https://git.example:99999/index/",
            "sparse+https://me@git.example/index/",
            "sparse+https://git.example/a b",
        ] {
            let error = index(text).unwrap_err();
            assert!(
                error.next_step().contains("sparse+https://crates"),
                "{text}: {error}"
            );
        }
    }
}
