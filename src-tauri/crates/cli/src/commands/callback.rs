use super::flow;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::secret_input::{self, SecretText};
use serde::Serialize;
use std::io::IsTerminal;
use tokenry_contract::{CallbackAnswer, Connection};

/// `CallbackRequest`, without a copy of its secret.
#[derive(Serialize)]
struct Callback<'a> {
    url: &'a str,
}

pub(crate) fn run(url: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let url = match url {
        "-" if std::io::stdin().is_terminal() => {
            secret_input::pasted("The address the browser was redirected to: ")?.unwrap_or_default()
        }
        "-" => secret_input::from_stdin("The address the browser was redirected to")?,
        url => SecretText::new(url.to_owned()),
    };
    let connection = complete(&url, engine)?;
    flow::done(&connection, output)
}

/// Hands the address in, and says what it completed.
pub(super) fn complete(url: &str, engine: &Engine) -> Result<Connection, Failure> {
    let answer: CallbackAnswer =
        engine.send_body(Method::Post, &["v1", "callback"], &Callback { url: url.trim() })?;
    engine.get(&["v1", "connections", &answer.connection_id.to_string()])
}
