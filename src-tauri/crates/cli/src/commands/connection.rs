//! `tokenry refresh` and `tokenry disconnect`.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::Output;
use crate::time::relative;
use jiff::Timestamp;
use tokenry_contract::{Connection, DisconnectAnswer, Revoked};

pub(crate) fn refresh(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let connection: Connection = engine
        .send(Method::Post, &["v1", "connections", name, "refresh"])
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    let expiry = connection
        .expires_at
        .map(|at| format!(" The access token expires {}.", relative(at, Timestamp::now())));
    output.done(
        &connection,
        &format!("Refreshed {}.{}", connection.name, expiry.unwrap_or_default()),
    )
}

pub(crate) fn disconnect(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    // They end with it, and another connection may serve the addresses then.
    let bindings = bindings(name, engine);
    let answer: DisconnectAnswer = engine
        .send(Method::Delete, &["v1", "connections", name])
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    let why = answer
        .detail
        .as_deref()
        .map(|why| format!(" {why}"))
        .unwrap_or_default();
    let revoked = match answer.revoked {
        Revoked::Yes => "The provider revoked its tokens.".to_owned(),
        Revoked::No => format!("The provider did not revoke its tokens. Revoke them on its website.{why}"),
        Revoked::Pending => {
            format!("Revocation pending: Tokenry keeps trying.{why}")
        }
        Revoked::Unsupported => {
            format!("The provider does not support revocation: its tokens expire by themselves.{why}")
        }
    };
    output.done(&answer, &format!("Disconnected {name}. {revoked}{bindings}"))
}

/// Which addresses are bound to a connection, as a sentence; nothing where that cannot be known.
fn bindings(name: &str, engine: &Engine) -> String {
    let connection: Result<Connection, Failure> = engine.get(&["v1", "connections", name]);
    let bound = connection
        .map(|connection| connection.bindings)
        .unwrap_or_default();
    match bound.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} is no longer bound to it."),
        several => format!(
            " These addresses are no longer bound to it: {}.",
            several.join(", ")
        ),
    }
}
