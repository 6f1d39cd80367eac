//! The grammar of `tokenry provider` and `tokenry catalog`.

use crate::args::word;
use crate::assignment::{Assignment, assignment};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::PathBuf;
use tokenry_contract::{GrantType, Redirect, TokenEndpointAuthMethod};

#[derive(Subcommand)]
pub(crate) enum ProviderCommand {
    /// Add a provider: a preset by its name, one by its address, or from a file and options (an option wins)
    Add(Box<AddArgs>),
    /// List providers
    List,
    /// Show a provider's settings, without its client secret
    Show {
        /// A provider's name or id
        name: String,
    },
    /// Change the given settings only; an empty value clears a setting
    Edit(Box<EditArgs>),
    /// Print the public key to register for private_key_jwt, as a JWK set
    Jwks {
        /// A provider's name or id
        name: String,
    },
    /// Check a provider without a sign-in: addresses, client authentication, clock
    Check {
        /// A provider's name or id
        name: String,
    },
    /// Follow newer presets, after showing what they change
    Update {
        /// A provider's name or id; omit it for all
        name: Option<String>,
        /// Accept without a question what moves no endpoint to another host
        #[arg(long)]
        yes: bool,
    },
    /// Remove a provider
    Remove {
        /// A provider's name or id
        name: String,
        /// Also disconnect its connections; without this, a provider with connections is not removed
        #[arg(long)]
        disconnect: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum CatalogCommand {
    /// Search by name, alias and category
    Search {
        /// The words to search for
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Show what is known of a provider
    Show {
        /// A preset's name or alias
        name: String,
    },
    /// List all presets
    List {
        /// Only this category
        #[arg(long)]
        category: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct AddArgs {
    /// A preset's name, such as github (`tokenry catalog list`), or the address of a provider or of an MCP server
    #[arg(value_name = "WHAT")]
    pub(crate) what: Option<String>,
    #[command(flatten)]
    pub(crate) source: Source,
    /// The name: lowercase letters, digits and hyphens, unique within the project
    #[arg(long, required_unless_present_any = ["from", "what"])]
    pub(crate) name: Option<String>,
    /// The client ID of your registration at the provider
    #[arg(long, required_unless_present_any = ["from", "what"])]
    pub(crate) client_id: Option<String>,
    /// A variable of the preset, such as tenant=contoso.example; may be repeated
    #[arg(long = "variable", value_name = "NAME=VALUE", requires = "what", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,
    /// The project (namespace)
    #[arg(long)]
    pub(crate) project: Option<String>,
    #[command(flatten)]
    pub(crate) address: AddressArgs,
    #[command(flatten)]
    pub(crate) fields: Fields,
}

/// For the address of a provider or of an MCP server.
#[derive(Args)]
pub(crate) struct AddressArgs {
    /// With an address: add what was found without a question
    #[arg(long, requires = "what")]
    pub(crate) yes: bool,
    /// With an MCP server's address: which of its authorization servers
    #[arg(long, value_name = "ISSUER", requires = "what")]
    pub(crate) authorization_server: Option<String>,
    /// With an MCP server's address: accept a server that describes itself by a shorter address
    #[arg(long, requires = "what")]
    pub(crate) parent_resource: bool,
    /// With an address: sign in as the client that the document at this https address describes (a copy of
    /// docs/client-metadata.json), where the provider takes that; elsewhere Tokenry registers itself
    #[arg(long, value_name = "URL", requires = "what", conflicts_with = "client_id", value_parser = client_metadata)]
    pub(crate) client_metadata: Option<String>,
    /// Register with an initial access token, read from standard input or a hidden prompt
    #[arg(long, requires = "what", conflicts_with_all = ["client_id", "client_secret_stdin"])]
    pub(crate) initial_access_token_stdin: bool,
}

fn client_metadata(text: &str) -> Result<String, &'static str> {
    match tokenry_contract::is_client_metadata_url(text) {
        true => Ok(text.to_owned()),
        false => Err("must be an https address with a path, like https://example.org/client-metadata.json"),
    }
}

#[derive(Args)]
pub(crate) struct EditArgs {
    /// A provider's name or id
    pub(crate) provider: String,
    #[command(flatten)]
    pub(crate) source: Source,
    /// A new name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The client ID of your registration at the provider
    #[arg(long)]
    pub(crate) client_id: Option<String>,
    /// Remove the client secret
    #[arg(long, conflicts_with_all = ["client_secret_stdin", "client_secret_fd"])]
    pub(crate) clear_client_secret: bool,
    #[command(flatten)]
    pub(crate) fields: Fields,
}

/// Sources of settings other than options.
#[derive(Args)]
pub(crate) struct Source {
    /// Read settings from this JSON file, or from standard input with `-`. The output of `provider show --json` and
    /// Google's client_secret.json work too
    #[arg(long, value_name = "FILE.json")]
    pub(crate) from: Option<PathBuf>,
    /// Read the client secret from standard input, or from a hidden prompt at a terminal
    #[arg(long)]
    pub(crate) client_secret_stdin: bool,
    /// Read the client secret from this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "client_secret_stdin")]
    pub(crate) client_secret_fd: Option<u32>,
}

/// The settings that have their own option. `--set` sets any other.
#[derive(Args, Serialize)]
pub(crate) struct Fields {
    /// The display name
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// authorization_code or client_credentials [default: authorization_code]
    #[arg(long, value_parser = word::<GrantType>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_type: Option<GrantType>,
    /// The authorization server's issuer identifier
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// The authorization endpoint, which the browser opens
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    /// The token endpoint
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
    /// The userinfo endpoint, which tells the account
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
    /// Client authentication: client_secret_basic, client_secret_post or none
    #[arg(long, value_name = "METHOD", value_parser = word::<TokenEndpointAuthMethod>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    /// A scope to request by default; may be repeated
    #[arg(long = "default-scope", visible_alias = "scope", value_name = "SCOPE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    default_scopes: Option<Vec<String>>,
    /// The redirect method: loopback, deep-link or paste [default: loopback]
    #[arg(long, value_parser = word::<Redirect>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<Redirect>,
    /// Trust the certificates of this PEM file too: those of a private CA
    #[arg(long, value_name = "FILE.pem", value_parser = whole_path)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    /// Allow http on a private address or a .local or .home.arpa name. Others in that network can read secrets and tokens
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) allow_private_http: bool,
    /// Set any setting by its name in `provider show --json`; may be repeated. Commas separate the items of a list,
    /// NAME.KEY sets one member of a map, and an empty value sets the default
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    #[serde(skip)]
    assignments: Vec<Assignment>,
}

impl AddArgs {
    /// The given options only.
    pub(crate) fn given(&self, into: &mut Map<String, Value>) {
        insert(into, "name", self.name.as_ref());
        insert(into, "client_id", self.client_id.as_ref());
        insert(into, "project", self.project.as_ref());
        self.fields.given(into);
    }
}

impl EditArgs {
    /// The given options only.
    pub(crate) fn given(&self, into: &mut Map<String, Value>) {
        insert(into, "name", self.name.as_ref());
        insert(into, "client_id", self.client_id.as_ref());
        if self.clear_client_secret {
            into.insert("client_secret".to_owned(), Value::Null);
        }
        self.fields.given(into);
    }
}

impl Fields {
    fn given(&self, into: &mut Map<String, Value>) {
        if let Ok(Value::Object(flags)) = serde_json::to_value(self) {
            into.extend(flags);
        }
        for assignment in &self.assignments {
            assignment.apply(into);
        }
    }
}

/// The engine runs in another folder.
fn whole_path(text: &str) -> Result<String, &'static str> {
    let path = std::path::absolute(text).map_err(|_| "expected the path of a file")?;
    let path = path.into_os_string().into_string();
    path.map_err(|_| "the path is not valid UTF-8")
}

/// `NAME=VALUE`. The error does not repeat the argument.
fn variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once('=')
        .ok_or("there is no `=` in it, as in: --variable tenant=contoso.example")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn insert(into: &mut Map<String, Value>, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value.clone().into());
    }
}
