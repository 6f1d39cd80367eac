//! Apps and their grants.

use crate::args::{AppCommand, GrantArgs};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Output, Style, write_out};
use crate::table::{Cell, table};
use crate::time::whole_second;
use tokenry_contract::{App, CreateApp, CreateGrant, CreatedApp, Grant, Success};
use zeroize::Zeroizing;

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
            output.done(&success, &format!("{name} is gone, with everything it might do."))
        }
        AppCommand::Grant(args) => grant(args, engine, output),
        AppCommand::Revoke { id } => {
            let success: Success = engine.send(Method::Delete, &["v1", "grants", id])?;
            output.done(&success, "The grant is taken away.")
        }
    }
}

/// The app's own token alone goes to standard output; nobody sees it again.
fn add(
    name: &str,
    redirect_uris: &[String],
    public: bool,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let request = CreateApp {
        name: name.to_owned(),
        redirect_uris: redirect_uris.to_vec(),
        public,
    };
    let created: CreatedApp = engine.send_body(Method::Post, &["v1", "apps"], &request)?;
    let words = format!(
        "{} is registered; its client id is {}. It may do nothing yet: `tokenry app grant {} --scope tokens:read \
         --connection NAME`.",
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
        expires_at: args.until,
    };
    let grant: Grant = engine.send_body(Method::Post, &["v1", "grants"], &request)?;
    let words = format!(
        "{} may do that from now on; `tokenry app revoke {}` ends it.",
        grant.app_name, grant.id
    );
    output.done(&grant, &words)
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let apps: Vec<App> = engine.get(&["v1", "apps"])?;
    if apps.is_empty() {
        output.say("There is no app yet: `tokenry app add NAME` registers one.");
    }
    output.data(&apps, |style| text(&apps, style))
}

fn text(apps: &[App], style: Style) -> String {
    if apps.is_empty() {
        return String::new();
    }
    let used = |at: Option<jiff::Timestamp>| Cell::from(at.map(whole_second).unwrap_or_default());
    let mut rows = Vec::new();
    for app in apps {
        rows.push(vec![
            Cell::from(&app.name),
            Cell::from(if app.public { "public" } else { "has a token" }),
            used(app.last_used_at),
            Cell::from(app.id.to_string()),
        ]);
        rows.extend(app.grants.iter().map(|grant| {
            vec![
                Cell::from(""),
                Cell::from(grant.scopes.join(" ")),
                used(grant.last_used_at),
                Cell::from(format!("grant {}", grant.id)),
            ]
        }));
    }
    table(&["NAME", "MAY", "LAST USED", "ID"], rows, style)
}
