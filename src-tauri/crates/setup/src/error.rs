//! Why a tool could not be set up, and what to do next.

use std::path::{Path, PathBuf};
use tokenry_contract::ErrorCode;

/// Why a configuration was not changed. No message repeats what a file contains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A file cannot be read, understood or written.
    #[error("{} {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, after its path.
        why: String,
    },
    /// Something on this machine is in the way, and is not a mistake in a file.
    #[error("{} {why}", path.display())]
    Blocked {
        /// The file, the link or the program.
        path: PathBuf,
        /// What is in the way, after its path.
        why: String,
        /// What to do.
        next: String,
    },
    /// The file is no longer as it was shown.
    #[error("{} was changed meanwhile, and nothing was written", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// An option is missing or cannot be right.
    #[error("{why}")]
    Option {
        /// What is wrong.
        why: String,
        /// What to do.
        next: String,
    },
    /// The tool, or what it needs, is not installed.
    #[error("{what} is not installed")]
    NotInstalled {
        /// Its name, or its path.
        what: String,
    },
    /// Tokenry has no record of having set this up.
    #[error("Tokenry did not set up {what}")]
    NotSetUp {
        /// The tool, and the host if one was given.
        what: String,
    },
    /// The environment says of no folder for the user's files.
    #[error("HOME is not set, so the configuration files cannot be found")]
    NoHome,
}

impl SetupError {
    pub(crate) fn file(path: &Path, why: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    pub(crate) fn blocked(path: &Path, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Blocked {
            path: path.to_owned(),
            why: why.into(),
            next: next.into(),
        }
    }

    /// The path of our program holds characters that a configuration cannot hold.
    pub(crate) fn program_path(path: &Path, why: impl Into<String>) -> Self {
        let next =
            "Install Tokenry in a folder whose path has no blanks, quotes or backslashes, and try again.";
        Self::blocked(path, why, next)
    }

    /// The same error about an option, with another next step.
    pub(crate) fn with_next(self, next: &str) -> Self {
        match self {
            Self::Option { why, .. } => Self::option(why, next),
            other => other,
        }
    }

    pub(crate) fn option(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Option {
            why: why.into(),
            next: next.into(),
        }
    }

    /// The code of the contract.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::File { .. } | Self::Blocked { .. } | Self::Changed { .. } => ErrorCode::Conflict,
            Self::Option { .. } | Self::NoHome => ErrorCode::ValidationError,
            Self::NotInstalled { .. } | Self::NotSetUp { .. } => ErrorCode::NotFound,
        }
    }

    /// What to do next.
    pub fn next_step(&self) -> String {
        match self {
            Self::File { .. } => {
                "Correct the file, or move it away, and try again. Nothing was changed.".to_owned()
            }
            Self::Changed { .. } => "Look at the change again.".to_owned(),
            Self::Blocked { next, .. } | Self::Option { next, .. } => next.clone(),
            Self::NotInstalled { .. } => "Install it and try again.".to_owned(),
            Self::NotSetUp { .. } => "`tokenry setup` lists what is set up.".to_owned(),
            Self::NoHome => "Set HOME to your home folder.".to_owned(),
        }
    }
}
