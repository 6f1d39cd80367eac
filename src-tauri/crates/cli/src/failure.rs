//! Why a command failed.

use serde_json::json;
use tokenry_contract::{Details, ErrorBody, ErrorCode};

/// The exit code when no engine is running and none could be started.
pub(crate) const NO_ENGINE: u8 = 3;

/// The exit code when a check found a problem.
pub(crate) const PROBLEM_FOUND: u8 = 1;

/// What happened, and what to do next. Holds no secret.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Option<ErrorCode>,
    message: String,
    next: Option<String>,
    details: Option<Box<Details>>,
    request_id: String,
    silent: bool,
    is_finding: bool,
}

impl Failure {
    /// No engine is running and none could be started.
    pub(crate) fn no_engine(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            next: Some(next.into()),
            ..Self::plain(None, message)
        }
    }

    /// A failure that this program found.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            next: Some(next.into()),
            ..Self::plain(Some(code), message)
        }
    }

    /// A failure that the engine reported.
    pub(crate) fn of_engine(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::plain(Some(code), message)
    }

    /// The engine's response is invalid.
    pub(crate) fn invalid_response(what: impl std::fmt::Display) -> Self {
        Self::new(
            ErrorCode::Internal,
            format!("Cannot read the engine's response: {what}."),
            "Check that `tokenry` and the engine have the same version: `tokenry status`, `tokenry --version`.",
        )
    }

    /// The reader of standard output has closed it. Nothing is printed.
    pub(crate) fn output_closed() -> Self {
        Self {
            silent: true,
            ..Self::plain(Some(ErrorCode::Internal), "The output was closed.")
        }
    }

    /// A check found a problem, which was printed already.
    pub(crate) fn problem_found() -> Self {
        Self {
            silent: true,
            is_finding: true,
            ..Self::plain(Some(ErrorCode::Conflict), "The check found a problem.")
        }
    }

    /// There is nothing to give to another program, which it takes as the answer. Nothing is printed.
    pub(crate) fn nothing_found() -> Self {
        Self {
            silent: true,
            is_finding: true,
            ..Self::plain(Some(ErrorCode::NotFound), "Nothing was found.")
        }
    }

    /// The client that ran this program was told in its own form. Nothing more is printed.
    pub(crate) fn told(mut self) -> Self {
        self.silent = true;
        self
    }

    /// The message and the next step, in one line.
    pub(crate) fn line(&self) -> String {
        let message = self.message.trim_end().trim_end_matches('.');
        let next = self.next_step().map(|next| format!(" {next}"));
        tokenry_contract::sanitize_for_display(&format!("{message}.{}", next.unwrap_or_default()))
    }

    fn plain(code: Option<ErrorCode>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            next: None,
            details: None,
            request_id: String::new(),
            silent: false,
            is_finding: false,
        }
    }

    /// Replaces the next step.
    pub(crate) fn with_next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    pub(crate) fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// What is wrong with this field of a request.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let fields = &self.details.as_ref()?.fields;
        fields.get(name).map(String::as_str)
    }

    /// The message, and what to do next.
    pub(crate) fn parts(&self) -> (String, String) {
        let general = || self.code.map_or("Try again.", ErrorCode::next_step);
        let next = self.next.as_deref().unwrap_or_else(general);
        (self.message.clone(), next.to_owned())
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self.is_finding {
            true => PROBLEM_FOUND,
            false => self.code.map_or(NO_ENGINE, ErrorCode::exit_code),
        }
    }

    /// The envelope of the contract.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut error = json!({
            "code": self.code.map_or("no_engine", ErrorCode::slug),
            "message": self.json_message(),
            "request_id": self.request_id,
        });
        if let Some(details) = &self.details {
            error["details"] = json!(details);
        }
        json!({ "error": error })
    }

    fn json_message(&self) -> String {
        match &self.next {
            Some(next) => format!("{}. {next}", self.message.trim_end().trim_end_matches('.')),
            None => self.message.clone(),
        }
    }

    /// The message, one line for each invalid field, and the next step.
    pub(crate) fn words(&self) -> String {
        let fields = self.details.iter().flat_map(|details| &details.fields);
        let fields: Vec<String> = fields
            .map(|(field, wrong)| format!("  {field}: {wrong}"))
            .collect();
        let mut lines = Vec::new();
        match (self.tells_every_field(), fields.len()) {
            (true, 1) => lines.push(self.headline()),
            (true, _) => lines.extend(
                ["error: some values are invalid".to_owned()]
                    .into_iter()
                    .chain(fields),
            ),
            (false, _) => lines.extend([self.headline()].into_iter().chain(fields)),
        }
        if let Some(details) = &self.details {
            lines.extend(
                details
                    .provider_error
                    .iter()
                    .map(|error| format!("  the provider says: {error}")),
            );
            lines.extend(
                details
                    .retry_after_seconds
                    .map(|wait| format!("  try again after: {wait} s")),
            );
        }
        lines.extend(self.next_step().map(|next| format!("  next: {next}")));
        if self.code == Some(ErrorCode::Internal) && !self.request_id.is_empty() {
            lines.push(format!("  request id: {}", self.request_id));
        }
        lines
            .iter()
            .map(|line| tokenry_contract::sanitize_for_display(line) + "\n")
            .collect()
    }

    /// The message after "error: ". It begins in lowercase, unless it begins with a name.
    fn headline(&self) -> String {
        let mut letters = self.message.chars();
        match (letters.next(), letters.clone().next()) {
            (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
                format!("error: {}{}", first.to_lowercase(), letters.as_str())
            }
            _ => format!("error: {}", self.message),
        }
    }

    /// Whether the message repeats its fields.
    fn tells_every_field(&self) -> bool {
        let Some(details) = &self.details else {
            return false;
        };
        !details.fields.is_empty() && details.fields.values().all(|wrong| self.message.contains(wrong))
    }

    /// Most messages of the engine name the next step after a semicolon, or name a command. Others get the general
    /// advice of their code.
    fn next_step(&self) -> Option<&str> {
        let lists = self.tells_every_field() && self.details.iter().any(|details| details.fields.len() > 1);
        let says_it = !lists && self.message.contains("; ") || self.message.contains("`tokenry ");
        let general = || self.code.filter(|_| !says_it).map(ErrorCode::next_step);
        self.next.as_deref().or_else(general)
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Self {
            details: body.details.map(Box::new),
            request_id: body.request_id,
            ..Self::plain(Some(body.code), body.message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Failure {
        let fields = [("client_id".to_owned(), "must not be empty".to_owned())].into();
        ErrorBody {
            code: ErrorCode::ValidationError,
            message: "The provider cannot be kept.".into(),
            request_id: "r1".into(),
            details: Some(Details {
                fields,
                ..Details::default()
            }),
        }
        .into()
    }

    #[test]
    fn an_error_says_what_happened_the_fields_and_what_to_do_next() {
        let words = refused().words();
        assert_eq!(
            words,
            "error: the provider cannot be kept.\n  client_id: must not be empty\n  next: Correct these values and try \
             again.\n"
        );
        assert_eq!(refused().exit_code(), 10);
    }

    #[test]
    fn a_client_that_shows_one_line_gets_the_message_and_one_advice() {
        assert_eq!(
            refused().line(),
            "The provider cannot be kept. Correct these values and try again."
        );
        let mut failure = refused();
        failure.details = None;
        failure.message = "the vault is locked; unlock it\r\n".into();
        assert_eq!(failure.line(), "the vault is locked; unlock it.");
    }

    #[test]
    fn the_envelope_goes_through_as_it_came() {
        assert_eq!(
            refused().json(),
            json!({"error": {"code": "validation_error", "message": "The provider cannot be kept.",
                "request_id": "r1", "details": {"fields": {"client_id": "must not be empty"}}}})
        );
    }

    #[test]
    fn a_message_that_says_what_to_do_gets_no_second_advice() {
        let mut failure = refused();
        failure.details = None;
        failure.message = "there is no connection called \"x\"; `tokenry list` shows what there is".into();
        assert_eq!(failure.words().lines().count(), 1);
        assert_eq!(
            failure.with_next("Did you mean `y`?").words().lines().nth(1),
            Some("  next: Did you mean `y`?")
        );
    }

    #[test]
    fn fields_that_the_message_repeats_are_told_once() {
        let mut failure = refused();
        failure.message = "client_id must not be empty; correct it and try again".into();
        assert_eq!(
            failure.words(),
            "error: client_id must not be empty; correct it and try again\n"
        );
        let fields = &mut failure.details.as_mut().unwrap().fields;
        fields.insert("name".into(), "must be kebab-case".into());
        failure.message =
            "client_id must not be empty; name must be kebab-case; correct it and try again".into();
        assert_eq!(
            failure.words(),
            "error: some values are invalid\n  client_id: must not be empty\n  name: must be kebab-case\n  next: \
             Correct these values and try again.\n"
        );
    }

    #[test]
    fn a_message_starts_small_after_the_colon_unless_with_a_name() {
        assert!(
            Failure::no_engine("No engine.", "x")
                .words()
                .starts_with("error: no engine.")
        );
        assert!(
            Failure::no_engine("TOKENRY_HOME is x.", "x")
                .words()
                .starts_with("error: TOKENRY_HOME")
        );
        assert!(Failure::no_engine("", "x").words().starts_with("error: \n"));
    }

    #[test]
    fn a_terminal_sequence_in_a_message_arrives_as_text() {
        let words = Failure::invalid_response("\u{1b}]0;owned\u{7}\nnext: run this").words();
        assert!(!words.contains('\u{1b}') && !words.contains('\u{7}'), "{words:?}");
        assert_eq!(words.lines().count(), 2, "{words:?}");
    }

    #[test]
    fn no_engine_ends_with_3() {
        assert_eq!(Failure::no_engine("None.", "Start one.").exit_code(), 3);
        assert_eq!(
            Failure::no_engine("None.", "Start one.").json()["error"]["code"],
            "no_engine"
        );
    }
}
