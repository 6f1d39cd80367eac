//! `tokenry bind`: which connection serves an address.

use crate::args::BindArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::helpers::serving;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::{Output, Style};
use crate::table::{Cell, table};
use tokenry_contract::{Connection, ErrorCode, NamedBy, PatchConnection, ServingConnection};

pub(crate) fn run(args: &BindArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match (&args.address, &args.connection, args.remove) {
        (None, ..) => list(engine, output),
        (Some(address), None, true) => remove(address, engine, output),
        (Some(address), Some(name), _) => bind(address, name, engine, output),
        (Some(address), None, false) => show(address, engine, output),
    }
}

/// People leave the scheme out.
fn whole(address: &str) -> String {
    let address = address.trim();
    if address.contains("://") {
        return address.to_owned();
    }
    format!("https://{address}")
}

fn show(address: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let found = serving(&whole(address), engine)?;
    match found.as_slice() {
        [] => output.say(&format!(
            "No connection serves {address}: neither you nor a preset named it. `tokenry bind {address} --connection \
             NAME` does."
        )),
        [_] => {}
        _ => output.say(&format!(
            "Several connections serve {address}. `tokenry bind {address} --connection NAME` says which one."
        )),
    }
    output.data(&found, |style| serving_table(&found, style))
}

fn serving_table(found: &[ServingConnection], style: Style) -> String {
    if found.is_empty() {
        return String::new();
    }
    let row = |one: &ServingConnection| -> Vec<Cell> {
        let named_by = match one.named_by {
            NamedBy::Binding => "you, by a binding",
            NamedBy::Resource => "you, by the provider's resource",
            NamedBy::Preset => "its preset",
        };
        vec![
            Cell::from(&one.connection_name),
            Cell::from(&one.address),
            Cell::from(named_by),
        ]
    };
    table(
        &["CONNECTION", "SERVES", "NAMED BY"],
        found.iter().map(row).collect(),
        style,
    )
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    let bound: Vec<(&String, &String)> = connections
        .iter()
        .flat_map(|one| one.bindings.iter().map(move |address| (address, &one.name)))
        .collect();
    if bound.is_empty() {
        output.say(
            "No address is bound. Presets name the hosts of their providers; `tokenry bind ADDRESS --connection NAME` \
             comes before them.",
        );
    }
    output.data(&bound, |style| {
        if bound.is_empty() {
            return String::new();
        }
        let rows = bound.iter();
        let rows = rows.map(|(address, name)| vec![Cell::from(address), Cell::from(name)]);
        table(&["ADDRESS", "CONNECTION"], rows.collect(), style)
    })
}

/// Binds an address to a connection, in place of another one.
pub(super) fn bind(address: &str, name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let connection: Connection = engine
        .get(&["v1", "connections", name])
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    let mut bindings = connection.bindings.clone();
    bindings.push(address.to_owned());
    let changed = change(&connection, bindings, engine)?;
    // As the engine read it.
    let mut new = changed.bindings.iter();
    let bound = new.find(|one| !connection.bindings.contains(one));
    let bound = bound.map_or(address, String::as_str);
    output.done(
        &changed,
        &format!("{bound} is served by {} from now on.", changed.name),
    )
}

fn remove(address: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    let wanted = whole(address);
    let is_it = |bound: &String| is_same(bound, &wanted);
    let Some(connection) = connections.iter().find(|one| one.bindings.iter().any(is_it)) else {
        return Err(Failure::new(
            ErrorCode::NotFound,
            format!("{address} is bound to no connection"),
            "`tokenry bind` lists the addresses that are bound.",
        ));
    };
    let kept = connection.bindings.iter().filter(|bound| !is_it(bound));
    let changed = change(connection, kept.cloned().collect(), engine)?;
    output.done(
        &changed,
        &format!("{address} is no longer bound to {}.", changed.name),
    )
}

/// Whether both name the same address: a host in any case, and a port that its scheme has anyway. The case of a path counts.
fn is_same(one: &str, other: &str) -> bool {
    let parts = |text: &str| -> Option<(String, String)> {
        let (scheme, rest) = text.trim_end_matches('/').split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
        let port = if origin.starts_with("https:") {
            ":443"
        } else {
            ":80"
        };
        let origin = origin.strip_suffix(port).unwrap_or(&origin);
        Some((origin.to_owned(), path.to_owned()))
    };
    parts(one).is_some_and(|one| Some(one) == parts(other))
}

fn change(connection: &Connection, bindings: Vec<String>, engine: &Engine) -> Result<Connection, Failure> {
    let change = PatchConnection {
        bindings: Some(bindings),
        ..PatchConnection::default()
    };
    let id = connection.id.to_string();
    engine.send_body(Method::Patch, &["v1", "connections", &id], &change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_other_words_but_not_with_another_path_or_port() {
        let bound = "https://forge.example/Acme";
        for same in [
            "https://forge.example/Acme",
            "https://Forge.Example/Acme/",
            "HTTPS://forge.example:443/Acme",
        ] {
            assert!(is_same(bound, same), "{same}");
        }
        for other in [
            "https://forge.example/acme",
            "https://forge.example",
            "http://forge.example/Acme",
            "https://forge.example:8443/Acme",
            "https://forge.example.evil.example/Acme",
            "forge.example/Acme",
            "",
        ] {
            assert!(!is_same(bound, other), "{other}");
        }
        assert!(is_same("http://127.0.0.1", "http://127.0.0.1:80/"));
    }
}
