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
    let revoked = match answer.revoked {
        Revoked::Yes => "The provider revoked its tokens.",
        Revoked::No => "The provider refused to revoke its tokens: revoke them on its website.",
        Revoked::Pending => "The provider could not be reached: Tokenry goes on trying to revoke its tokens.",
        Revoked::Unsupported => "The provider has no way to revoke its tokens: they end by themselves.",
    };
    output.done(&answer, &format!("Disconnected {name}. {revoked}"))
}
