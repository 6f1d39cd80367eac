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
        .map(|at| format!(" It expires {}.", relative(at, Timestamp::now())));
    output.done(
        &connection,
        &format!("Refreshed {}.{}", connection.name, expiry.unwrap_or_default()),
    )
}

pub(crate) fn disconnect(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
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
        Revoked::No => format!("The provider did not revoke its tokens: revoke them on its website.{why}"),
        Revoked::Pending => {
            format!(
                "The provider has not revoked its tokens yet: Tokenry goes on trying to revoke them.{why}"
            )
        }
        Revoked::Unsupported => {
            format!("The provider has no way to revoke its tokens: they end by themselves.{why}")
        }
    };
    output.done(&answer, &format!("Disconnected {name}. {revoked}"))
}
