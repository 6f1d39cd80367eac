//! `tokenry credential`: static secrets.

use super::show::words;
use crate::credential_args::{AddArgs, Common, CredentialCommand, EditArgs, From, Kind};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, encoded, path};
use crate::names;
use crate::output::{Colour, Output, Style, check_out, write_out};
use crate::secret_input::{self, SecretText};
use crate::table::{Cell, facts, table};
use crate::time::{both, relative};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use tokenry_contract::{CreateCredential, Credential, CredentialType, ErrorCode, Success, UpdateCredential};
use zeroize::{Zeroize, Zeroizing};

pub(super) fn run(command: &CredentialCommand, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match command {
        CredentialCommand::Add(args) => add(args, engine, output),
        CredentialCommand::List => list(engine, output),
        CredentialCommand::Show { name, field: None } => show(name, engine, output),
        CredentialCommand::Show {
            name,
            field: Some(field),
        } => value(name, field, engine, output),
        CredentialCommand::Edit(args) => edit(args, engine, output),
        CredentialCommand::Remove { name } => remove(name, engine, output),
    }
}

fn add(args: &AddArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let mut wanted = args.common.fields.clone();
    // The secret value of these types, which no option names.
    let secret = match args.kind {
        Kind::Raw => Some("value"),
        Kind::BasicAuth => Some("password"),
        Kind::Default => None,
    };
    if let Some(secret) = secret
        && !wanted.iter().any(|(field, _)| field == secret)
    {
        wanted.push((secret.to_owned(), From::Stdin));
    }
    if wanted.is_empty() {
        return Err(wrong(
            "A field is required",
            "Add one, for example: --field NAME=-",
        ));
    }
    let is_one_line = args.kind != Kind::Default;
    let mut data = read(&wanted, is_one_line)?;
    if let Some(username) = &args.username {
        data.insert("username".to_owned(), STANDARD.encode(username));
    }
    let body = CreateCredential {
        name: args.name.clone(),
        project: args.project.clone(),
        kind: args.kind.of_contract(),
        data,
        redact_fields: args.common.redacted.clone(),
        expires_at: args.expires_at.clone(),
    };
    let added: Credential = engine.send_body(Method::Post, &["v1", "credentials"], body)?;
    output.done(&added, &format!("Added {}.", called(&added)))
}

fn edit(args: &EditArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let Common { fields, redacted } = &args.common;
    let given = read(fields, false)?
        .into_iter()
        .map(|(field, value)| (field, Some(value)));
    let username = args.username.iter().map(|name| STANDARD.encode(name));
    let data = given
        .chain(username.map(|name| ("username".to_owned(), Some(name))))
        .chain(args.removed.iter().map(|field| (field.clone(), None)))
        .collect();
    let body = UpdateCredential {
        name: args.name.clone(),
        data,
        redact_fields: redacted.clone(),
        expires_at: args
            .expires_at
            .as_ref()
            .map(|time| (time != "never").then(|| time.clone())),
    };
    if body == UpdateCredential::default() {
        return Err(wrong(
            "There is nothing to change",
            "Name a field, for example: --field password=-",
        ));
    }
    let name = args.credential.as_str();
    let changed = engine.send_body::<Credential>(Method::Put, &["v1", "credentials", name], body);
    let changed = changed.map_err(|failure| explain(failure, engine, name))?;
    output.done(&changed, &format!("Changed {}.", called(&changed)))
}

fn remove(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let success: Success = engine
        .send(Method::Delete, &["v1", "credentials", name])
        .map_err(|failure| explain(failure, engine, name))?;
    output.done(&success, &format!("Removed {name}."))
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let credentials = all(engine)?;
    if credentials.is_empty() {
        output.say("There are no credentials. `tokenry credential add NAME --type raw` adds one.");
    }
    output.data(&credentials, |style| {
        credential_table(&credentials, Timestamp::now(), style)
    })
}

/// From the list, which contains no values and needs no consent.
fn show(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let credentials = all(engine)?;
    let found = credentials.iter().find(|credential| is_meant(credential, name));
    let found = found.ok_or_else(|| explain(no_such(name), engine, name))?;
    output.data(found, |style| credential_facts(found, Timestamp::now(), style))
}

/// Prints one value and nothing else to standard output.
fn value(name: &str, field: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    check_out()?;
    let target = path(&["v1", "credentials", name]) + "?field=" + &encoded(field);
    let mut found: Credential = engine
        .ask(&Request::new(Method::Get, target))
        .map_err(|failure| explain(failure, engine, name))?;
    let encoded = found.data.remove(field).map(Zeroizing::new);
    found.data.values_mut().for_each(Zeroize::zeroize);
    let Some(encoded) = encoded else {
        return Err(without(&found, field));
    };
    if output.is_json() {
        return output.done(&json!({"data": {field: *encoded}}), "");
    }
    // Large enough for the value and a line end: a buffer that grows would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len() + 1));
    STANDARD
        .decode_vec(encoded.as_bytes(), &mut bytes)
        .map_err(|_| Failure::invalid_response("a value is not base64"))?;
    // Binary data is printed as it is.
    if std::str::from_utf8(&bytes).is_ok() {
        bytes.push(b'\n');
    }
    write_out(&bytes)
}

