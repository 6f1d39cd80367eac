//! `tokenry connect`: starts a sign-in, or connects a service account.

use super::{device, flow};
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
    if provider.settings.grant_type == GrantType::ClientCredentials {
        return at_once(args, &provider, named.as_ref(), engine, output);
    }
    let is_named = named.is_some();
    let renewed = match named {
        Some(connection) => Some(connection),
        None => meant(args, &provider, engine)?,
    };
    // The provider's name may mean another account, unless this connection needs a new sign-in.
    let is_broken = |connection: &Connection| connection.status == ConnectionStatus::NeedsReauth;
    let allow_further = renewed
        .as_ref()
        .is_some_and(|renewed| !is_named && !is_broken(renewed));
    if let Some(connection) = &renewed {
        output.say(&format!("Signing in to {} again.", connection.name));
    }
    let request = AuthorizeRequest {
        label: args.label.clone(),
        scopes: (!args.scopes.is_empty()).then(|| args.scopes.clone()),
        redirect: args.redirect,
        allow_further,
        allow_unknown_account: args.same_account,
        connection: renewed.map(|connection| connection.id.to_string()),
    };
    if device::run(args, &provider, &request, engine, output)? {
        return Ok(());
    }
    let id = provider.id.to_string();
    let answer: AuthorizeAnswer = engine.send_body(
        Method::Post,
        &["v1", "oauth-providers", &id, "authorize"],
        &request,
    )?;
    flow::follow(&answer, &provider, &args.name, args.no_browser, engine, output)
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

/// The connection that a provider's name means, as in `tokenry token`: the one without a label, or the only one. With
/// `--label`, the one with that label if it needs a new sign-in, or will soon.
fn meant(
    args: &ConnectArgs,
    provider: &OAuthProvider,
    engine: &Engine,
) -> Result<Option<Connection>, Failure> {
    let mut connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    connections.retain(|connection| {
        let is_gone = matches!(
            connection.status,
            ConnectionStatus::Pending | ConnectionStatus::Disconnecting
        );
        connection.provider_id == provider.id && !is_gone
    });
    if args.label.is_some() {
        let labelled = connections
            .into_iter()
            .find(|connection| connection.label == args.label);
        let needs_it = |connection: &Connection| {
            matches!(
                connection.status,
                ConnectionStatus::NeedsReauth | ConnectionStatus::Expiring
            )
        };
        return Ok(labelled.filter(needs_it));
    }
    let is_only = connections.len() == 1;
    Ok(connections
        .into_iter()
        .find(|connection| is_only || connection.label.is_none()))
}

/// Without a browser. A connection that is named is renewed.
fn at_once(
    args: &ConnectArgs,
    provider: &OAuthProvider,
    named: Option<&Connection>,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let label = args
        .label
        .as_ref()
        .or(named.and_then(|named| named.label.as_ref()));
    let body = match label {
        Some(label) => json!({ "label": label }),
        None => json!({}),
    };
    let id = provider.id.to_string();
    let success: Success =
        engine.send_body(Method::Post, &["v1", "oauth-providers", &id, "connect"], &body)?;
    let name = match label {
        Some(label) => format!("{}/{label}", provider.name),
        None => provider.name.clone(),
    };
    output.done(&success, &format!("Connected {name}."))
}
