//! AWS: a profile whose credentials come from a program.

use super::{Field, Options, Proposal, ProposedEdit, Tool, field, needed};
use crate::block::{Block, value};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;

pub(super) struct Aws;

impl Tool for Aws {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn title(&self) -> &'static str {
        "AWS"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                field("connection", "corp"),
                field("role", "arn:aws:iam::123456789012:role/NAME"),
                Field {
                    name: "name",
                    example: "tokenry",
                    optional: true,
                },
            ]
        }
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("aws").is_some() || environment.home().is_ok_and(|home| home.join(".aws").exists())
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let connection = needed(&options.connection, "--connection")?;
        let role = needed(&options.role, "--role")?;
        let name = options.name.clone().or_else(|| Some("tokenry".to_owned()));
        let name = needed(&name, "--name")?;
        if name.contains(['[', ']', '#', ';']) {
            return Err(SetupError::option(
                "This is not a name of a profile.",
                "Use letters and digits.",
            ));
        }
        let path = match environment.path_variable("AWS_CONFIG_FILE") {
            Some(path) => path,
            None => environment.home()?.join(".aws/config"),
        };
        let heading = if name == "default" {
            "[default]".to_owned()
        } else {
            format!("[profile {name}]")
        };
        let command = format!(
            "{} aws-credential --connection {connection} --role-arn {role}",
            word(environment)?
        );
        let text = file::read(&path)?.unwrap_or_default();
        let others = ["credential_process", "sso_session", "role_arn", "source_profile"];
        let is_other = |key: &&&str| {
            let found = value(&text, &heading, key);
            found.is_some_and(|found| **key != "credential_process" || !found.contains(" aws-credential "))
        };
        if let Some(key) = others.iter().find(is_other) {
            let why = format!("has {key} in the profile {name}; choose another with --name");
            return Err(SetupError::file(&path, why));
        }
        let block = Block {
            heading: Some(heading),
            lines: vec![format!("credential_process = {command}")],
            is_merged: true,
        };
        Ok(Proposal {
            edits: vec![ProposedEdit {
                target: name.to_owned(),
                label: "aws",
                path,
                edit: Edit::Lines(block),
            }],
            notes: vec![format!(
                "Use it with `aws --profile {name}`, or AWS_PROFILE={name}."
            )],
            ..Proposal::default()
        })
    }
}

/// The path of our program. AWS's libraries split the command as a shell does.
fn word(environment: &Environment) -> Result<String, SetupError> {
    let path = environment.tokenry_text()?;
    if path.contains(['"', '\\']) {
        return Err(SetupError::file(
            environment.tokenry(),
            "is a path that AWS's configuration cannot hold",
        ));
    }
    Ok(if path.contains(char::is_whitespace) {
        format!("\"{path}\"")
    } else {
        path.to_owned()
    })
}
