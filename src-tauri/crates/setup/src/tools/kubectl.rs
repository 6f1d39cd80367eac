//! kubectl: a user in the kubeconfig whose token comes from a program.

use super::{Field, Options, Proposal, ProposedEdit, Tool, field, needed};
use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where the users are, in a file that kubectl wrote.
const HEADING: &str = "users:";

pub(super) struct Kubectl;

impl Tool for Kubectl {
    fn name(&self) -> &'static str {
        "kubectl"
    }

    fn title(&self) -> &'static str {
        "kubectl"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                field("connection", "corp"),
                Field {
                    name: "name",
                    example: "tokenry",
                    optional: true,
                },
            ]
        }
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("kubectl").is_some()
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let connection = needed(&options.connection, "--connection")?;
        let name = options.name.clone().or_else(|| Some("tokenry".to_owned()));
        let name = needed(&name, "--name")?;
        let path = kubeconfig(environment)?;
        let text = file::read(&path)?.unwrap_or_default();
        let lines = entry(
            environment.tokenry_text()?,
            name,
            connection,
            indent(&path, &text)?,
        );
        let block = Block {
            heading: Some(HEADING.to_owned()),
            lines,
            is_merged: true,
        };
        if !block.is_in(&text) && has_user(&text, name) {
            let why = format!("has a user {name}; choose another name with --name");
            return Err(SetupError::file(&path, why));
        }
        Ok(Proposal {
            edits: vec![ProposedEdit {
                target: name.to_owned(),
                label: "kubectl",
                path,
                edit: Edit::Lines(block),
            }],
            notes: vec![
                format!(
                    "Use it with `kubectl --user={name}`, or in a context: `kubectl config set-context --current --user={name}`."
                ),
                "Where the cluster takes ID tokens, add `- --id-token` to the args.".to_owned(),
            ],
            ..Proposal::default()
        })
    }
}

/// The first file of `KUBECONFIG`, else the usual one.
fn kubeconfig(environment: &Environment) -> Result<PathBuf, SetupError> {
    let listed = environment.variable("KUBECONFIG").unwrap_or_default();
    let first = std::env::split_paths(&listed).find(|path| path.is_absolute());
    match first {
        Some(path) => Ok(path),
        None => Ok(environment.home()?.join(".kube/config")),
    }
}

/// How far the items of the list of users are indented.
///
/// # Errors
/// When the file is written in another way than kubectl writes it: then lines cannot be added to the list.
fn indent(path: &Path, text: &str) -> Result<usize, SetupError> {
    let odd = || {
        let why = "is not written as kubectl writes it; use `kubectl config set-credentials` with --exec-command instead";
        SetupError::file(path, why)
    };
    let mut lines = text
        .lines()
        .skip_while(|line| !line.trim_start().starts_with(HEADING));
    match lines.next() {
        None if text.trim_start().starts_with('{') => Err(odd()),
        None => Ok(0),
        Some(HEADING) => {
            let item = lines.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
            Ok(item
                .filter(|line| line.trim_start().starts_with("- "))
                .map_or(0, |line| line.len() - line.trim_start().len()))
        }
        Some(_) => Err(odd()),
    }
}

fn has_user(text: &str, name: &str) -> bool {
    let users = text.lines().skip_while(|line| *line != HEADING).skip(1);
    let mut users = users.take_while(|line| line.starts_with([' ', '-']) || line.is_empty());
    users.any(|line| {
        let line = line.trim().trim_start_matches("- ");
        let value = line
            .strip_prefix("name:")
            .map(|value| value.trim().trim_matches(['"', '\'']));
        value == Some(name)
    })
}

/// A string of JSON is one of YAML, too.
fn entry(program: &str, name: &str, connection: &str, indent: usize) -> Vec<String> {
    let quoted = |text: &str| Value::from(text).to_string();
    let lines = [
        format!("- name: {}", quoted(name)),
        "  user:".to_owned(),
        "    exec:".to_owned(),
        // Each kubectl that runs a program for a token knows this version.
        "      apiVersion: client.authentication.k8s.io/v1beta1".to_owned(),
        format!("      command: {}", quoted(program)),
        "      args:".to_owned(),
        "      - kubectl-credential".to_owned(),
        format!("      - {}", quoted(&format!("--connection={connection}"))),
        "      interactiveMode: Never".to_owned(),
        "      provideClusterInfo: false".to_owned(),
    ];
    lines
        .into_iter()
        .map(|line| format!("{:indent$}{line}", ""))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_indented_as_those_that_are_there_and_an_odd_file_is_refused() {
        let of = |text: &str| indent(Path::new("x"), text).ok();
        for (text, expected) in [
            ("", Some(0)),
            ("apiVersion: v1\nkind: Config\n", Some(0)),
            ("users:\n- name: a\n", Some(0)),
            ("users:\n# note\n\n  - name: a\n", Some(2)),
            ("users:\nkind: Config\n", Some(0)),
            ("users: []\n", None),
            ("users: null\n", None),
            ("users: # note\n- name: a\n", None),
            ("x:\n  users:\n  - name: a\n", None),
            ("{\"users\": []}", None),
        ] {
            assert_eq!(of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_user_of_this_name_is_found_however_it_is_quoted() {
        for text in [
            "users:\n- name: tokenry\n  user: {}\n",
            "users:\n  - user: {}\n    name: \"tokenry\"\n",
            "kind: Config\nusers:\n- name: 'tokenry'\n",
        ] {
            assert!(has_user(text, "tokenry"), "{text:?}");
        }
        assert!(!has_user(
            "contexts:\n- name: tokenry\nusers:\n- name: other\ncontexts2:\n- name: tokenry\n",
            "tokenry"
        ));
    }
}
