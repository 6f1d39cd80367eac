//! `tokenry provider`: adds, shows, edits and removes providers.

use super::provider_file::{self, Use};
use super::{
    check_report, private_http, provider_by_address, provider_fields, provider_preset, provider_update, show,
};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, path};
use crate::names::{self, Kind};
use crate::output::Output;
use crate::provider_args::{AddArgs, EditArgs};
use jiff::Timestamp;
use tokenry_contract::{CheckReport, ErrorCode, JwkSet, OAuthProvider, Success};

pub(crate) fn add(args: &AddArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match args.what.as_deref() {
        Some(what) if provider_by_address::is_address(what) => {
            provider_by_address::add(what, provider_by_address::Usual::default(), args, engine, output)
        }
        Some(what) => provider_preset::add(what, args, engine, output),
        None => by_settings(args, engine, output),
    }
}

/// Adds a provider whose settings are all given.
fn by_settings(args: &AddArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let mut fields = provider_fields::collect(|fields| args.given(fields), &args.source, Use::Add)?;
    private_http::check(&fields, args.fields.allow_private_http, output)?;
    let lacks_secret = provider_file::lacks_secret(&mut fields);
    let provider: OAuthProvider = engine.send_body(Method::Post, &["v1", "oauth-providers"], fields)?;
    output.done(&provider, &format!("Added {}.", provider.name))?;
    next_steps(&provider, output);
    if lacks_secret {
        output.say(&format!(
            "The file has no client secret. Set it with `tokenry provider edit {} --client-secret-stdin`.",
            provider.name
        ));
    }
    Ok(())
}

/// What to register at the provider, and what to do then.
fn next_steps(provider: &OAuthProvider, output: &Output) {
    if let [first, others @ ..] = provider.redirect_uris.as_slice() {
        output.say(&format!("Register this redirect URI: {first}"));
        if !others.is_empty() {
            output.say("If the provider takes several, register these, too, for when that port is taken:");
        }
        for uri in others {
            output.say(&format!("  {uri}"));
        }
    }
    output.say(&format!("Connect with `tokenry connect {}`.", provider.name));
}

pub(crate) fn show(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let provider: OAuthProvider = engine
        .get(&["v1", "oauth-providers", name])
        .map_err(|failure| names::explain(failure, engine, Kind::Provider, name))?;
    output.data(&provider, |style| {
        show::provider(&provider, Timestamp::now(), style)
    })?;
    provider_update::hint(std::slice::from_ref(&provider), output);
    Ok(())
}

pub(crate) fn check(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let report: CheckReport = engine
        .send(Method::Post, &["v1", "oauth-providers", name, "check"])
        .map_err(|failure| names::explain(failure, engine, Kind::Provider, name))?;
    check_report::print(&report, output)
}

pub(crate) fn edit(args: &EditArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let fields = provider_fields::collect(|fields| args.given(fields), &args.source, Use::Edit)?;
    private_http::check(&fields, args.fields.allow_private_http, output)?;
    let provider: OAuthProvider = engine
        .send_body(Method::Put, &["v1", "oauth-providers", &args.provider], fields)
        .map_err(|failure| names::explain(failure, engine, Kind::Provider, &args.provider))?;
    output.done(&provider, &format!("Changed {}.", provider.name))
}

/// Prints the key set alone, so that it can be piped; the public key is no secret.
pub(crate) fn jwks(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let keys: JwkSet = engine
        .get(&["v1", "oauth-providers", name, "jwks"])
        .map_err(|failure| names::explain(failure, engine, Kind::Provider, name))?;
    if keys.keys.is_empty() {
        return Err(Failure::new(
            ErrorCode::Conflict,
            format!("{name} has no key: its client authentication is not private_key_jwt."),
            format!("Run `tokenry provider edit {name} --token-endpoint-auth-method private_key_jwt`."),
        ));
    }
    output.data(&keys, |_| {
        serde_json::to_string_pretty(&keys).unwrap_or_default() + "\n"
    })
}

pub(crate) fn remove(name: &str, disconnect: bool, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let mut target = path(&["v1", "oauth-providers", name]);
    if disconnect {
        target.push_str("?disconnect=true");
    }
    let success: Success = engine
        .ask(&Request::new(Method::Delete, target))
        .map_err(|failure| names::explain(failure, engine, Kind::Provider, name))?;
    output.done(&success, &format!("Removed {name}."))
}
