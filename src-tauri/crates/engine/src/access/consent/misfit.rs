//! Answers that do not fit their prompt.

use super::{answer::PromptAnswer, prompt::Prompt};
use crate::Error;
use tokenry_core::Timestamp;

/// Why an answer does not fit its question. The question stays open for one that does.
pub(super) fn misfit(prompt: &Prompt, answer: &PromptAnswer, now: Timestamp) -> Option<Error> {
    let is_app = prompt.authorization.is_some();
    match answer {
        PromptAnswer::Deny => None,
        PromptAnswer::App {
            connections,
            credentials,
            until,
        } if is_app => {
            if until.is_some_and(|end| end <= now) {
                return Some(Error::field("until", "must be in the future"));
            }
            let field = prompt.lacks(connections, credentials)?;
            Some(Error::field(
                field,
                "must be among those that the question offers",
            ))
        }
        PromptAnswer::App { .. } => Some(Error::field(
            "decision",
            "must be `once`, `session` or `deny`: no app is to be authorized here",
        )),
        _ if is_app => Some(Error::field(
            "decision",
            "must be `authorize`, with what the app may use, or `deny`: an app is to be authorized here",
        )),
        PromptAnswer::Session if !prompt.for_session => Some(Error::field(
            "decision",
            "cannot be `session` here: this is decided each time, or nothing tells this program's session apart from others",
        )),
        PromptAnswer::Once | PromptAnswer::Session => None,
    }
}
