use super::flow;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input::{self, SecretText, Sent};
use serde::Serialize;
use std::io::IsTerminal;
use tokenry_contract::{CallbackAnswer, Connection, ErrorCode};

/// `CallbackRequest`, without a copy of its secret.
#[derive(Serialize)]
struct Callback {
    url: Sent,
}

/// `given` is what stands behind the command: nothing, or `-`, which says the same.
pub(crate) fn run(given: Option<&str>, engine: &Engine, output: &Output) -> Result<(), Failure> {
    if given.is_some_and(|given| given != "-") {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "The address was given as an argument, which every user of this machine can see, and its code with it. \
             Nothing was sent.",
            "Start anew with `tokenry connect`, and send the address by standard input: run `tokenry callback` and \
             paste it.",
        ));
    }
    let url = if std::io::stdin().is_terminal() {
        secret_input::pasted("The address the browser was redirected to: ")?.unwrap_or_default()
    } else {
        secret_input::from_stdin("The address the browser was redirected to")?
    };
    let connection = complete(url, engine)?;
    flow::done(&connection, output)
}

/// Hands the address in, and says what it completed.
pub(super) fn complete(url: SecretText, engine: &Engine) -> Result<Connection, Failure> {
    let url = Sent(SecretText::new(url.trim().to_owned()));
    let answer: CallbackAnswer = engine.send_body(Method::Post, &["v1", "callback"], Callback { url })?;
    engine.get(&["v1", "connections", &answer.connection_id.to_string()])
}
