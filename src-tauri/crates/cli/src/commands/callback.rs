//! `tokenry callback`: finishes a sign-in with the redirect URL.

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

/// `given` is the argument: none or `-`, which mean the same.
pub(crate) fn run(given: Option<&str>, engine: &Engine, output: &Output) -> Result<(), Failure> {
    if given.is_some_and(|given| given != "-") {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "The redirect URL was given as an argument, where other users of this machine can see its code. Nothing \
             was sent.",
            "Start again with `tokenry connect`. Then run `tokenry callback` without an argument, and paste the \
             redirect URL.",
        ));
    }
    let url = if std::io::stdin().is_terminal() {
        secret_input::pasted("Redirect URL: ")?.unwrap_or_default()
    } else {
        secret_input::from_stdin("Redirect URL")?
    };
    let connection = complete(url, engine)?;
    flow::done(&connection, output)
}

/// A link that the desktop opened. It starts no engine: no sign-in waits in one that has just started. The link is an
/// argument, which is how desktops pass links; it is worth nothing without the engine that waits for it (PKCE).
pub(crate) fn open_link(link: &str, engine: &Engine) -> Result<(), Failure> {
    complete(SecretText::new(link.to_owned()), engine).map(drop)
}

/// Sends the redirect URL, and returns the connection that it completed.
pub(super) fn complete(url: SecretText, engine: &Engine) -> Result<Connection, Failure> {
    let url = Sent(SecretText::new(url.trim().to_owned()));
    let answer: CallbackAnswer = engine.send_body(Method::Post, &["v1", "callback"], Callback { url })?;
    engine.get(&["v1", "connections", &answer.connection_id.to_string()])
}
