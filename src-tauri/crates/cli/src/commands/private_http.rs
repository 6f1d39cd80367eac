//! http in the user's own network: what has to be known before it is allowed for a provider.

use super::provider_fields::wrong;
use crate::failure::Failure;
use crate::output::Output;
use crate::secret_input;
use serde_json::{Map, Value};
use std::io::{self, IsTerminal};

const SETTING: &str = "allow_private_http";
const WARNING: &str = "With http, passwords, client secrets and tokens are sent without encryption: everybody in that \
    network can read them and use your account.";

/// Whether these settings allow it.
pub(super) fn is_allowed(fields: &Map<String, Value>) -> bool {
    fields.get(SETTING) == Some(&Value::Bool(true))
}

/// Warns where the settings allow it. Without its own option, the user is asked.
pub(super) fn check(fields: &Map<String, Value>, has_option: bool, output: &Output) -> Result<(), Failure> {
    if !is_allowed(fields) {
        return Ok(());
    }
    output.say(&format!("Warning: {WARNING}"));
    if has_option {
        return Ok(());
    }
    if !io::stdin().is_terminal() || output.is_json() {
        return Err(wrong(
            "http in your own network has to be allowed, and there is no terminal to ask at",
            "If you accept that risk, add --allow-private-http.",
        ));
    }
    let answer = secret_input::shown_line("Allow http for this provider? [y/N] ")?;
    match answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")) {
        true => Ok(()),
        false => Err(wrong(
            "http was not allowed, and nothing was changed",
            "Use https.",
        )),
    }
}

/// What to pass, where an address was refused because it is http.
pub(super) fn explain(failure: Failure) -> Failure {
    let refused = ["address", "token_endpoint"]
        .into_iter()
        .filter_map(|name| failure.field(name));
    match refused.into_iter().any(|wrong| wrong.contains(SETTING)) {
        true => failure.with_next(format!(
            "If the server has no https, add --allow-private-http. {WARNING}"
        )),
        false => failure,
    }
}
