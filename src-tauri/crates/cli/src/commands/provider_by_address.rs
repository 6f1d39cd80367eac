//! `tokenry provider add ADDRESS`: a provider, or an MCP server, by its address.

use super::private_http;
use super::provider_fields::{self, wrong};
use super::provider_file::Use;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::Output;
use crate::provider_args::AddArgs;
use crate::secret_input;
use serde_json::{Map, Value};
use std::io::{self, IsTerminal};
use tokenry_contract::{
    CLIENT_METADATA_REDIRECT_PATH, DiscoverRequest, Discovered, DiscoveredKind, OAuthProvider,
    ProviderSettingsPatch, RegisterRequest, setting_text,
};

const TOKEN: &str = "Initial access token";

/// What a result shows of the settings, with its name on screen.
const SHOWN: [(&str, &str); 8] = [
    ("issuer", "Issuer"),
    ("resource", "Tokens for"),
    ("authorization_endpoint", "Sign-in"),
    ("token_endpoint", "Tokens"),
    ("device_authorization_endpoint", "Device sign-in"),
    ("revocation_endpoint", "Revocation"),
    ("registration_endpoint", "Registration"),
    ("default_scopes", "Scopes"),
];

/// Whether the argument is an address, and not the name of a preset.
pub(super) fn is_address(what: &str) -> bool {
    what.contains("://") || what.contains('.') || what.contains(':') || what == "localhost"
}

/// What a preset says of the provider at an address: an option wins, and what is found does not.
#[derive(Default)]
pub(super) struct Usual<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) settings: Map<String, Value>,
}

/// Adds the provider at this address, under the name that is given, else under the usual one, else under the one found.
pub(super) fn add(
    address: &str,
    usual: Usual<'_>,
    args: &AddArgs,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let asks = io::stdin().is_terminal() && !output.is_json();
    if !args.address.yes && !asks {
        return Err(wrong(
            "What is found at an address is shown before it is kept, and there is no terminal to ask at",
            "Run it in a terminal, or add --yes.",
        ));
    }
    let mut fields = provider_fields::collect(
        |fields| {
            args.given(fields);
            fields.entry("name").or_insert(Value::Null);
        },
        &args.source,
        Use::Add,
    )?;
    private_http::check(&fields, args.fields.allow_private_http, output)?;
    let look_up = DiscoverRequest {
        address: address.to_owned(),
        authorization_server: args.address.authorization_server.clone(),
        allow_private_http: private_http::is_allowed(&fields),
        ca_file: fields.get("ca_file").and_then(Value::as_str).map(str::to_owned),
        accept_parent_resource: args.address.parent_resource,
    };
    let found: Discovered = engine
        .send_body(Method::Post, &["v1", "discovery"], &look_up)
        .map_err(private_http::explain)?;
    if !output.is_json() {
        output.say(&shown(&found));
    }
    let name = match fields.remove("name") {
        Some(Value::String(name)) => name,
        _ => usual.name.unwrap_or(&found.name).to_owned(),
    };
    for (setting, value) in usual.settings {
        fields.entry(setting).or_insert(value);
    }
    if let Some(document) = &args.address.client_metadata {
        describe(document, &found, &mut fields, output);
    }
    let registers = !fields.contains_key("client_id") && found.registration.is_some();
    let redirect_uri = found
        .redirect_uris
        .first()
        .filter(|_| !registers && !fields.keys().any(|field| is_of_client(field)));
    if let Some(redirect_uri) = redirect_uri.and_then(|uri| uri.strip_suffix(&found.name)) {
        output.say(&format!(
            "  {:<16}{redirect_uri}{name} (register it there)",
            "Redirect URI"
        ));
    }
    if !args.address.yes && !agrees(&name, registers)? {
        output.say("Nothing was added.");
        return Ok(());
    }
    let provider = match registers {
        true => register(look_up, &found, name, fields, args, engine)?,
        false => with_client(&found, name, fields, asks, engine)?,
    };
    output.done(&provider, &added(&provider, registers))
}

/// The document describes the client: nothing is registered, and the redirects are those that it names.
fn describe(document: &str, found: &Discovered, fields: &mut Map<String, Value>, output: &Output) {
    if !found.offered.client_id_metadata_documents {
        output.say("The provider takes no address of a document as a client ID.");
        return;
    }
    for (name, value) in [
        ("client_id", document.into()),
        ("token_endpoint_auth_method", "none".into()),
        ("redirect_path", CLIENT_METADATA_REDIRECT_PATH.into()),
        ("loopback_any_port", true.into()),
        // It has no secret, and is not asked for one.
        ("client_secret", Value::Null),
    ] {
        fields.entry(name).or_insert(value);
    }
}

/// Whether the user knows the client already, or wants another redirect than the usual one.
fn is_of_client(field: &str) -> bool {
    let of_redirect = ["redirect", "loopback", "deep_link"];
    field == "client_id" || of_redirect.iter().any(|start| field.starts_with(start))
}

