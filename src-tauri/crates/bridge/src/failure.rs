//! Why something failed, for the user and for programs.

use std::fmt;
use std::process::ExitCode;
use tokenry_contract::{ErrorBody, ErrorCode, sanitize_for_display};

/// The exit code of an invalid command line.
const USAGE: u8 = 2;
/// The exit code when no engine is running and none could be started.
const NO_ENGINE: u8 = 3;

/// What happened, and what to do next. It holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Usage,
    NoEngine,
    Of(ErrorCode),
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            kind: Kind::Of(code),
            message: message.into(),
            next: Some(next.into()),
        }
    }

    /// An invalid command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            message: message.into(),
            next: None,
        }
    }

    /// No engine is running and none could be started.
    pub(crate) fn no_engine(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::NoEngine,
            message: message.into(),
            next: None,
        }
    }

    /// A failure of the system.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message, "Try again.")
    }

    /// The engine's response is invalid.
    pub(crate) fn invalid_response(what: impl fmt::Display) -> Self {
        Self::new(
            ErrorCode::Internal,
            format!("Cannot read the engine's response: {what}."),
            "Check that `tokenry` and the engine have the same version: `tokenry status`, `tokenry --version`.",
        )
    }

    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self.kind {
            Kind::Of(code) => Some(code),
            Kind::Usage | Kind::NoEngine => None,
        }
    }

    /// The message and the next step, in one line.
    pub(crate) fn line(&self) -> String {
        let line = match self.next_step() {
            Some(next) => format!("{} {next}", self.message),
            None => self.message.clone(),
        };
        sanitize_for_display(&line)
    }

    /// Most messages of the engine name the next step after a semicolon, or name a command. Others get the general
    /// advice of their kind.
    fn next_step(&self) -> Option<&str> {
        let says_it = self.message.contains("; ") || self.message.contains("`tokenry ");
        let general = match self.kind {
            Kind::Usage => None,
            Kind::NoEngine => Some("Open the Tokenry window, or run `tokenry unlock`."),
            Kind::Of(code) => Some(code.next_step()),
        };
        self.next.as_deref().or(general.filter(|_| !says_it))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Usage => USAGE.into(),
            Kind::NoEngine => NO_ENGINE.into(),
            Kind::Of(code) => code.exit_code().into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", sanitize_for_display(&self.message))?;
        match self.next_step() {
            Some(next) => write!(f, "\n  next: {}", sanitize_for_display(next)),
            None => Ok(()),
        }
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Self {
            kind: Kind::Of(body.code),
            message: body.message,
            next: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do_next_and_passes_no_terminal_sequence_on() {
        let failure = Failure::new(ErrorCode::NotFound, "No \u{1b}[31mname.", "Run `tokenry list`.");
        assert_eq!(failure.to_string().lines().count(), 2);
        assert!(!failure.to_string().contains('\u{1b}') && !failure.line().contains('\u{1b}'));
        let of_engine = |message: &str| {
            Failure::from(ErrorBody {
                code: ErrorCode::NeedsReauth,
                message: message.to_owned(),
                request_id: String::new(),
                details: None,
            })
        };
        assert!(of_engine("The sign-in ended.").line().contains("Sign in again"));
        assert_eq!(of_engine("ended; sign in again").line(), "ended; sign in again");
    }
}
