//! `tokenry provider add NAME` with the name of a preset: says what to do at the provider, and asks for the rest.

use super::private_http;
use super::provider_by_address::{self, Usual};
use super::provider_fields::{self, wrong};
use super::provider_file::Use;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::provider_args::AddArgs;
use crate::secret_input;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use tokenry_contract::{
    ClientType, ErrorCode, OAuthProvider, Preset, PresetPreview, PresetVariable, PreviewPreset,
};

/// What the engine's errors call the variables of a preset.
const VARIABLES: &str = "preset.variables.";

pub(super) fn add(what: &str, args: &AddArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let preset: Preset = engine
        .get(&["v1", "catalog", what])
        .map_err(|failure| match failure.code() {
            Some(ErrorCode::NotFound) => failure.with_next(
                "Search with `tokenry catalog search WORD`, or give all settings: `tokenry provider add --help`.",
            ),
            _ => failure,
        })?;
    let asks = io::stdin().is_terminal() && !output.is_json() && args.source.from.is_none();
    let mut fields = provider_fields::collect(|fields| args.given(fields), &args.source, Use::Add)?;
    private_http::check(&fields, args.fields.allow_private_http, output)?;
    let name = named(&preset, &fields, engine)?;
    fields.insert("name".to_owned(), name.clone().into());
    let (variables, preview) = previewed(&preset, &name, args, asks, engine, output)?;
    if !output.is_json() {
        explain(&preset, &preview, output);
    }
    if !fields.contains_key("client_id")
        && let Some(address) = registers_at(&preview)
    {
        let usual = Usual {
            name: Some(&name),
            settings: known(&preset, &preview),
        };
        return provider_by_address::add(&address, usual, args, engine, output).map_err(by_hand);
    }
    client(&preset, &mut fields, asks)?;
    // The port that was shown is the one that is kept.
    if !preview.settings.loopback_ports.is_empty() {
        fields
            .entry("loopback_ports")
            .or_insert_with(|| json!(preview.settings.loopback_ports));
    }
    fields.insert(
        "preset".to_owned(),
        json!({"name": preset.name, "variables": variables}),
    );
    let provider: OAuthProvider = engine
        .send_body(Method::Post, &["v1", "oauth-providers"], fields)
        .map_err(private_http::explain)?;
    let name = &provider.name;
    output.done(
        &provider,
        &format!("Added {name}. Next: `tokenry provider check {name}`, then `tokenry connect {name}`."),
    )
}

/// The name of the provider to be, which must be free before anything is asked.
fn named(preset: &Preset, fields: &Map<String, Value>, engine: &Engine) -> Result<String, Failure> {
    let given = fields.get("name").and_then(Value::as_str);
    let name = given.unwrap_or(&preset.name).to_owned();
    match engine.get::<OAuthProvider>(&["v1", "oauth-providers", &name]) {
        Ok(taken) if taken.name == name && !fields.contains_key("project") => Err(Failure::new(
            ErrorCode::Conflict,
            format!("There is already a provider called {name}."),
            format!(
                "Choose another name: `tokenry provider add {} --name {name}-2`.",
                preset.name
            ),
        )),
        _ => Ok(name),
    }
}

/// The values of the variables, and the provider that they make. A terminal is asked again about what is wrong.
fn previewed(
    preset: &Preset,
    name: &str,
    args: &AddArgs,
    asks: bool,
    engine: &Engine,
    output: &Output,
) -> Result<(BTreeMap<String, String>, PresetPreview), Failure> {
    let mut variables: BTreeMap<String, String> = args.variables.iter().cloned().collect();
    if asks {
        for variable in &preset.variables {
            if !variables.contains_key(&variable.name) {
                ask_variable(variable, &mut variables)?;
            }
        }
    }
    loop {
        let wanted = PreviewPreset {
            name: Some(name.to_owned()),
            variables: variables.clone(),
        };
        let preview = engine.send_body(Method::Post, &["v1", "catalog", &preset.name, "preview"], wanted);
        let failure = match preview {
            Ok(preview) => return Ok((variables, preview)),
            Err(failure) => failure,
        };
        let mut asked_again = false;
        for variable in &preset.variables {
            let Some(problem) = failure.field(&format!("{VARIABLES}{}", variable.name)) else {
                continue;
            };
            if !asks {
                return Err(failure.with_next(format!(
                    "Give it as `--variable {}={}`.",
                    variable.name, variable.example
                )));
            }
            output.say(&format!("{} {problem}", variable.label));
            ask_variable(variable, &mut variables)?;
            asked_again = true;
        }
        if !asked_again {
            return Err(failure);
        }
    }
}

