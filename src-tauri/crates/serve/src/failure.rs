//! Why the program ends with an error.

use std::{fmt, process::ExitCode};
use tokenry_core::Code;

/// The exit code of an invalid command line.
const USAGE: u8 = 2;

/// One line for the user, and an exit code for programs.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    exit: u8,
}

impl Failure {
    /// An invalid command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit: USAGE,
        }
    }

    /// A failure with the exit code of this error code.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit: code.exit_code(),
        }
    }

    /// A failure of the system.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.exit.into()
    }

    #[cfg(test)]
    pub(crate) fn is_usage(&self) -> bool {
        self.exit == USAGE
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)
    }
}

impl From<tokenry_engine::Error> for Failure {
    fn from(error: tokenry_engine::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<tokenry_api::servers::Error> for Failure {
    fn from(error: tokenry_api::servers::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<tokenry_contract::profile::ProfileError> for Failure {
    fn from(error: tokenry_contract::profile::ProfileError) -> Self {
        Self::new(Code::ValidationError, error.to_string())
    }
}
