//! Apps and their grants.

use super::credential::called;
use crate::args::{AppCommand, GrantArgs};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Output, Style, check_out, write_out};
use crate::table::{Cell, table};
use crate::time::whole_second;
use std::collections::HashMap;
use tokenry_contract::{App, Connection, CreateApp, CreateGrant, CreatedApp, Credential, Grant, Success};
use zeroize::Zeroizing;

type Names = HashMap<String, String>;

pub(crate) fn run(command: &AppCommand, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match command {
        AppCommand::Add {
            name,
            redirect_uris,
            public,
        } => add(name, redirect_uris, *public, engine, output),
        AppCommand::List => list(engine, output),
        AppCommand::Remove { name } => {
            let success: Success = engine.send(Method::Delete, &["v1", "apps", name])?;
            output.done(&success, &format!("Removed {name} and its grants."))
        }
        AppCommand::Grant(args) => grant(args, engine, output),
        AppCommand::Revoke { id } => {
            let success: Success = engine.send(Method::Delete, &["v1", "grants", id])?;
            output.done(&success, "Revoked the grant.")
        }
    }
}

/// Only the app's token goes to standard output. It cannot be displayed again.
fn add(
    name: &str,
    redirect_uris: &[String],
    public: bool,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    // Checked first: otherwise the app would exist, and its token would be lost.
    check_out()?;
    let request = CreateApp {
        name: name.to_owned(),
        redirect_uris: redirect_uris.to_vec(),
        public,
    };
    let created: CreatedApp = engine.send_body(Method::Post, &["v1", "apps"], &request)?;
    let words = format!(
        "Registered {}. Its client ID is {}. It has no access yet; grant some with `tokenry app grant {} --scope \
         tokens:read --connection NAME`.",
        created.app.name, created.app.id, created.app.name
    );
    output.say(&words);
    if output.is_json() {
        return output.done(&created, "");
    }
    match created.token {
        Some(token) => {
            let mut line = Zeroizing::new(token.into_bytes());
            line.push(b'\n');
            write_out(&line)
        }
        None => Ok(()),
    }
}

fn grant(args: &GrantArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let request = CreateGrant {
        app: args.name.clone(),
        scopes: args.scopes.clone(),
        connections: args.connections.clone(),
        credentials: args.credentials.clone(),
        token_scopes: (!args.token_scopes.is_empty()).then(|| args.token_scopes.clone()),
        while_locked: args.while_locked,
        expires_at: args.until,
    };
    let grant: Grant = engine.send_body(Method::Post, &["v1", "grants"], &request)?;
    let words = format!(
        "Granted access to {}. `tokenry app revoke {}` revokes it.",
        grant.app_name, grant.id
    );
    output.done(&grant, &words)
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let apps: Vec<App> = engine.get(&["v1", "apps"])?;
    if apps.is_empty() {
        output.say("There are no apps. `tokenry app add NAME` registers one.");
    }
    let names = if output.is_json() {
        Names::new()
    } else {
        names(&apps, engine)
    };
    output.data(&apps, |style| text(&apps, &names, style))
}

/// The names of the ids in grants. Removed connections and credentials have none.
fn names(apps: &[App], engine: &Engine) -> Names {
    let grants = || apps.iter().flat_map(|app| &app.grants);
    let mut names = Names::new();
    if grants().any(|grant| !grant.connections.is_empty()) {
        let connections: Vec<Connection> = engine.get(&["v1", "connections"]).unwrap_or_default();
        names.extend(connections.into_iter().map(|c| (c.id.to_string(), c.name)));
    }
    if grants().any(|grant| !grant.credentials.is_empty()) {
        let credentials: Vec<Credential> = engine.get(&["v1", "credentials"]).unwrap_or_default();
        names.extend(credentials.iter().map(|c| (c.id.to_string(), called(c))));
    }
    names
}

/// The connections and credentials of a grant, by name.
fn with(grant: &Grant, names: &Names) -> String {
    let all = grant.connections.iter().chain(&grant.credentials);
    let named = all.map(|id| {
        names
            .get(&id.to_string())
            .cloned()
            .unwrap_or_else(|| id.to_string())
    });
    named.collect::<Vec<_>>().join(" ")
}

fn text(apps: &[App], names: &Names, style: Style) -> String {
    if apps.is_empty() {
        return String::new();
    }
    let used = |at: Option<jiff::Timestamp>| Cell::from(at.map(whole_second).unwrap_or_default());
    let mut rows = Vec::new();
    for app in apps {
        rows.push(vec![
            Cell::from(&app.name),
            Cell::from(if app.public { "public" } else { "has a token" }),
            Cell::from(""),
            Cell::from(""),
            used(app.last_used_at),
            Cell::from(app.id.to_string()),
        ]);
        rows.extend(app.grants.iter().map(|grant| {
            vec![
                Cell::from(""),
                Cell::from(grant.scopes.join(" ")),
                Cell::from(with(grant, names)),
                Cell::from(ends(grant)),
                used(grant.last_used_at),
                Cell::from(format!("grant {}", grant.id)),
            ]
        }));
    }
    table(&["NAME", "MAY", "WITH", "ENDS", "LAST USED", "ID"], rows, style)
}

fn ends(grant: &Grant) -> String {
    let end = grant.expires_at.map_or("until revoked".to_owned(), whole_second);
    if grant.while_locked {
        format!("{end}, also while locked")
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_names_what_each_grant_is_good_for_and_when_it_ends() {
        let id = |n: u32| format!("01900000-0000-7000-8000-{n:012}");
        let grant = |n: u32, end: Option<&str>| {
            json!({"id": id(n), "app_id": id(1), "app_name": "backup", "scopes": ["tokens:read"],
                "connections": [id(3), id(4)], "credentials": [id(5)], "token_scopes": null, "while_locked": end.is_none(),
                "expires_at": end,
                "created_at": "2026-01-01T00:00:00Z", "last_used_at": null})
        };
        let app = json!({"id": id(1), "name": "backup", "redirect_uris": [], "public": false,
            "grants": [grant(8, Some("2027-01-31T12:00:00Z")), grant(9, None)],
            "created_at": "2026-01-01T00:00:00Z", "last_used_at": null});
        let app: App = serde_json::from_value(app).unwrap();
        let names = [(id(3), "github/work".to_owned()), (id(5), "mail".to_owned())].into();
        let text = text(&[app], &names, Style { colour: false });
        let lines: Vec<_> = text.lines().collect();
        let named = format!("github/work {} mail", id(4));
        assert!(
            lines[2].contains(&named) && lines[2].contains("2027-01-31T12:00:00Z"),
            "{text}"
        );
        assert!(lines[3].contains("until revoked, also while locked"), "{text}");
    }
}
