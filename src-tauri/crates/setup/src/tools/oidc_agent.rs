//! The clients of oidc-agent: a line in the shell's start file that names the socket.

use super::{Field, Options, Proposal, ProposedEdit, Tool};
use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use std::path::{Path, PathBuf};

pub(super) struct OidcAgent;

impl Tool for OidcAgent {
    fn name(&self) -> &'static str {
        "oidc-agent"
    }

    fn title(&self) -> &'static str {
        "oidc-agent"
    }

    fn fields(&self) -> &'static [Field] {
        &[]
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("oidc-token").is_some()
    }

    fn takes_clients(&self) -> bool {
        true
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let shells = match options.clients.as_slice() {
            [] => vec![of_user(environment)?],
            names => names
                .iter()
                .map(|name| Shell::called(name))
                .collect::<Result<_, _>>()?,
        };
        let program = environment.tokenry_text()?;
        if program.contains('\'') {
            return Err(SetupError::program_path(
                environment.tokenry(),
                "is a path that a shell's line cannot hold",
            ));
        }
        let edits = shells.into_iter().map(|shell| {
            Ok(ProposedEdit {
                target: shell.name().to_owned(),
                label: shell.name(),
                path: shell.file(environment)?,
                edit: Edit::Lines(Block {
                    heading: None,
                    lines: vec![shell.line(program)],
                    is_merged: false,
                    had_heading: false,
                }),
            })
        });
        Ok(Proposal {
            edits: edits.collect::<Result<_, SetupError>>()?,
            notes: vec![
                "New shells have the socket while Tokenry runs; `oidc-token NAME` then takes the name of a connection. \
                 The switch in Settings opens the socket at each start of Tokenry."
                    .to_owned(),
            ],
            ..Proposal::default()
        })
    }
}

#[derive(Clone, Copy)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn called(name: &str) -> Result<Self, SetupError> {
        match name {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err(SetupError::option(
                "This shell is not known.",
                "Known shells: bash, zsh, fish.",
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// What an interactive shell reads at its start.
    fn file(self, environment: &Environment) -> Result<PathBuf, SetupError> {
        Ok(match self {
            Self::Bash => environment.home()?.join(".bashrc"),
            Self::Zsh => match environment.tool_variable("ZDOTDIR")? {
                Some(folder) => folder.join(".zshrc"),
                None => environment.home()?.join(".zshrc"),
            },
            Self::Fish => environment.config()?.join("fish/config.fish"),
        })
    }

    /// A new shell starts no engine, which would ask for the passphrase or for an approval.
    fn line(self, program: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("eval \"$('{program}' oidc-agent --if-running 2>/dev/null)\""),
            Self::Fish => format!("'{program}' oidc-agent --if-running --shell fish 2>/dev/null | source"),
        }
    }
}

/// The user's login shell.
fn of_user(environment: &Environment) -> Result<Shell, SetupError> {
    let shell = environment.variable("SHELL").unwrap_or_default();
    let name = Path::new(&shell).file_name().and_then(|name| name.to_str());
    name.and_then(|name| Shell::called(name).ok()).ok_or_else(|| {
        SetupError::option(
            "SHELL does not name a shell that is known.",
            "Name one with --client: bash, zsh, fish.",
        )
    })
}