fn ask_variable(variable: &PresetVariable, into: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let hint = match (&variable.default, variable.values.as_slice()) {
        (Some(default), []) => format!("{default}, or for example {}", variable.example),
        (Some(default), values) => format!("{default}; one of {}", values.join(", ")),
        (None, []) => format!("for example {}", variable.example),
        (None, values) => format!("one of {}", values.join(", ")),
    };
    let help = variable.help.as_ref().map(|help| format!("{help}\n"));
    let line = asked(&format!(
        "{}{} ({hint}): ",
        help.unwrap_or_default(),
        variable.label
    ))?;
    if line.is_empty() {
        into.remove(&variable.name);
    } else {
        into.insert(variable.name.clone(), line);
    }
    Ok(())
}

/// What to do at the provider.
fn explain(preset: &Preset, preview: &PresetPreview, output: &Output) {
    output.say(&format!("{}:", preset.display_name));
    output.say(&format!("  {}", preset.guide));
    if let Some(url) = &preview.settings.register_url {
        output.say(&format!("  Register at: {url}"));
    }
    if let Some(uri) = preview.redirect_uris.first().filter(|_| has_redirect(preset)) {
        let field = preset
            .redirect_field
            .as_ref()
            .map(|field| format!(" (field “{field}”)"));
        output.say(&format!("  Redirect URI: {uri}{}", field.unwrap_or_default()));
    }
    for warning in &preset.warnings {
        output.say(&format!("  Note: {warning}"));
    }
    if let Some(doubt) = super::catalog::doubt(preset) {
        output.say(&format!("  {doubt}"));
    }
}

/// A server may be older than what its preset says.
fn by_hand(failure: Failure) -> Failure {
    if failure.code() == Some(ErrorCode::ProviderError) || failure.field("address").is_some() {
        return failure.with_next("Register a client there by hand, and run it again with --client-id ID.");
    }
    failure
}

/// The address at which Tokenry finds how to register itself: the resource, else the server that registers.
fn registers_at(preview: &PresetPreview) -> Option<String> {
    let endpoint = preview.settings.registration_endpoint.as_ref()?;
    let origin = endpoint.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    Some(preview.settings.resource.clone().unwrap_or(origin))
}

/// What a preset knows better than the metadata of a server.
fn known(preset: &Preset, preview: &PresetPreview) -> Map<String, Value> {
    let names = ["default_scopes", "scope_separator", "account_paths", "rotation"];
    let given = names.into_iter().filter_map(|name| {
        let value = preset.settings.get(name)?;
        Some((name.to_owned(), value.clone()))
    });
    let mut known: Map<_, _> = given.collect();
    // Its paths are those of this endpoint.
    if known.contains_key("account_paths") {
        let endpoint = preview.settings.userinfo_endpoint.clone();
        known.insert("userinfo_endpoint".to_owned(), endpoint.into());
    }
    known
}

fn has_redirect(preset: &Preset) -> bool {
    preset.settings.get("grant_type").and_then(Value::as_str) != Some("client_credentials")
}

/// Asks for the client id and the secret, as far as the preset needs them and they are not given.
fn client(preset: &Preset, fields: &mut Map<String, Value>, asks: bool) -> Result<(), Failure> {
    let needs_id = !fields.contains_key("client_id") && !preset.settings.contains_key("client_id");
    if needs_id && asks {
        let id = asked("Client ID: ")?;
        if !id.is_empty() {
            fields.insert("client_id".to_owned(), id.into());
        }
    }
    if needs_id && !fields.contains_key("client_id") {
        return Err(wrong(
            "The client ID is missing",
            "Register a client at the provider, and give its ID as `--client-id ID`.",
        ));
    }
    let wants_secret = preset.client_type != ClientType::Public
        && fields.contains_key("client_id")
        && !fields.contains_key("client_secret");
    if wants_secret && asks {
        let optional = preset.client_type == ClientType::Either;
        let what = match optional {
            true => "Client secret (empty if there is none)",
            false => "Client secret",
        };
        if let Some(secret) = secret_input::hidden_or_empty(what)? {
            secret_input::check_one_line(&secret, "Client secret")?;
            fields.insert("client_secret".to_owned(), Value::String(secret.to_string()));
        } else if !optional {
            return Err(wrong(
                "The client secret is missing",
                "The provider shows it with the client ID.",
            ));
        }
    }
    Ok(())
}

/// One line from the terminal, without white space around it.
fn asked(prompt: &str) -> Result<String, Failure> {
    let line = secret_input::shown_line(prompt)?
        .ok_or_else(|| wrong("The input ended", "Start again, or give the values as options."))?;
    Ok(line.trim().to_owned())
}