/// Reads the values where the flags say, encoded. An API key or a password is one line; the fields of other credentials
/// may have several, as a private key has.
fn read(fields: &[(String, From)], is_one_line: bool) -> Result<BTreeMap<String, String>, Failure> {
    let from_stdin = fields
        .iter()
        .filter(|(_, from)| matches!(from, From::Stdin | From::Fd(0)));
    if from_stdin.count() > 1 && !io::stdin().is_terminal() {
        return Err(wrong(
            "Standard input can hold one value only",
            "Send the others by file descriptors, for example: --field NAME=fd:3 3< FILE",
        ));
    }
    let mut data = BTreeMap::new();
    for (field, from) in fields {
        let secret: SecretText = match from {
            From::Stdin => secret_input::from_stdin(field),
            From::Fd(fd) => secret_input::from_fd(*fd, field),
        }?;
        if is_one_line {
            secret_input::check_one_line(&secret, field)?;
        }
        if data
            .insert(field.clone(), STANDARD.encode(secret.as_bytes()))
            .is_some()
        {
            return Err(wrong("A field is repeated", "Use each field once."));
        }
    }
    Ok(data)
}

fn all(engine: &Engine) -> Result<Vec<Credential>, Failure> {
    engine.get(&["v1", "credentials"])
}

fn is_meant(credential: &Credential, name: &str) -> bool {
    called(credential) == name || credential.id.to_string() == name
}

/// Its name on the command line.
pub(crate) fn called(credential: &Credential) -> String {
    match (credential.project.as_str(), credential.kind) {
        // A connection's name includes its project.
        ("default", _) | (_, CredentialType::OAuth2Refresh) => credential.name.clone(),
        (project, _) => format!("{project}/{}", credential.name),
    }
}

fn explain(failure: Failure, engine: &Engine, name: &str) -> Failure {
    names::explain(failure, engine, names::Kind::Credential, name)
}

fn no_such(name: &str) -> Failure {
    Failure::new(
        ErrorCode::NotFound,
        format!("No credential is called {name:?}."),
        "`tokenry credential list` lists the credentials.",
    )
}

fn without(credential: &Credential, field: &str) -> Failure {
    let name = called(credential);
    let next = match credential.kind {
        CredentialType::OAuth2Refresh => {
            format!("It is a connection: `tokenry token {name}` prints its token.")
        }
        _ => format!("Its fields: {}.", credential.fields.join(", ")),
    };
    Failure::new(
        ErrorCode::NotFound,
        format!("{name} has no field called {field:?}."),
        next,
    )
}

fn wrong(what: &str, next: &str) -> Failure {
    Failure::new(ErrorCode::ValidationError, format!("{what}."), next)
}

fn credential_table(credentials: &[Credential], now: Timestamp, style: Style) -> String {
    if credentials.is_empty() {
        return String::new();
    }
    let row = |credential: &Credential| -> Vec<Cell> {
        let when = |at: Option<Timestamp>| at.map_or("–".into(), |at| Cell::from(relative(at, now)));
        vec![
            Cell::from(called(credential)),
            Cell::from(words(&credential.kind)),
            Cell::from(words(&credential.status)),
            Cell::from(fields(credential)),
            when(credential.expires_at),
            when(credential.last_used_at),
        ]
    };
    let headings = ["NAME", "TYPE", "STATUS", "FIELDS", "EXPIRES", "USED"];
    table(&headings, credentials.iter().map(row).collect(), style)
}

fn fields(credential: &Credential) -> String {
    match credential.fields.join(" ") {
        none if none.is_empty() => "–".to_owned(),
        some => some,
    }
}

fn credential_facts(credential: &Credential, now: Timestamp, style: Style) -> String {
    let when = |at: Option<Timestamp>| Cell::from(at.map_or(String::new(), |at| both(at, now)));
    let list = vec![
        ("name", Cell::from(&credential.name)),
        ("project", Cell::from(&credential.project)),
        ("type", Cell::from(words(&credential.kind))),
        ("status", Cell::from(words(&credential.status))),
        ("fields", Cell::from(credential.fields.join(" "))),
        (
            "redacted",
            Cell::coloured(&credential.redact_fields.join(" "), Colour::Dim),
        ),
        ("deleted at", when(credential.expires_at)),
        ("used", when(credential.last_used_at)),
        ("created", when(Some(credential.created_at))),
        ("changed", when(Some(credential.updated_at))),
        ("id", Cell::from(credential.id.to_string())),
    ];
    facts(list, style)
}