fn register(
    look_up: DiscoverRequest,
    found: &Discovered,
    name: String,
    mut fields: Map<String, Value>,
    args: &AddArgs,
    engine: &Engine,
) -> Result<OAuthProvider, Failure> {
    let initial_access_token = match args.address.initial_access_token_stdin {
        true => {
            let token = secret_input::from_stdin(TOKEN)?;
            secret_input::check_one_line(&token, TOKEN)?;
            Some(token.to_string())
        }
        false => None,
    };
    let project = fields
        .remove("project")
        .and_then(|value| Some(value.as_str()?.to_owned()));
    let mut settings = found.settings.0.clone();
    settings.append(&mut fields);
    let request = RegisterRequest {
        look_up,
        name,
        project,
        settings: ProviderSettingsPatch(settings),
        initial_access_token,
    };
    engine.send_body(Method::Post, &["v1", "registrations"], request)
}

/// With a client that was registered by hand.
fn with_client(
    found: &Discovered,
    name: String,
    mut fields: Map<String, Value>,
    asks: bool,
    engine: &Engine,
) -> Result<OAuthProvider, Failure> {
    if !fields.contains_key("client_id") {
        let id = match asks {
            true => secret_input::shown_line("Client ID: ")?.map(|line| line.trim().to_owned()),
            false => None,
        };
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Err(wrong(
                "This provider has no registration for programs, so it needs a client ID",
                "Register a client there, and add --client-id ID (and --client-secret-stdin, if it has a secret).",
            ));
        };
        fields.insert("client_id".to_owned(), id.into());
        if !fields.contains_key("client_secret") {
            let secret = secret_input::from_stdin("Client secret (empty if there is none)")?;
            if !secret.is_empty() {
                fields.insert("client_secret".to_owned(), secret.to_string().into());
            }
        }
    }
    let mut settings = found.settings.0.clone();
    // How a client with a secret authenticates.
    if !fields.contains_key("client_secret") {
        settings.remove("token_endpoint_auth_method");
    }
    settings.append(&mut fields);
    settings.insert("name".to_owned(), name.into());
    engine.send_body(Method::Post, &["v1", "oauth-providers"], settings)
}

fn agrees(name: &str, registers: bool) -> Result<bool, Failure> {
    let question = match registers {
        true => format!("Register Tokenry there, and add it as {name}? [y/N] "),
        false => format!("Add it as {name}? [y/N] "),
    };
    let answer = secret_input::shown_line(&question)?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

/// What was found: endpoints, offers, warnings.
fn shown(found: &Discovered) -> String {
    let kind = match found.kind {
        DiscoveredKind::Issuer => "A provider",
        DiscoveredKind::ProtectedResource => "A protected resource, such as an MCP server",
    };
    let mut lines = vec![format!("{kind}: {}", found.address)];
    for (setting, name) in SHOWN {
        let text = found.settings.0.get(setting).and_then(setting_text);
        lines.extend(text.map(|text| format!("  {name:<16}{text}")));
    }
    let offered = found.offered;
    let offers: Vec<_> = [
        (offered.pkce, "PKCE"),
        (offered.iss_parameter, "iss in responses"),
        (offered.revocation, "revocation"),
        (offered.pushed_authorization_requests, "pushed requests (PAR)"),
        (offered.dpop, "DPoP"),
        (offered.device_flow, "device sign-in"),
        (offered.registration, "registration"),
        (
            offered.client_id_metadata_documents,
            "client id metadata documents",
        ),
    ]
    .into_iter()
    .filter_map(|(is_offered, name)| is_offered.then_some(name))
    .collect();
    if !offers.is_empty() {
        lines.push(format!("  {:<16}{}", "Offers", offers.join(", ")));
    }
    lines.extend(
        found
            .warnings
            .iter()
            .map(|warning| format!("  Warning: {warning}")),
    );
    lines.join("\n")
}

fn added(provider: &OAuthProvider, registered: bool) -> String {
    let name = &provider.name;
    match (registered, provider.redirect_uris.as_slice()) {
        (true, _) | (false, []) => {
            let how = if registered {
                "Registered Tokenry, and added"
            } else {
                "Added"
            };
            format!("{how} {name}. Connect with `tokenry connect {name}`.")
        }
        (false, uris) => format!(
            "Added {name}. Redirect URI for your app registration: {}. Connect with `tokenry connect {name}`.",
            uris.join(" and ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_the_name_of_a_preset() {
        for address in [
            "https://a.example",
            "a.example",
            "localhost:9000",
            "localhost",
            "[::1]:80",
        ] {
            assert!(is_address(address), "{address}");
        }
        for name in ["github", "microsoft-entra", ""] {
            assert!(!is_address(name), "{name}");
        }
    }
}
