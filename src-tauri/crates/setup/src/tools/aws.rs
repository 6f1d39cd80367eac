//! AWS: a profile whose credentials come from a program.

use super::{Field, Options, Proposal, ProposedEdit, Tool, field, needed};
use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::ini::{Ini, IniOption};

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
        check_role(role)?;
        let name = options.name.clone().or_else(|| Some("tokenry".to_owned()));
        let name = needed(&name, "--name")?;
        if name.contains(['[', ']', '#', ';']) {
            return Err(SetupError::option(
                "This is not a name of a profile.",
                "Use letters and digits.",
            ));
        }
        let path = match environment.expanded_variable("AWS_CONFIG_FILE")? {
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
        let ini = Ini::read(&text);
        let options = ini.section(&heading).map(|section| section.options.as_slice());
        if let Some(other) = options.unwrap_or_default().iter().find(|option| is_other(option)) {
            let why = format!("has {} in the profile {name}", other.key);
            return Err(SetupError::blocked(
                &path,
                why,
                "Choose another profile with --name.",
            ));
        }
        check_credentials(environment, name)?;
        let block = Block {
            heading: Some(heading),
            lines: vec![format!("credential_process = {command}")],
            is_merged: true,
            had_heading: false,
        };
        super::check_ini(&block, &text, &path)?;
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

/// Options that say where the credentials of a profile come from. Those of `sso_` do, too.
const SOURCES: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "source_profile",
    "web_identity_token_file",
];

/// Whether an option makes the profile another one of the user.
fn is_other(option: &IniOption) -> bool {
    let is_source = SOURCES.contains(&option.key.as_str()) || option.key.starts_with("sso_");
    let is_ours = option.key == "credential_process" && option.value.contains(" aws-credential ");
    is_source && !is_ours
}

/// Fails where the file of keys has the profile: its keys come before those of a program.
fn check_credentials(environment: &Environment, name: &str) -> Result<(), SetupError> {
    let path = match environment.expanded_variable("AWS_SHARED_CREDENTIALS_FILE")? {
        Some(path) => path,
        None => environment.home()?.join(".aws/credentials"),
    };
    let text = file::read(&path)?.unwrap_or_default();
    let ini = Ini::read(&text);
    let options = ini
        .section(&format!("[{name}]"))
        .map(|section| section.options.as_slice());
    if !options.unwrap_or_default().iter().any(is_other) {
        return Ok(());
    }
    Err(SetupError::blocked(
        &path,
        format!("has keys of the profile {name}"),
        "Choose another profile with --name.",
    ))
}

/// Fails for anything but the ARN of a role.
fn check_role(role: &str) -> Result<(), SetupError> {
    let is_name = |name: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
        !name.is_empty() && name.chars().all(is_part) && !name.starts_with('/') && !name.ends_with('/')
    };
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let is_role = matches!(parts.as_slice(), ["arn", partition, "iam", "", account, resource]
        if (*partition == "aws" || partition.strip_prefix("aws-").is_some_and(is_suffix))
            && account.len() == 12
            && account.chars().all(|c| c.is_ascii_digit())
            && resource.strip_prefix("role/").is_some_and(is_name));
    if is_role {
        return Ok(());
    }
    Err(SetupError::option(
        "The value of --role is not the ARN of a role.",
        "Give it in full, such as arn:aws:iam::123456789012:role/NAME.",
    ))
}

/// The end of the name of a partition, such as `us-gov`.
fn is_suffix(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// The path of our program. AWS's libraries split the command as a shell does.
fn word(environment: &Environment) -> Result<String, SetupError> {
    let path = environment.tokenry_text()?;
    if path.contains(['"', '\\']) {
        return Err(SetupError::program_path(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_the_arn_of_a_role_in_any_partition() {
        for role in [
            "arn:aws:iam::123456789012:role/ci",
            "arn:aws-us-gov:iam::123456789012:role/team/ci",
            "arn:aws-cn:iam::123456789012:role/a+=,.@_-b",
        ] {
            assert_eq!(check_role(role), Ok(()));
        }
        for role in [
            "bad",
            "arn:x",
            "arn:aws:iam::123456789012:user/a",
            "arn:aws:iam::12345678901:role/a",
            "arn:aws:iam:eu:123456789012:role/a",
            "arn:aws:sts::123456789012:role/a",
            "arn:aws:iam::123456789012:role/",
            "arn:awsx:iam::123456789012:role/a",
            "arn:aws:iam::123456789012:role/a:b",
        ] {
            assert!(check_role(role).is_err(), "{role}");
        }
    }
}
