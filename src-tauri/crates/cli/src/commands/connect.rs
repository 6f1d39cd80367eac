use super::flow;
use crate::args::ConnectArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::Output;
use serde_json::json;
use tokenry_contract::{
    AuthorizeAnswer, AuthorizeRequest, Connection, ConnectionStatus, ErrorCode, GrantType, OAuthProvider,
    Success,
};

pub(crate) fn run(args: &ConnectArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let (provider, named) = resolve(&args.name, engine)?;
    if provider.grant_type == GrantType::ClientCredentials {
        return at_once(args, &provider, engine, output);
    }
    let renewed = match named {
        Some(connection) => Some(connection),
        None => waiting_for_it(args, &provider, engine)?,
    };
    if let Some(connection) = &renewed {
        output.say(&format!("Renewing {}.", connection.name));
    }
    let request = AuthorizeRequest {
        label: args.label.clone(),
        scopes: (!args.scopes.is_empty()).then(|| args.scopes.clone()),
        redirect: args.redirect,
        connection: renewed.map(|connection| connection.id.to_string()),
        // It is opened next, by an operation that says when it could not be.
        open_browser: false,
    };
    let id = provider.id.to_string();
    let answer: AuthorizeAnswer = engine.send_body(
        Method::Post,
        &["v1", "oauth-providers", &id, "authorize"],
        &request,
    )?;
    flow::follow(&answer, args.no_browser, engine, output)
}

/// The provider of that name; or a connection of that name and its provider.
fn resolve(name: &str, engine: &Engine) -> Result<(OAuthProvider, Option<Connection>), Failure> {
    let failure = match engine.get(&["v1", "oauth-providers", name]) {
        Ok(provider) => return Ok((provider, None)),
        Err(failure) => failure,
    };
    if failure.code() != Some(ErrorCode::NotFound) {
        return Err(failure);
    }
    match engine.get::<Connection>(&["v1", "connections", name]) {
        Ok(connection) => {
            let provider = engine.get(&["v1", "oauth-providers", &connection.provider_id.to_string()])?;
            Ok((provider, Some(connection)))
        }
        Err(other) if other.code() == Some(ErrorCode::NotFound) => {
            Err(names::explain(failure, engine, Kind::Provider, name))
        }
        Err(other) => Err(other),
    }
}

/// A connection that has to be connected again is renewed, rather than joined by a second one for the same account.
fn waiting_for_it(
    args: &ConnectArgs,
    provider: &OAuthProvider,
    engine: &Engine,
) -> Result<Option<Connection>, Failure> {
    let mut connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    connections.retain(|connection| {
        connection.provider_id == provider.id && (args.label.is_none() || connection.label == args.label)
    });
    let only = (connections.len() == 1).then(|| connections.remove(0));
    Ok(only.filter(|connection| connection.status == ConnectionStatus::NeedsReauth))
}

fn at_once(
    args: &ConnectArgs,
    provider: &OAuthProvider,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let body = match &args.label {
        Some(label) => json!({ "label": label }),
        None => json!({}),
    };
    let id = provider.id.to_string();
    let success: Success =
        engine.send_body(Method::Post, &["v1", "oauth-providers", &id, "connect"], &body)?;
    output.done(&success, &format!("Connected {}.", provider.name))
}
